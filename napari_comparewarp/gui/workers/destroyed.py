"""Functions that are called when Qt destroys a widget."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject

__all__ = ["on_destroyed"]


class _Callback:
    """Keeps a function alive until it has been called."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        # A connection alone may be collected before Qt emits `destroyed`.
        _WAITING.add(self)

    def call(self, *_: Any) -> None:
        """Call the function, once."""
        _WAITING.discard(self)
        self._act()


_WAITING: set[_Callback] = set()


def on_destroyed(thing: QObject, act: Callable[[], object]) -> None:
    """Call a function when Qt destroys an object.

    Parameters
    ----------
    thing : QObject
    act : callable
        Must not use `thing`, which does not exist any more.
    """
    thing.destroyed.connect(_Callback(act).call)
