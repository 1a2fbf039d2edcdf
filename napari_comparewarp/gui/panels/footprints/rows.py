"""All that a table shows of footprints, as columns of numbers; text is made of what is seen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ....algorithm.margins import epoch_limit, epochs_margin, epochs_needed
from ....algorithm.overrides import FootprintKey, streak_keys
from ....algorithm.verdicts import Verdict
from ....result.footprints import State
from ....result.result import CompareWarpResult
from ....review.doubtful import smallest_changes
from ....review.explain import explain
from ....review.pool import pool_candidates

__all__ = ["COLUMNS", "Column", "FootprintRows"]

#: Stands where a number has no meaning.
NOTHING = "–"


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    title : str
        What the header says.
    meaning : str
        What it is, for the header's tooltip.
    unit : str
        Empty for a pure number or a word.
    write : str
        Format of a number; empty for words.
    sample : str
        About the widest text that it has.
    """

    title: str
    meaning: str
    unit: str = ""
    write: str = ""
    sample: str = "00.00"

    @property
    def tooltip(self) -> str:
        """Meaning and unit."""
        return f"{self.meaning} [{self.unit}]" if self.unit else self.meaning


COLUMNS: Mapping[str, Column] = {
    "id": Column("id", "Number of the footprint, as in label images and files", "", "d", "00000"),
    "seen": Column("seen", "✓: you have looked at it", sample="seen"),
    "epoch": Column("epoch", "Id of the epoch", sample="00000000"),
    "verdict": Column("verdict", "What becomes of it", sample="■ prefiltered"),
    "decided_by": Column("decided by", "The rule that decided, or hand", sample="bright source"),
    "fraction": Column(
        "fraction", "Fraction of its area that deviates in at most max epochs; clipped where it "
        "is above the spatial threshold", "fraction of area", ".3f",
    ),
    "max_epochs": Column(
        "max epochs", "Effective maximum: in how many epochs an artifact may appear there",
        "epochs", ".0f",
    ),
    "n_mean": Column("mean N", "Mean number of usable epochs over its pixels", "epochs", ".1f"),
    "area": Column("area", "Number of pixels", "pixel", "d", "000000"),
    "peak_chi": Column(
        "peak χ", "Largest deviation from the template, whatever its sign", "sigma", ".1f",
        "00000.0",
    ),
    "flips_at": Column(
        "flips at %", "Smallest relative change of one threshold that would flip the verdict; "
        "none where no rule on epochs decided", "%", ".1f",
    ),
    "epochs_margin": Column(
        "Δ epochs", "Limit on epochs, before it is rounded down, minus the number that would "
        "just clip it: negative where it is kept", "epochs", "+.2f", "+00.00",
    ),
    "spatial_margin": Column(
        "Δ fraction", "Fraction minus the spatial threshold: positive where it is clipped",
        "fraction of area", "+.3f", "+0.000",
    ),
    "chi_margin": Column(
        "Δ χ", "Peak χ minus the chi threshold", "sigma", "+.1f", "+0000.0",
    ),
    "polarity": Column(
        "polarity", "Whether light is in excess, missing, or both", sample="negative"
    ),
    "x": Column(
        "x", "Column of its most deviating pixel; of a streak, its middle", "pixel", "d",
        "00000",
    ),
    "y": Column(
        "y", "Row of its most deviating pixel; of a streak, its middle", "pixel", "d",
        "00000",
    ),
    "ra": Column("RA", "Right ascension of that pixel, ICRS", "degree", ".6f", "000.000000"),
    "dec": Column("Dec", "Declination of that pixel, ICRS", "degree", "+.6f", "+00.000000"),
    "reason": Column("reason", "The rule that decided, with its numbers", sample="0" * 60),
}  # fmt: skip

_VERDICTS = tuple(verdict.name.lower() for verdict in Verdict)
_POLARITIES = ("", "positive", "negative", "both")
_RULES = ("hand", "epoch count", "bright source", "prefilter", "streak finder")

#: Which of `_RULES` gives each verdict.
_RULE_OF_VERDICT = np.zeros(len(Verdict), np.int64)
_RULE_OF_VERDICT[Verdict.CLIPPED] = _RULE_OF_VERDICT[Verdict.PERSISTENT] = 1
_RULE_OF_VERDICT[Verdict.PROTECTED] = 2
_RULE_OF_VERDICT[Verdict.PREFILTERED] = 3
_RULE_OF_VERDICT[Verdict.STREAK] = 4


class FootprintRows:
    """The footprints of a result, a row each, in the order of their ids.

    Parameters
    ----------
    result : CompareWarpResult

    Attributes
    ----------
    result : CompareWarpResult
    values : dict of str to ndarray
        ``(row,)`` numbers of each of `COLUMNS` but "seen" and "reason"; NaN where
        they have no meaning. Where the column has words, they are places in `words`.
    words : dict of str to tuple of str
        The words of the columns that are no numbers.
    state : ndarray of int
        ``(row,)`` values of `State`.
    has_sky : bool
        Whether the positions on the sky are known.
    """

    def __init__(self, result: CompareWarpResult) -> None:
        self.result = result
        self.words: dict[str, tuple[str, ...]] = {
            "seen": ("", "✓"),
            "epoch": tuple(map(str, result.stack.epochs)),
            "verdict": _VERDICTS,
            "decided_by": _RULES,
            "polarity": _POLARITIES,
        }
        wcs = result.stack.wcs
        self.has_sky = wcs is not None and bool(wcs.has_celestial)
        sizes = result.footprint_set.sizes
        self._n = len(result.footprint_set)
        self._is_streak = np.ones(self._n, np.bool_)
        self.values = self._columns(np.repeat(np.arange(len(sizes)), sizes))
        self.state = self._states()

    def __len__(self) -> int:
        return self._n

    @cached_property
    def close_calls(self) -> npt.NDArray[np.float64]:
        """``(row,)`` relative change of a threshold that flips it, see `smallest_changes`."""
        return smallest_changes(self.result)

    def text(self, row: int, name: str) -> str:
        """Return what a cell says."""
        if name == "reason":
            return explain(self.result, row + 1)
        value = self.values[name][row]
        if name in self.words:
            return self.words[name][value]
        if not np.isfinite(value):
            return NOTHING
        return format(value, COLUMNS[name].write)

    def key(self, row: int) -> FootprintKey:
        """Return the key of a footprint: it finds it in other results too."""
        epoch = self.result.stack.epochs[self.values["epoch"][row]]
        y, x = int(self.values["y"][row]), int(self.values["x"][row])
        return FootprintKey(epoch, y, x, streak=bool(self._is_streak[row]))

    def find(self, key: FootprintKey) -> int:
        """Return the row of a footprint by its key, -1 where there is none."""
        return (self.result.footprint_set.number(key) or 0) - 1

    def flags(self, keys: Collection[FootprintKey]) -> npt.NDArray[np.bool_]:
        """Return ``(row,)`` which footprints some keys name."""
        flags = np.zeros(self._n, np.bool_)
        rows = self.result.footprint_set.numbers(keys) - 1
        flags[rows[rows >= 0]] = True
        return flags

    def _columns(self, epoch_index: npt.NDArray[np.int64]) -> dict[str, npt.NDArray]:
        """Return the numbers of all footprints."""
        config, made = self.result.config, self.result.products
        pool = pool_candidates(made)
        place = pool.id - 1
        self._is_streak[place] = False
        found, n_mean = pool.candidates, pool.counts.n_mean[0]
        fraction = np.concatenate([verdicts.fraction for verdicts in made.verdicts])
        limit = epoch_limit(
            n_mean, temporal_threshold=config.temporal_threshold, max_epochs=config.max_epochs,
            max_epochs_slope=config.max_epochs_slope,
        )  # fmt: skip
        needed = epochs_needed(pool.counts.cumulative[0], found.area, config.spatial_threshold)
        streaks = [streak for epoch in made.streaks for streak in epoch.groups]
        keys = [
            key
            for epoch, groups in zip(self.result.stack.epochs, made.streaks, strict=True)
            for key in streak_keys(epoch, groups)
        ]
        kept = np.array([kept for epoch in made.streaks for kept in epoch.kept], np.bool_)
        peak_chi = np.array([peak for epoch in made.streaks for peak in epoch.peak_chi], np.float32)
        # Word or number of candidates, and of streaks.
        parts: dict[str, tuple[npt.ArrayLike, npt.ArrayLike]] = {
            "verdict": (pool.verdict, np.where(kept, Verdict.PERSISTENT, Verdict.STREAK)),
            "decided_by": (
                np.where(pool.by_hand, 0, _RULE_OF_VERDICT[pool.verdict]), np.where(kept, 0, 4)
            ),
            "fraction": (fraction, np.nan),
            "max_epochs": (np.concatenate([v.max_epochs for v in made.verdicts]), np.nan),
            "n_mean": (n_mean, np.nan),
            "epochs_margin": (epochs_margin(needed, limit), np.nan),
            "spatial_margin": (fraction - config.spatial_threshold, np.nan),
            "chi_margin": (
                found.peak_chi - np.float32(config.chi_threshold),
                peak_chi - np.float32(config.chi_threshold),
            ),
            "area": (found.area, np.array([streak.area for streak in streaks], np.int64)),
            "peak_chi": (found.peak_chi, peak_chi),
            "polarity": (found.signs, np.ones(len(streaks), np.int64)),
            "x": (found.peak[:, 1], np.array([key.x for key in keys], np.int64)),
            "y": (found.peak[:, 0], np.array([key.y for key in keys], np.int64)),
        }  # fmt: skip
        whole = {"verdict", "decided_by", "area", "polarity", "x", "y"}
        columns: dict[str, npt.NDArray] = {
            "id": np.arange(1, self._n + 1), "epoch": epoch_index,
        }  # fmt: skip
        for name, (of_candidates, of_streaks) in parts.items():
            column = np.empty(self._n, np.int64 if name in whole else np.float64)
            column[place], column[self._is_streak] = of_candidates, of_streaks
            columns[name] = column
        columns["flips_at"] = 100 * self.close_calls
        columns["ra"], columns["dec"] = self._sky(columns["x"], columns["y"])
        return columns

    def _sky(self, x: npt.NDArray, y: npt.NDArray) -> tuple[npt.NDArray, npt.NDArray]:
        """Return the positions on the sky, degrees."""
        if not self.has_sky or not self._n:
            return np.full(self._n, np.nan), np.full(self._n, np.nan)
        sky = self.result.stack.wcs.celestial.pixel_to_world(x, y).icrs
        return sky.ra.deg, sky.dec.deg

    def _states(self) -> npt.NDArray[np.int64]:
        """Return how each footprint is drawn."""
        of_verdict = np.array([State[name.upper()] for name in _VERDICTS])
        verdict = self.values["verdict"]
        by_hand = np.where(verdict == Verdict.CLIPPED, State.CLIPPED_BY_HAND, State.KEPT_BY_HAND)
        return np.where(self.values["decided_by"] == 0, by_hand, of_verdict[verdict])
