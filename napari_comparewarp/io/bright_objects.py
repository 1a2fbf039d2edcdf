"""Bright objects to mark on a coadd: circles and boxes from a catalogue (section 10)."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy import units
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Row, Table
from regions import CircleSkyRegion, PixelRegion, RectangleSkyRegion, Regions

from ..algorithm.warps import StackError, WarpStack

__all__ = ["read_bright_objects"]


def read_bright_objects(path: str | Path, stack: WarpStack) -> npt.NDArray[np.bool_]:
    """Read a catalogue of bright objects and find their pixels.

    Parameters
    ----------
    path : path
        A table, ``.ecsv`` or ``.csv``, with columns ``ra`` and ``dec`` (degrees)
        and either ``radius``, for a circle, or ``width``, ``height`` and, if
        need be, ``angle``, for a box turned from east to north. Sizes are
        degrees unless the column has another unit; rows may leave the sizes
        of the other shape empty. Or a DS9 region file, ``.reg``.
    stack : WarpStack
        Whose pixels are meant; it needs a WCS unless the regions are in image
        coordinates.

    Returns
    -------
    ndarray of bool
        ``(y, x)``.

    Raises
    ------
    StackError
        If the file cannot be read, or the stack has no WCS.
    """
    path = Path(path)
    read = _from_region_file if path.suffix.lower() == ".reg" else _from_table
    result = np.zeros(stack.shape, np.bool_)
    for region in read(path):
        if not isinstance(region, PixelRegion):
            if stack.wcs is None:
                raise StackError(
                    f"{path}: gives places on the sky, but the warps have no WCS to find them with"
                )
            region = region.to_pixel(stack.wcs)
        overlap = region.to_mask().to_image(stack.shape)
        if overlap is not None:
            result |= overlap > 0
    return result


def _from_region_file(path: Path) -> list[Any]:
    try:
        return list(Regions.read(path, format="ds9"))
    except Exception as error:  # the reader of damaged files raises all kinds
        raise StackError(f"{path}: not a readable DS9 region file: {error}") from error


def _from_table(path: Path) -> list[Any]:
    try:
        table = Table.read(path, format="ascii.ecsv" if path.suffix == ".ecsv" else "ascii.csv")
    except Exception as error:  # the reader of damaged files raises all kinds
        raise StackError(f"{path}: not a readable table: {error}".splitlines()[0]) from error
    missing = {"ra", "dec"} - set(table.colnames)
    if missing or not {"radius", "width"} & set(table.colnames):
        raise StackError(
            f"{path}: columns {', '.join(table.colnames)}; bright objects have ra and dec, with "
            "radius or with width and height"
        )
    return [_region(path, number, row) for number, row in enumerate(table, start=1)]


def _region(path: Path, number: int, row: Row) -> Any:
    """Return the circle or box of one row."""
    place = SkyCoord(_angle(row, "ra"), _angle(row, "dec"))
    radius, width, height = (_angle(row, name) for name in ("radius", "width", "height"))
    if radius is not None and radius > 0:
        return CircleSkyRegion(place, radius)
    if width is not None and height is not None and width > 0 and height > 0:
        angle = _angle(row, "angle")
        return RectangleSkyRegion(place, width, height, Angle(0, "deg") if angle is None else angle)
    raise StackError(f"{path}: row {number} has neither a radius nor a width and a height > 0")


def _angle(row: Row, name: str) -> Any:
    """Return an angle of a row; None where it is not given."""
    if name not in row.colnames or np.ma.is_masked(row[name]):
        return None
    value = float(row[name])
    unit = row.table[name].unit or units.deg
    return None if np.isnan(value) else Angle(value, unit)
