"""Kernels of PSFs as images: how wide they are, and what is made of them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..errors import PsfError

__all__ = [
    "PSF_WIDTH",
    "REACH",
    "WIDEST_SIGMA",
    "adaptive_sigma",
    "combine_kernels",
    "is_psf_width",
    "psf_fwhm",
    "psf_sigma",
    "raw_moments",
    "resample",
    "sigma_of_moments",
]

FloatArray = npt.NDArray[np.float64]

#: Full width at half maximum of a Gaussian in units of its sigma: 2 sqrt(2 ln 2).
FWHM_OF_SIGMA = 2 * np.sqrt(2 * np.log(2))

#: A Gaussian's kernel reaches this many sigma: what is cut off is 4e-9 of its flux.
REACH = 6.0

#: Adaptive moments are settled when they change by less, pixels; after so many rounds
#: they never are.
_SETTLED = 1e-6
_MOST_ITERATIONS = 500

#: Widest Gaussian, pixels: its kernel has 1201 pixels on a side.
WIDEST_SIGMA = 100.0

#: What the width of a PSF, the sigma of a Gaussian, is; for messages.
PSF_WIDTH = f"a number of pixels above 0, and at most {WIDEST_SIGMA:g}"

#: The most that the images of a model may have, pixels: on a side, and all together.
_LARGEST_SIDE = 2 * int(REACH * WIDEST_SIGMA) + 1
_MOST_PIXELS = 1 << 27


def is_psf_width(sigma: Any) -> Any:
    """Tell whether a number is the width of a PSF; of an array, for each of its numbers."""
    return (sigma > 0) & (sigma <= WIDEST_SIGMA)


def resample(
    images: npt.NDArray, step: float, centre: tuple[float, float] | None = None
) -> FloatArray:
    """Return images with one sample a pixel, from images that are sampled otherwise.

    The samples are of the PSF as the pixels see it (an effective PSF). Values
    between them are those of the cubic spline through them.

    Parameters
    ----------
    images : ndarray
        ``(..., y, x)``.
    step : float
        Distance of neighbouring samples, pixels, > 0.
    centre : tuple of float, optional
        y, x of the PSF's centre, in samples; by default the middle.

    Returns
    -------
    ndarray
        ``(..., y, x)``, an odd number of pixels on each side: as far as the
        samples reach on both sides of the centre.

    Raises
    ------
    PsfError
        If `step` is not a finite number above 0.
    """
    if not 0 < step < np.inf:
        raise PsfError(f"a sampling step of {step} pixels; it must be above 0")
    shape = images.shape[-2:]
    middle = [(size - 1) / 2 for size in shape] if centre is None else centre
    axes = []
    for size, c in zip(shape, middle, strict=True):
        reach = min(c, size - 1 - c) * step
        if not reach <= _LARGEST_SIDE // 2:
            raise PsfError(
                f"{size} samples of {step:g} pixels; a kernel has at most {_LARGEST_SIDE} pixels "
                "on a side"
            )
        half = int(reach + 1e-9)
        if not half and size > 1:
            raise PsfError(
                f"{size} samples of {step:g} pixels; they must reach a pixel from the centre"
            )
        axes.append(c + np.arange(-half, half + 1) / step)
    pixels = math.prod(images.shape[:-2]) * math.prod(map(len, axes))
    if pixels > _MOST_PIXELS:
        raise PsfError(f"{pixels} pixels in all its images; there may be {_MOST_PIXELS}")
    places = np.meshgrid(*axes, indexing="ij")
    flat = np.asarray(images, np.float64).reshape(-1, *shape)
    resampled = [ndimage.map_coordinates(image, places, order=3, mode="mirror") for image in flat]
    return np.reshape(resampled, (*images.shape[:-2], *places[0].shape))


def combine_kernels(kernels: Sequence[FloatArray], weights: npt.ArrayLike) -> FloatArray:
    """Return the weighted mean of some kernels: the PSF of a weighted mean of images.

    Parameters
    ----------
    kernels : sequence of ndarray
        Each ``(y, x)``, centred, an odd number of pixels on each side, sum 1.
    weights : array_like
        One for each, > 0; any normalisation.

    Returns
    -------
    ndarray
        ``(y, x)``, as large as the largest kernel, sum 1.
    """
    shape = np.max([kernel.shape for kernel in kernels], axis=0)
    mean = np.zeros(shape)
    shares = np.asarray(weights, np.float64) / np.sum(weights)
    for kernel, share in zip(kernels, shares, strict=True):
        y0, x0 = (shape - kernel.shape) // 2
        mean[y0 : y0 + kernel.shape[0], x0 : x0 + kernel.shape[1]] += share * kernel
    return mean


def sigma_of_moments(moments: FloatArray) -> FloatArray:
    """Return the determinant radius, det(Q)^(1/4), of moments.

    Q is the matrix of the central second moments. For a round Gaussian the
    determinant radius is its sigma, for an elliptical one the geometric mean
    of its two.

    Parameters
    ----------
    moments : ndarray
        ``(6, ...)`` as from `napari_comparewarp.algorithm.psf.PsfModel.moments`.

    Returns
    -------
    ndarray
        Pixels; NaN where the determinant is negative.
    """
    _, y, x, yy, xy, xx = moments
    determinant = (yy - y * y) * (xx - x * x) - (xy - x * y) ** 2
    return np.where(determinant >= 0, determinant, np.nan) ** 0.25


def psf_sigma(kernel: npt.NDArray) -> float:
    """Return the width of a kernel from its second moments: see `sigma_of_moments`.

    Parameters
    ----------
    kernel : ndarray
        ``(y, x)``, any normalisation.

    Returns
    -------
    float
        Pixels.
    """
    moments = raw_moments(np.asarray(kernel, np.float64)[np.newaxis])[:, 0]
    return float(sigma_of_moments(moments / moments[0]))


def adaptive_sigma(kernel: npt.NDArray) -> float:
    """Return the width of the elliptical Gaussian that matches a kernel best.

    Adaptive moments: those of the kernel weighted with the Gaussian that has
    them (Bernstein & Jarvis 2002, AJ 123, 583, section 3.1). Wings count less
    than in `psf_sigma`. It is the width that the reference takes a PSF to have.

    Parameters
    ----------
    kernel : ndarray
        ``(y, x)``, any normalisation.

    Returns
    -------
    float
        Pixels: det(Q)^(1/4).

    Raises
    ------
    PsfError
        If the iteration does not end.
    """
    values = np.asarray(kernel, np.float64)
    y, x = (axis.ravel() for axis in np.mgrid[: values.shape[0], : values.shape[1]])
    flux = values.ravel()
    centre = np.array([(size - 1) / 2 for size in values.shape])
    matrix = np.eye(2) * max(1.0, psf_sigma(values) ** 2 / 2)
    for _ in range(_MOST_ITERATIONS):
        offset = np.stack([y - centre[0], x - centre[1]])
        weight = np.exp(-0.5 * np.einsum("ip,ij,jp->p", offset, np.linalg.inv(matrix), offset))
        total = float((flux * weight).sum())
        shift = (flux * weight * offset).sum(1) / total
        # A Gaussian weighted with itself has half its own moments.
        moments = 2 * (np.einsum("p,ip,jp->ij", flux * weight, offset, offset) / total)
        centre = centre + 2 * shift
        if np.abs(moments - matrix).max() < _SETTLED and np.abs(shift).max() < _SETTLED:
            return float(np.linalg.det(moments) ** 0.25)
        matrix = moments
        if not (np.isfinite(matrix).all() and np.linalg.det(matrix) > 0 and total > 0):
            break
    raise PsfError("its adaptive moments do not settle: it is no PSF with one peak")


def psf_fwhm(kernel: npt.NDArray) -> float:
    """Return the full width at half maximum of the Gaussian of equal `psf_sigma`, pixels."""
    return float(FWHM_OF_SIGMA * psf_sigma(kernel))


def raw_moments(images: FloatArray) -> FloatArray:
    """Return sums of images times 1, y, x, y², xy and x² about their middle.

    Parameters
    ----------
    images : ndarray
        ``(term, y, x)``.

    Returns
    -------
    ndarray
        ``(6, term)``.
    """
    y, x = (np.arange(size) - size // 2 for size in images.shape[1:])
    rows = images.sum(axis=2)
    columns = images.sum(axis=1)
    return np.stack(
        [rows.sum(axis=1), rows @ y, columns @ x, rows @ y**2, images @ x @ y, columns @ x**2]
    )
