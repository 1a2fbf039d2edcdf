"""How the per-pixel kernels are compiled."""

from collections.abc import Callable
from typing import Any

import numba

__all__ = ["kernel"]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of arrays on its first call and keep the machine code on disk.

    Kernels release the GIL, so that bands of rows can be worked side by side,
    and divide like numpy. Sums are never reordered: the same pixel gives the
    same bits whatever its place in the array.
    """
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
