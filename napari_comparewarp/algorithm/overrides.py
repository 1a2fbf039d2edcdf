"""Manual decisions on single footprints, which take precedence over the rules."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..errors import StackError
from .epoch_id import check_epoch_id
from .footprints import Candidates
from .spans import Spans
from .streaks.stage import StreakFootprints
from .verdicts import Verdict, Verdicts
from .warps import EpochId

__all__ = [
    "Decision",
    "FootprintKey",
    "apply_overrides",
    "candidate_key",
    "streak_keys",
]

Decision = Literal["clip", "keep"]


@dataclass(frozen=True, order=True)
class FootprintKey:
    """A footprint named by a pixel in it, so that the name outlives a new detection.

    Attributes
    ----------
    epoch : int or str
        Id of the epoch.
    y, x : int
        Array indices of a pixel of the footprint.
    streak : bool
        Whether a streak is meant, or the candidate at that pixel.
    """

    epoch: EpochId
    y: int
    x: int
    streak: bool = False

    def __post_init__(self) -> None:
        # Rows of tables have numbers of numpy, which JSON does not know.
        if type(self.epoch) is not int:
            object.__setattr__(self, "epoch", check_epoch_id(self.epoch))
        for name in ("y", "x"):
            value = getattr(self, name)
            if type(value) is not int:
                value = _whole(name, value)
                object.__setattr__(self, name, value)
            if not -(2**31) <= value < 2**31:
                raise StackError(f"footprint at {name} = {value}; it is the index of a pixel")
        if type(self.streak) is not bool:
            object.__setattr__(self, "streak", bool(self.streak))


def _whole(name: str, value: Any) -> int:
    """Return the index of a pixel as a plain int."""
    try:
        return operator.index(value)
    except TypeError:
        raise StackError(f"footprint at {name} = {value!r}; it is the index of a pixel") from None


def candidate_key(epoch: EpochId, found: Candidates, number: int) -> FootprintKey:
    """Return the key of one candidate of an epoch: its most deviating pixel."""
    y, x = found.peak[number]
    return FootprintKey(epoch, int(y), int(x))


def streak_keys(epoch: EpochId, streaks: StreakFootprints) -> list[FootprintKey]:
    """Return a key for each streak of an epoch: the middle of its middle row.

    Where streaks overlap, the pixel is the first one's: if that middle lies in
    an earlier streak, it is that of the pixels which are the streak's alone.
    """
    keys = []
    taken = Spans.empty()
    for spans in streaks.groups:
        key = _middle(epoch, spans)
        if _run_at(taken, key.y, key.x) is not None:
            own = spans.union(taken).symmetric_difference(taken)
            key = _middle(epoch, own) if len(own) else key
        keys.append(key)
        taken = taken.union(spans)
    return keys


def _middle(epoch: EpochId, spans: Spans) -> FootprintKey:
    """Return the key that names a streak by the middle of the middle one of some runs."""
    run = len(spans) // 2
    x = int(spans.x0[run] + spans.x1[run]) // 2
    return FootprintKey(epoch, int(spans.y[run]), x, streak=True)


def apply_overrides(
    overrides: Mapping[FootprintKey, Decision],
    epochs: Sequence[EpochId],
    candidates: Sequence[Candidates],
    verdicts: Sequence[Verdicts],
    streaks: Sequence[StreakFootprints],
) -> tuple[tuple[Verdicts, ...], tuple[StreakFootprints, ...], tuple[FootprintKey, ...]]:
    """Replace the rules' verdicts by manual decisions.

    Parameters
    ----------
    overrides : mapping of FootprintKey to {"clip", "keep"}
        Where two keys lie in one footprint, the later one of the mapping holds.
    epochs : sequence
        Ids of the epochs.
    candidates, verdicts, streaks : sequence
        One for each epoch.

    Returns
    -------
    verdicts : tuple of Verdicts
    streaks : tuple of StreakFootprints
    lost : tuple of FootprintKey
        Keys at whose place there is no such footprint.
    """
    new_verdicts, new_streaks, lost = list(verdicts), list(streaks), []
    index_of = {epoch: index for index, epoch in enumerate(epochs)}
    for key, decision in overrides.items():
        index = index_of.get(key.epoch)
        if index is None:
            lost.append(key)
        elif key.streak:
            changed = _override_streak(new_streaks[index], key, decision)
            if changed is None:
                lost.append(key)
            else:
                new_streaks[index] = changed
        else:
            found = candidates[index]
            run = _run_at(found.spans, key.y, key.x)
            if run is None:
                lost.append(key)
                continue
            old = new_verdicts[index]
            verdict, by_hand = old.verdict.copy(), old.by_hand.copy()
            which = found.group[run]
            verdict[which] = Verdict.CLIPPED if decision == "clip" else Verdict.PERSISTENT
            by_hand[which] = True
            new_verdicts[index] = replace(old, verdict=verdict, by_hand=by_hand)
    return tuple(new_verdicts), tuple(new_streaks), tuple(lost)


def _override_streak(
    streaks: StreakFootprints, key: FootprintKey, decision: Decision
) -> StreakFootprints | None:
    """Return the streaks of an epoch with a decision on one of them, or None if it is gone."""
    hit = [_run_at(spans, key.y, key.x) is not None for spans in streaks.groups]
    if not any(hit):
        return None
    which = hit.index(True)
    kept = list(streaks.kept)
    kept[which] = decision == "keep"
    union = Spans.empty()
    for spans, is_kept in zip(streaks.groups, kept, strict=True):
        if not is_kept:
            union = union.union(spans)
    return replace(streaks, spans=union, kept=tuple(kept))


def _run_at(spans: Spans, y: int, x: int) -> int | None:
    """Return the run that holds a pixel."""
    first, last = np.searchsorted(spans.y, (y, y + 1))
    run = first + int(np.searchsorted(spans.x0[first:last], x, side="right")) - 1
    if run < first or spans.x1[run] <= x:
        return None
    return run
