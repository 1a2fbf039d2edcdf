"""One factor an epoch that makes a warp's variance agree with the scatter of its pixels.

Section 4 of the method's description.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .background import evaluate_row, measure_background
from .compiled import kernel
from .mask_planes import bits
from .parallel import Progress, for_each, no_progress
from .quantiles import quartiles, select_good
from .warps import WarpStack

__all__ = ["VarianceScale", "measure_variance_scale", "measure_variance_scales"]

#: Interquartile range to standard deviation, as the reference rounds it here.
IQR_TO_SIGMA_ROUNDED = 0.74

#: Values of which more than this part are one and the same do not tell their scatter: with
#: steps of s, quartiles are off by up to s / 2 each, and 25 % are equal where s = 0.64 sigma.
MOST_EQUAL = 0.25

#: Pixels that are looked at to learn whether values are so coarse.
_LOOKED_AT = 4096

#: What `_gather` gathers: (image - background) / sqrt(variance), its numerator, or variance.
SIGNIFICANCE, RESIDUAL, VARIANCE = range(3)


@dataclass(frozen=True)
class VarianceScale:
    """What was measured on one warp.

    Attributes
    ----------
    factor : float
        What to multiply the variance by; 1 where nothing could be measured.
    failed : bool
        The measured factors were above the limit, and the variance is left alone.
    coarse : bool
        So many pixels have one and the same value that their scatter cannot be
        measured by quartiles, and the variance is left alone: counts near 0, or
        values rounded to steps as large as their noise.
    """

    factor: float
    failed: bool = False
    coarse: bool = False


def measure_variance_scale(
    image: npt.NDArray[np.float32],
    variance: npt.NDArray[np.float32],
    mask: npt.NDArray[np.int32],
    *,
    bad: int,
    background_bad: int,
    cell: int,
    limit: float,
) -> VarianceScale:
    """Measure the factor of one warp.

    Parameters
    ----------
    image, variance : ndarray of float32
        ``(y, x)`` warp and its variance.
    mask : ndarray of int32
        ``(y, x)`` bit planes.
    bad, background_bad : int
        Pixels with one of these bits enter neither the factor nor, in turn,
        the background that is taken away first.
    cell : int
        Cell of that background, pixels.
    limit : float
        A factor above this is not believed; the estimate from the whole image
        is tried next, (0.74 IQR(image))² / median(variance).

    Returns
    -------
    VarianceScale
        The factor is (0.74 IQR(image / sqrt(variance)))².
    """
    if _is_coarse(image, mask, bad):
        return VarianceScale(1.0, coarse=True)
    background = measure_background(image, mask, background_bad, cell)
    planes = (image, variance, mask, bad, background.coefficients, background.edges_x,
              background.centres_x)  # fmt: skip
    values = np.empty(image.size + 1, np.float32)
    n = _gather(*planes, SIGNIFICANCE, values)
    if n < 2:
        return VarianceScale(1.0)
    factor = _squared_width(values[:n])
    if factor <= limit:
        return VarianceScale(factor)
    n = _gather(*planes, RESIDUAL, values)
    square = _squared_width(values[:n])
    n = _gather(*planes, VARIANCE, values)
    factor = square / quartiles(values[:n])[1]
    if factor <= limit:
        return VarianceScale(factor)
    return VarianceScale(1.0, failed=True)


def measure_variance_scales(
    stack: WarpStack,
    rows: npt.NDArray[np.intp],
    *,
    planes: Sequence[str],
    background_planes: Sequence[str],
    cell: int,
    limit: float,
    progress: Progress = no_progress,
) -> list[VarianceScale]:
    """Measure the factors of some matched warps of a stack.

    Parameters
    ----------
    stack : WarpStack
    rows : ndarray of int
        Which matched warps, by their row.
    planes, background_planes : sequence of str
        Pixels with one of these planes enter neither the factor nor, in turn,
        the background.
    cell, limit
        See `measure_variance_scale`.
    progress : callable

    Returns
    -------
    list of VarianceScale
        One for each of `rows`.
    """
    bad = bits(stack.mask_planes, planes)
    background_bad = bits(stack.mask_planes, background_planes)

    def measure(row: np.intp) -> VarianceScale:
        matched = stack.matched
        return measure_variance_scale(
            matched.image[row], matched.variance[row], matched.mask[row],
            bad=bad, background_bad=background_bad, cell=cell, limit=limit,
        )  # fmt: skip

    return for_each(measure, list(rows), "variance scale", progress)


def _is_coarse(image: npt.NDArray[np.float32], mask: npt.NDArray[np.int32], bad: int) -> bool:
    """Tell whether too many good pixels have one and the same value."""
    # An odd step that is not that of the rows looks at all columns.
    step = max(1, image.size // _LOOKED_AT) | 1
    values, flags = image.ravel()[::step], mask.ravel()[::step]
    values = values[np.isfinite(values) & (flags & np.int32(bad) == 0)]
    if values.size < 2:
        return False
    return bool(np.unique(values, return_counts=True)[1].max() > MOST_EQUAL * values.size)


def _squared_width(values: npt.NDArray[np.float32]) -> float:
    low, _, high = quartiles(values)
    return float((IQR_TO_SIGMA_ROUNDED * (high - low)) ** 2)


@kernel
def _gather(image, variance, mask, bad, coefficients, edges_x, centres_x, what, out):  # type: ignore[no-untyped-def]
    """Gather a quantity of the good pixels; return their number.

    Good pixels are finite, have a finite variance > 0 and no bad plane.
    """
    width = image.shape[1]
    row = np.empty((1, width), np.float32)
    n = 0
    for y in range(image.shape[0]):
        values, spreads = image[y], variance[y]
        residual = row[0]
        evaluate_row(coefficients, y, edges_x, centres_x, residual)
        for x in range(width):
            spread = spreads[x]
            value = values[x] - residual[x]
            significance = value / np.sqrt(spread)
            good = (significance - significance == np.float32(0)) & (spread < np.float32(np.inf))
            if what == SIGNIFICANCE:
                value = significance
            elif what == VARIANCE:
                value = spread
            residual[x] = value if good else np.float32(np.nan)
        n += select_good(row, mask[y : y + 1], bad, 0, 1, 0, width, out[n:])
    return n
