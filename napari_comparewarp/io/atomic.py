"""Files that appear when they are whole, and never take the place of others unasked."""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import OutputError

__all__ = ["check_output", "check_output_folder", "replacing"]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: What numpy says, without an error number, where only a part could be written.
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")

#: What a file system says that has no hard links.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse a file that exists, or whose folder does not.

    Raises
    ------
    OutputError
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file")
    if os.path.lexists(path) and not overwrite:
        raise OutputError(f"{path} exists; say overwrite (--overwrite) to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}")


def check_output_folder(folder: Path) -> None:
    """Make a folder to write to, where its parent exists.

    Raises
    ------
    OutputError
    """
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError:
        raise OutputError(f"{folder}: there is no folder {folder.parent}") from None
    except FileExistsError:
        raise OutputError(f"{folder} is a file; give the name of a folder") from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error


@contextmanager
def replacing(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary name to write to, and move what is written into place.

    The temporary file stands in the same folder, hidden, as
    ``.<name>.<random>.part``: what a killed run leaves there is taken for an
    input by nothing. Where anything is raised, it is removed.

    Parameters
    ----------
    path : Path
        The file to be written.
    overwrite : bool
        Whether it may take the place of one that exists, or comes to exist
        in the meantime.

    Yields
    ------
    Path
        The temporary file: it exists and is empty.

    Raises
    ------
    OutputError
        If the file exists, has no folder, or cannot be written.
    """
    check_output(path, overwrite)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
    try:
        # Not by tempfile: its files are for their owner alone, whatever the umask.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        yield temporary
        _sync(temporary)
        if overwrite:
            temporary.replace(path)
        else:
            _move_to_free_name(temporary, path)
        _sync_folder(path.parent)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {_reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _move_to_free_name(temporary: Path, path: Path) -> None:
    """Give a file its name, unless there is something of that name by now."""
    taken = OutputError(f"{path} exists; say overwrite (--overwrite) to replace it")
    try:
        # A link, unlike a move, fails where there is something.
        os.link(temporary, path)
    except FileExistsError:
        raise taken from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise taken from None
        temporary.replace(path)


def _reason(error: OSError) -> str:
    """Say in a few words why something could not be written."""
    # astropy raises a new error without a number; the first one says what it was.
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if any(isinstance(cause, OSError) and cause.errno in _NO_ROOM for cause in causes) or (
        _CUT_SHORT.search(str(error))
    ):
        return "no room on the disk"
    return error.strerror or " ".join(str(error).split())


def _sync(path: Path) -> None:
    """Have a file's contents on the disk before it gets its name."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk, where the file system can do that."""
    with suppress(OSError):
        _sync(folder)
