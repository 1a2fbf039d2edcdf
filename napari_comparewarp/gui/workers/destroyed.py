"""What is left to do when Qt destroys a widget."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject

__all__ = ["on_destroyed"]


class _Farewell:
    """Keeps a function alive until it has been called."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        # What only a dying Qt object knows of may be emptied as garbage before it is called.
        _OPEN.add(self)

    def say(self, *_: Any) -> None:
        """Call the function, once."""
        _OPEN.discard(self)
        self._act()


_OPEN: set[_Farewell] = set()


def on_destroyed(thing: QObject, act: Callable[[], object]) -> None:
    """Call a function once Qt has destroyed something.

    Parameters
    ----------
    thing : QObject
    act : callable
        Must not use `thing`, of which nothing is left then.
    """
    thing.destroyed.connect(_Farewell(act).say)
