"""Footprints of bright sources on the template, in which nothing is clipped (section 7)."""

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .footprints import growth_radius, stencil
from .parallel import Progress, for_each_band, no_progress
from .spans import Spans, connected_groups, drop_small_groups, paint

__all__ = ["find_protected", "gaussian_kernel", "lies_inside", "smooth"]


def gaussian_kernel(sigma: float, n_sigma: float) -> npt.NDArray[np.float64]:
    """Return one axis of a normalised Gaussian kernel.

    Parameters
    ----------
    sigma : float
        Width, pixels.
    n_sigma : float
        Full width of the kernel in units of `sigma`, rounded to an odd number
        of pixels: (int(n_sigma · sigma + 0.5) // 2) · 2 + 1.
    """
    half = int(n_sigma * sigma + 0.5) // 2
    values = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return values / values.sum()


def smooth(
    image: npt.NDArray[np.float32], variance: npt.NDArray[np.float32], axis: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Smooth an image with a separable kernel, and its variance with the kernel squared.

    Parameters
    ----------
    image, variance : ndarray of float32
        ``(y, x)``.
    axis : ndarray
        One axis of the kernel.

    Returns
    -------
    tuple of ndarray of float32
        Smoothed image and variance, of the pixels at least half a kernel away
        from the border only.
    """
    half = len(axis) // 2
    shape = (image.shape[0] - 2 * half, image.shape[1] - 2 * half)
    smoothed = np.empty(shape, np.float32), np.empty(shape, np.float32)
    _smooth(image, axis, smoothed[0])
    _smooth(variance, axis**2, smoothed[1])
    return smoothed


@kernel
def _smooth(plane, axis, out):  # type: ignore[no-untyped-def]
    """Correlate with a separable kernel, a row at a time so that it stays in cache."""
    column = np.empty(plane.shape[1], np.float64)
    row = np.empty(out.shape[1], np.float64)
    for y in range(out.shape[0]):
        column[:] = 0.0
        for k in range(axis.size):
            weight = axis[k]
            source = plane[y + k]
            for x in range(column.size):
                column[x] += weight * np.float64(source[x])
        row[:] = 0.0
        for k in range(axis.size):
            weight = axis[k]
            source = column[k : k + row.size]
            for x in range(row.size):
                row[x] += weight * source[x]
        out[y] = row


def find_protected(
    image: npt.NDArray[np.float32],
    variance: npt.NDArray[np.float32],
    psf_sigma: float,
    *,
    threshold: float,
    grow_sigma: float,
    min_pixels: int,
    isotropic: bool,
    kernel_sigma: float,
    progress: Progress = no_progress,
) -> npt.NDArray[np.int32]:
    """Find the footprints of bright sources.

    Parameters
    ----------
    image, variance : ndarray of float32
        ``(y, x)`` template, holes filled.
    psf_sigma : float
        Gaussian sigma of its PSF, pixels.
    threshold : float
        A source's smoothed pixels reach this many sigma of the smoothed image.
    grow_sigma : float
        Growth in units of `psf_sigma`.
    min_pixels : int
        Smallest group before it grows.
    isotropic : bool
        Grow by a disc, or by a diamond.
    kernel_sigma : float
        Full width of the smoothing kernel in units of `psf_sigma`.
    progress : callable

    Returns
    -------
    ndarray of int32
        ``(y, x)`` number of the footprint, from 1; 0 outside.
    """
    shape = image.shape
    axis = gaussian_kernel(psf_sigma, kernel_sigma)
    half = len(axis) // 2
    bright = np.zeros(shape, np.bool_)

    def work(y0: int, y1: int) -> None:
        y0, y1 = max(y0, half), min(y1, shape[0] - half)
        if y0 >= y1 or shape[1] <= 2 * half:
            return
        rows = slice(y0 - half, y1 + half)
        smoothed, spread = smooth(image[rows], variance[rows], axis)
        with np.errstate(invalid="ignore"):
            bright[y0:y1, half : shape[1] - half] = smoothed >= threshold * np.sqrt(
                spread.astype(np.float64)
            )

    for_each_band(work, shape[0], shape[1] * 64, "protection", progress)
    spans = drop_small_groups(Spans.of_mask(bright), min_pixels)
    spans = spans.grown(stencil(growth_radius(grow_sigma, psf_sigma), isotropic), shape)
    group, _ = connected_groups(spans)
    labels = np.zeros(shape, np.int32)
    paint(spans.y, spans.x0, spans.x1, group + 1, labels)
    return labels


def lies_inside(
    spans: Spans, group: npt.NDArray[np.int32], count: int, labels: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """Tell which groups of runs lie wholly inside one footprint of a label image."""
    return _lies_inside(spans.y, spans.x0, spans.x1, group, count, labels)


@kernel
def _lies_inside(y, x0, x1, group, count, labels):  # type: ignore[no-untyped-def]
    """Compare each pixel's label with its group's first."""
    inside = np.ones(count, np.bool_)
    first = np.zeros(count, np.int32)
    for i in range(y.size):
        g = group[i]
        if not inside[g]:
            continue
        if first[g] == 0:
            first[g] = labels[y[i], x0[i]]
        for x in range(x0[i], x1[i]):
            label = labels[y[i], x]
            if label == 0 or label != first[g]:
                inside[g] = False
                break
    return inside
