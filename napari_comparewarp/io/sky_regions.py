"""Which pixels of a patch lie in a region on the sky.

The shapes are compared on the sky itself, so that it does not matter how pixels
are shaped, turned or distorted.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy import units
from astropy.coordinates import SkyCoord
from regions import (
    CircleAnnulusSkyRegion,
    CircleSkyRegion,
    EllipseAnnulusSkyRegion,
    EllipseSkyRegion,
    PixCoord,
    PixelRegion,
    RectangleAnnulusSkyRegion,
    RectangleSkyRegion,
    RegionMeta,
)

from ..algorithm.warps import WarpStack
from ..errors import StackError
from .sky import sky_of

__all__ = ["PatchOnSky"]

#: Rows and columns at which the sky is looked at to learn where a region may lie.
_COARSE = 33

#: Shapes by what their outline is: a distance, an ellipse, a box; and rings of two of them.
_SHAPES = (CircleSkyRegion, EllipseSkyRegion, RectangleSkyRegion)
_RINGS = (CircleAnnulusSkyRegion, EllipseAnnulusSkyRegion, RectangleAnnulusSkyRegion)

_Part = tuple[slice, slice]


class PatchOnSky:
    """The pixels of a stack as places on the sky.

    Parameters
    ----------
    path : Path
        The file that the regions come from, for messages.
    stack : WarpStack
    """

    def __init__(self, path: Path, stack: WarpStack) -> None:
        self._path = path
        self._shape = stack.shape
        self._wcs = stack.wcs
        self._coarse: tuple[npt.NDArray, npt.NDArray, SkyCoord] | None = None

    def inside(self, region: Any) -> tuple[_Part, npt.NDArray[np.bool_]]:
        """Tell which pixels have their centre in a region.

        Parameters
        ----------
        region : regions.Region
            With an area, in pixels or on the sky.

        Returns
        -------
        where : tuple of slice
            A part of the patch outside of which no pixel is inside.
        inside : ndarray of bool
            Of that part.

        Raises
        ------
        StackError
            If it is on the sky and the stack has no sky coordinates.
        """
        if isinstance(region, PixelRegion):
            return self._inside_pixels(region)
        if isinstance(region, _SHAPES + _RINGS):
            return self._inside_sky(region)
        vertices = region.vertices  # of a polygon: its sides are straight in the image
        x, y = self._find(vertices)
        if not np.isfinite([x, y]).all():
            return _NOWHERE
        return self._inside_pixels(region.to_pixel(self._wcs.celestial))

    def _inside_pixels(self, region: Any) -> tuple[_Part, npt.NDArray[np.bool_]]:
        # No larger than the patch: a halo on a wide field may have far more pixels.
        where, _ = region.bounding_box.get_overlap_slices(self._shape)
        if where is None:
            return _NOWHERE
        y, x = np.mgrid[where]
        # Without its notes: releases differ in what an excluded region is said to contain.
        return where, region.copy(meta=RegionMeta()).contains(PixCoord(x, y))

    def _inside_sky(self, region: Any) -> tuple[_Part, npt.NDArray[np.bool_]]:
        where = self._near(region.center, _reach(region))
        if where is None:
            return _NOWHERE
        y, x = np.mgrid[where]
        sky = sky_of(self._wcs, x, y)
        assert sky is not None  # as `_near` found some
        centre = region.center.transform_to(sky.frame)
        return where, _contains(region, centre, sky)

    def _find(self, place: SkyCoord) -> tuple[npt.NDArray, npt.NDArray]:
        """Return array coordinates of places on the sky."""
        self._sky()
        return self._wcs.celestial.world_to_pixel(place)

    def _near(self, centre: SkyCoord, reach: units.Quantity) -> _Part | None:
        """Return the part of the patch that has all pixels within a distance."""
        ys, xs, sky = self._sky()
        distance = sky.separation(centre.transform_to(sky.frame))
        # A cell between the places that are looked at may come closer than they do.
        sides = [sky[1:].separation(sky[:-1]), sky[:, 1:].separation(sky[:, :-1])]
        slack = max((float(np.nanmax(side.deg)) for side in sides if side.size), default=0.0)
        near = distance <= reach + 1.5 * slack * units.deg
        if not near.any():
            return None
        rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
        return (
            slice(ys[max(rows[0] - 1, 0)], ys[min(rows[-1] + 1, len(ys) - 1)] + 1),
            slice(xs[max(columns[0] - 1, 0)], xs[min(columns[-1] + 1, len(xs) - 1)] + 1),
        )

    def _sky(self) -> tuple[npt.NDArray, npt.NDArray, SkyCoord]:
        """Return rows, columns and places of a coarse grid over the patch."""
        if self._coarse is None:
            height, width = self._shape
            ys = np.unique(np.linspace(0, height - 1, _COARSE).round().astype(int))
            xs = np.unique(np.linspace(0, width - 1, _COARSE).round().astype(int))
            sky = sky_of(self._wcs, *np.meshgrid(xs, ys))
            if sky is None:
                raise StackError(
                    f"{self._path}: gives places on the sky, but the warps have no WCS to find "
                    "them with"
                )
            self._coarse = ys, xs, sky
        return self._coarse


_NOWHERE: tuple[_Part, npt.NDArray[np.bool_]] = (
    (slice(0, 0), slice(0, 0)),
    np.zeros((0, 0), np.bool_),
)


def _reach(region: Any) -> units.Quantity:
    """Return how far from its centre a shape reaches at most."""
    sizes = [
        getattr(region, name)
        for name in ("radius", "outer_radius", "width", "height", "outer_width", "outer_height")
        if hasattr(region, name)
    ]
    # The corner of a box is at most as far as half of both sides together.
    return sum(size.to(units.deg) for size in sizes)


def _contains(region: Any, centre: SkyCoord, sky: SkyCoord) -> npt.NDArray[np.bool_]:
    """Tell which places are in a shape, or between the two outlines of a ring."""
    if isinstance(region, (CircleSkyRegion, CircleAnnulusSkyRegion)):
        distance = sky.separation(centre)
        if isinstance(region, CircleSkyRegion):
            return distance <= region.radius
        return (distance <= region.outer_radius) & (distance > region.inner_radius)
    # The sides of a box and the axes of an ellipse lie east-west and north-south at its
    # centre, and are turned from north to east.
    aligned = sky.transform_to(centre.skyoffset_frame(rotation=region.angle))
    east, north = aligned.lon.wrap_at("180d").deg, aligned.lat.deg
    if isinstance(region, (EllipseSkyRegion, RectangleSkyRegion)):
        return _in_outline(region, east, north, region.width, region.height)
    outer = _in_outline(region, east, north, region.outer_width, region.outer_height)
    return outer & ~_in_outline(region, east, north, region.inner_width, region.inner_height)


def _in_outline(
    region: Any, east: npt.NDArray, north: npt.NDArray, width: Any, height: Any
) -> npt.NDArray[np.bool_]:
    """Tell which offsets are in an ellipse or a box of that full width and height."""
    across, along = 2 * east / width.to_value("deg"), 2 * north / height.to_value("deg")
    if isinstance(region, (EllipseSkyRegion, EllipseAnnulusSkyRegion)):
        return across**2 + along**2 <= 1
    return (np.abs(across) <= 1) & (np.abs(along) <= 1)
