"""The masks that Rubin's cell coadds take: one a visit, and where a visit falls out of a cell."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import Table

from ..algorithm.mask_planes import bits
from ..errors import CompareWarpWarning
from ..io.atomic import replacing
from ..io.epoch_files import epoch_path
from ..io.plain_files import write_table
from .files import write_mask_files
from .result import CompareWarpResult

__all__ = ["CELL", "DATASET_TYPE", "artifact_mask_path", "masked_cells", "write_artifact_masks"]

#: The dataset type of the pipelines, which the files are named like.
DATASET_TYPE = "compare_warp_artifact_mask"

#: Side of a cell, pixels; cells tile the patch from its first pixel.
CELL = 150

#: A visit of which more of a cell is masked falls out of its coadd.
MOST_MASKED = 0.5

#: Cells that a message names before it only counts the rest.
_MOST_NAMED = 8


def artifact_mask_path(folder: Path, epoch: Any) -> Path:
    """Return where the artifact mask of an epoch is written."""
    return epoch_path(folder, DATASET_TYPE, epoch, ".fits")


def masked_cells(result: CompareWarpResult, epoch_index: int) -> npt.NDArray[np.float64]:
    """Return which part of each cell is masked in one epoch.

    Parameters
    ----------
    result : CompareWarpResult
    epoch_index : int

    Returns
    -------
    ndarray
        ``(cell y, cell x)``, 0 to 1: pixels with CLIPPED or one of the planes
        that are bad for the coadd. Cells at the far edges may be cut.
    """
    planes = (*result.config.bad_planes, "CLIPPED")
    masked = result.direct_mask(epoch_index) & bits(result.coadd.mask_planes, planes) != 0
    rows, columns = (np.arange(0, size, CELL) for size in masked.shape)
    counts = np.add.reduceat(np.add.reduceat(masked.astype(np.int64), rows, 0), columns, 1)
    height = np.minimum(rows + CELL, masked.shape[0]) - rows
    width = np.minimum(columns + CELL, masked.shape[1]) - columns
    return counts / np.outer(height, width)


def write_artifact_masks(result: CompareWarpResult, folder: Path, overwrite: bool = False) -> None:
    """Write one mask a visit, as the cell coadds of Rubin's pipelines take them.

    Each is the mask of the direct warp on the patch with CLIPPED, NO_DATA and
    EDGE set; all have the same planes. ``cells.ecsv`` lists the cells of 150
    pixels of which half or more is masked, so that the visit falls out of
    their coadds.

    Parameters
    ----------
    result : CompareWarpResult
    folder : Path
        Made if need be; a file ``compare_warp_artifact_mask_<visit>.fits`` for
        each visit.
    overwrite : bool

    Raises
    ------
    OutputError
        If one of the files exists, before any is written.

    Warns
    -----
    CompareWarpWarning
        Visit by visit, of the cells that it falls out of.
    """
    folder = Path(folder)
    paths = [artifact_mask_path(folder, epoch) for epoch in result.stack.epochs]
    write_mask_files(result, folder, paths, overwrite)
    visits, places, parts = [], [], []
    for index, epoch in enumerate(result.stack.epochs):
        fractions = masked_cells(result, index)
        found = np.argwhere(fractions >= MOST_MASKED)
        visits += [str(epoch)] * len(found)
        places += found.tolist()
        parts += [float(fractions[y, x]) for y, x in found]
        if len(found) and result.weights[index] > 0:
            named = "; ".join(f"{y}, {x}" for y, x in found[:_MOST_NAMED])
            more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
            warnings.warn(
                f"visit {epoch} falls out of {len(found)} of {fractions.size} cells, of which half "
                f"or more is masked (y, x): {named}{more}",
                CompareWarpWarning,
                stacklevel=2,
            )
    cells = np.array(places, np.int64).reshape(-1, 2)
    table = Table(
        {
            # As wide as the longest id.
            "visit": np.array(visits, str),
            "cell_y": cells[:, 0],
            "cell_x": cells[:, 1],
            "masked": np.array(parts, np.float64),
        }
    )
    table.meta["cell"] = f"{CELL} pixels"
    with replacing(folder / "cells.ecsv", overwrite) as temporary:
        write_table(temporary, table)
