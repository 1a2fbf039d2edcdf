"""The model of the static sky (section 3 of the method's description)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .mask_combination import MaskRules, count_and_combine_masks
from .mask_planes import OUTPUT_PLANES, add_planes, bits
from .parallel import Progress, block, for_each_band, no_progress
from .stacking import combine_values
from .warps import WarpStack

__all__ = ["Template", "fill_holes", "make_template"]


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


def set_derived_planes(
    planes: Mapping[str, int], variance: npt.NDArray[np.float32], mask: npt.NDArray[np.int32]
) -> None:
    """Set, in place, the planes of a combined mask that follow from its others.

    INEXACT_PSF goes where the inputs of a pixel differ from its neighbours';
    NO_DATA where the variance is exactly 0.
    """
    inexact = bits(planes, ["SENSOR_EDGE", "CLIPPED", "REJECTED"])
    mask[mask & inexact != 0] |= bits(planes, ["INEXACT_PSF"])
    mask[variance == 0] |= bits(planes, ["NO_DATA"])


def fill_holes(image: npt.NDArray[np.float32]) -> tuple[npt.NDArray, npt.NDArray] | None:
    """Find, for each NaN pixel, the nearest pixel with a value.

    Parameters
    ----------
    image : ndarray of float32
        ``(y, x)``.

    Returns
    -------
    tuple of ndarray or None
        Flat indices of the holes' pixels and of the pixels to fill them from;
        None where the image is NaN everywhere or nowhere.
    """
    holes = np.isnan(image)
    if not holes.any() or holes.all():
        return None
    targets = np.flatnonzero(holes)
    return targets, _nearest(holes, targets)


@kernel
def _nearest(holes, targets):  # type: ignore[no-untyped-def]
    """Return the flat index of the pixel outside the holes that is nearest to each target.

    The nearest one of each column is known from two sweeps; the columns are
    tried outwards until they alone are farther than the best so far.
    """
    height, width = holes.shape
    far = height + width
    # Rows up (negative) or down to the nearest pixel with a value in the column.
    steps = np.full((height, width), far, np.int32)
    for y in range(height):
        for x in range(width):
            if not holes[y, x]:
                steps[y, x] = 0
            elif y > 0 and steps[y - 1, x] != far:
                steps[y, x] = steps[y - 1, x] - 1
    for y in range(height - 2, -1, -1):
        for x in range(width):
            down = steps[y + 1, x] + 1
            if steps[y, x] != 0 and steps[y + 1, x] >= 0 and down < abs(steps[y, x]):
                steps[y, x] = down
    result = np.empty(targets.size, np.int64)
    for i in range(targets.size):
        y, x = targets[i] // width, targets[i] % width
        best = np.int64(2) * far * far
        for dx in range(width):
            if dx * dx >= best:
                break
            for column in (x - dx, x + dx):
                if 0 <= column < width and steps[y, column] != far:
                    step = np.int64(steps[y, column])
                    distance = dx * dx + step * step
                    if distance < best:
                        best = distance
                        result[i] = (y + step) * width + column
    return result
