"""Bright objects to mark on a coadd: circles and boxes from a catalogue."""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy import units
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Row
from astropy.utils.exceptions import AstropyWarning
from regions import CircleSkyRegion, PixCoord, PixelRegion, RectangleSkyRegion, Regions

from ..algorithm.warps import WarpStack
from ..config.text_file import read_text, worded
from ..errors import StackError, plain_reason
from .sky_regions import PatchOnSky
from .text_file import read_table

__all__ = ["read_bright_objects"]

#: The largest region file, characters, and what its reader takes for ever to look through.
_LARGEST = 16 << 20
_LONG_WORD = re.compile("(?<![a-zA-Z])[a-zA-Z]{1001}")

#: Corners of a polygon, and pixels from the first one.
_MOST_CORNERS, _FARTHEST = 10_000, 1e7

_WHOLE_CIRCLE = Angle(360, "deg")

_PLACES = ("center", "vertices")
_SIZES = (
    "radius", "inner_radius", "outer_radius", "width", "height", "inner_width", "inner_height",
    "outer_width", "outer_height",
)  # fmt: skip


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
    text = read_text(path, StackError)
    if len(text) > _LARGEST or _LONG_WORD.search(text):
        raise StackError(
            f"{path}: not a readable DS9 region file: more than {_LARGEST >> 20} MiB, or a word "
            "that does not end"
        )
    try:
        with warnings.catch_warnings():
            # The reader leaves out what it does not understand: stars would go unmarked.
            warnings.simplefilter("error", AstropyWarning)
            regions = list(Regions.parse(text, format="ds9"))
    except Exception as error:  # the reader of damaged files raises all kinds
        raise StackError(
            f"{path}: not a readable DS9 region file: {plain_reason(error)}"
        ) from error
    for number, region in enumerate(regions, start=1):
        name = type(region).__name__
        if name.startswith(("Point", "Line", "Text")):
            shape = name.removesuffix("Region").removesuffix("Sky").removesuffix("Pixel").lower()
            raise StackError(
                f"{path}: a {shape} has no area; bright objects are circles, boxes or other areas"
            )
        if wrong := _out_of_range(region):
            raise StackError(f"{path}: region {number} ({name}): {wrong}")
    return regions


def _out_of_range(region: Any) -> str:
    """Return what of a region can be on no image and no sky, empty if all can."""
    corners = getattr(region, "vertices", None)
    if corners is not None and not 3 <= len(corners) <= _MOST_CORNERS:
        return f"a polygon of {len(corners)} corners; it has 3 to {_MOST_CORNERS}"
    for name in (*_PLACES, *_SIZES, "angle"):
        value = getattr(region, name, None)
        if value is None:
            continue
        if isinstance(value, SkyCoord):
            numbers = np.array([value.spherical.lon.deg, value.spherical.lat.deg])
        elif isinstance(value, PixCoord):
            numbers = np.array([value.x, value.y], float)
        else:
            numbers = np.array(units.Quantity(value).value, float)
        if not np.isfinite(numbers).all():
            return f"a number that is not finite in its {name}"
        if isinstance(region, PixelRegion) and np.abs(numbers).max(initial=0) > _FARTHEST:
            return f"more than {_FARTHEST:g} pixels in its {name}"
        is_angle = name in _SIZES and isinstance(value, units.Quantity)
        if is_angle and value > _WHOLE_CIRCLE:
            return f"more than 360 degrees in its {name}"
    return ""


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
            raise StackError(f"{path}: row {number}: {plain_reason(error)}") from error
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
        if np.isnan(value):
            return None
        angle = Angle(value, row.table[name].unit or units.deg)
        if abs(angle) > _WHOLE_CIRCLE:
            raise ValueError
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} {worded(str(row[name]))} is no angle within 360 degrees"
        ) from error
    return angle
