"""The footprints of a run: their numbers, lasting keys, pixels and states. All others ask here.

A footprint is a candidate or a streak of one epoch. Its *number* counts the
footprints of one result from 1: epoch by epoch, in each the candidates, then
the streaks. Another result may give the same number to another footprint; its
*key* names it by a pixel, and finds it again in any result.
"""

from collections.abc import Collection, Sequence
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..algorithm.overrides import FootprintKey, candidate_key, streak_keys
from ..algorithm.spans import Spans, paint
from ..algorithm.stages import Products
from ..algorithm.verdicts import Verdict
from ..algorithm.warps import EpochId
from ..errors import InspectionError

__all__ = ["FootprintSet", "State"]


class State(IntEnum):
    """What became of a footprint, with manual decisions distinguished."""

    NONE = 0
    CLIPPED = 1
    PERSISTENT = 2
    PROTECTED = 3
    PREFILTERED = 4
    STREAK = 5
    CLIPPED_BY_HAND = 6
    KEPT_BY_HAND = 7


_STATE_OF_VERDICT = np.zeros(len(Verdict), np.uint8)
for _verdict in Verdict:
    _STATE_OF_VERDICT[_verdict] = State[_verdict.name]


class FootprintSet:
    """All footprints of one result.

    Parameters
    ----------
    epochs : sequence
        Ids of the epochs.
    products : Products
        What the stages made.

    Examples
    --------
    >>> footprints = result.footprint_set  # doctest: +SKIP
    >>> number = footprints.at(epoch_index, y, x)  # doctest: +SKIP
    >>> inspection.override(footprints.key(number), "keep")  # doctest: +SKIP
    """

    def __init__(self, epochs: Sequence[EpochId], products: Products) -> None:
        self._epochs = epochs
        self._products = products

    @cached_property
    def sizes(self) -> npt.NDArray[np.int64]:
        """``(epoch,)`` number of footprints of each epoch, its streaks among them."""
        made = self._products
        pairs = zip(made.candidates, made.streaks, strict=True)
        return np.array([len(found) + len(streaks.groups) for found, streaks in pairs], np.int64)

    @cached_property
    def first(self) -> npt.NDArray[np.int64]:
        """``(epoch,)`` number of the first footprint of each epoch, if it has any."""
        return 1 + np.cumsum(self.sizes) - self.sizes

    def __len__(self) -> int:
        return int(self.sizes.sum())

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
        found = self._products.candidates[epoch_index]
        if place < len(found):
            return candidate_key(self._epochs[epoch_index], found, place)
        return self._streak_keys(epoch_index)[place - len(found)]

    def keys(self) -> list[FootprintKey]:
        """Return the keys of all footprints, in the order of their numbers."""
        keys: list[FootprintKey] = []
        for index, (epoch, found) in enumerate(
            zip(self._epochs, self._products.candidates, strict=True)
        ):
            keys += [candidate_key(epoch, found, place) for place in range(len(found))]
            keys += self._streak_keys(index)
        return keys

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
        made = self._products
        index_of = {epoch: index for index, epoch in enumerate(self._epochs)}
        of_epoch: dict[int, list[tuple[int, FootprintKey]]] = {}
        for place, key in enumerate(keys):
            if key.epoch in index_of:
                of_epoch.setdefault(index_of[key.epoch], []).append((place, key))
        numbers = np.zeros(len(keys), np.int64)
        for index, wanted in of_epoch.items():
            found, streaks = made.candidates[index], made.streaks[index].groups
            for place, spans in enumerate(streaks):
                places, run = _runs_of(wanted, spans, streak=True)
                hit = places[run >= 0]
                # Where streaks overlap, the pixel is the first one's.
                numbers[hit[numbers[hit] == 0]] = self.first[index] + len(found) + place
            places, run = _runs_of(wanted, found.spans, streak=False)
            numbers[places[run >= 0]] = self.first[index] + found.group[run[run >= 0]]
        return numbers

    def _streak_keys(self, epoch_index: int) -> list[FootprintKey]:
        return streak_keys(self._epochs[epoch_index], self._products.streaks[epoch_index])

    # --- pixels --------------------------------------------------------------------------

    def pixels(self, number: int) -> tuple[int, Spans]:
        """Return the epoch's index and the pixels of a footprint.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        epoch_index, place = self.locate(number)
        found = self._products.candidates[epoch_index]
        if place < len(found):
            which = np.zeros(len(found), np.bool_)
            which[place] = True
            return epoch_index, found.pixels_of(which)
        return epoch_index, self._products.streaks[epoch_index].groups[place - len(found)]

    def at(self, epoch_index: int, y: int, x: int) -> int | None:
        """Return the number of the footprint of an epoch at a pixel, None without one.

        Of a candidate and a streak it is the candidate, of two streaks the first.
        """
        epoch = self._epochs[epoch_index]
        keys = [FootprintKey(epoch, y, x, streak=streak) for streak in (False, True)]
        candidate, streak = self.numbers(keys).tolist()
        return candidate or streak or None

    def labels(self, epoch_index: int, shape: tuple[int, int]) -> npt.NDArray[np.int32]:
        """Return the numbers of an epoch's footprints as an image: 0 elsewhere; see `at`."""
        labels = np.zeros(shape, np.int32)
        found = self._products.candidates[epoch_index]
        first = int(self.first[epoch_index])
        streaks = self._products.streaks[epoch_index].groups
        # What is painted last is seen.
        for place in reversed(range(len(streaks))):
            spans = streaks[place]
            number = np.full(len(spans), first + len(found) + place, np.int32)
            paint(spans.y, spans.x0, spans.x1, number, labels)
        spans = found.spans
        paint(spans.y, spans.x0, spans.x1, found.group + np.int32(first), labels)
        return labels

    # --- state ---------------------------------------------------------------------------

    def states(self, epoch_index: int) -> npt.NDArray[np.uint8]:
        """Return the states of the footprints of an epoch, in the order of their numbers.

        Returns
        -------
        ndarray of uint8
            ``(footprint,)`` values of `State`.
        """
        verdicts, streaks = (
            self._products.verdicts[epoch_index], self._products.streaks[epoch_index],
        )  # fmt: skip
        states = _STATE_OF_VERDICT[verdicts.verdict]
        states[verdicts.by_hand] = np.where(
            verdicts.verdict[verdicts.by_hand] == Verdict.CLIPPED,
            State.CLIPPED_BY_HAND,
            State.KEPT_BY_HAND,
        )
        kept = np.array(streaks.kept, np.bool_)
        of_streaks = np.where(kept, State.KEPT_BY_HAND, State.STREAK).astype(np.uint8)
        return np.concatenate([states, of_streaks])

    def state(self, number: int) -> State:
        """Return what became of a footprint.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        epoch_index, place = self.locate(number)
        return State(self.states(epoch_index)[place])


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
