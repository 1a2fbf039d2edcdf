"""One weight a warp, from its variance plane (section 1 of the method's description)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .mask_planes import bits
from .parallel import Progress, for_each, no_progress
from .quantiles import clipped_mean, select_good
from .warps import Warps, WarpStack

__all__ = ["weigh_warps", "weight_of_variance"]


def weight_of_variance(
    variance: npt.NDArray[np.float32],
    mask: npt.NDArray[np.int32],
    bad: int,
    *,
    sigma: float,
    iterations: int,
) -> float:
    """Return 1 / (clipped mean of a variance plane), or 0 where that is no weight.

    Parameters
    ----------
    variance : ndarray of float32
        ``(y, x)``; values that are not finite are left out.
    mask : ndarray of int32
        ``(y, x)`` bit planes.
    bad : int
        Pixels with one of these bits are left out.
    sigma : float
        Half-width of the clip in standard deviations.
    iterations : int
        Passes of the clip.

    Returns
    -------
    float
        In units of 1 / variance. 0 where no pixel is left or the mean is not
        positive: such a warp is skipped.
    """
    values = np.empty(variance.size + 1, np.float32)
    n = select_good(variance, mask, bad, 0, variance.shape[0], 0, variance.shape[1], values)
    mean = clipped_mean(values[:n], sigma, iterations)
    return 1.0 / mean if np.isfinite(mean) and mean > 0 else 0.0


def weigh_warps(
    stack: WarpStack,
    warps: Warps,
    *,
    bad_planes: Sequence[str],
    sigma: float,
    iterations: int,
    stage: str = "weights",
    progress: Progress = no_progress,
) -> npt.NDArray[np.float64]:
    """Return the weight of each warp of one set.

    Parameters
    ----------
    stack : WarpStack
        Names the mask planes.
    warps : Warps
        The direct or the matched warps of that stack.
    bad_planes : sequence of str
        Pixels with one of these planes are left out.
    sigma, iterations
        The clip, see `weight_of_variance`.
    stage : str
        Name for the reports of progress.
    progress : callable

    Returns
    -------
    ndarray
        ``(epoch,)``; 0 for a warp that is NaN everywhere or has no weight.
    """
    bad = bits(stack.mask_planes, bad_planes)

    def weigh(epoch: int) -> float:
        if not _has_value(warps.image[epoch]):
            return 0.0
        return weight_of_variance(
            warps.variance[epoch], warps.mask[epoch], bad, sigma=sigma, iterations=iterations
        )

    return np.array(for_each(weigh, range(len(warps)), stage, progress))


@kernel
def _has_value(image):  # type: ignore[no-untyped-def]
    """Tell whether a plane has a pixel that is not NaN; stops at the first."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            if not np.isnan(image[y, x]):
                return True
    return False
