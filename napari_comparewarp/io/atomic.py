"""Files that appear when they are whole, and never take the place of others unasked."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["OutputError", "check_output", "check_output_folder", "replacing"]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class OutputError(OSError):
    """An output that cannot be written; the message is one line."""


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse a file that exists, or whose folder does not.

    Raises
    ------
    OutputError
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file")
    if path.exists() and not overwrite:
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

    The temporary file stands in the same folder and ends like `path`, so that
    libraries find its format. Where anything is raised, it is removed.

    Parameters
    ----------
    path : Path
        The file to be written.
    overwrite : bool
        Whether it may take the place of one that exists, or comes to exist
        in the meantime.

    Raises
    ------
    OutputError
        If the file exists, has no folder, or cannot be written.
    """
    check_output(path, overwrite)
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=f".{path.name}", dir=path.parent)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _sync(temporary)
        temporary.chmod(0o666 & ~_umask())
        if overwrite:
            temporary.replace(path)
        else:
            # A link, unlike a move, fails where there is something by now.
            os.link(temporary, path)
    except FileExistsError:
        raise OutputError(f"{path} exists; say overwrite (--overwrite) to replace it") from None
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        reason = "no room on the disk" if error.errno in _NO_ROOM else error.strerror or error
        raise OutputError(f"{path}: cannot be written: {reason}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have a file's contents on the disk before its name is."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    """Return the process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
