"""What is said while files are read: a warning each, and kept with what was read."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..errors import CompareWarpWarning

__all__ = ["collecting", "say"]

_SAID: ContextVar[list[str] | None] = ContextVar("said", default=None)


def say(message: str) -> None:
    """Warn of something, and keep it for whoever collects.

    Parameters
    ----------
    message : str
        One line.
    """
    said = _SAID.get()
    if said is not None:
        said.append(message)
    warnings.warn(message, CompareWarpWarning, stacklevel=3)


@contextmanager
def collecting() -> Iterator[list[str]]:
    """Give a list that all that is said meanwhile is added to."""
    said: list[str] = []
    token = _SAID.set(said)
    try:
        yield said
    finally:
        _SAID.reset(token)
