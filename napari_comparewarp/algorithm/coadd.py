"""What goes to the direct warps, and the coadd of them (sections 8 and 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .difference import EDGE, NO_DATA
from .mask_planes import OUTPUT_PLANES, add_planes, bits
from .parallel import Progress, block, for_each_band, no_progress
from .spans import Spans
from .stacking import MaskRules, combine_values, count_and_combine_masks
from .template import set_derived_planes
from .warps import WarpStack

__all__ = ["Coadd", "DirectMasks", "make_coadd"]


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
    """

    image: npt.NDArray[np.float32]
    variance: npt.NDArray[np.float32]
    mask: npt.NDArray[np.int32]
    n_image: npt.NDArray[np.uint16]
    mask_planes: Mapping[str, int]
    wcs: Any = None
    origin: tuple[int, int] = (0, 0)
    unit: str = ""


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
        planes = self.mask_planes
        result = np.empty(mask.shape, np.int32)
        _apply_flags(
            mask, self.flags[:, y0:y1], bits(planes, self.bad_planes),
            bits(planes, ["NO_DATA"]), bits(planes, ["EDGE"]), result,
        )  # fmt: skip
        clipped_bit = bits(planes, ["CLIPPED"])
        for epoch, spans in enumerate(self.clipped):
            if self.weights[epoch] > 0:
                first, last = np.searchsorted(spans.y, (y0, y1))
                part = spans[first:last]
                _set_bit(part.y - np.int32(y0), part.x0, part.x1, clipped_bit, result[epoch])
            else:
                result[epoch] = mask[epoch]
        return result

    def epoch(self, epoch: int) -> npt.NDArray[np.int32]:
        """Return the mask of one direct warp, in `mask_planes`."""
        mask = np.ascontiguousarray(self.stack.direct.mask[epoch])[np.newaxis]
        one = DirectMasks(
            self.stack, self.weights[epoch : epoch + 1], self.flags[epoch : epoch + 1],
            self.clipped[epoch : epoch + 1], self.bad_planes,
        )  # fmt: skip
        return one.rows(0, mask.shape[1], mask)[0]


def make_coadd(
    masks: DirectMasks,
    *,
    bad_planes: tuple[str, ...],
    removed_planes: tuple[str, ...],
    statistic: str,
    sigma: float,
    iterations: int,
    error_from_input_variance: bool,
    mask_propagation: dict[str, float],
    online: bool = False,
    stage: str = "coadd",
    progress: Progress = no_progress,
) -> Coadd:
    """Combine the direct warps of a stack.

    Parameters
    ----------
    masks : DirectMasks
        The warps and their masks.
    bad_planes : tuple of str
        Pixels with one of these planes, or with CLIPPED, are left out.
    removed_planes : tuple of str
        Planes that are dropped from the warps' masks first.
    statistic : {"MEAN", "MEANCLIP", "MEDIAN"}
    sigma, iterations
        The clip of MEANCLIP.
    error_from_input_variance : bool
        Variance from the warps' variances, or from their scatter.
    mask_propagation : dict of str to float
        See `MaskRules.named`.
    online : bool
        Round as the reference's running sums do; see `combine_values`.
    stage : str
        Name for the reports of progress.
    progress : callable
    """
    stack, planes = masks.stack, masks.mask_planes
    rules = MaskRules.named(
        planes, bad=(*bad_planes, "CLIPPED"), removed=removed_planes, propagation=mask_propagation
    )
    height, width = stack.shape
    image = np.empty((height, width), np.float32)
    variance = np.empty((height, width), np.float32)
    mask = np.empty((height, width), np.int32)
    n_image = np.empty((height, width), np.uint16)
    warps = stack.direct
    used = np.flatnonzero(masks.weights > 0)

    def work(y0: int, y1: int) -> None:
        image_block, start = block(warps.image, y0, y1)
        variance_block, _ = block(warps.variance, y0, y1)
        mask_block, _ = block(warps.mask, y0, y1)
        rows = (start, start + y1 - y0)
        # Only the masks are changed: they alone are copied, and have rows of their own.
        direct_masks = masks.rows(y0, y1, mask_block[:, rows[0] : rows[1]])
        clipped = np.empty((y1 - y0, width), np.bool_)
        combine_values(
            image_block, variance_block, direct_masks, rows, masks.weights,
            rules.bad & ~rules.removed,
            statistic=statistic, sigma=sigma, iterations=iterations,
            error_from_input_variance=error_from_input_variance,
            out_image=image[y0:y1], out_variance=variance[y0:y1], out_clipped=clipped,
            online=online, mask_row=0,
        )  # fmt: skip
        count_and_combine_masks(
            image_block, direct_masks, rows, masks.weights, rules, clipped,
            mask[y0:y1], n_image[y0:y1], mask_row=0,
        )  # fmt: skip
        set_derived_planes(planes, variance[y0:y1], mask[y0:y1])
        _set_where_flagged(
            masks.flags[:, y0:y1], used, EDGE, bits(planes, ["SENSOR_EDGE", "INEXACT_PSF"]),
            mask[y0:y1],
        )  # fmt: skip

    for_each_band(work, height, len(warps) * width * 12, stage, progress)
    return Coadd(image, variance, mask, n_image, planes, stack.wcs, stack.origin, stack.unit)


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
