"""Work on bands of rows, or on epochs, side by side."""

import functools
import os
import re
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from ..config.text_file import shown
from ..errors import CompareWarpWarning
from .warps import Cube

__all__ = ["Progress", "block", "for_each", "for_each_band", "no_progress", "row_bands"]

Item = TypeVar("Item")

#: Called with the stage, the steps done and the steps in all. An exception
#: raised by it stops the work.
Progress = Callable[[str, int, int], None]

#: Environment variable with the number of threads to use.
THREADS_VARIABLE = "COMPAREWARP_THREADS"

#: A band's planes together should fit a thread's share of the last-level cache, but a
#: band should hold more work than it costs to begin one.
BAND_BYTES = 12 << 20


def no_progress(stage: str, done: int, total: int) -> None:
    """Take a report of progress and do nothing."""


def n_threads() -> int:
    """Return the number of cores that this process may use.

    The environment variable `THREADS_VARIABLE` sets it, for processes that
    share a machine.
    """
    chosen = os.environ.get(THREADS_VARIABLE, "")
    # Not by `isdigit`, which takes ² for a digit; a longer number is no number of threads.
    if re.fullmatch(r"0*[1-9][0-9]{0,5}", chosen):
        return int(chosen)
    if chosen:
        _say_ignored(chosen)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _say_ignored(chosen: str) -> None:
    """Say once that the number of threads is none."""
    warnings.warn(
        f"{THREADS_VARIABLE} = {shown(chosen)} is no number of threads, such as 4: all cores are "
        "used",
        CompareWarpWarning,
        stacklevel=3,
    )


def row_bands(n_rows: int, row_bytes: int) -> list[tuple[int, int]]:
    """Return half-open row ranges, each about `BAND_BYTES` large."""
    step = max(1, min(n_rows, BAND_BYTES // max(row_bytes, 1)))
    return [(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def for_each(
    work: Callable[[Item], Any], items: Sequence[Item], stage: str, progress: Progress
) -> list[Any]:
    """Return ``work(item)`` for each item, in order; several run at a time.

    Progress is reported from the calling thread. Where a step or the report
    raises, what has not begun is dropped and the exception goes on.
    """
    total = len(items)
    progress(stage, 0, total)
    with ThreadPoolExecutor(max_workers=min(n_threads(), max(total, 1))) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            pending = set(futures)
            while pending:
                done, pending = wait(pending, return_when=FIRST_EXCEPTION, timeout=0.1)
                for future in done:
                    future.result()
                progress(stage, total - len(pending), total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


def for_each_band(
    work: Callable[[int, int], Any], n_rows: int, row_bytes: int, stage: str, progress: Progress
) -> list[Any]:
    """Return ``work(y0, y1)`` for bands that cover all rows, top to bottom.

    Parameters
    ----------
    work : callable
        Takes a half-open row range. It must not depend on where the ranges
        end, so that results are the same to the bit for every band height.
    n_rows : int
        Number of rows in all.
    row_bytes : int
        Size of one row of everything that `work` reads, bytes.
    stage : str
        Name for the reports of progress.
    progress : callable
        Called with the stage, the bands done and the bands in all.
    """
    bands = row_bands(n_rows, row_bytes)
    return for_each(lambda band: work(*band), bands, stage, progress)


def block(cube: Cube, y0: int, y1: int) -> tuple[Any, int]:
    """Return an array that holds rows `y0` to `y1` of all epochs, and where they begin in it.

    An array is handed on whole, since a kernel is fastest on a C-contiguous
    cube; anything else is read.
    """
    import numpy as np

    if isinstance(cube, np.ndarray):
        return cube, y0
    return cube[:, y0:y1], 0
