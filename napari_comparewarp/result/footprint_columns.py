"""The measures of all footprints as columns of numbers: for files, windows and reports alike."""

import numpy as np
import numpy.typing as npt

from ..algorithm.margins import epoch_limit, epochs_margin, epochs_needed
from .footprints import FootprintSet

__all__ = ["COLUMNS", "DECIDED_BY", "POLARITIES", "footprint_columns"]

#: Unit and meaning of each column of the table of footprints.
COLUMNS = {
    "id": ("", "number of the footprint, as in the label images"),
    "epoch": ("", "id of the epoch"),
    "epoch_index": ("", "place of the epoch in the stack"),
    "y0": ("pix", "first row"),
    "y1": ("pix", "row after the last"),
    "x0": ("pix", "first column"),
    "x1": ("pix", "column after the last"),
    "area": ("pix", "number of pixels"),
    "peak_chi": ("", "largest deviation from the template, in sigma"),
    "polarity": ("", "whether light is in excess, missing, or both"),
    "n_mean": ("", "mean number of usable epochs over its pixels"),
    "max_epochs": ("", "in how many epochs an artifact may appear there"),
    "fraction": ("", "fraction of its area that deviates in at most so many epochs"),
    "good_fraction": ("", "fraction of its area that is not masked anyway"),
    "epochs_needed": ("", "smallest max_epochs with which the rule clips it; -1: none"),
    "epochs_margin": ("", "limit on epochs, before it is rounded down, minus epochs_needed"),
    "spatial_margin": ("", "fraction minus the spatial threshold"),
    "chi_margin": ("", "peak_chi minus the chi threshold, in sigma"),
    "verdict": ("", "what becomes of it"),
    "decided_by": ("", "rule, or hand"),
    "reason": ("", "the rule that decided, with its numbers"),
}

#: What the values of the column "polarity" stand for.
POLARITIES = ("", "positive", "negative", "both")

#: What the values of the column "decided_by" stand for: a rule, or a manual decision.
DECIDED_BY = ("rule", "hand")

_POSITIVE = POLARITIES.index("positive")


def footprint_columns(footprints: FootprintSet) -> dict[str, npt.NDArray]:
    """Return the measures of all footprints, in the order of their numbers.

    Parameters
    ----------
    footprints : FootprintSet

    Returns
    -------
    dict of str to ndarray
        ``(footprint,)`` each; the columns of the table of footprints that are
        numbers, and

        ``y``, ``x``
            A pixel of the footprint: the most deviating one of a candidate, the
            middle of a streak.
        ``verdict``
            Values of `Verdict`.
        ``polarity``, ``decided_by``
            Places in `POLARITIES` and `DECIDED_BY`.
        ``is_streak``
            Whether it is a streak. Then `fraction`, `good_fraction` and the
            margins of the rules on epochs are NaN, `max_epochs` and
            `epochs_needed` -1.
    """
    parts = [
        columns(footprints, index)
        for index in range(len(footprints.sizes))
        for columns in (_of_candidates, _of_streaks)
    ]
    # Streaks are rare: an epoch without any must not decide on the type of a column.
    parts = [part for part in parts if part]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    manual = [footprints.decided_manually(index) for index in range(len(footprints.sizes))]
    verdicts = [footprints.verdicts(index) for index in range(len(footprints.sizes))]
    return {
        "id": np.arange(1, len(footprints) + 1),
        **columns,
        "verdict": np.concatenate(verdicts),
        "decided_by": np.concatenate(manual).astype(np.uint8),
    }


def _of_candidates(footprints: FootprintSet, index: int) -> dict[str, npt.NDArray]:
    """Return the columns of one epoch's candidates."""
    config, products = footprints.job.config, footprints.products
    found, verdicts = products.candidates[index], products.verdicts[index]
    n_mean = products.counts.n_mean[index]
    needed = epochs_needed(products.counts.cumulative[index], found.area, config.spatial_threshold)
    limit = epoch_limit(
        n_mean, temporal_threshold=config.temporal_threshold, max_epochs=config.max_epochs,
        max_epochs_slope=config.max_epochs_slope,
    )  # fmt: skip
    return {
        "epoch_index": np.full(len(found), index),
        "y0": found.box[:, 0],
        "y1": found.box[:, 1],
        "x0": found.box[:, 2],
        "x1": found.box[:, 3],
        "y": found.peak[:, 0],
        "x": found.peak[:, 1],
        "area": found.area,
        "peak_chi": found.peak_chi,
        "polarity": found.signs,
        "n_mean": n_mean,
        "max_epochs": verdicts.max_epochs,
        "fraction": verdicts.fraction,
        "good_fraction": found.good_area / found.area,
        "epochs_needed": needed,
        "epochs_margin": epochs_margin(needed, limit),
        "spatial_margin": verdicts.fraction - config.spatial_threshold,
        "chi_margin": found.peak_chi - np.float32(config.chi_threshold),
        "is_streak": np.zeros(len(found), np.bool_),
    }


def _of_streaks(footprints: FootprintSet, index: int) -> dict[str, npt.NDArray]:
    """Return the columns of one epoch's streaks, none if it has none."""
    products = footprints.products
    streaks = products.streaks[index]
    n = len(streaks.groups)
    if n == 0:
        return {}
    n_matched = products.detections.n_matched
    boxes = np.array(
        [(s.y.min(), s.y.max() + 1, s.x0.min(), s.x1.max()) for s in streaks.groups], np.int32
    )
    keys = footprints.streak_keys(index)
    peak_chi = np.array(streaks.peak_chi, np.float32)
    nothing = np.full(n, np.nan)
    return {
        "epoch_index": np.full(n, index),
        "y0": boxes[:, 0],
        "y1": boxes[:, 1],
        "x0": boxes[:, 2],
        "x1": boxes[:, 3],
        "y": np.array([key.y for key in keys], np.int32),
        "x": np.array([key.x for key in keys], np.int32),
        "area": np.array([spans.area for spans in streaks.groups]),
        "peak_chi": peak_chi,
        "polarity": np.full(n, _POSITIVE, np.uint8),
        "n_mean": np.array([n_matched[spans.coordinates()].mean() for spans in streaks.groups]),
        "max_epochs": np.full(n, -1),
        "fraction": nothing,
        "good_fraction": nothing,
        "epochs_needed": np.full(n, -1),
        "epochs_margin": nothing,
        "spatial_margin": nothing,
        "chi_margin": peak_chi - np.float32(footprints.job.config.chi_threshold),
        "is_streak": np.ones(n, np.bool_),
    }
