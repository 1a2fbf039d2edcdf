"""What everything else is compared with: one pass that only reads a stack, with all cores."""

from collections.abc import Callable

import numba
import numpy as np

from napari_comparewarp import WarpStack
from napari_comparewarp.algorithm.parallel import for_each, no_progress


def reader_of(stack: WarpStack) -> Callable[[], None]:
    """Return a function that reads every byte of a stack once, bound by memory alone."""
    cubes = [
        cube
        for warps in (stack.direct, stack.matched)
        for cube in (warps.image, warps.variance, warps.mask)
    ]
    planes = [plane.reshape(-1).view(np.uint32) for cube in cubes for plane in cube]
    return lambda: for_each(_read, planes, "reading", no_progress) and None


@numba.njit(nogil=True)
def _read(words):
    """Return a number that depends on every word."""
    result = np.uint32(0)
    for i in range(words.size):
        result |= words[i]
    return result
