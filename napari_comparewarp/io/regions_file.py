"""Footprints as DS9 regions."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from regions import PixCoord, PolygonPixelRegion, Regions, RegionVisual
from skimage.measure import approximate_polygon, find_contours

from ..algorithm.warps import EpochId
from ..colours import VERDICT_COLOURS
from ..errors import OutputError
from .atomic import check_output, replacing

__all__ = ["REGION_ENDING", "Outlined", "write_regions"]

REGION_ENDING = ".reg"


@dataclass(frozen=True)
class Outlined:
    """A footprint to outline.

    Attributes
    ----------
    mask : ndarray of bool
        ``(y, x)`` its pixels in its bounding box.
    y0, x0 : int
        Array indices of the first pixel of that box.
    text : str
        What stands beside it.
    verdict : str
        Gives the colour, and a tag.
    epoch : int or str
        Id of its epoch, a tag.
    """

    mask: npt.NDArray[np.bool_]
    y0: int
    x0: int
    text: str
    verdict: str
    epoch: EpochId


def write_regions(footprints: Iterable[Outlined], path: Path, overwrite: bool = False) -> None:
    """Write the outlines of footprints as DS9 regions in image coordinates.

    Each polygon has its verdict's colour, its text, and tags for its verdict
    and its epoch, by which DS9 selects.

    Parameters
    ----------
    footprints : iterable of Outlined
    path : Path
        Ends in ``.reg``.
    overwrite : bool

    Raises
    ------
    OutputError
    """
    if path.suffix.lower() != REGION_ENDING:
        raise OutputError(f"{path}: DS9 regions are written as {REGION_ENDING}")
    check_output(path, overwrite)
    regions = [
        PolygonPixelRegion(
            PixCoord(x + float(footprint.x0), y + float(footprint.y0)),
            meta={
                "text": footprint.text, "tag": [footprint.verdict, f"epoch {footprint.epoch}"],
            },
            visual=RegionVisual(color=VERDICT_COLOURS[footprint.verdict]),
        )
        for footprint in footprints
        for y, x in _outlines(footprint.mask)
    ]  # fmt: skip
    with replacing(path, overwrite) as temporary:
        if regions:
            Regions(regions).write(temporary, format="ds9", overwrite=True, precision=1)
        else:
            temporary.write_text("# Region file format: DS9\n")


def _outlines(mask: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the outer and inner outlines of a mask, y and x in its own pixels."""
    # Pixels that touch at a corner are one footprint, so theirs is one outline.
    contours = find_contours(np.pad(mask, 1).astype(float), 0.5, fully_connected="high")
    # Only corners on a straight line go: a trail one pixel wide must keep its width.
    polygons = [approximate_polygon(contour, 0.1)[:-1] for contour in contours]
    return [(polygon[:, 0] - 1, polygon[:, 1] - 1) for polygon in polygons]
