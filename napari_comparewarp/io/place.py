"""Places that inputs come from: files are opened, and nothing that could block or never end."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from ..errors import CompareWarpError, StackError

__all__ = ["is_file", "is_there", "names_in", "open_regular", "reading_places"]

#: Opening a pipe would otherwise wait for somebody who writes to it.
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def open_regular(path: Path, error: type[CompareWarpError] = StackError) -> BufferedReader:
    """Open a file for reading.

    Parameters
    ----------
    path : Path
    error : type of CompareWarpError
        What is raised for anything that is no file.

    Raises
    ------
    CompareWarpError
        If it is a folder, pipe, device or socket.
    OSError
        If it cannot be opened.
    """
    # Before it is opened, as opening is enough to make some devices act.
    _refuse_others(path, path.stat().st_mode, error)
    number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | _AT_ONCE)
    file = os.fdopen(number, "rb")
    try:
        _refuse_others(path, os.fstat(file.fileno()).st_mode, error)
    except BaseException:
        file.close()
        raise
    return file


def _refuse_others(path: Path, mode: int, error: type[CompareWarpError]) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "no file")
        raise error(f"{path}: {kind}; a file is needed")


@contextmanager
def reading_places(path: Path) -> Iterator[None]:
    """Name the folder or file that cannot be looked at; the reason becomes one line."""
    try:
        yield
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else path
        raise StackError(f"{where}: cannot be read: {error.strerror or error}") from error


def is_there(path: Path) -> bool:
    """Tell whether there is something that can be looked at; a name may be too long for it."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def is_file(path: Path) -> bool:
    """Tell whether there is a file that can be looked at."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def names_in(folder: Path) -> list[Path]:
    """Return what is in a folder, by name; nothing where it may be entered and not listed."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
