"""Planes of a stack that is bigger than memory: raw scratch files that read like arrays."""

import errno
import os
import re
import shutil
import tempfile
import threading
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ByteSize, TypeAdapter, ValidationError

from ..config.text_file import shown
from ..errors import ConfigError, StackError

__all__ = ["SpooledCube", "check_scratch_space", "parse_memory"]

#: A size as text.
_SIZE = re.compile(r"\s*\d+(\.\d*)?\s*[a-zA-Z]{0,5}\s*", re.ASCII)


def parse_memory(text: str | int, name: str = "memory") -> int:
    """Return a number of bytes.

    Parameters
    ----------
    text : str or int
        Bytes, or text such as ``"2GB"`` (powers of 1000) or ``"500 MiB"``
        (powers of 1024).
    name : str
        What it is called in the message.

    Raises
    ------
    ConfigError
        If it is no size above 0.
    """
    # Its own reader overlooks what follows a size.
    is_size = _SIZE.fullmatch(text) if isinstance(text, str) else _is_whole(text)
    try:
        size = int(TypeAdapter(ByteSize).validate_python(text)) if is_size else 0
    except (ValidationError, OverflowError):  # the latter in old versions of pydantic
        size = 0
    if not 0 < size < 2**63:
        raise ConfigError(f"{name} = {shown(text)}; give a size such as 2GB, 500 MiB or 2000000000")
    return size


def _is_whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_scratch_space(nbytes: int) -> None:
    """Refuse to start a scratch copy that the temporary folder has no room for.

    Raises
    ------
    StackError
        If fewer than `nbytes` are free.
    """
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < nbytes:
        raise StackError(
            f"{folder}: the scratch copy of the stack needs {ByteSize(nbytes).human_readable()} "
            f"and {ByteSize(free).human_readable()} are free; free some, or set TMPDIR to a folder "
            "with room"
        )


class SpooledCube:
    """A plane of a stack, ``(epoch, y, x)``, in a scratch file.

    Each epoch is written once, as ``cube[epoch] = plane``; then it is read
    with contiguous slices: ``cube[e]``, ``cube[e, y0:y1]``, ``cube[:, y0:y1]``,
    ``cube[e, y0:y1, x0:x1]``. What is read is a fresh array, and may be read
    from several threads at once. Nothing is mapped into memory, so that the
    resident memory is what the caller holds.

    The file lies in the temporary folder (TMPDIR) and has no name there: the
    system takes it back with the last user of the cube, however it ends.

    Parameters
    ----------
    shape : tuple of int
        ``(epoch, y, x)``.
    dtype : dtype
        Element type, native byte order.

    Raises
    ------
    StackError
        If the scratch file cannot be made or the disk is full.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: npt.DTypeLike) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._written = np.zeros(shape[0], dtype=bool)
        self._lock = threading.Lock()
        self._folder = tempfile.gettempdir()
        try:
            self._file = tempfile.TemporaryFile(buffering=0, dir=self._folder)  # noqa: SIM115
        except OSError as error:
            raise self._failure(error) from error
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self.shape[0]

    def __setitem__(self, epoch: int, plane: npt.ArrayLike) -> None:
        """Write the plane of one epoch, once."""
        values = np.ascontiguousarray(plane, dtype=self.dtype)
        if values.shape != self.shape[1:]:
            raise ValueError(f"a plane of shape {values.shape} in a cube of {self.shape}")
        if self._written[epoch]:
            raise ValueError(f"epoch {epoch} of the cube is written already")
        rest = values.data.cast("B")
        try:
            with self._lock:
                self._file.seek(epoch * values.nbytes)
                while rest:
                    rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._failure(error) from error
        self._written[epoch] = True

    def __getitem__(self, index: Any) -> np.ndarray:
        """Return a contiguous part as a fresh array."""
        index = index if isinstance(index, tuple) else (index,)
        if len(index) > 3:
            raise IndexError(f"{len(index)} indices for a cube of 3 axes")
        full = index + (slice(None),) * (3 - len(index))
        spans = [_span(i, size) for i, size in zip(full, self.shape, strict=True)]
        (e0, e1), (y0, y1), (x0, x1) = spans
        if not self._written[e0:e1].all():
            missing = e0 + int(np.argmin(self._written[e0:e1]))
            raise ValueError(f"epoch {missing} of the cube is not written yet")
        part = np.empty((e1 - e0, y1 - y0, x1 - x0), dtype=self.dtype)
        whole_rows = x1 - x0 == self.shape[2]
        for epoch, plane in enumerate(part, start=e0):
            if whole_rows:
                self._read_into(plane, epoch, y0, 0)
            else:
                for y, row in enumerate(plane, start=y0):
                    self._read_into(row, epoch, y, x0)
        return part[tuple(0 if isinstance(i, _INTEGERS) else slice(None) for i in full)]

    def _read_into(self, target: np.ndarray, epoch: int, y: int, x: int) -> None:
        """Fill a contiguous array with the elements that begin at one pixel."""
        _, height, width = self.shape
        offset = ((epoch * height + y) * width + x) * self.dtype.itemsize
        rest = target.reshape(-1).data.cast("B")
        while rest:
            count = self._read_some(rest, offset)
            if count == 0:
                raise OSError(errno.EIO, "the scratch file of the stack is cut short", self._folder)
            rest, offset = rest[count:], offset + count

    def _read_some(self, target: memoryview, offset: int) -> int:
        """Read at a position, without one shared between threads where the system can."""
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [target], offset)
        with self._lock:
            self._file.seek(offset)
            return self._file.readinto(target)

    def _failure(self, error: OSError) -> StackError:
        """Return the one line for what went wrong in the temporary folder."""
        return StackError(
            f"{self._folder}: the scratch copy of the stack cannot be written: {error.strerror}; "
            "free some space, or set TMPDIR to a folder with room"
        )


_INTEGERS = (int, np.integer)


def _span(index: Any, size: int) -> tuple[int, int]:
    """Return the half-open range of one index along an axis."""
    if isinstance(index, _INTEGERS):
        start = int(index) + size if index < 0 else int(index)
        if not 0 <= start < size:
            raise IndexError(f"index {index} is outside an axis of {size}")
        return start, start + 1
    if isinstance(index, slice):
        start, stop, step = index.indices(size)
        if step == 1:
            return start, max(start, stop)
    raise IndexError(f"{index!r}: a cube on disk takes numbers and slices of step 1")
