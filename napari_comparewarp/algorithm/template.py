"""The model of the static sky (section 3 of the method's description)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .mask_combination import MaskRules, count_and_combine_masks, set_derived_planes
from .mask_planes import OUTPUT_PLANES, add_planes
from .parallel import Progress, block, for_each_band, no_progress
from .stacking import combine_values
from .warps import WarpStack

__all__ = ["Template", "make_template"]


@dataclass(frozen=True)
class Template:
    """A model of the static sky.

    Attributes
    ----------
    image, variance : ndarray of float32
        ``(y, x)``; NaN where no warp has data.
    mask : ndarray of int32
        ``(y, x)`` bit planes as in `mask_planes`.
    mask_planes : dict of str to int
        Bit number of each plane.
    """

    image: npt.NDArray[np.float32]
    variance: npt.NDArray[np.float32]
    mask: npt.NDArray[np.int32]
    mask_planes: dict[str, int]


def make_template(
    stack: WarpStack,
    weights: npt.NDArray[np.float64],
    *,
    bad_planes: tuple[str, ...],
    statistic: str,
    sigma: float,
    iterations: int,
    error_from_input_variance: bool,
    mask_propagation: dict[str, float],
    progress: Progress = no_progress,
) -> Template:
    """Combine the PSF-matched warps of a stack.

    Parameters
    ----------
    stack : WarpStack
    weights : ndarray
        ``(matched epoch,)`` weights; warps of weight 0 are left out.
    bad_planes : tuple of str
        Pixels with one of these planes do not enter.
    statistic : {"MEANCLIP", "MEAN", "MEDIAN"}
    sigma, iterations
        The clip.
    error_from_input_variance : bool
        Variance from the warps' variances, or from their scatter.
    mask_propagation : dict of str to float
        See `MaskRules.named`.
    progress : callable
    """
    planes = add_planes(stack.mask_planes, OUTPUT_PLANES)
    rules = MaskRules.named(
        planes, bad=bad_planes, removed=("NOT_DEBLENDED",), propagation=mask_propagation
    )
    height, width = stack.shape
    image = np.empty((height, width), np.float32)
    variance = np.empty((height, width), np.float32)
    mask = np.empty((height, width), np.int32)
    warps = stack.matched

    def work(y0: int, y1: int) -> None:
        image_block, start = block(warps.image, y0, y1)
        variance_block, _ = block(warps.variance, y0, y1)
        mask_block, _ = block(warps.mask, y0, y1)
        rows = (start, start + y1 - y0)
        clipped = np.empty((y1 - y0, width), np.bool_)
        count = np.empty((y1 - y0, width), np.uint16)
        combine_values(
            image_block, variance_block, mask_block, rows, weights, rules.bad,
            statistic=statistic, sigma=sigma, iterations=iterations,
            error_from_input_variance=error_from_input_variance,
            out_image=image[y0:y1], out_variance=variance[y0:y1], out_clipped=clipped,
        )  # fmt: skip
        count_and_combine_masks(
            image_block, mask_block, rows, weights, rules, clipped, mask[y0:y1], count
        )
        set_derived_planes(planes, variance[y0:y1], mask[y0:y1])

    for_each_band(work, height, len(warps) * width * 12, "template", progress)
    return Template(image, variance, mask, planes)
