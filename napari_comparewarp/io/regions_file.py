"""Footprints as DS9 regions."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from regions import PixCoord, PolygonPixelRegion, Regions, RegionVisual
from skimage.measure import approximate_polygon, find_contours

from ..colours import VERDICT_COLOURS
from ..errors import OutputError
from .atomic import check_output, replacing

if TYPE_CHECKING:
    from ..result.result import CompareWarpResult

__all__ = ["write_regions"]


def write_regions(result: "CompareWarpResult", path: Path, overwrite: bool = False) -> None:
    """Write the outlines of all footprints as DS9 regions in image coordinates.

    Each polygon has its verdict's colour, its id as text, and tags for its
    verdict and its epoch, by which DS9 selects.

    Parameters
    ----------
    result : CompareWarpResult
    path : Path
        Ends in ``.reg``.
    overwrite : bool

    Raises
    ------
    OutputError
    """
    path = Path(path)
    if path.suffix.lower() != ".reg":
        raise OutputError(f"{path}: DS9 regions are written as .reg")
    check_output(path, overwrite)
    regions = []
    table = result.footprints
    for index in np.unique(table["epoch_index"]):
        labels = result.labels(int(index))
        for row in table[table["epoch_index"] == index]:
            box = labels[row["y0"] : row["y1"], row["x0"] : row["x1"]] == row["id"]
            for y, x in _outlines(box):
                vertices = PixCoord(x + float(row["x0"]), y + float(row["y0"]))
                verdict = str(row["verdict"])
                regions.append(
                    PolygonPixelRegion(
                        vertices,
                        meta={"text": str(row["id"]), "tag": [verdict, f"epoch {row['epoch']}"]},
                        visual=RegionVisual(color=VERDICT_COLOURS[verdict]),
                    )
                )
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
