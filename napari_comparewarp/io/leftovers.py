"""Temporary files and folders beside an output, and what killed processes have left of them.

Whoever writes holds a lock on what is being written, which the operating system
lets go with the process: what nobody holds has been left. Another machine may
not see the lock, so what it has made is left alone for a day. Where there are
no locks, nothing is swept.
"""

import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:
    # Windows, which keeps nobody from removing a file that is not open.
    fcntl = None  # type: ignore[assignment]

__all__ = ["held", "remove_unfinished", "scratch_folder", "sweep"]

#: Short, so that whatever name the output has, the temporary one is none too long.
_NAME = re.compile(r"\.comparewarp-([0-9a-f]{8})-[0-9a-f]{12}\.part")

#: Seconds for which what another machine has made is left alone.
_A_DAY = 86400

#: Where Linux says which of its starts this is: all that see it see the same locks.
_START_OF_LINUX = Path("/proc/sys/kernel/random/boot_id")

#: What this process has begun and not finished.
_unfinished: set[Path] = set()


@functools.cache
def _machine() -> str:
    """Return what stands for the machine in names."""
    name = platform.node()
    with suppress(OSError):
        name = _START_OF_LINUX.read_text("ascii")
    return hashlib.sha256(name.encode()).hexdigest()[:8]


@contextmanager
def held(folder: Path, make: Callable[[Path], object]) -> Iterator[Path]:
    """Give a new temporary file or folder that no other process takes for left over.

    Parameters
    ----------
    folder : Path
        Where it is made.
    make : callable
        Makes it at a path; fails if there is something.

    Yields
    ------
    Path
        What is there at the end is removed.
    """
    lock = None
    while True:
        path = folder / f".comparewarp-{_machine()}-{secrets.token_hex(6)}.part"
        _unfinished.add(path)
        try:
            make(path)
            lock = _lock(path, wait=True)
            # Between making and locking, a process that sweeps may have taken it.
            if os.path.lexists(path) if lock is None else _is_still(path, lock):
                break
            if lock is not None:
                os.close(lock)
            _unfinished.discard(path)
        except BaseException:
            _remove(path)
            raise
    try:
        yield path
    finally:
        _remove(path)
        if lock is not None:
            os.close(lock)


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder in another one, for this account alone; see `held`.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    Path
    """
    sweep(folder)
    with held(folder, functools.partial(Path.mkdir, mode=0o700)) as path:
        yield path


def sweep(folder: Path) -> None:
    """Remove what killed processes have left in a folder, where that can be told.

    Parameters
    ----------
    folder : Path
    """
    if fcntl is None:
        return
    # A folder that cannot be listed may still be written to.
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = _NAME.fullmatch(entry.name)
            if name is None:
                continue
            age = time.time() - entry.stat(follow_symlinks=False).st_mtime
            if name[1] == _machine() or age > _A_DAY:
                _sweep_one(Path(entry.path))


def _sweep_one(path: Path) -> None:
    """Remove a file or folder that nobody holds."""
    lock = _lock(path, wait=False)
    if lock is None:
        return
    try:
        if _is_still(path, lock):
            _remove(path)
    finally:
        os.close(lock)


def remove_unfinished() -> None:
    """Remove what this process has begun, where a signal kept it from doing so itself."""
    for path in list(_unfinished):
        _remove(path)


def _lock(path: Path, wait: bool) -> int | None:
    """Return an open handle that has the lock, or None where there is none to be had."""
    if fcntl is None:
        return None
    handle = None
    with suppress(OSError):
        state = path.lstat()
        if not (stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode)):
            return None
        mode = os.O_RDONLY if stat.S_ISDIR(state.st_mode) else os.O_RDWR
        handle = os.open(path, mode | os.O_NOFOLLOW | os.O_NONBLOCK)
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return handle
    if handle is not None:
        os.close(handle)
    return None


def _is_still(path: Path, handle: int) -> bool:
    """Whether a path is what was opened."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(handle))
    except OSError:
        return False


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    _unfinished.discard(path)
