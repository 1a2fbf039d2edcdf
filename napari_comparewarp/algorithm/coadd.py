"""What goes to the direct warps, and the coadd of them (sections 8 and 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .difference import EDGE, NO_DATA
from .mask_combination import MaskRules, count_and_combine_masks, set_derived_planes
from .mask_planes import OUTPUT_PLANES, add_planes, bits
from .parallel import Progress, block, for_each, for_each_band, no_progress
from .spans import Spans, gather
from .stacking import combine_values
from .warps import WarpStack

__all__ = ["Coadd", "CoaddSettings", "DirectMasks", "make_coadd", "update_coadd"]

#: Pixels of all epochs that are worked on together where a coadd is updated.
PIECE_PIXELS = 1 << 14


@dataclass(frozen=True)
class Coadd:
    """A coadd of direct warps.

    Attributes
    ----------
    image, variance : ndarray of float32
        ``(y, x)``; NaN where nothing could be stacked.
    mask : ndarray of int32
        ``(y, x)`` bit planes as in `mask_planes`.
    n_image : ndarray of uint16
        ``(y, x)`` number of warps without a bad plane.
    mask_planes : dict of str to int
        Bit number of each plane.
    wcs : astropy.wcs.WCS or None
    origin : tuple of int
        x, y of the lower-left pixel in the parent grid.
    unit : str
    flux_scale : float
        Numbers in files are those of the arrays times this, see `WarpStack`.
    """

    image: npt.NDArray[np.float32]
    variance: npt.NDArray[np.float32]
    mask: npt.NDArray[np.int32]
    n_image: npt.NDArray[np.uint16]
    mask_planes: Mapping[str, int]
    wcs: Any = None
    origin: tuple[int, int] = (0, 0)
    unit: str = ""
    flux_scale: float = 1.0


@dataclass(frozen=True)
class DirectMasks:
    """The masks of the direct warps, with what the comparison adds to them.

    Attributes
    ----------
    stack : WarpStack
    weights : ndarray
        ``(epoch,)``; nothing is added to a warp of weight 0, which is skipped.
    flags : ndarray of uint8
        ``(epoch, y, x)`` flags of the matched warps, see `Detections`.
    clipped : sequence of Spans
        For each epoch, the pixels that are clipped.
    bad_planes : tuple of str
        Planes that are cleared where there is no matched warp.
    """

    stack: WarpStack
    weights: npt.NDArray[np.float64]
    flags: npt.NDArray[np.uint8]
    clipped: Sequence[Spans]
    bad_planes: tuple[str, ...]
    mask_planes: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        planes = add_planes(self.stack.mask_planes, (*OUTPUT_PLANES, "NO_DATA", "EDGE"))
        object.__setattr__(self, "mask_planes", planes)

    def rows(self, y0: int, y1: int, mask: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return the masks of some rows of all epochs.

        Parameters
        ----------
        y0, y1 : int
            Half-open range of rows.
        mask : ndarray of int32
            ``(epoch, rows, x)`` masks of the direct warps there.
        """
        result = self._with_flags(mask, self.flags[:, y0:y1])
        clipped_bit = bits(self.mask_planes, ["CLIPPED"])
        for epoch in range(len(self.clipped)):
            if self.weights[epoch] > 0:
                part = self._clipped_in(epoch, y0, y1)
                _set_bit(part.y - np.int32(y0), part.x0, part.x1, clipped_bit, result[epoch])
            else:
                result[epoch] = mask[epoch]
        return result

    def pixels(
        self, where: Spans, mask: npt.NDArray[np.int32], flags: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.int32]:
        """Return the masks of some pixels of all epochs.

        Parameters
        ----------
        where : Spans
            The pixels.
        mask, flags : ndarray
            ``(epoch, 1, pixel)`` masks of the direct warps, and flags, there.
        """
        result = self._with_flags(mask, flags)
        clipped_bit = bits(self.mask_planes, ["CLIPPED"])
        y0, y1 = int(where.y[0]), int(where.y[-1]) + 1
        for epoch in range(len(self.clipped)):
            if self.weights[epoch] > 0:
                part = self._clipped_in(epoch, y0, y1)
                _set_bit_packed(
                    where.y, where.x0, where.x1, part.y, part.x0, part.x1, clipped_bit,
                    result[epoch, 0],
                )  # fmt: skip
            else:
                result[epoch] = mask[epoch]
        return result

    @property
    def clipped_fraction(self) -> npt.NDArray[np.float64]:
        """``(epoch,)`` fraction of the patch that is clipped."""
        areas = [spans.area for spans in self.clipped]
        height, width = self.stack.shape
        return np.where(self.weights > 0, areas, 0) / (height * width)

    def unclipped(self) -> "DirectMasks":
        """Return the masks as they are where nothing is clipped."""
        return replace(self, clipped=(Spans.empty(),) * len(self.clipped))

    def _clipped_in(self, epoch: int, y0: int, y1: int) -> Spans:
        """Return what is clipped of one epoch in some rows."""
        spans = self.clipped[epoch]
        return spans[slice(*np.searchsorted(spans.y, (y0, y1)))]

    def _with_flags(
        self, mask: npt.NDArray[np.int32], flags: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.int32]:
        """Return masks with what the flags add to them."""
        planes = self.mask_planes
        result = np.empty(mask.shape, np.int32)
        _apply_flags(
            mask, flags, bits(planes, self.bad_planes), bits(planes, ["NO_DATA"]),
            bits(planes, ["EDGE"]), result,
        )  # fmt: skip
        return result

    def epoch(self, epoch: int) -> npt.NDArray[np.int32]:
        """Return the mask of one direct warp, in `mask_planes`."""
        mask = np.ascontiguousarray(self.stack.direct.mask[epoch])[np.newaxis]
        one = DirectMasks(
            self.stack, self.weights[epoch : epoch + 1], self.flags[epoch : epoch + 1],
            self.clipped[epoch : epoch + 1], self.bad_planes,
        )  # fmt: skip
        return one.rows(0, mask.shape[1], mask)[0]


@dataclass(frozen=True)
class CoaddSettings:
    """How the direct warps are combined.

    Attributes
    ----------
    bad_planes : tuple of str
        Pixels with one of these planes, or with CLIPPED, are left out.
    removed_planes : tuple of str
        Planes that are dropped from the warps' masks first.
    statistic : {"MEAN", "MEANCLIP", "MEDIAN"}
    sigma : float
        Half-width of the clip of MEANCLIP, in standard deviations.
    iterations : int
        Passes of the clip of MEANCLIP.
    error_from_input_variance : bool
        Variance from the warps' variances, or from their scatter.
    mask_propagation : mapping of str to float
        See `MaskRules.named`.
    online : bool
        Round as the reference's running sums do; see `combine_values`.
    """

    bad_planes: tuple[str, ...]
    removed_planes: tuple[str, ...]
    statistic: str
    sigma: float
    iterations: int
    error_from_input_variance: bool
    mask_propagation: Mapping[str, float]
    online: bool = False


def make_coadd(
    masks: DirectMasks,
    settings: CoaddSettings,
    *,
    stage: str = "coadd",
    progress: Progress = no_progress,
) -> Coadd:
    """Combine the direct warps of a stack.

    Parameters
    ----------
    masks : DirectMasks
        The warps and their masks.
    settings : CoaddSettings
    stage : str
        Name for the reports of progress.
    progress : callable
    """
    stack = masks.stack
    height, width = stack.shape
    coadd = _blank((height, width), masks)
    warps = stack.direct

    def work(y0: int, y1: int) -> None:
        image_block, start = block(warps.image, y0, y1)
        variance_block, _ = block(warps.variance, y0, y1)
        mask_block, _ = block(warps.mask, y0, y1)
        rows = (start, start + y1 - y0)
        # Only the masks are changed: they alone are copied, and have rows of their own.
        direct_masks = masks.rows(y0, y1, mask_block[:, rows[0] : rows[1]])
        part = Coadd(
            coadd.image[y0:y1], coadd.variance[y0:y1], coadd.mask[y0:y1], coadd.n_image[y0:y1],
            coadd.mask_planes,
        )  # fmt: skip
        flags = masks.flags[:, y0:y1]
        _combine(
            image_block, variance_block, rows, direct_masks, flags, masks.weights, settings, part
        )

    for_each_band(work, height, len(warps) * width * 12, stage, progress)
    return coadd


def update_coadd(
    before: Coadd,
    old: DirectMasks,
    new: DirectMasks,
    settings: CoaddSettings,
    unclipped: Coadd | None = None,
) -> Coadd:
    """Return the coadd after a change of what is clipped, working only where that matters.

    Parameters
    ----------
    before : Coadd
        Made with the `old` masks and the same settings.
    old, new : DirectMasks
        Masks of the same warps that differ in what is clipped.
    settings : CoaddSettings
    unclipped : Coadd, optional
        Made with the same settings where nothing is clipped; pixels that
        nothing clips any more are taken from it.

    Returns
    -------
    Coadd
        To the bit what `make_coadd` makes of the new masks.
    """
    stacked = np.flatnonzero(new.weights > 0).tolist()
    changed = Spans.union_of(
        [old.clipped[epoch].symmetric_difference(new.clipped[epoch]) for epoch in stacked]
    )
    if not len(changed):
        return before
    free = Spans.empty()
    if unclipped is not None:
        clipped = Spans.union_of([new.clipped[epoch] for epoch in stacked])
        free = changed.union(clipped).symmetric_difference(clipped)
        changed = changed.symmetric_difference(free)
    shape = new.stack.shape
    if changed.area * 2 > shape[0] * shape[1]:
        return make_coadd(new, settings)
    names = ("image", "variance", "mask", "n_image")

    def begin(name: str) -> npt.NDArray:
        plane = getattr(before, name).copy()
        if unclipped is not None:
            _copy_runs(free.y, free.x0, free.x1, getattr(unclipped, name), plane)
        return plane

    planes = for_each(begin, names, "coadd", no_progress)
    after = replace(before, **dict(zip(names, planes, strict=True)))
    warps = new.stack.direct

    def work(where: Spans) -> None:
        image, variance, mask = (
            gather(plane, where) for plane in (warps.image, warps.variance, warps.mask)
        )
        flags = gather(new.flags, where)
        direct_masks = new.pixels(where, mask, flags)
        part = _blank((1, where.area), new)
        _combine(image, variance, (0, 1), direct_masks, flags, new.weights, settings, part)
        for name in names:
            values, target = getattr(part, name)[0], getattr(after, name)
            _scatter_runs(where.y, where.x0, where.x1, values, target)

    for_each(work, changed.pieces(PIECE_PIXELS), "coadd", no_progress)
    return after


def _blank(shape: tuple[int, int], masks: DirectMasks) -> Coadd:
    """Allocate an empty coadd."""
    stack = masks.stack
    return Coadd(
        np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.int32),
        np.empty(shape, np.uint16), masks.mask_planes, stack.wcs, stack.origin, stack.unit,
        stack.flux_scale,
    )  # fmt: skip


def _combine(
    image: npt.NDArray[np.float32],
    variance: npt.NDArray[np.float32],
    rows: tuple[int, int],
    direct_masks: npt.NDArray[np.int32],
    flags: npt.NDArray[np.uint8],
    weights: npt.NDArray[np.float64],
    settings: CoaddSettings,
    out: Coadd,
) -> None:
    """Combine some pixels of all epochs and write them to `out`."""
    planes = out.mask_planes
    rules = MaskRules.named(
        planes, bad=(*settings.bad_planes, "CLIPPED"), removed=settings.removed_planes,
        propagation=settings.mask_propagation,
    )  # fmt: skip
    clipped = np.empty(out.mask.shape, np.bool_)
    combine_values(
        image, variance, direct_masks, rows, weights, rules.bad & ~rules.removed,
        statistic=settings.statistic, sigma=settings.sigma, iterations=settings.iterations,
        error_from_input_variance=settings.error_from_input_variance,
        out_image=out.image, out_variance=out.variance, out_clipped=clipped,
        online=settings.online, mask_row=0,
    )  # fmt: skip
    count_and_combine_masks(
        image, direct_masks, rows, weights, rules, clipped, out.mask, out.n_image, mask_row=0
    )
    set_derived_planes(planes, out.variance, out.mask)
    _set_where_flagged(
        flags, np.flatnonzero(weights > 0), EDGE, bits(planes, ["SENSOR_EDGE", "INEXACT_PSF"]),
        out.mask,
    )  # fmt: skip


@kernel
def _apply_flags(mask, flags, bad, no_data, edge, out):  # type: ignore[no-untyped-def]
    """Clear bad bits where the matched warp is NaN, then set NO_DATA and EDGE."""
    keep, no_data, edge = ~np.int32(bad), np.int32(no_data), np.int32(edge)
    for e in range(mask.shape[0]):
        for y in range(mask.shape[1]):
            bits_in, flags_in, bits_out = mask[e, y], flags[e, y], out[e, y]
            for x in range(bits_in.size):
                bit = bits_in[x]
                flag = flags_in[x]
                bit = (bit & keep) | no_data if flag & NO_DATA != 0 else bit
                bits_out[x] = bit | edge if flag & EDGE != 0 else bit


@kernel
def _set_bit(y, x0, x1, bit, mask):  # type: ignore[no-untyped-def]
    """Set a bit on the pixels of some runs."""
    for i in range(y.size):
        for x in range(x0[i], x1[i]):
            mask[y[i], x] |= bit


@kernel
def _set_where_flagged(flags, epochs, flag, bit, mask):  # type: ignore[no-untyped-def]
    """Set bits on the pixels at which one of some epochs has a flag."""
    bit = np.int32(bit)
    for e in epochs:
        for y in range(mask.shape[0]):
            bits_out, flags_in = mask[y], flags[e, y]
            for x in range(bits_out.size):
                bits_out[x] |= bit if flags_in[x] & flag != 0 else np.int32(0)


@kernel
def _set_bit_packed(y, x0, x1, other_y, other_x0, other_x1, bit, mask):  # type: ignore[no-untyped-def]
    """Set a bit where other runs cover the runs whose pixels stand one after the other."""
    start = 0
    j = 0
    for i in range(y.size):
        while j < other_y.size and (
            other_y[j] < y[i] or (other_y[j] == y[i] and other_x1[j] <= x0[i])
        ):
            j += 1
        k = j
        while k < other_y.size and other_y[k] == y[i] and other_x0[k] < x1[i]:
            for x in range(max(other_x0[k], x0[i]), min(other_x1[k], x1[i])):
                mask[start + x - x0[i]] |= bit
            k += 1
        start += x1[i] - x0[i]


@kernel
def _scatter_runs(y, x0, x1, values, image):  # type: ignore[no-untyped-def]
    """Write values that stand one after the other to the runs of an image."""
    start = 0
    for i in range(y.size):
        row = image[y[i], x0[i] : x1[i]]
        for k in range(row.size):
            row[k] = values[start + k]
        start += row.size


@kernel
def _copy_runs(y, x0, x1, source, target):  # type: ignore[no-untyped-def]
    """Copy the pixels of some runs from one image to another."""
    for i in range(y.size):
        values = source[y[i], x0[i] : x1[i]]
        row = target[y[i], x0[i] : x1[i]]
        for k in range(row.size):
            row[k] = values[k]
