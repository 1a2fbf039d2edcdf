"""What other thresholds would clip, and the depth that this costs, without running again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..algorithm.coadd import DirectMasks
from ..algorithm.mask_planes import bits
from ..algorithm.parallel import Progress, for_each, no_progress
from ..algorithm.products import Products
from ..algorithm.spans import Spans, gather
from ..algorithm.verdicts import Verdict
from ..config.knobs import CompareWarpConfig
from ..errors import InspectionError
from ..inspection.inspection import Inspection
from .pool import pool_candidates
from .what_if import clipping_from

__all__ = ["Sensitivity", "chi_sensitivity", "verdict_sensitivity"]

EPOCH_KNOBS = ("temporal_threshold", "max_epochs", "max_epochs_slope")

_TEMPORAL = np.linspace(0.05, 1, 20).round(2)
_SPATIAL = np.linspace(0, 1, 21).round(2)
_CHI = (3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0)


@dataclass(frozen=True)
class Sensitivity:
    """What would be clipped over a grid of settings.

    Attributes
    ----------
    knobs : tuple of str
        The knobs that vary, one for each axis of the grid.
    values : tuple of ndarray
        Their values, ascending; the present setting is among them.
    present : tuple of int
        Where on each axis the present setting is; -1 where it is no number.
    n_clipped : ndarray of int
        ``(*grid,)`` clipped footprints, streaks among them.
    clipped_area : ndarray of int
        ``(*grid, epoch)`` clipped pixels.
    lost : ndarray of int
        ``(*grid, epoch)`` clipped pixels that would count in the coadd's
        ``n_image``: the others are masked anyway.
    stacked : ndarray of int
        ``(epoch,)`` pixels that count in ``n_image`` where nothing is clipped.
    weights : ndarray
        ``(epoch,)`` weights in the coadd.
    """

    knobs: tuple[str, ...]
    values: tuple[npt.NDArray[np.float64], ...]
    present: tuple[int, ...]
    n_clipped: npt.NDArray[np.int64]
    clipped_area: npt.NDArray[np.int64]
    lost: npt.NDArray[np.int64]
    stacked: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]

    @property
    def lost_fraction(self) -> npt.NDArray[np.float64]:
        """``(*grid,)`` fraction of the patch's summed ``n_image`` that is clipped."""
        return self.lost.sum(axis=-1) / max(int(self.stacked.sum()), 1)

    @property
    def depth_change(self) -> npt.NDArray[np.float64]:
        """``(*grid,)`` change of the limiting magnitude, <= 0, mag.

        1.25 log10(1 - f), with f the fraction of the patch's summed weight that
        is clipped: the variance of a weighted mean is 1 over the sum of the
        weights, where these are inverse variances, and the limiting flux goes
        with its root. It is that of a patch which loses the same everywhere.
        """
        lost = (self.lost * self.weights).sum(axis=-1)
        total = float((self.stacked * self.weights).sum())
        with np.errstate(divide="ignore"):
            return 1.25 * np.log10(1 - lost / total if total > 0 else np.ones_like(lost))


def verdict_sensitivity(
    inspection: Inspection,
    knob: str = "temporal_threshold",
    values: Sequence[float] | npt.NDArray | None = None,
    spatial: Sequence[float] | npt.NDArray | None = None,
    progress: Progress = no_progress,
) -> Sensitivity:
    """Return what would be clipped over a plane of an epoch threshold and the spatial one.

    It is exactly what runs at these settings would clip, with the inspection's
    manual decisions, from the counts that it keeps.

    Parameters
    ----------
    inspection : Inspection
        Left as it is.
    knob : {"temporal_threshold", "max_epochs", "max_epochs_slope"}
        First axis.
    values : array_like, optional
        Its values; by default 0.05 to 1 for ``temporal_threshold``, 0 to the
        number of epochs for ``max_epochs``, 0 to 0.5 for the slope.
    spatial : array_like, optional
        Values of ``spatial_threshold``, the second axis; by default 0 to 1.
    progress : callable, optional
        An exception that it raises stops the work.

    Raises
    ------
    InspectionError
        If there is no such knob.
    ConfigError
        If a value is out of its range.
    """
    result = inspection.result
    config, products = result.config, result.products
    if knob not in EPOCH_KNOBS:
        raise InspectionError(f"knob {knob!r}: the plane is of one of {', '.join(EPOCH_KNOBS)}")
    if values is None:
        values = {
            "temporal_threshold": _TEMPORAL,
            "max_epochs": np.arange(result.stack.n_epochs + 1),
            "max_epochs_slope": np.linspace(0, 0.5, 26).round(2),
        }[knob]
    rows, row_here = _axis(config, knob, values)
    columns, column_here = _axis(
        config, "spatial_threshold", _SPATIAL if spatial is None else spatial
    )
    pool = pool_candidates(result.footprint_set)
    pixels = _measure_candidates(products, progress)
    streaks = _measure_streaks(products)
    # Sums over the candidates of each epoch, which stand one after the other in the pool.
    member = np.zeros((result.stack.n_epochs, len(pool)), np.float64)
    member[pool.epoch_index, np.arange(len(pool))] = 1
    n_clipped = np.empty((len(rows), len(columns)), np.int64)
    sums = np.empty((2, *n_clipped.shape, result.stack.n_epochs), np.int64)
    for i, row in enumerate(rows):
        progress("sensitivity", i, len(rows))
        for j, column in enumerate(columns):
            update = {knob: _of_config(knob, row), "spatial_threshold": float(column)}
            clipped = pool.is_clipped(config.model_copy(update=update))
            n_clipped[i, j] = clipped.sum()
            sums[:, i, j] = (pixels * clipped) @ member.T
    progress("sensitivity", len(rows), len(rows))
    return Sensitivity(
        (knob, "spatial_threshold"), (rows, columns), (row_here, column_here),
        n_clipped + _n_streaks(products),
        sums[0] + streaks[0], sums[1] + streaks[1], _stacked(products.direct_masks, progress),
        result.weights,
    )  # fmt: skip


def chi_sensitivity(
    inspection: Inspection,
    values: Sequence[float] | npt.NDArray | None = None,
    progress: Progress = no_progress,
) -> Sensitivity:
    """Return what would be clipped along the chi threshold.

    It is exactly what runs at these settings would clip, with the inspection's
    manual decisions, from the deviating pixels that it keeps.

    Parameters
    ----------
    inspection : Inspection
        Left as it is.
    values : array_like, optional
        Values of ``chi_threshold``, sigma; by default some from 3 (or from
        where the inspection's list of deviating pixels begins) to 30.
    progress : callable, optional
        An exception that it raises stops the work.

    Raises
    ------
    InspectionError
        If a value is below the number of sigma from which pixels are remembered.
    ConfigError
        If a value is out of its range.
    """
    result, overrides = inspection.result, inspection.overrides
    config = result.config
    if values is None:
        values = [chi for chi in _CHI if chi >= result.products.detections.floor]
    axis, here = _axis(config, "chi_threshold", values)
    n_clipped = np.empty(len(axis), np.int64)
    sums = np.empty((2, len(axis), result.stack.n_epochs), np.int64)
    for i, chi in enumerate(axis):
        progress("sensitivity", i, len(axis))
        setting = config.replace(chi_threshold=float(chi))
        products = clipping_from(result, overrides, setting, overrides)
        n_clipped[i] = _n_streaks(products) + sum(
            int((verdicts.verdict == Verdict.CLIPPED).sum()) for verdicts in products.verdicts
        )
        masks = products.direct_masks
        sums[0, i] = [region.area for region in masks.clipped]
        sums[1, i] = [
            _would_count(masks, epoch, region).sum() for epoch, region in enumerate(masks.clipped)
        ]
    progress("sensitivity", len(axis), len(axis))
    return Sensitivity(
        ("chi_threshold",), (axis,), (here,), n_clipped, sums[0], sums[1],
        _stacked(result.products.direct_masks, progress), result.weights,
    )  # fmt: skip


def _axis(
    config: CompareWarpConfig, knob: str, values: Sequence[float] | npt.NDArray
) -> tuple[npt.NDArray[np.float64], int]:
    """Return the values of a knob with the present one among them, and where that is."""
    present = getattr(config, knob)
    axis = np.unique(np.asarray(values, np.float64))
    if present is not None:
        axis = np.union1d(axis, [present])
    for value in axis:
        config.replace(**{knob: _of_config(knob, value)})
    return axis, -1 if present is None else int(np.searchsorted(axis, present))


def _of_config(knob: str, value: float) -> float | int:
    """Return a value of an axis as the config has it."""
    return int(value) if knob == "max_epochs" and value == int(value) else float(value)


def _measure_candidates(products: Products, progress: Progress) -> npt.NDArray[np.float64]:
    """Return area and countable area of each candidate, outside of clipped streaks.

    Returns
    -------
    ndarray
        ``(2, candidate)``, the candidates of all epochs one after the other.
    """

    def measure(epoch: int) -> npt.NDArray[np.float64]:
        found, streaks = products.candidates[epoch], products.streaks[epoch].spans
        group = np.repeat(found.group, found.spans.x1 - found.spans.x0)
        free = np.ones(len(group), np.bool_)
        if len(streaks):
            covered = streaks.mask(products.counts.epoch_count.shape)
            free = ~gather(covered[np.newaxis], found.spans)[0, 0]
        counts = free & _would_count(products.direct_masks, epoch, found.spans)
        return np.stack(
            [np.bincount(group, weights=flag, minlength=len(found)) for flag in (free, counts)]
        )

    epochs = range(len(products.candidates))
    return np.concatenate(for_each(measure, epochs, "footprint areas", progress), axis=1)


def _n_streaks(products: Products) -> int:
    """Return the number of clipped streaks."""
    return sum(len(streaks.groups) - sum(streaks.kept) for streaks in products.streaks)


def _measure_streaks(products: Products) -> npt.NDArray[np.int64]:
    """Return ``(2, epoch)`` area and countable area of the clipped streaks."""
    return np.array(
        [
            (streaks.spans.area, _would_count(products.direct_masks, epoch, streaks.spans).sum())
            for epoch, streaks in enumerate(products.streaks)
        ]
    ).T


def _of_epoch(masks: DirectMasks, epoch: int) -> DirectMasks:
    """Return the masks of one epoch, with nothing clipped."""
    one = slice(epoch, epoch + 1)
    return DirectMasks(
        masks.stack, masks.weights[one], masks.flags[one], [Spans.empty()], masks.bad_planes
    )


def _would_count(masks: DirectMasks, epoch: int, where: Spans) -> npt.NDArray[np.bool_]:
    """Tell which pixels of an epoch would count in the coadd's n_image, were they not clipped.

    Returns
    -------
    ndarray of bool
        ``(pixel,)``, run by run.
    """
    if not len(where) or masks.weights[epoch] <= 0:
        return np.zeros(where.area, np.bool_)
    plane = np.asarray(masks.stack.direct.mask[epoch])[np.newaxis]
    flags = gather(masks.flags[epoch : epoch + 1], where)
    mask = _of_epoch(masks, epoch).pixels(where, gather(plane, where), flags)
    return mask[0, 0] & bits(masks.mask_planes, masks.bad_planes) == 0


def _stacked(masks: DirectMasks, progress: Progress) -> npt.NDArray[np.int64]:
    """Return ``(epoch,)`` how many pixels count in n_image where nothing is clipped."""
    bad = bits(masks.mask_planes, masks.bad_planes)

    def count(epoch: int) -> int:
        if masks.weights[epoch] <= 0:
            return 0
        plane = np.asarray(masks.stack.direct.mask[epoch])[np.newaxis]
        mask = _of_epoch(masks, epoch).rows(0, plane.shape[1], plane)
        return int(np.count_nonzero(mask & bad == 0))

    counts = for_each(count, range(len(masks.weights)), "stacked pixels", progress)
    return np.array(counts, np.int64)
