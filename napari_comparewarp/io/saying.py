"""What is said while files are read: a warning each, and kept with what was read."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from ..errors import CompareWarpWarning

__all__ = ["collecting", "gathered", "say"]

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


def gathered(notes: Iterable[tuple[Path, str]]) -> list[str]:
    """Return each note once, with the first file that it holds for and the number of others.

    Parameters
    ----------
    notes : iterable of tuple
        Path of a file, and what is to be said of it.
    """
    paths: dict[str, list[Path]] = {}
    for path, note in notes:
        paths.setdefault(note, []).append(path)
    return [
        f"{first}{f' and {len(others)} more' if others else ''}: {note}"
        for note, (first, *others) in paths.items()
    ]
