"""Thresholds that agree best with manual decisions."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..algorithm.parallel import Progress, no_progress
from ..algorithm.verdicts import Verdict
from ..config.knobs import CompareWarpConfig
from ..errors import InspectionError
from ..inspection.inspection import Inspection
from .pool import Pool, pool_candidates

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Agreement", "Proposal", "propose_thresholds"]

#: Decisions of each kind without which nothing is proposed.
FEWEST = 3

#: Folds into which the decisions are split to hold each out in turn; below
#: FEW decisions in all, each decision is a fold of its own.
FOLDS, FEW = 5, 30

#: Values that are tried besides the present ones; max_epochs: see `_tried`.
_TRIED: dict[str, tuple[float, ...]] = {
    "temporal_threshold": tuple(np.linspace(0.05, 1, 20).round(2).tolist()),
    "max_epochs_slope": (0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2),
    "spatial_threshold": tuple(np.linspace(0, 0.95, 20).round(2).tolist()),
}

KNOBS = ("temporal_threshold", "max_epochs", "max_epochs_slope", "spatial_threshold")

#: A change of a knob that weighs as much as one of the others.
_STEPS = {
    "temporal_threshold": 0.05,
    "max_epochs": 1.0,
    "max_epochs_slope": 0.01,
    "spatial_threshold": 0.05,
}


@dataclass(frozen=True)
class Agreement:
    """How well the rules agree with manual decisions.

    Attributes
    ----------
    n_clip, n_keep : int
        Decisions to clip, and to keep.
    missed_clips : int
        Decisions to clip where the rules keep.
    wrong_clips : int
        Decisions to keep where the rules clip.
    """

    n_clip: int
    n_keep: int
    missed_clips: int
    wrong_clips: int

    @property
    def score(self) -> float:
        """Mean of the agreeing fractions of both kinds, 0 to 1, so that both weigh the same."""
        return 1 - (self.missed_clips / self.n_clip + self.wrong_clips / self.n_keep) / 2

    def __str__(self) -> str:
        return (
            f"{self.n_clip - self.missed_clips} of {self.n_clip} to clip and "
            f"{self.n_keep - self.wrong_clips} of {self.n_keep} to keep"
        )


@dataclass(frozen=True)
class Proposal:
    """Thresholds that agree best with the manual decisions; nothing has been changed yet.

    Attributes
    ----------
    config : CompareWarpConfig
        The present settings with the proposed thresholds.
    changes : dict
        ``{knob: (present, proposed)}`` of those that differ.
    present, proposed : Agreement
        How well the rules agree at the present and at the proposed settings.
    held_out : Agreement
        How well they agree with decisions that were not used to choose: the
        decisions were held out a fold at a time, and thresholds chosen from
        the others in the same way.
    folds : int
        Number of folds; the number of decisions where these are few.
    missed, wrong : ndarray of int
        Ids of the footprints that were decided to be clipped, or kept, where
        the proposed settings say otherwise.
    trade_off : astropy.table.Table
        ``missed_clips`` and ``wrong_clips`` along each threshold, the others
        as proposed: columns ``knob``, ``value`` (NaN: none), the two, and
        ``proposed``, which is true at the proposed value.
    left_out : int
        Decisions that no threshold can follow: on streaks, on what the
        prefilter drops, and inside of protected sources.
    """

    config: CompareWarpConfig
    changes: dict[str, tuple[float | None, float | None]]
    present: Agreement
    proposed: Agreement
    held_out: Agreement
    folds: int
    missed: npt.NDArray[np.int64]
    wrong: npt.NDArray[np.int64]
    trade_off: "Table"
    left_out: int

    def __str__(self) -> str:
        if self.changes:
            changes = ", ".join(
                f"{name} {_changed_to(new)}" for name, (_, new) in self.changes.items()
            )
            text = (
                f"{changes} would agree with {self.proposed}; the present settings agree with "
                f"{self.present}"
            )
        else:
            text = f"no setting agrees better than the present one, with {self.present}"
        return f"{text}. Held out in {self.folds} folds: {self.held_out}."


def propose_thresholds(
    inspection: Inspection, knobs: Sequence[str] = KNOBS, progress: Progress = no_progress
) -> Proposal:
    """Propose thresholds that agree best with the manual decisions of an inspection.

    Parameters
    ----------
    inspection : Inspection
        Left as it is.
    knobs : sequence of str
        Which of ``temporal_threshold``, ``max_epochs``, ``max_epochs_slope`` and
        ``spatial_threshold`` may change.
    progress : callable, optional
        An exception that it raises stops the work.

    Returns
    -------
    Proposal
        With the highest score (see `Agreement`) of a grid of settings; of
        several, the one with the fewest changed knobs, then the nearest to the
        present setting.

    Raises
    ------
    InspectionError
        If there are too few decisions of a kind, with how many are missing; or
        no such knob.
    """
    unknown = [name for name in knobs if name not in KNOBS]
    if unknown or not knobs:
        raise InspectionError(f"knobs {list(knobs)}: choose from {', '.join(KNOBS)}")
    result = inspection.result
    config = result.config
    everything = pool_candidates(result.footprint_set)
    usable = everything.by_hand & everything.candidates.stays & ~everything.inside_source
    left_out = int((everything.by_hand & ~usable).sum()) + sum(
        key.streak for key in inspection.overrides
    )
    pool = everything[usable]
    to_clip = pool.verdict == Verdict.CLIPPED
    _check_enough(int(to_clip.sum()), int((~to_clip).sum()), left_out)
    grid = _Grid(config, knobs, result.stack.n_epochs)
    fold = _folds_of(to_clip)
    hits = grid.count_hits(pool, to_clip, fold, progress)
    total = hits.sum(axis=1)
    best = grid.best(total, _kinds(to_clip))
    proposed = grid.config(best)
    held_out = np.zeros(2, np.int64)
    for number in range(hits.shape[1]):
        rest = _kinds(to_clip[fold != number])
        held_out += hits[grid.best(total - hits[:, number], rest), number]
    clips = pool.rule(proposed).verdict == Verdict.CLIPPED
    return Proposal(
        config=proposed,
        changes={
            name: (getattr(config, name), getattr(proposed, name))
            for name in KNOBS
            if getattr(config, name) != getattr(proposed, name)
        },
        present=_agreement(to_clip, total[grid.present]),
        proposed=_agreement(to_clip, total[best]),
        held_out=_agreement(to_clip, held_out),
        folds=hits.shape[1],
        missed=pool.id[to_clip & ~clips],
        wrong=pool.id[~to_clip & clips],
        trade_off=grid.trade_off(best, total, _kinds(to_clip)),
        left_out=left_out,
    )


class _Grid:
    """The settings that are tried, the spatial threshold running fastest."""

    def __init__(self, config: CompareWarpConfig, knobs: Sequence[str], n_epochs: int) -> None:
        self._base = config
        self.knobs = knobs
        self.axes = [_tried(config, name, name in knobs, n_epochs) for name in KNOBS]
        self.shape = tuple(len(axis) for axis in self.axes)
        here = [
            axis.index(getattr(config, name)) for name, axis in zip(KNOBS, self.axes, strict=True)
        ]
        self.present = int(np.ravel_multi_index(here, self.shape))
        changed, distance = np.zeros(self.shape, np.int64), np.zeros(self.shape)
        for place, (name, axis) in enumerate(zip(KNOBS, self.axes, strict=True)):
            steps = np.array([_steps_apart(name, value, axis[here[place]]) for value in axis])
            along = steps.reshape([-1 if k == place else 1 for k in range(len(KNOBS))])
            changed, distance = changed + (along > 0), distance + along
        #: ``(setting,)`` rank by nearness to the present setting.
        self.rank = np.empty(changed.size, np.int64)
        self.rank[np.lexsort((distance.ravel(), changed.ravel()))] = np.arange(changed.size)

    def config(self, setting: int) -> CompareWarpConfig:
        """Return the config of a setting."""
        place = np.unravel_index(setting, self.shape)
        values = [axis[k] for axis, k in zip(self.axes, place, strict=True)]
        return self._base.replace(**dict(zip(KNOBS, values, strict=True)))

    def count_hits(
        self,
        pool: Pool,
        to_clip: npt.NDArray[np.bool_],
        fold: npt.NDArray[np.int64],
        progress: Progress,
    ) -> npt.NDArray[np.int64]:
        """Return ``(setting, fold, 2)`` how many decisions to clip and to keep the rules share."""
        n_parts = int(fold.max()) + 1
        belongs = np.zeros((len(fold), n_parts, 2), np.float32)
        belongs[np.arange(len(fold)), fold, np.where(to_clip, 0, 1)] = 1
        spatial = np.array(self.axes[-1])[:, np.newaxis]
        outer = list(itertools.product(*self.axes[:-1]))
        hits = np.empty((len(outer), len(spatial), n_parts * 2), np.float32)
        for number, values in enumerate(outer):
            if number % 64 == 0:
                progress("learning", number, len(outer))
            setting = self._base.model_copy(update=dict(zip(KNOBS, values, strict=False)))
            agrees = (pool.rule(setting).fraction > spatial) == to_clip
            hits[number] = agrees.astype(np.float32) @ belongs.reshape(len(fold), -1)
        progress("learning", len(outer), len(outer))
        return hits.reshape(-1, n_parts, 2).astype(np.int64)

    def best(self, hits: npt.NDArray[np.int64], kinds: tuple[int, int]) -> int:
        """Return the setting that agrees best, and of several the nearest to the present one.

        Parameters
        ----------
        hits : ndarray of int
            ``(setting, 2)`` decisions to clip and to keep that it shares.
        kinds : tuple of int
            Number of decisions to clip and to keep.
        """
        # The score times both numbers, which is whole: equal scores are equal.
        score = hits[:, 0] * kinds[1] + hits[:, 1] * kinds[0]
        ties = np.flatnonzero(score == score.max())
        return int(ties[self.rank[ties].argmin()])

    def trade_off(
        self, setting: int, hits: npt.NDArray[np.int64], kinds: tuple[int, int]
    ) -> "Table":
        """Return missed and wrong clips along each knob, through a setting."""
        from astropy.table import Table

        place = list(np.unravel_index(setting, self.shape))
        rows = []
        for k, (name, axis) in enumerate(zip(KNOBS, self.axes, strict=True)):
            for number, value in enumerate(axis):
                if name not in self.knobs:
                    continue
                at = np.ravel_multi_index((*place[:k], number, *place[k + 1 :]), self.shape)
                missed, wrong = np.array(kinds) - hits[at]
                number_of = np.nan if value is None else float(value)
                rows.append((name, number_of, missed, wrong, number == place[k]))
        names = ("knob", "value", "missed_clips", "wrong_clips", "proposed")
        return Table(rows=rows, names=names)


def _tried(
    config: CompareWarpConfig, name: str, varies: bool, n_epochs: int
) -> list[float | int | None]:
    """Return the values of a knob that are tried, the present one among them."""
    present = getattr(config, name)
    if not varies:
        return [present]
    values: set[float | int | None] = {present}
    if name == "max_epochs":
        values |= {None, *range(min(n_epochs, 10) + 1)}
    else:
        values |= set(_TRIED[name])
    return sorted(values, key=lambda value: np.inf if value is None else value)


def _steps_apart(name: str, value: float | None, present: float | None) -> float:
    """Return how far a value is from the present one, in steps of its knob."""
    if value == present:
        return 0.0
    if value is None or present is None:
        return 1.0
    return abs(value - present) / _STEPS[name]


def _folds_of(to_clip: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the fold that each decision is held out with; each has its share of both kinds."""
    if len(to_clip) < FEW:
        return np.arange(len(to_clip))
    fold = np.empty(len(to_clip), np.int64)
    # Neighbours in the table may be pieces of one trail: they are assigned at random.
    order = np.random.default_rng(0).permutation(len(to_clip))
    order = order[np.argsort(to_clip[order], kind="stable")]
    fold[order] = np.arange(len(order)) % FOLDS
    return fold


def _kinds(to_clip: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return the number of decisions to clip, and to keep."""
    n_clip = int(np.count_nonzero(to_clip))
    return n_clip, len(to_clip) - n_clip


def _agreement(to_clip: npt.NDArray[np.bool_], hits: npt.NDArray[np.int64]) -> Agreement:
    n_clip, n_keep = _kinds(to_clip)
    return Agreement(n_clip, n_keep, n_clip - int(hits[0]), n_keep - int(hits[1]))


def _check_enough(n_clip: int, n_keep: int, left_out: int) -> None:
    """Refuse to learn from too few decisions of a kind."""
    missing = [
        f"{FEWEST - n} more to {kind}"
        for kind, n in (("clip", n_clip), ("keep", n_keep))
        if n < FEWEST
    ]
    if missing:
        aside = f" ({left_out} others are out of the thresholds' reach)" if left_out else ""
        raise InspectionError(
            f"{n_clip} footprints decided to clip and {n_keep} to keep{aside}: thresholds are "
            f"learned from at least {FEWEST} of each; decide {' and '.join(missing)}"
        )


def _changed_to(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
