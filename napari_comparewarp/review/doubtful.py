"""Which footprints a small change of a threshold would flip, and what change it takes."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..algorithm.margins import epoch_limit, epochs_needed
from ..algorithm.verdicts import Verdict
from ..result.result import CompareWarpResult
from .pool import Pool, pool_candidates

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["KNIFE_EDGE", "flipping_changes", "knife_edges", "smallest_changes"]

#: Relative change of a threshold that counts as small.
KNIFE_EDGE = 0.1


def flipping_changes(result: CompareWarpResult) -> "Table":
    """Return by how much each threshold alone would have to change to flip each verdict.

    Parameters
    ----------
    result : CompareWarpResult

    Returns
    -------
    astropy.table.Table
        A row for each footprint that the temporal and spatial rules decide.
        ``id``, and what to add to ``temporal_threshold``, ``max_epochs`` (whole
        epochs), ``spatial_threshold`` and ``chi_threshold``. NaN where that knob
        alone, within its range, cannot flip the verdict. With the change of
        ``max_epochs`` it has flipped. For ``temporal_threshold`` a clipped
        footprint flips just beyond the change, a kept one with it; for
        ``spatial_threshold`` a kept one just beyond it, a clipped one with it.
        Just beyond the change of ``chi_threshold`` a clipped one is not found
        any more; less may be enough.

    Notes
    -----
    A footprint that needs k epochs of N is clipped where
    temporal_threshold >= k / N and max_epochs >= k - max_epochs_slope · N.
    """
    from astropy.table import Table

    config, pool = result.config, _ruled(result)
    n_mean = pool.counts.n_mean[0]
    needed = _needed(result, pool)
    clipped = pool.verdict == Verdict.CLIPPED
    possible = needed >= 0
    low = config.temporal_threshold * n_mean
    temporal_possible = possible
    max_epochs = np.full(len(pool), np.nan)
    if config.max_epochs is not None:
        base = config.max_epochs_slope * n_mean
        temporal_possible = possible & (clipped | (config.max_epochs + base >= needed))
        smallest = np.ceil(needed - base)
        flip = smallest - config.max_epochs - clipped
        reachable = np.where(clipped, smallest >= 1, low >= needed)
        max_epochs = np.where(possible & reachable, flip, np.nan)
    temporal = np.where(
        temporal_possible & (needed <= n_mean),
        needed / np.maximum(n_mean, 1e-300) - config.temporal_threshold,
        np.nan,
    )
    fraction = pool.rule(config).fraction
    return Table(
        {
            "id": pool.id,
            "temporal_threshold": temporal,
            "max_epochs": max_epochs,
            "spatial_threshold": np.where(
                fraction > 0, fraction - config.spatial_threshold, np.nan
            ),
            "chi_threshold": np.where(
                clipped, pool.candidates.peak_chi - np.float32(config.chi_threshold), np.nan
            ),
        }
    )


def smallest_changes(result: CompareWarpResult) -> npt.NDArray[np.float64]:
    """Return how small a relative change of the settings would flip each footprint.

    Parameters
    ----------
    result : CompareWarpResult

    Returns
    -------
    ndarray
        ``(footprint,)``, in the order of `result.footprints`: the smallest of
        the relative changes of

        - the spatial threshold,
        - the limit on epochs, min(temporal_threshold · N, max_epochs +
          max_epochs_slope · N), before it is rounded down,
        - the chi threshold, upwards, for one that is clipped: beyond it the
          footprint is not found any more.

        0.1 means that a tenth more or less of one of them is enough; inf, that
        no change is. NaN where these rules do not decide: for what is decided
        manually, lies inside a protected source, is prefiltered, or is a streak.
    """
    config, pool = result.config, _ruled(result)
    clipped = pool.verdict == Verdict.CLIPPED
    fraction = pool.rule(config).fraction
    needed = _needed(result, pool)
    limit = epoch_limit(
        pool.counts.n_mean[0], temporal_threshold=config.temporal_threshold,
        max_epochs=config.max_epochs, max_epochs_slope=config.max_epochs_slope,
    )  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        spatial = np.abs(fraction - config.spatial_threshold) / config.spatial_threshold
        epochs = np.abs(limit - needed) / limit
        chi = pool.candidates.peak_chi.astype(np.float64) / config.chi_threshold - 1
    # Nothing lowers the threshold below a fraction of 0.
    spatial[(fraction == 0) | ~np.isfinite(spatial)] = np.inf
    epochs[(needed < 0) | ~np.isfinite(epochs)] = np.inf
    chi[~clipped] = np.inf
    changes = np.full(len(result.footprint_set), np.nan)
    changes[pool.id - 1] = np.minimum(np.minimum(spatial, epochs), chi)
    return changes


def knife_edges(result: CompareWarpResult, relative: float = KNIFE_EDGE) -> npt.NDArray[np.int64]:
    """Return the ids of the footprints that a small change would flip, the closest first.

    Parameters
    ----------
    result : CompareWarpResult
    relative : float
        Largest change that counts as small, see `smallest_changes`.

    Returns
    -------
    ndarray of int
    """
    changes = smallest_changes(result)
    order = np.argsort(changes, kind="stable")
    return 1 + order[changes[order] <= relative]


def _ruled(result: CompareWarpResult) -> Pool:
    """Return the candidates whose verdict is that of the temporal and spatial rules."""
    pool = pool_candidates(result.footprint_set)
    by_rule = np.isin(pool.verdict, (Verdict.CLIPPED, Verdict.PERSISTENT)) & ~pool.by_hand
    return pool[by_rule & ~pool.inside_source]


def _needed(result: CompareWarpResult, pool: Pool) -> npt.NDArray[np.int64]:
    """Return in how many epochs the candidates of a pool appear."""
    return epochs_needed(
        pool.counts.cumulative[0], pool.candidates.area, result.config.spatial_threshold
    )
