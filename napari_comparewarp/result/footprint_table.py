"""The table of footprints: a row for every candidate, with the rule that decided."""

from typing import TYPE_CHECKING

import numpy as np

from ..algorithm.margins import epoch_limit, epochs_margin, epochs_needed
from ..algorithm.stages import Products
from ..algorithm.verdicts import Verdict
from ..algorithm.warps import WarpStack
from ..config.knobs import CompareWarpConfig

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["make_footprint_table"]

_SIGNS = np.array(["", "positive", "negative", "both"])

#: Column, unit and meaning.
_COLUMNS = {
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


def make_footprint_table(
    stack: WarpStack, config: CompareWarpConfig, products: Products
) -> "Table":
    """Return the footprints of all epochs as a table.

    Parameters
    ----------
    stack : WarpStack
    config : CompareWarpConfig
    products : Products

    Returns
    -------
    astropy.table.Table
        Ordered by epoch, then by place; ``id`` counts from 1.
    """
    from astropy.table import Table

    parts: dict[str, list] = {name: [] for name in _COLUMNS}
    for index in range(stack.n_epochs):
        for name, values in _rows_of_candidates(index, config, products).items():
            parts[name].append(values)
        for name, values in _rows_of_streaks(index, config, products).items():
            parts[name].append(values)
    columns = {name: np.concatenate(values) for name, values in parts.items() if values}
    columns["id"] = np.arange(1, len(columns["epoch_index"]) + 1)
    ids = np.array(stack.epochs)
    columns["epoch"] = ids[columns["epoch_index"]]
    table = Table({name: columns[name] for name in _COLUMNS})
    for name, (unit, description) in _COLUMNS.items():
        table[name].info.description = description
        if unit:
            table[name].info.unit = unit
    return table


def _rows_of_candidates(
    index: int, config: CompareWarpConfig, made: Products
) -> dict[str, np.ndarray]:
    """Return the columns of one epoch's candidates."""
    found, verdicts = made.candidates[index], made.verdicts[index]
    n_mean = made.counts.n_mean[index]
    names = np.array([verdict.name.lower() for verdict in Verdict])
    good = found.good_area / found.area
    needed = epochs_needed(made.counts.cumulative[index], found.area, config.spatial_threshold)
    limit = epoch_limit(
        n_mean, temporal_threshold=config.temporal_threshold, max_epochs=config.max_epochs,
        max_epochs_slope=config.max_epochs_slope,
    )  # fmt: skip
    # Plain numbers: a table has up to tens of thousands of rows.
    measures = (
        verdicts.verdict, verdicts.by_hand, verdicts.fraction, verdicts.max_epochs, n_mean, good,
    )  # fmt: skip
    rows = zip(*(measure.tolist() for measure in measures), strict=True)
    reasons = [_reason(config, *row) for row in rows]
    return {
        "epoch_index": np.full(len(found), index),
        "y0": found.box[:, 0],
        "y1": found.box[:, 1],
        "x0": found.box[:, 2],
        "x1": found.box[:, 3],
        "area": found.area,
        "peak_chi": found.peak_chi,
        "polarity": _SIGNS[found.signs],
        "n_mean": n_mean,
        "max_epochs": verdicts.max_epochs,
        "fraction": verdicts.fraction,
        "good_fraction": good,
        "epochs_needed": needed,
        "epochs_margin": epochs_margin(needed, limit),
        "spatial_margin": verdicts.fraction - config.spatial_threshold,
        "chi_margin": found.peak_chi - np.float32(config.chi_threshold),
        "verdict": names[verdicts.verdict],
        "decided_by": np.where(verdicts.by_hand, "hand", "rule"),
        "reason": np.array(reasons, dtype=str),
    }


def _rows_of_streaks(
    index: int, config: CompareWarpConfig, made: Products
) -> dict[str, np.ndarray]:
    """Return the columns of one epoch's streaks."""
    streaks = made.streaks[index]
    n, kept = len(streaks.groups), np.array(streaks.kept, np.bool_)
    if n == 0:
        return {}
    epoch_count, n_matched = made.counts.epoch_count, made.detections.n_matched
    boxes = np.array(
        [(s.y.min(), s.y.max() + 1, s.x0.min(), s.x1.max()) for s in streaks.groups], np.int32
    )
    masks = [spans.mask(epoch_count.shape) for spans in streaks.groups]
    peak_chi = np.array(streaks.peak_chi, np.float32)
    nothing = np.full(n, np.nan)
    return {
        "epoch_index": np.full(n, index),
        "y0": boxes[:, 0],
        "y1": boxes[:, 1],
        "x0": boxes[:, 2],
        "x1": boxes[:, 3],
        "area": np.array([spans.area for spans in streaks.groups]),
        "peak_chi": peak_chi,
        "polarity": np.full(n, "positive"),
        "n_mean": np.array([n_matched[mask].mean() for mask in masks]),
        "max_epochs": np.full(n, -1),
        "fraction": nothing,
        "good_fraction": nothing,
        "epochs_needed": np.full(n, -1),
        "epochs_margin": nothing,
        "spatial_margin": nothing,
        "chi_margin": peak_chi - np.float32(config.chi_threshold),
        "verdict": np.where(kept, "persistent", "streak"),
        "decided_by": np.where(kept, "hand", "rule"),
        "reason": np.where(
            kept, "a straight line, kept by hand", "a straight line among the deviating pixels"
        ),
    }


def _reason(
    config: CompareWarpConfig,
    verdict: int,
    by_hand: bool,
    fraction: float,
    maximum: int,
    n_mean: float,
    good: float,
) -> str:
    """Say in one line which rule decided, or that none did."""
    if verdict == Verdict.PREFILTERED:
        return f"{good:.3f} of its area is unmasked, not more than {config.prefilter_ratio:g}"
    rule = f"{fraction:.3f} of its area deviates in at most {maximum} of {n_mean:.1f} epochs"
    if by_hand:
        return f"{'clipped' if verdict == Verdict.CLIPPED else 'kept'} by hand; {rule}"
    if verdict == Verdict.PERSISTENT:
        return f"{rule}, not more than {config.spatial_threshold:g}"
    if verdict == Verdict.PROTECTED:
        return f"{rule}, but it lies inside a bright source"
    return f"{rule}, more than {config.spatial_threshold:g}"
