"""What was clipped in each epoch, a row an epoch."""

from typing import TYPE_CHECKING

import numpy as np

from ..algorithm.verdicts import Verdict
from ..algorithm.warps import epoch_array
from ..result.result import CompareWarpResult

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["summarise_epochs"]

#: Column, unit and meaning.
_COLUMNS = {
    "epoch": ("", "id of the epoch"),
    "weight": ("", "weight in the coadd, 0 where the warp is skipped"),
    "variance_scale": ("", "factor of the matched warp's variance"),
    "n_footprints": ("", "candidates and streaks"),
    "n_clipped": ("", "of these, clipped: candidates and streaks"),
    "n_persistent": ("", "kept, by a rule or manually"),
    "n_protected": ("", "kept inside bright sources"),
    "n_prefiltered": ("", "dropped before the rules"),
    "n_streaks": ("", "streaks, clipped or not"),
    "n_by_hand": ("", "decided manually"),
    "clipped_area": ("pix", "pixels that are clipped"),
    "clipped_fraction": ("", "fraction of the patch that is clipped"),
}


def summarise_epochs(result: CompareWarpResult) -> "Table":
    """Return how many footprints, and what area, are clipped in each epoch.

    Parameters
    ----------
    result : CompareWarpResult

    Returns
    -------
    astropy.table.Table
        A row for each epoch, in the order of the stack. ``clipped_area`` counts
        a pixel once where a streak covers a clipped candidate.
    """
    from astropy.table import Table

    products = result.products
    n = np.array([np.bincount(v.verdict, minlength=len(Verdict)) for v in products.verdicts])
    n_streaks = np.array([len(streaks.groups) for streaks in products.streaks])
    n_kept = np.array([sum(streaks.kept) for streaks in products.streaks])
    fraction = result.clipped_fraction
    columns = {
        "epoch": epoch_array(result.stack.epochs),
        "weight": result.weights,
        "variance_scale": result.variance_scale,
        "n_footprints": n.sum(axis=1) + n_streaks,
        "n_clipped": n[:, Verdict.CLIPPED] + n_streaks - n_kept,
        "n_persistent": n[:, Verdict.PERSISTENT] + n_kept,
        "n_protected": n[:, Verdict.PROTECTED],
        "n_prefiltered": n[:, Verdict.PREFILTERED],
        "n_streaks": n_streaks,
        "n_by_hand": np.array([v.by_hand.sum() for v in products.verdicts]) + n_kept,
        "clipped_area": np.rint(fraction * result.epoch_count.size).astype(np.int64),
        "clipped_fraction": fraction,
    }
    table = Table({name: columns[name] for name in _COLUMNS})
    for name, (unit, description) in _COLUMNS.items():
        table[name].info.description = description
        if unit:
            table[name].info.unit = unit
    return table
