"""In how many epochs each pixel deviates, and what that means for each candidate (section 6)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .footprints import Candidates
from .parallel import Progress, for_each, no_progress

__all__ = ["Counts", "count_epochs"]


@dataclass(frozen=True)
class Counts:
    """The epoch counts of a patch and of its candidates.

    Attributes
    ----------
    epoch_count : ndarray of uint16
        ``(y, x)`` number of epochs in which the pixel lies in a candidate
        that passed the prefilter.
    n_mean : tuple of ndarray
        For each epoch ``(candidate,)``: mean number of usable matched warps
        over its pixels.
    cumulative : tuple of ndarray
        For each epoch ``(candidate, n_epochs + 1)``: how many of its pixels
        have 0 < epoch_count <= k.
    """

    epoch_count: npt.NDArray[np.uint16]
    n_mean: tuple[npt.NDArray[np.float64], ...]
    cumulative: tuple[npt.NDArray[np.int64], ...]


def count_epochs(
    candidates: Sequence[Candidates],
    n_matched: npt.NDArray[np.uint16],
    *,
    progress: Progress = no_progress,
) -> Counts:
    """Count epochs per pixel, and pixels per epoch count for each candidate.

    The counts per candidate are all that the temporal and spatial rules need,
    so that a new threshold costs no look at the pixels.

    Parameters
    ----------
    candidates : sequence of Candidates
        One for each epoch.
    n_matched : ndarray of uint16
        ``(y, x)`` number of usable matched warps.
    progress : callable
    """
    epoch_count = np.zeros(n_matched.shape, np.uint16)
    for found in candidates:
        spans = found.pixels_of(found.stays)
        _add_one(spans.y, spans.x0, spans.x1, epoch_count)

    def measure(found: Candidates) -> tuple[npt.NDArray, npt.NDArray]:
        spans = found.spans
        total, histogram = _histograms(
            spans.y, spans.x0, spans.x1, found.group, len(found), epoch_count, n_matched,
            len(candidates),
        )  # fmt: skip
        return total / found.area, np.cumsum(histogram, axis=1)

    measured = for_each(measure, candidates, "counts", progress)
    return Counts(epoch_count, tuple(m[0] for m in measured), tuple(m[1] for m in measured))


@kernel
def _add_one(y, x0, x1, image):  # type: ignore[no-untyped-def]
    """Add one to every pixel of some runs."""
    for i in range(y.size):
        for x in range(x0[i], x1[i]):
            image[y[i], x] += 1


@kernel
def _histograms(y, x0, x1, group, count, epoch_count, n_matched, n_epochs):  # type: ignore[no-untyped-def]
    """Sum `n_matched`, and count pixels by epoch count (0 left out), in each candidate."""
    total = np.zeros(count, np.int64)
    histogram = np.zeros((count, n_epochs + 1), np.int64)
    for i in range(y.size):
        g = group[i]
        for x in range(x0[i], x1[i]):
            total[g] += n_matched[y[i], x]
            k = epoch_count[y[i], x]
            if k > 0:
                histogram[g, k] += 1
    return total, histogram
