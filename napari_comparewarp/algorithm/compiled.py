"""How the per-pixel kernels are compiled."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numba

from ..errors import CompareWarpWarning

__all__ = ["kernel"]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of arrays on its first call and keep the machine code on disk.

    Kernels release the GIL, so that bands of rows can be worked side by side,
    and divide like numpy. Sums are never reordered: the same pixel gives the
    same bits whatever its place in the array.
    """
    compile_ = functools.partial(numba.njit, nogil=True, error_model="numpy")
    try:
        return compile_(cache=True)(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    _warn_of_no_cache()
    return compile_()(function)


@functools.cache
def _warn_of_no_cache() -> None:
    """Say once that compiled code is not kept."""
    warnings.warn(
        "no folder that can be written keeps the compiled code, so that every start compiles anew "
        "(about half a minute): set NUMBA_CACHE_DIR to a folder that can",
        CompareWarpWarning,
        stacklevel=3,
    )
