"""Candidates: groups of deviating pixels, grown, united and prefiltered (section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .difference import MASKED, Detections, DeviatingPixels
from .parallel import Progress, for_each, no_progress
from .spans import (
    IntArray,
    Spans,
    connected_groups,
    diamond_half_widths,
    disc_half_widths,
    drop_small_groups,
)

__all__ = ["Candidates", "find_candidates", "growth_radius", "stencil"]


@dataclass(frozen=True)
class Candidates:
    """The candidates of one epoch.

    Attributes
    ----------
    spans : Spans
        Their pixels.
    group : ndarray of int32
        ``(run,)`` which candidate each run belongs to, from 0.
    area : ndarray of int64
        ``(candidate,)`` number of pixels.
    box : ndarray of int32
        ``(candidate, 4)`` y0, y1, x0, x1, half-open.
    peak_chi : ndarray of float32
        ``(candidate,)`` largest deviation, in sigma, of its deviating pixels.
    peak : ndarray of int32
        ``(candidate, 2)`` y, x of the first pixel that deviates so much.
    signs : ndarray of uint8
        ``(candidate,)`` 1: has excess light; 2: has missing light; 3: both.
    good_area : ndarray of int64
        ``(candidate,)`` number of pixels without a prefilter plane.
    stays : ndarray of bool
        ``(candidate,)`` False where the prefilter dropped it.
    """

    spans: Spans
    group: IntArray
    area: npt.NDArray[np.int64]
    box: IntArray
    peak_chi: npt.NDArray[np.float32]
    peak: IntArray
    signs: npt.NDArray[np.uint8]
    good_area: npt.NDArray[np.int64]
    stays: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.area)

    def pixels_of(self, which: npt.NDArray[np.bool_]) -> Spans:
        """Return the pixels of some candidates, given by a flag each."""
        return self.spans[which[self.group]] if len(self.spans) else self.spans


def growth_radius(grow_sigma: float, psf_sigma: float) -> int:
    """Return the radius in pixels by which a region grows: int(grow_sigma · psf_sigma + 0.5)."""
    return int(grow_sigma * psf_sigma + 0.5)


def stencil(radius: int, isotropic: bool) -> IntArray:
    """Return the half-widths of the stencil that regions grow by."""
    return disc_half_widths(radius) if isotropic else diamond_half_widths(radius)


def find_candidates(
    detections: Detections,
    psf_sigma: npt.NDArray[np.float64],
    *,
    chi_threshold: float,
    polarity: str,
    min_pixels: int,
    grow_sigma: float,
    isotropic: bool,
    prefilter: bool,
    prefilter_ratio: float,
    progress: Progress = no_progress,
) -> tuple[Candidates, ...]:
    """Find the candidates of every epoch.

    Parameters
    ----------
    detections : Detections
        Deviating pixels; their floor must not be above `chi_threshold`.
    psf_sigma : ndarray
        ``(epoch,)`` Gaussian sigma of the matched PSF, pixels.
    chi_threshold : float
        A pixel deviates from this many sigma on.
    polarity : {"both", "positive", "negative"}
    min_pixels : int
        Smaller groups of one polarity are dropped before they grow.
    grow_sigma : float
        Growth in units of `psf_sigma`.
    isotropic : bool
        Grow by a disc, or by a diamond.
    prefilter : bool
        Drop candidates of which no more than `prefilter_ratio` is unmasked.
    prefilter_ratio : float
    progress : callable

    Returns
    -------
    tuple of Candidates
        One for each epoch.
    """
    if chi_threshold < detections.floor:
        raise ValueError(
            f"chi_threshold {chi_threshold} is below the floor {detections.floor} of the detections"
        )
    shape = detections.n_matched.shape
    signs = {"both": (1, -1), "positive": (1,), "negative": (-1,)}[polarity]

    def find(epoch: int) -> Candidates:
        half_widths = stencil(growth_radius(grow_sigma, psf_sigma[epoch]), isotropic)
        pixels = detections.pixels[epoch]
        kept = [
            _groups_of_sign(pixels, chi_threshold, sign, min_pixels, shape[1]) for sign in signs
        ]
        spans = Spans.empty()
        for raw in kept:
            spans = spans.union(raw.grown(half_widths, shape))
        return _describe(
            spans, pixels, kept, signs, detections.flags[epoch], prefilter, prefilter_ratio
        )

    return tuple(for_each(find, range(len(detections.pixels)), "candidates", progress))


def _groups_of_sign(
    pixels: DeviatingPixels, chi: float, sign: int, min_pixels: int, width: int
) -> Spans:
    """Return the groups of one polarity that are large enough."""
    beyond = pixels.index[pixels.beyond(chi, sign)]
    return drop_small_groups(Spans.of_pixels(beyond, width), min_pixels)


def _describe(
    spans: Spans,
    pixels: DeviatingPixels,
    kept: Sequence[Spans],
    signs: Sequence[int],
    flags: npt.NDArray[np.uint8],
    prefilter: bool,
    prefilter_ratio: float,
) -> Candidates:
    """Group the pixels of an epoch to candidates and measure them."""
    group, count = connected_groups(spans)
    area, box, good_area = _measure(spans.y, spans.x0, spans.x1, group, count, flags)
    sign_bits = np.zeros(count, np.uint8)
    peak_chi = np.zeros(count, np.float32)
    peak = box[:, [0, 2]].copy()
    for sign, raw in zip(signs, kept, strict=True):
        sign_bits[group[_run_of(spans, raw.y, raw.x0)]] |= 1 if sign > 0 else 2
    if count:
        y, x = np.divmod(pixels.index, np.int32(flags.shape[1]))
        run = _run_of(spans, y, x)
        inside = (run >= 0) & (spans.y[run] == y) & (spans.x1[run] > x)
        with np.errstate(divide="ignore", invalid="ignore"):
            chi = np.abs(pixels.difference) / np.sqrt(pixels.variance)
        _find_peaks(group[run[inside]], y[inside], x[inside], chi[inside], peak_chi, peak)
    stays = good_area / area > prefilter_ratio if prefilter else np.ones(count, np.bool_)
    return Candidates(spans, group, area, box, peak_chi, peak, sign_bits, good_area, stays)


def _run_of(spans: Spans, y: npt.NDArray, x: npt.NDArray) -> npt.NDArray[np.intp]:
    """Return the last run that begins at or before each pixel, -1 for none."""
    width = np.int64(max(int(x.max(initial=0)), int(spans.x0.max(initial=0))) + 1)
    starts = spans.y * width + spans.x0
    return np.searchsorted(starts, y * width + x, side="right") - 1


@kernel
def _find_peaks(group, y, x, chi, peak_chi, peak):  # type: ignore[no-untyped-def]
    """Find the largest deviation of each candidate, and where it is."""
    for i in range(group.size):
        g = group[i]
        if chi[i] > peak_chi[g]:
            peak_chi[g] = chi[i]
            peak[g, 0] = y[i]
            peak[g, 1] = x[i]


@kernel
def _measure(y, x0, x1, group, count, flags):  # type: ignore[no-untyped-def]
    """Return area, bounding box and unmasked area of each candidate."""
    area = np.zeros(count, np.int64)
    good = np.zeros(count, np.int64)
    box = np.empty((count, 4), np.int32)
    box[:, 0] = 2**31 - 1
    box[:, 1] = 0
    box[:, 2] = 2**31 - 1
    box[:, 3] = 0
    for i in range(y.size):
        g = group[i]
        area[g] += x1[i] - x0[i]
        box[g, 0] = min(box[g, 0], y[i])
        box[g, 1] = max(box[g, 1], y[i] + 1)
        box[g, 2] = min(box[g, 2], x0[i])
        box[g, 3] = max(box[g, 3], x1[i])
        for x in range(x0[i], x1[i]):
            good[g] += 1 if flags[y[i], x] & MASKED == 0 else 0
    return area, box, good
