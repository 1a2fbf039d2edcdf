"""The footprints of a run: their numbers, lasting keys, pixels and states. All others ask here.

A footprint is a candidate or a streak of one epoch. Its *number* counts the
footprints of one result from 1: epoch by epoch, in each the candidates, then
the streaks. Another result may give the same number to another footprint; its
*key* names it by a pixel, and finds it again in any result.
"""

from collections.abc import Collection
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..algorithm.overrides import FootprintKey, candidate_key, streak_keys
from ..algorithm.products import Job, Products
from ..algorithm.spans import Spans, paint
from ..algorithm.verdicts import Verdict
from ..config.knobs import CompareWarpConfig
from ..errors import InspectionError

__all__ = ["VERDICTS", "FootprintSet", "State"]

#: What tables call each `Verdict`.
VERDICTS = tuple(verdict.name.lower() for verdict in Verdict)


class State(IntEnum):
    """What became of a footprint, with manual decisions distinguished."""

    NONE = 0
    CLIPPED = 1
    PERSISTENT = 2
    PROTECTED = 3
    PREFILTERED = 4
    STREAK = 5
    CLIPPED_MANUALLY = 6
    KEPT_MANUALLY = 7


_STATE_OF_VERDICT = np.zeros(len(Verdict), np.uint8)
for _verdict in Verdict:
    _STATE_OF_VERDICT[_verdict] = State[_verdict.name]


class FootprintSet:
    """All footprints of one result.

    Parameters
    ----------
    job : Job
        What was run on, and with what settings.
    products : Products
        What the stages made.

    Examples
    --------
    >>> footprints = result.footprint_set  # doctest: +SKIP
    >>> number = footprints.at(epoch_index, y, x)  # doctest: +SKIP
    >>> inspection.override(footprints.key(number), "keep")  # doctest: +SKIP
    """

    def __init__(self, job: Job, products: Products) -> None:
        self.job = job
        self.products = products

    @cached_property
    def sizes(self) -> npt.NDArray[np.int64]:
        """``(epoch,)`` number of footprints of each epoch, its streaks among them."""
        products = self.products
        pairs = zip(products.candidates, products.streaks, strict=True)
        return np.array([len(found) + len(streaks.groups) for found, streaks in pairs], np.int64)

    @cached_property
    def first(self) -> npt.NDArray[np.int64]:
        """``(epoch,)`` number of the first footprint of each epoch, if it has any."""
        return 1 + np.cumsum(self.sizes) - self.sizes

    def __len__(self) -> int:
        return int(self.sizes.sum())

    @property
    def n_streaks(self) -> int:
        """Number of streaks."""
        return sum(len(streaks.groups) for streaks in self.products.streaks)

    @property
    def n_candidates(self) -> int:
        """Number of candidates; streaks are none."""
        return sum(len(found) for found in self.products.candidates)

    @property
    def n_clipped(self) -> int:
        """Number of candidates that are clipped."""
        return sum(
            int((verdicts.verdict == Verdict.CLIPPED).sum()) for verdicts in self.products.verdicts
        )

    @property
    def n_clipped_streaks(self) -> int:
        """Number of streaks that are clipped."""
        return sum(len(each.groups) - sum(each.kept) for each in self.products.streaks)

    def in_words(self) -> str:
        """Say how many candidates and streaks there are."""
        streaks = f" and {self.n_streaks} streaks" if self.n_streaks else ""
        return f"{self.n_candidates} candidates{streaks}"

    def locate(self, number: int) -> tuple[int, int]:
        """Return where a footprint is kept.

        Parameters
        ----------
        number : int
            As in the table of footprints.

        Returns
        -------
        epoch_index, place : int
            `place` counts the candidates of the epoch from 0, and then its streaks.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        if not 1 <= number <= len(self):
            raise InspectionError(
                f"footprint {number}: there is none with this number; there are {len(self)}"
            )
        epoch_index = int(np.searchsorted(self.first, number, side="right")) - 1
        return epoch_index, int(number) - int(self.first[epoch_index])

    # --- key and number ----------------------------------------------------------------

    def key(self, number: int) -> FootprintKey:
        """Return the lasting key of a footprint.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        epoch_index, place = self.locate(number)
        found = self.products.candidates[epoch_index]
        if place < len(found):
            return candidate_key(self.job.stack.epochs[epoch_index], found, place)
        return self.streak_keys(epoch_index)[place - len(found)]

    def keys_of_epoch(self, epoch_index: int) -> list[FootprintKey]:
        """Return the keys of the footprints of an epoch, in the order of their numbers."""
        epoch, found = self.job.stack.epochs[epoch_index], self.products.candidates[epoch_index]
        keys = [candidate_key(epoch, found, place) for place in range(len(found))]
        return keys + self.streak_keys(epoch_index)

    def number(self, key: FootprintKey) -> int | None:
        """Return the number of the footprint that a key names here, None if it is gone."""
        return int(self.numbers([key])[0]) or None

    def numbers(self, keys: Collection[FootprintKey]) -> npt.NDArray[np.int64]:
        """Return the numbers of footprints by their keys, whatever result these come from.

        Returns
        -------
        ndarray of int
            ``(key,)``; 0 where there is no such footprint here.
        """
        products = self.products
        index_of = {epoch: index for index, epoch in enumerate(self.job.stack.epochs)}
        of_epoch: dict[int, list[tuple[int, FootprintKey]]] = {}
        for place, key in enumerate(keys):
            if key.epoch in index_of:
                of_epoch.setdefault(index_of[key.epoch], []).append((place, key))
        numbers = np.zeros(len(keys), np.int64)
        for index, wanted in of_epoch.items():
            found, streaks = products.candidates[index], products.streaks[index].groups
            for place, spans in enumerate(streaks):
                places, run = _runs_of(wanted, spans, streak=True)
                hit = places[run >= 0]
                # Where streaks overlap, the pixel is the first one's.
                numbers[hit[numbers[hit] == 0]] = self.first[index] + len(found) + place
            places, run = _runs_of(wanted, found.spans, streak=False)
            numbers[places[run >= 0]] = self.first[index] + found.group[run[run >= 0]]
        return numbers

    def streak_keys(self, epoch_index: int) -> list[FootprintKey]:
        """Return the keys of the streaks of an epoch."""
        return streak_keys(self.job.stack.epochs[epoch_index], self.products.streaks[epoch_index])

    # --- pixels --------------------------------------------------------------------------

    def pixels(self, number: int) -> tuple[int, Spans]:
        """Return the epoch's index and the pixels of a footprint.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        epoch_index, place = self.locate(number)
        found = self.products.candidates[epoch_index]
        if place < len(found):
            which = np.zeros(len(found), np.bool_)
            which[place] = True
            return epoch_index, found.pixels_of(which)
        return epoch_index, self.products.streaks[epoch_index].groups[place - len(found)]

    def at(self, epoch_index: int, y: int, x: int) -> int | None:
        """Return the number of the footprint of an epoch at a pixel, None without one.

        Of a candidate and a streak it is the candidate, of two streaks the first.
        """
        epoch = self.job.stack.epochs[epoch_index]
        keys = [FootprintKey(epoch, y, x, streak=streak) for streak in (False, True)]
        candidate, streak = self.numbers(keys).tolist()
        return candidate or streak or None

    def labels(self, epoch_index: int) -> npt.NDArray[np.int32]:
        """Return the numbers of an epoch's footprints as an image ``(y, x)``; 0 elsewhere."""
        labels = np.zeros(self.job.stack.shape, np.int32)
        found = self.products.candidates[epoch_index]
        first = int(self.first[epoch_index])
        streaks = self.products.streaks[epoch_index].groups
        # What is painted last is seen.
        for place in reversed(range(len(streaks))):
            spans = streaks[place]
            number = np.full(len(spans), first + len(found) + place, np.int32)
            paint(spans.y, spans.x0, spans.x1, number, labels)
        spans = found.spans
        paint(spans.y, spans.x0, spans.x1, found.group + np.int32(first), labels)
        return labels

    # --- state and reason ------------------------------------------------------------------

    def states(self, epoch_index: int) -> npt.NDArray[np.uint8]:
        """Return the states of the footprints of an epoch, in the order of their numbers.

        Returns
        -------
        ndarray of uint8
            ``(footprint,)`` values of `State`.
        """
        verdicts = self.verdicts(epoch_index)
        states = _STATE_OF_VERDICT[verdicts]
        manual = self.decided_manually(epoch_index)
        states[manual] = np.where(
            verdicts[manual] == Verdict.CLIPPED, State.CLIPPED_MANUALLY, State.KEPT_MANUALLY
        )
        return states

    def layers_of_states(
        self, epoch_index: int, rows: slice = slice(None)
    ) -> list[tuple[Spans, npt.NDArray[np.uint8]]]:
        """Return the pixels of an epoch's footprints with their states, in the order to paint.

        What is clipped hides what is not; of two streaks the first hides the other.

        Parameters
        ----------
        epoch_index : int
        rows : slice
            Rows whose pixels are wanted, by default all; without a step.

        Returns
        -------
        list of (Spans, ndarray of uint8)
            Runs, and for each a value of `State`.
        """
        found = self.products.candidates[epoch_index]
        streaks = self.products.streaks[epoch_index].groups
        states = self.states(epoch_index)
        # Runs are in the order of rows: a stamp need not look at those of the whole patch.
        start, stop, _ = rows.indices(self.job.stack.shape[0])
        first, last = np.searchsorted(found.spans.y, (start, stop))
        runs, of_run = found.spans[first:last], states[found.group[first:last]]
        clipped = np.isin(of_run, (State.CLIPPED, State.CLIPPED_MANUALLY))
        lines = []
        for spans, state in zip(streaks, states[len(found) :], strict=True):
            first, last = np.searchsorted(spans.y, (start, stop))
            lines.append((spans[first:last], np.full(last - first, state, np.uint8)))
        return [
            (runs[~clipped], of_run[~clipped]),
            *reversed(lines),
            (runs[clipped], of_run[clipped]),
        ]

    def state(self, number: int) -> State:
        """Return what became of a footprint.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        epoch_index, place = self.locate(number)
        return State(self.states(epoch_index)[place])

    def reason(self, number: int) -> str:
        """Return the rule that decided on a footprint, with its numbers.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        epoch_index, place = self.locate(number)
        return self.reasons(epoch_index, slice(place, place + 1))[0]

    def reasons(self, epoch_index: int, which: slice = slice(None)) -> list[str]:
        """Return the reasons of some footprints of an epoch, by default of all."""
        config, products = self.job.config, self.products
        found, verdicts = products.candidates[epoch_index], products.verdicts[epoch_index]
        places = range(*which.indices(int(self.sizes[epoch_index])))
        candidates = slice(places.start, min(places.stop, len(found)))
        # Plain numbers: a table has up to tens of thousands of rows.
        measures = (
            verdicts.verdict, verdicts.by_hand, verdicts.fraction, verdicts.max_epochs,
            products.counts.n_mean[epoch_index], found.good_area / found.area,
        )  # fmt: skip
        rows = zip(*(measure[candidates].tolist() for measure in measures), strict=True)
        kept = products.streaks[epoch_index].kept
        streaks = slice(max(places.start - len(found), 0), max(places.stop - len(found), 0))
        return [_reason(config, *row) for row in rows] + [
            "a straight line, kept manually" if is_kept else
            "a straight line among the deviating pixels"
            for is_kept in kept[streaks]
        ]  # fmt: skip

    def verdict(self, number: int) -> str:
        """Return the verdict on a footprint, as in the table of footprints.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        epoch_index, place = self.locate(number)
        return VERDICTS[self.verdicts(epoch_index)[place]]

    def verdicts(self, epoch_index: int) -> npt.NDArray[np.uint8]:
        """Return the verdicts on the footprints of an epoch, in the order of their numbers.

        Returns
        -------
        ndarray of uint8
            ``(footprint,)`` values of `Verdict`; a streak that is kept is persistent.
        """
        kept = np.array(self.products.streaks[epoch_index].kept, np.bool_)
        of_streaks = np.where(kept, Verdict.PERSISTENT, Verdict.STREAK).astype(np.uint8)
        return np.concatenate([self.products.verdicts[epoch_index].verdict, of_streaks])

    def decided_manually(self, epoch_index: int) -> npt.NDArray[np.bool_]:
        """Return ``(footprint,)`` which footprints of an epoch a person has decided on."""
        kept = np.array(self.products.streaks[epoch_index].kept, np.bool_)
        return np.concatenate([self.products.verdicts[epoch_index].by_hand, kept])


def _runs_of(
    wanted: list[tuple[int, FootprintKey]], spans: Spans, streak: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the places of some keys, and for each the run that holds its pixel, or -1."""
    chosen = [(place, key.y, key.x) for place, key in wanted if key.streak == streak]
    places, y, x = np.array(chosen, np.int64).reshape(-1, 3).T
    if not len(spans) or not len(places):
        return places, np.full(len(places), -1)
    # Runs are in the order of rows, then of columns.
    width = int(max(spans.x1.max(), x.max())) + 1
    starts = spans.y.astype(np.int64) * width + spans.x0
    run = np.searchsorted(starts, y * width + x, side="right") - 1
    inside = (run >= 0) & (spans.y[run] == y) & (x < spans.x1[run])
    return places, np.where(inside, run, -1)


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
        return f"{'clipped' if verdict == Verdict.CLIPPED else 'kept'} manually; {rule}"
    if verdict == Verdict.PERSISTENT:
        return f"{rule}, not more than {config.spatial_threshold:g}"
    if verdict == Verdict.PROTECTED:
        return f"{rule}, but it lies inside a bright source"
    return f"{rule}, more than {config.spatial_threshold:g}"
