"""A footprint: its number, its lasting key, its pixels."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from ..algorithm.overrides import FootprintKey
from ..algorithm.spans import Spans
from ..algorithm.stages import Products
from ..errors import InspectionError
from ..result.result import CompareWarpResult

__all__ = ["find_rows", "first_ids", "footprint_pixels", "footprints_of_epochs", "locate"]


def footprint_pixels(made: Products, footprint_id: int) -> tuple[int, Spans]:
    """Return the epoch's index and the pixels of a footprint.

    Parameters
    ----------
    made : Products
    footprint_id : int
        As in the table of footprints.

    Raises
    ------
    KeyError
        If there is no such footprint.
    """
    number = int(footprint_id) - 1
    for epoch_index, (found, streaks) in enumerate(zip(made.candidates, made.streaks, strict=True)):
        if 0 <= number < len(found):
            which = np.zeros(len(found), np.bool_)
            which[number] = True
            return epoch_index, found.pixels_of(which)
        number -= len(found)
        if 0 <= number < len(streaks.groups):
            return epoch_index, streaks.groups[number]
        number -= len(streaks.groups)
    raise KeyError(f"footprint {footprint_id}: there is none with this id")


def footprints_of_epochs(made: Products) -> list[int]:
    """Return the number of footprints of each epoch, its streaks among them."""
    return [
        len(found) + len(streaks.groups)
        for found, streaks in zip(made.candidates, made.streaks, strict=True)
    ]


def first_ids(made: Products) -> npt.NDArray[np.int64]:
    """Return, for each epoch, the number of its first footprint in the table of footprints."""
    return 1 + np.cumsum([0, *footprints_of_epochs(made)[:-1]])


def locate(made: Products, footprint_id: int) -> tuple[int, int]:
    """Return where a footprint is kept: its epoch's index, and its place in that epoch.

    Parameters
    ----------
    made : Products
    footprint_id : int
        As in the table of footprints.

    Returns
    -------
    epoch_index, number : int
        `number` counts the candidates of the epoch from 0, and then its streaks.

    Raises
    ------
    InspectionError
        If there is no such footprint.
    """
    if not 1 <= footprint_id <= sum(footprints_of_epochs(made)):
        raise InspectionError(f"footprint {footprint_id}: there is none with this id")
    first = first_ids(made)
    epoch_index = int(np.searchsorted(first, footprint_id, side="right")) - 1
    return epoch_index, int(footprint_id) - int(first[epoch_index])


def find_rows(result: CompareWarpResult, keys: Collection[FootprintKey]) -> npt.NDArray[np.int64]:
    """Return the rows of footprints by their keys, whatever detection they come from.

    Parameters
    ----------
    result : CompareWarpResult
    keys : collection of FootprintKey

    Returns
    -------
    ndarray of int
        ``(key,)`` one less than the id; -1 where there is no such footprint.
    """
    made = result.products
    index_of = {epoch: index for index, epoch in enumerate(result.stack.epochs)}
    of_epoch: dict[int, list[tuple[int, FootprintKey]]] = {}
    for place, key in enumerate(keys):
        if key.epoch in index_of:
            of_epoch.setdefault(index_of[key.epoch], []).append((place, key))
    rows = np.full(len(keys), -1, np.int64)
    first = first_ids(made) - 1
    for index, wanted in of_epoch.items():
        found, streaks = made.candidates[index], made.streaks[index].groups
        for number, spans in enumerate(streaks):
            places, run = _runs_of(wanted, spans, streak=True)
            hit = places[run >= 0]
            # Streaks may overlap: a key means the first, as it does to the decisions.
            rows[hit[rows[hit] < 0]] = first[index] + len(found) + number
        places, run = _runs_of(wanted, found.spans, streak=False)
        rows[places[run >= 0]] = first[index] + found.group[run[run >= 0]]
    return rows


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
