"""Keys: bound to the layers of a session, and unbound with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from napari.layers import Layer

from .session import Session

__all__ = ["Key", "PanelKey", "bind_keys", "unbind_keys"]


@dataclass(frozen=True)
class Key:
    """A key and what it does.

    Attributes
    ----------
    key : str
        As napari names it.
    text : str
        What it does, for a list of keys.
    act : callable
        Called without arguments.
    """

    key: str
    text: str
    act: Callable[[], object]


@dataclass(frozen=True)
class PanelKey:
    """A key of a panel, which is opened when the key is pressed.

    Attributes
    ----------
    key, text : str
        As of `Key`.
    act : callable
        Called with the panel.
    """

    key: str
    text: str
    act: Callable[[Any], object]


def bind_keys(session: Session, keys: Mapping[str, Key]) -> None:
    """Bind keys to all layers of a session: those of a layer take precedence over the viewer's."""
    for layer in session.layers:
        for key in keys.values():
            layer.bind_key(key.key, _handler(key), overwrite=True)


def unbind_keys(session: Session, keys: Mapping[str, Key]) -> None:
    """Unbind the keys of a session."""
    for layer in session.layers:
        for key in keys.values():
            layer.bind_key(key.key, None, overwrite=True)


def _handler(key: Key) -> Callable[[Layer], None]:
    def handle(layer: Layer) -> None:
        key.act()

    handle.__doc__ = key.text
    return handle
