"""Bright objects to mark on a coadd: circles and boxes from a catalogue."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy import units
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Row
from astropy.utils.exceptions import AstropyWarning
from regions import CircleSkyRegion, RectangleSkyRegion, Regions

from ..algorithm.warps import WarpStack
from ..errors import StackError, one_line
from .sky_regions import PatchOnSky
from .text_file import read_table, read_text

__all__ = ["read_bright_objects"]


def read_bright_objects(path: str | Path, stack: WarpStack) -> npt.NDArray[np.bool_]:
    """Read a catalogue of bright objects and find their pixels.

    Parameters
    ----------
    path : path
        A table, ``.ecsv`` or ``.csv``, with columns ``ra`` and ``dec`` (ICRS)
        and either ``radius``, for a circle, or ``width`` (east-west),
        ``height`` and, if need be, ``angle``, for a box that is turned by it
        from north to east. All are degrees unless the column has another unit;
        rows may leave the sizes of the other shape empty. Or a DS9 region file,
        ``.reg``, with any shapes that have an area; those that it excludes are
        taken away from the others.
    stack : WarpStack
        Whose pixels are meant; it needs a WCS unless the regions are in image
        coordinates.

    Returns
    -------
    ndarray of bool
        ``(y, x)``: whether the centre of a pixel lies in one of the shapes.

    Raises
    ------
    StackError
        If the file cannot be read, or the stack has no WCS.
    """
    path = Path(path)
    if not path.is_file():
        raise StackError(f"{path}: no such file")
    regions = _from_region_file(path) if path.suffix.lower() == ".reg" else _from_table(path)
    result = np.zeros(stack.shape, np.bool_)
    pixels = PatchOnSky(path, stack)
    for region in sorted(regions, key=_is_excluded):
        where, inside = pixels.inside(region)
        if _is_excluded(region):
            result[where] &= ~inside
        else:
            result[where] |= inside
    return result


def _is_excluded(region: Any) -> bool:
    return not region.meta.get("include", True)


def _from_region_file(path: Path) -> list[Any]:
    text = read_text(path)
    try:
        with warnings.catch_warnings():
            # The reader leaves out what it does not understand: stars would go unmarked.
            warnings.simplefilter("error", AstropyWarning)
            regions = list(Regions.parse(text, format="ds9"))
    except Exception as error:  # the reader of damaged files raises all kinds
        raise StackError(f"{path}: not a readable DS9 region file: {one_line(error)}") from error
    for region in regions:
        name = type(region).__name__
        if name.startswith(("Point", "Line", "Text")):
            shape = name.removesuffix("Region").removesuffix("Sky").removesuffix("Pixel").lower()
            raise StackError(
                f"{path}: a {shape} has no area; bright objects are circles, boxes or other areas"
            )
    return regions


def _from_table(path: Path) -> list[Any]:
    table = read_table(path)
    missing = {"ra", "dec"} - set(table.colnames)
    if missing or not {"radius", "width"} & set(table.colnames):
        raise StackError(
            f"{path}: columns {', '.join(table.colnames)}; bright objects have ra and dec, with "
            "radius or with width and height"
        )
    regions = []
    for number, row in enumerate(table, start=1):
        try:
            regions.append(_region(row))
        except (TypeError, ValueError) as error:
            raise StackError(f"{path}: row {number}: {one_line(error)}") from error
    return regions


def _region(row: Row) -> Any:
    """Return the circle or box of one row."""
    ra, dec, radius, width, height, angle = (
        _angle(row, name) for name in ("ra", "dec", "radius", "width", "height", "angle")
    )
    if ra is None or dec is None:
        raise ValueError("no place: it needs ra and dec")
    place = SkyCoord(ra, dec)
    if radius is not None and radius > 0:
        return CircleSkyRegion(place, radius)
    if width is not None and height is not None and width > 0 and height > 0:
        return RectangleSkyRegion(place, width, height, Angle(0, "deg") if angle is None else angle)
    raise ValueError("neither a radius nor a width and a height > 0")


def _angle(row: Row, name: str) -> Any:
    """Return an angle of a row; None where it is not given."""
    if name not in row.colnames or row[name] is np.ma.masked:
        return None
    try:
        value = float(row[name])
        angle = Angle(value, row.table[name].unit or units.deg)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} {row[name]} is no angle") from error
    return angle if np.isfinite(value) else None
