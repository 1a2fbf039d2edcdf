"""Files that appear when they are whole, and never take the place of others unasked."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import OutputError
from .leftovers import held, remove_unfinished, sweep

__all__ = [
    "check_folder",
    "check_output",
    "check_output_folder",
    "real_place",
    "remove_unfinished",
    "replacing",
]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: What numpy says, without an error number, where only a part could be written.
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")

#: What a file system says that has no hard links; the last is what Windows says.
_NO_LINKS = (
    errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL,
)  # fmt: skip

#: What Windows takes for a stream of another file, a pattern, a device, or another name.
_NO_NAME = re.compile(
    r'.*[<>:"|?*\x01-\x1f].*|.*[. ]|(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])( *\..*)?',
    re.IGNORECASE | re.DOTALL,
)
_IS_WINDOWS = os.name == "nt"


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse a file that exists, or that could not be written.

    Raises
    ------
    OutputError
    """
    state = _state(path)
    if state is not None and stat.S_ISDIR(state.st_mode):
        raise OutputError(f"{path} is a folder; give the name of a file")
    if state is not None and not stat.S_ISREG(state.st_mode):
        raise OutputError(f"{path} is no file, but a device, pipe or socket; give another name")
    if os.path.lexists(path):
        if not overwrite:
            raise OutputError(f"{path} exists; say overwrite (--overwrite) to replace it")
        # As /dev/stdout does: the link itself would be replaced.
        if path.is_symlink() and path.readlink().is_relative_to("/proc"):
            raise OutputError(f"{path} leads to an open file; give another name")
    _check_parent(path)
    if state is not None and overwrite:
        _check_replaceable(path)


def check_folder(
    folder: Path, parents: bool = False, hint: str = "give the name of a folder"
) -> None:
    """Refuse a folder of files that could neither be made nor written to.

    Parameters
    ----------
    folder : Path
    parents : bool
        Whether the folders above it would be made as well.
    hint : str
        What is said where a file stands there.

    Raises
    ------
    OutputError
    """
    state = _state(folder)
    if state is not None and stat.S_ISDIR(state.st_mode):
        _check_writable(folder, folder)
    elif state is not None:
        raise OutputError(f"{folder} is a file; {hint}")
    elif os.path.lexists(folder):
        raise OutputError(f"{folder} is a link that leads nowhere; {hint}")
    elif parents and not os.path.lexists(folder.parent):
        _refuse_bad_name(folder)
        check_folder(folder.parent, parents)
    else:
        _check_parent(folder)


def check_output_folder(folder: Path) -> None:
    """Make a folder to write to, where its parent exists.

    Raises
    ------
    OutputError
    """
    check_folder(folder)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error


def real_place(path: Path) -> Path:
    """Return where a path leads, as far as it leads anywhere.

    Parameters
    ----------
    path : Path
    """
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path.absolute()


def _state(path: Path) -> os.stat_result | None:
    """Return what stands at a path, links followed; None if there is nothing."""
    try:
        return path.stat()
    except ValueError:
        raise OutputError(f"{path}: a name cannot hold the character NUL") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            _refuse_bad_name(path)
            raise OutputError(f"{path}: the path is too long") from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
        # No such file, a loop of links, a file in the place of a folder.
        return None


def _check_parent(path: Path) -> None:
    """Refuse a new name that its folder could not take."""
    folder = path.parent
    state = _state(folder)
    if state is not None and not stat.S_ISDIR(state.st_mode):
        raise OutputError(f"{path}: {folder} is a file, not a folder")
    if state is None:
        raise OutputError(f"{path}: there is no folder {folder}")
    _refuse_bad_name(path)
    _check_writable(folder, path)


def _refuse_bad_name(path: Path) -> None:
    """Refuse a name that the file system does not take."""
    if _IS_WINDOWS and _NO_NAME.fullmatch(path.name):
        raise OutputError(f"{path}: no name that Windows has for a file; give another one")
    most = 255
    if hasattr(os, "pathconf"):
        with suppress(OSError, ValueError):
            most = os.pathconf(path.parent, "PC_NAME_MAX")
    size = len(os.fsencode(path.name))
    if size > most:
        short = path.with_name(f"{path.name[:40]}…")
        raise OutputError(
            f"{short}: the name has {size} bytes, and the file system takes {most}; give a shorter "
            "one"
        )


def _check_writable(folder: Path, path: Path) -> None:
    """Refuse a folder in which no file can be made."""
    if not os.access(folder, os.W_OK | os.X_OK):
        # Of the reasons, that of the operating system.
        reason = os.strerror(errno.EACCES)
        with suppress(OSError, AttributeError):
            if os.statvfs(folder).f_flag & os.ST_RDONLY:
                reason = os.strerror(errno.EROFS)
        raise OutputError(f"{path}: cannot be written: {reason}")


def _check_replaceable(path: Path) -> None:
    """Refuse to replace a file of another account, in a folder where that is not allowed."""
    folder = path.parent.stat()
    if hasattr(os, "geteuid") and folder.st_mode & stat.S_ISVTX:
        owners = (0, folder.st_uid, path.lstat().st_uid)
        if os.geteuid() not in owners:
            raise OutputError(f"{path}: cannot be replaced: it is another account's")


@contextmanager
def replacing(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary name to write to, and move what is written into place.

    The temporary file stands in the same folder, hidden, as
    ``.comparewarp-<machine>-<random>.part``: what a killed run leaves there is taken for an
    input by nothing, and swept by the next that writes there. Where anything
    is raised, it is removed.

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
    sweep(path.parent)
    try:
        with held(path.parent, _make_file) as temporary:
            yield temporary
            _sync(temporary, os.O_RDWR)
            if overwrite:
                temporary.replace(path)
            else:
                _move_to_free_name(temporary, path)
            _sync_folder(path.parent)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {_reason(error)}") from error


def _make_file(path: Path) -> None:
    # Not by tempfile: its files are for their owner alone, whatever the umask.
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))


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


def _sync(path: Path, mode: int) -> None:
    """Have a file's contents on the disk before it gets its name.

    For Windows a file has to be open for writing, which a folder never can be.
    """
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk, where the file system can do that."""
    with suppress(OSError):
        _sync(folder, os.O_RDONLY)
