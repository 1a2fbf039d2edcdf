"""What differs between two settings: footprints newly clipped or kept, and area per epoch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..algorithm.compiled import kernel
from ..algorithm.footprints import Candidates
from ..algorithm.overrides import Decision, FootprintKey
from ..algorithm.parallel import Progress, no_progress
from ..algorithm.products import Products
from ..algorithm.spans import Spans
from ..algorithm.verdicts import Verdict
from ..algorithm.warps import epoch_array
from ..config.knobs import CompareWarpConfig
from ..errors import InspectionError
from ..inspection.inspection import Inspection
from ..result.footprints import FootprintSet
from ..result.result import CompareWarpResult
from .what_if import clipping_at

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Changes", "compare_results", "compare_settings"]


@dataclass(frozen=True)
class Changes:
    """What became different from one setting to another.

    Attributes
    ----------
    footprints : astropy.table.Table
        A row for each footprint whose outcome has changed: ``change`` ("newly
        clipped" or "newly kept"), ``epoch``, ``epoch_index``, ``y``, ``x`` and
        ``streak`` of its `FootprintKey`, ``area``, and ``id_before`` and
        ``id_after``, 0 where there is none. What is newly clipped is described
        as it is after, what is newly kept as it was before. A clipped
        footprint that is no longer found counts as newly kept.
    area_before, area_after : ndarray of int
        ``(epoch,)`` clipped pixels.
    gained, lost : ndarray of int
        ``(epoch,)`` pixels that are clipped only after, or only before.
    """

    footprints: "Table"
    area_before: npt.NDArray[np.int64]
    area_after: npt.NDArray[np.int64]
    gained: npt.NDArray[np.int64]
    lost: npt.NDArray[np.int64]


def compare_results(before: CompareWarpResult, after: CompareWarpResult) -> Changes:
    """Return what differs between two results of one stack.

    Parameters
    ----------
    before, after : CompareWarpResult

    Raises
    ------
    InspectionError
        If they are of different epochs or shapes.

    Notes
    -----
    A footprint is the same in both where it is of the same kind and epoch; of
    several, the one that shares most pixels with it.
    """
    was, now = before.stack, after.stack
    if was.epochs != now.epochs or was.shape != now.shape:
        raise InspectionError(
            f"results of {was.n_epochs} epochs of {was.shape} and of {now.n_epochs} epochs of "
            f"{now.shape} cannot be compared: both must be of the same epochs and shape"
        )
    return _compare(before.footprint_set, after.footprint_set)


def compare_settings(
    inspection: Inspection,
    config: CompareWarpConfig,
    overrides: Mapping[FootprintKey, Decision] | None = None,
    progress: Progress = no_progress,
) -> Changes:
    """Return what differs from another setting to the present one, without another coadd.

    Parameters
    ----------
    inspection : Inspection
        Left as it is; it is what `Changes` calls after.
    config, overrides, progress
        The other setting, see `clipping_at`.

    Raises
    ------
    InspectionError
        If the setting needs another look at the images.
    """
    after = inspection.result
    before = clipping_at(inspection, config, overrides, progress)
    return _compare(FootprintSet(replace(after.job, config=config), before), after.footprint_set)


def _compare(before: FootprintSet, after: FootprintSet) -> Changes:
    """Compare two runs on one stack."""
    from astropy.table import Table

    epochs = after.job.stack.epochs
    rows = []
    areas = np.zeros((4, len(epochs)), np.int64)
    for index, epoch in enumerate(epochs):
        old, new = _Outcomes.of(before, index), _Outcomes.of(after, index)
        to_old, to_new = _partners(before.products, after.products, index)
        for change, here, there, partner in (
            ("newly clipped", new, old, to_old),
            ("newly kept", old, new, to_new),
        ):
            matched = partner >= 0
            stays = matched.copy()
            stays[matched] = there.clipped[partner[matched]]
            for number in np.flatnonzero(here.clipped & ~stays):
                own, other = here.first + number, there.first + partner[number]
                other = other if matched[number] else 0
                ids = (other, own) if here is new else (own, other)
                key = here.keys[number]
                rows.append(
                    (change, epoch, index, key.y, key.x, key.streak, here.area[number], *ids)
                )
        areas[:, index] = _areas(
            before.products.direct_masks.clipped[index],
            after.products.direct_masks.clipped[index],
        )
    names = (
        "change", "epoch", "epoch_index", "y", "x", "streak", "area", "id_before", "id_after",
    )  # fmt: skip
    kinds = ("U13", epoch_array(epochs).dtype, int, int, int, bool, int, int, int)
    return Changes(Table(rows=rows or None, names=names, dtype=kinds), *areas)


@dataclass(frozen=True)
class _Outcomes:
    """The footprints of one epoch, candidates before streaks, and which are clipped."""

    first: int
    keys: list[FootprintKey]
    area: npt.NDArray[np.int64]
    clipped: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, footprints: FootprintSet, index: int) -> "_Outcomes":
        found, streaks = footprints.products.candidates[index], footprints.products.streaks[index]
        return cls(
            int(footprints.first[index]),
            footprints.keys_of_epoch(index),
            np.concatenate([found.area, np.array([s.area for s in streaks.groups], np.int64)]),
            np.isin(footprints.verdicts(index), (Verdict.CLIPPED, Verdict.STREAK)),
        )


def _areas(before: Spans, after: Spans) -> tuple[int, int, int, int]:
    """Return the areas of two regions, and what only the second and only the first has."""
    apart = 0 if before is after else before.symmetric_difference(after).area
    growth = after.area - before.area
    return before.area, after.area, (apart + growth) // 2, (apart - growth) // 2


def _partners(
    before: Products, after: Products, index: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the partner before of each footprint after, and the other way round; -1: none."""
    old, new = before.candidates[index], after.candidates[index]
    if old is new:
        shared = np.arange(len(old)), np.arange(len(old)), old.area
    else:
        shared = _shared_pixels(old, new)
    streaks = before.streaks[index].groups, after.streaks[index].groups
    pairs = [
        (len(old) + i, len(new) + j, (a.area + b.area - a.symmetric_difference(b).area) // 2)
        for i, a in enumerate(streaks[0])
        for j, b in enumerate(streaks[1])
    ]
    of_streaks = np.array(pairs, np.int64).reshape(-1, 3).T
    left, right, area = (np.concatenate([a, b]) for a, b in zip(shared, of_streaks, strict=True))
    counts = len(old) + len(streaks[0]), len(new) + len(streaks[1])
    return _best(right, left, area, counts[1]), _best(left, right, area, counts[0])


def _best(
    of: npt.NDArray[np.int64], partner: npt.NDArray[np.int64], area: npt.NDArray, count: int
) -> npt.NDArray[np.int64]:
    """Return for each footprint the partner that shares most pixels, -1 where there is none."""
    best = np.full(count, -1, np.int64)
    order = np.argsort(area, kind="stable")
    order = order[area[order] > 0]
    best[of[order]] = partner[order]
    return best


def _shared_pixels(
    old: Candidates, new: Candidates
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return which candidates of two detections overlap, and in how many pixels."""
    a, b = old.spans, new.spans
    left, right, pixels = _overlaps(
        a.y, a.x0, a.x1, old.group, b.y, b.x0, b.x1, new.group,
    )  # fmt: skip
    pair, which = np.unique(left.astype(np.int64) * (len(new) + 1) + right, return_inverse=True)
    return pair // (len(new) + 1), pair % (len(new) + 1), np.bincount(
        which, weights=pixels, minlength=len(pair)
    ).astype(np.int64)  # fmt: skip


@kernel
def _overlaps(y, x0, x1, group, other_y, other_x0, other_x1, other_group):  # type: ignore[no-untyped-def]
    """List the pairs of overlapping runs of two regions: their groups, and the shared pixels."""
    # Each run ends in at most one pair more than it begins.
    left = np.empty(y.size + other_y.size, np.int32)
    right = np.empty(y.size + other_y.size, np.int32)
    pixels = np.empty(y.size + other_y.size, np.int32)
    n = 0
    j = 0
    for i in range(y.size):
        while j < other_y.size and (
            other_y[j] < y[i] or (other_y[j] == y[i] and other_x1[j] <= x0[i])
        ):
            j += 1
        k = j
        while k < other_y.size and other_y[k] == y[i] and other_x0[k] < x1[i]:
            left[n] = group[i]
            right[n] = other_group[k]
            pixels[n] = min(other_x1[k], x1[i]) - max(other_x0[k], x0[i])
            n += 1
            k += 1
    return left[:n].copy(), right[:n].copy(), pixels[:n].copy()
