"""Planes of a stack on disk, read row by row, for stacks larger than memory."""

import errno
import os
import re
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..algorithm.warps import StackError

__all__ = ["SpoolFolder", "SpooledCube", "parse_memory"]

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def parse_memory(text: str | int | float) -> int:
    """Return a size in bytes.

    Parameters
    ----------
    text : str or number
        Bytes, or text such as ``"2GB"``, ``"1.5 GiB"``, ``"500M"``.

    Raises
    ------
    StackError
        If it is no size, or not > 0.
    """
    match = re.fullmatch(r"\s*([\d.]+(?:e\d+)?)\s*([kmgt]?)(i?)b?\s*", str(text).lower())
    try:
        assert match is not None
        scale = (_BINARY_UNITS if match[3] else _UNITS)[match[2]]
        size = int(float(match[1]) * scale)
        assert size > 0
    except (AssertionError, KeyError, ValueError):
        raise StackError(f"memory {text!r} is no size; say e.g. 2GB or 500MiB") from None
    return size


class SpoolFolder:
    """A private folder for planes, removed when nothing uses it any more.

    Parameters
    ----------
    needed : int
        Bytes that will be written.

    Raises
    ------
    StackError
        If the disk has no room for them.
    """

    def __init__(self, needed: int) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="comparewarp-"))
        # Also run at the end of the program, whatever happens before.
        self._finalizer = weakref.finalize(self, shutil.rmtree, self.path, True)
        free = shutil.disk_usage(self.path).free
        if free < needed:
            self.close()
            raise StackError(
                f"{self.path.parent}: {free / 1e9:.1f} GB free where the planes of the stack need "
                f"{needed / 1e9:.1f} GB; set TMPDIR to a folder with more room"
            )

    def close(self) -> None:
        """Remove the folder and what is in it."""
        self._finalizer()


class SpooledCube:
    """A plane of a stack in a file, that reads like an ``(epoch, y, x)`` array.

    Every access returns a new array that was read for it. Reads go past the
    page tables (no mapping), so that the process's resident memory is what
    the arrays in use take.

    Parameters
    ----------
    folder : SpoolFolder
        Kept for as long as the cube is.
    name : str
        Name of the file in it.
    shape : tuple of int
        ``(epoch, y, x)``.
    dtype : data-type
    """

    def __init__(
        self, folder: SpoolFolder, name: str, shape: tuple[int, int, int], dtype: npt.DTypeLike
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.ndim = 3
        self._folder = folder
        self._path = folder.path / name
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._close = weakref.finalize(self, os.close, self._file)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))

    def write(self, epoch: int, plane: npt.NDArray) -> None:
        """Write the plane of one epoch.

        Raises
        ------
        StackError
            If the disk is full.
        """
        data = np.ascontiguousarray(plane, dtype=self.dtype)
        offset = epoch * data.nbytes
        view = data.data.cast("B")
        try:
            while len(view):
                done = os.pwrite(self._file, view, offset)
                view, offset = view[done:], offset + done
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
                raise
            raise StackError(
                f"{self._path.parent}: no room for the planes of the stack; set TMPDIR to a "
                "folder with more"
            ) from error

    def __getitem__(self, index: Any) -> npt.NDArray:
        """Return ``[epoch]``, ``[epoch, y0:y1]`` or ``[:, y0:y1]``, then any index of it."""
        parts = index if isinstance(index, tuple) else (index,)
        n_epochs, height, _ = self.shape
        rows = parts[1] if len(parts) > 1 else slice(None)
        y0, y1, step = rows.indices(height) if isinstance(rows, slice) else (0, height, 1)
        rest = parts[2:]
        if step != 1:
            raise IndexError("rows of a plane on disk are read in order, without a step")
        if not isinstance(rows, slice):
            y0 = range(height)[int(rows)]
            y1, rest = y0 + 1, (0, *rest)
        if isinstance(parts[0], slice):
            epochs = range(*parts[0].indices(n_epochs))
            result = np.stack([self._read(epoch, y0, y1) for epoch in epochs])
            lead: tuple[Any, ...] = (slice(None),)
        else:
            result = self._read(range(n_epochs)[int(parts[0])], y0, y1)
            lead = ()
        if not isinstance(rows, slice):
            return result[(*lead, *rest)]
        return np.ascontiguousarray(result[(*lead, slice(None), *rest)]) if rest else result

    def _read(self, epoch: int, y0: int, y1: int) -> npt.NDArray:
        """Read some rows of one epoch."""
        _, height, width = self.shape
        result = np.empty((max(y1 - y0, 0), width), self.dtype)
        view = result.data.cast("B") if result.size else memoryview(b"")
        offset = (epoch * height + y0) * width * self.dtype.itemsize
        while len(view):
            done = os.preadv(self._file, [view], offset)
            if done == 0:
                raise StackError(f"{self._path}: the planes of the stack on disk are cut short")
            view, offset = view[done:], offset + done
        return result
