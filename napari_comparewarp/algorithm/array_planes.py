"""Arrays of every kind that people give, as planes of a stack.

Masked arrays keep their masks, quantities their units, and lazy arrays (dask,
zarr, HDF5) are computed row by row when the engine asks for rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import StackError
from .compiled import kernel

__all__ = [
    "GivenPlane",
    "LazyCube",
    "LazyMask",
    "convert",
    "given_plane",
    "has_no_data",
    "mark_no_data",
    "typical_sigma",
]

#: Epochs whose variance is looked at to learn the size of the numbers.
_LOOKED_AT = 3


@dataclass(frozen=True)
class GivenPlane:
    """A plane of a stack as it was given.

    Attributes
    ----------
    name : str
        What messages call it.
    values : ndarray or lazy array
        ``(epoch, y, x)``
    hidden : ndarray of bool or None
        Where a masked array hides its values.
    unit : object or None
        Unit of a quantity.
    """

    name: str
    values: Any
    hidden: npt.NDArray[np.bool_] | None = None
    unit: Any = None

    @property
    def is_lazy(self) -> bool:
        """Whether the values are computed or read when they are asked for."""
        return not isinstance(self.values, np.ndarray)


def given_plane(name: str, values: Any) -> GivenPlane:
    """Take an array apart into values, mask and unit.

    Parameters
    ----------
    name : str
        What messages call it.
    values : array_like
        Numbers, a masked array, a quantity, a lazy array, or a sequence of these.

    Raises
    ------
    StackError
        If it has not three axes.
    """
    if isinstance(values, (list, tuple)):
        values = _stacked(name, values)
    _refuse_containers(name, values)
    unit = getattr(values, "unit", None) if hasattr(values, "to_value") else None
    hidden = None
    if hasattr(values, "unmasked"):  # Masked of astropy
        hidden, values = np.asarray(values.mask), values.unmasked
    if unit is not None:
        values = values.value
    if isinstance(values, np.ma.MaskedArray):
        hidden, values = np.ma.getmaskarray(values), np.ma.getdata(values)
    # A plane on disk must be asked for rows; anything else becomes an array now.
    is_lazy = not isinstance(values, np.ndarray) and all(
        hasattr(values, part) for part in ("shape", "dtype", "__getitem__")
    )
    if not is_lazy:
        values = np.asarray(values)
    if len(values.shape) != 3 or 0 in values.shape:
        raise StackError(
            f"{name} has shape {tuple(values.shape)}; it must be (epoch, y, x), none of them 0"
        )
    return GivenPlane(name, values, hidden if hidden is not None and hidden.any() else None, unit)


def _stacked(name: str, planes: Sequence[Any]) -> Any:
    """Return a sequence of planes as one array that keeps masks and units."""
    for plane in planes:
        _refuse_containers(name, plane)
    if any(hasattr(plane, "unmasked") for plane in planes):
        raise StackError(
            f"{name} is a list of masked quantities; give one array (epoch, y, x), e.g. "
            "numpy.stack of them"
        )
    if any(hasattr(plane, "to_value") for plane in planes):
        try:
            return np.stack(planes)
        except Exception as error:  # units that do not convert, or a number among quantities
            raise StackError(f"{name}: a list of quantities of different units") from error
    if any(isinstance(plane, np.ma.MaskedArray) for plane in planes):
        return np.ma.stack(planes)
    return planes


def _refuse_containers(name: str, values: Any) -> None:
    """Refuse objects of which only a part would be taken, such as CCDData and columns."""
    has_unit = getattr(values, "unit", None) is not None and not hasattr(values, "to_value")
    if hasattr(values, "uncertainty") or has_unit:
        raise StackError(
            f"{name} holds {type(values).__name__}; give its arrays: data, variance and mask, or "
            "quantities"
        )


def convert(plane: GivenPlane, dtype: npt.DTypeLike, unit: Any, scale: float) -> Any:
    """Return a plane as native rows of one type.

    Parameters
    ----------
    plane : GivenPlane
    dtype : dtype
        float32 or int32.
    unit : object or None
        The unit to bring a quantity to.
    scale : float
        What the numbers are divided by, in double precision, unless it is 1.

    Returns
    -------
    ndarray or LazyCube
        ``(epoch, y, x)``; an array of the right type is not copied.

    Raises
    ------
    StackError
        If it has no numbers of that kind, or a unit that does not convert.
    """
    kinds, what = ("iub", "a mask is made of integers")
    if np.dtype(dtype).kind == "f":
        kinds, what = ("iuf", "it must be real numbers")
    if np.dtype(plane.values.dtype).kind not in kinds:
        raise StackError(f"{plane.name} has type {plane.values.dtype}; {what}")
    factor = 1.0
    if plane.unit is not None and unit is not None and plane.unit != unit:
        try:
            factor = float(plane.unit.to(unit))
        except Exception as error:  # UnitConversionError is a TypeError of astropy's
            raise StackError(
                f"{plane.name} is in {plane.unit}, which is no {unit}; a variance is in the "
                "square of the image's unit"
            ) from error
    factor /= scale
    if plane.is_lazy:
        return LazyCube(plane.values, dtype, factor)
    if np.dtype(dtype).kind == "i":
        _check_bits(plane)
    values = plane.values if factor == 1 else plane.values * np.float64(factor)
    values = np.ascontiguousarray(values, dtype=dtype)
    if plane.hidden is not None and np.dtype(dtype).kind == "f":
        values = np.where(plane.hidden, np.asarray(np.nan, dtype), values)
    return values


def _check_bits(plane: GivenPlane) -> None:
    """Refuse flags that an int32 mask would lose."""
    values = plane.values
    if values.dtype.itemsize < 4 or values.dtype == np.int32:
        return
    highest = int(np.bitwise_or.reduce(values, axis=None))
    if not -(2**31) <= highest < 2**31:
        raise StackError(
            f"{plane.name} has bit {highest.bit_length() - 1} set; bits 0 to 30 can be used"
        )


def has_no_data(variance: npt.NDArray, out: npt.NDArray[np.bool_] | None = None) -> Any:
    """Tell which pixels have no data because their variance is no variance.

    A variance that is NaN, infinite, 0 or negative belongs to no measurement:
    drizzled images and weight maps mark so what no detector covered.

    Parameters
    ----------
    variance : ndarray
    out : ndarray of bool, optional
        To write to.
    """
    with np.errstate(invalid="ignore"):
        good = np.less(variance, np.inf, out=out)
        good &= variance > 0
    return np.logical_not(good, out=good)


@kernel
def mark_no_data(variance, mask, no_data):  # type: ignore[no-untyped-def]
    """Set a bit of the mask where `has_no_data` says so, in one pass that needs no memory.

    Parameters
    ----------
    variance : ndarray of float32
        ``(y, x)``
    mask : ndarray of int32
        ``(y, x)``, changed in place.
    no_data : int
        Bit mask of NO_DATA.
    """
    bit = np.int32(no_data)
    for y in range(variance.shape[0]):
        for x in range(variance.shape[1]):
            value = variance[y, x]
            is_one = (value > np.float32(0)) & (value < np.float32(np.inf))
            mask[y, x] |= np.int32(0) if is_one else bit


def typical_sigma(plane: GivenPlane) -> float:
    """Return the median standard deviation that a plane of variances tells, NaN if none."""
    with np.errstate(all="ignore"):
        for epoch in range(min(_LOOKED_AT, plane.values.shape[0])):
            variance = np.ma.filled(np.asarray(plane.values[epoch], np.float64), np.nan)
            good = variance[~has_no_data(variance)]
            if good.size:
                return float(np.sqrt(np.median(good)))
    return np.nan


class LazyCube:
    """A lazy array whose rows are computed when they are asked for.

    Parameters
    ----------
    values : lazy array
        ``(epoch, y, x)``
    dtype : dtype
        Type of the rows.
    factor : float
        What they are multiplied by.
    """

    def __init__(self, values: Any, dtype: npt.DTypeLike, factor: float = 1.0) -> None:
        self._values = values
        self._factor = factor
        self.shape: tuple[int, int, int] = tuple(map(int, values.shape))  # type: ignore[assignment]
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        """Return some rows as a native array; values that a masked array hides are NaN."""
        rows = self._values[index]
        rows = rows.compute() if hasattr(rows, "compute") else rows
        if isinstance(rows, np.ma.MaskedArray) and self.dtype.kind == "f":
            real = np.result_type(rows.dtype, np.float32)
            rows = np.where(np.ma.getmaskarray(rows), np.nan, np.ma.getdata(rows)).astype(real)
        rows = np.asarray(rows)
        if self._factor != 1:
            rows = rows * np.float64(self._factor)
        return np.ascontiguousarray(rows, dtype=self.dtype)


class LazyMask(LazyCube):
    """A mask in which pixels without data are marked as rows are asked for.

    Parameters
    ----------
    mask : cube
        ``(epoch, y, x)`` int32.
    variance : cube
        That of the same warps, which says where there are none.
    no_data : int
        Bit mask of NO_DATA.
    """

    def __init__(self, mask: Any, variance: Any, no_data: int) -> None:
        super().__init__(mask, np.int32)
        self._variance = variance
        self._no_data = np.int32(no_data)

    def __getitem__(self, index: Any) -> np.ndarray:
        """Return some rows of the mask."""
        mask = super().__getitem__(index)
        missing = has_no_data(self._variance[index])
        return np.where(missing, mask | self._no_data, mask) if missing.any() else mask
