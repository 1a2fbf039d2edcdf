"""Layer data that are made when they are looked at."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["EpochPlanes", "Plane"]


class Plane:
    """An image that is asked for anew whenever it is drawn.

    Parameters
    ----------
    shape : tuple of int
        ``(y, x)``.
    dtype : dtype_like
    make : callable
        Returns the image.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, make: Callable[[], npt.NDArray]
    ) -> None:
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))
        self._make = make

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> npt.NDArray:
        return self._make()[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray:
        return np.array(self._make(), dtype=dtype, copy=copy)


class EpochPlanes:
    """A cube whose planes are made one epoch at a time.

    Parameters
    ----------
    shape : tuple of int
        ``(epoch, y, x)``, or ``(epoch, y, x, colour)``.
    dtype : dtype_like
    make : callable
        Returns the plane of an epoch's index.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, make: Callable[[int], npt.NDArray]
    ) -> None:
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))
        self._make = make

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> npt.NDArray:
        if not isinstance(index, tuple):
            index = (index,)
        if index and index[0] is Ellipsis:
            index = (slice(None),) * (self.ndim - len(index) + 1) + index[1:]
        epoch, rest = (index[0], index[1:]) if index else (slice(None), ())
        chosen = np.arange(self.shape[0])[epoch]
        if np.ndim(chosen) == 0:
            return self._make(int(chosen))[rest]
        if len(chosen) == 0:
            return np.empty((0, *self.shape[1:]), self.dtype)[(slice(None), *rest)]
        if len(chosen) == 1:
            # How a viewer asks for a plane: nothing is copied.
            return self._make(int(chosen[0]))[np.newaxis][(slice(None), *rest)]
        return np.stack([self._make(int(one))[rest] for one in chosen])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray:
        return self[:].astype(dtype or self.dtype, copy=False)
