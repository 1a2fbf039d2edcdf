"""The point-spread function of the simulated telescope.

A fixed shape (a core with an aureole) is convolved with a Gaussian that differs
between visits. The PSF of any visit can therefore be matched to the common,
wider one by another Gaussian. PSF matching is exact, and residuals in a
difference come from the engine or from a planted artifact.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = [
    "BASE_SIGMA",
    "add_point_sources",
    "blur",
    "blur_sigma",
    "convolve_with_psf",
    "profile",
    "spread_variance",
]

#: Core width of the PSF before the seeing of a visit, pixels: the narrowest that
#: is still well sampled.
BASE_SIGMA = 1.0

#: Fraction of the flux and extra width (pixels, added in quadrature) of each component.
_COMPONENTS = ((0.90, 0.0), (0.08, 2.8), (0.02, 9.0))

#: Radius of a stamp in widths; 4e-6 of the flux is outside.
_STAMP_SIGMAS = 5.0

#: Radius of kernels in widths.
_TRUNCATE = 5.0


def _components(sigma: float) -> Iterator[tuple[float, float]]:
    """Yield (flux fraction, width) of the components of a PSF with core width `sigma`."""
    for share, extra in _COMPONENTS:
        yield share, math.hypot(sigma, extra)


def add_point_sources(
    image: npt.NDArray[np.float32],
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    flux: npt.ArrayLike,
    sigma: float,
) -> None:
    """Add point sources to an image, in place.

    Parameters
    ----------
    image : ndarray of float32
        ``(y, x)``, nJy.
    x, y : array_like
        Positions, array pixels (0 is the centre of the first pixel).
    flux : array_like
        Total fluxes, nJy.
    sigma : float
        Gaussian sigma of the core of the PSF, pixels.
    """
    for x0, y0, total in zip(np.atleast_1d(x), np.atleast_1d(y), np.atleast_1d(flux), strict=True):
        for share, width in _components(sigma):
            reach = math.ceil(_STAMP_SIGMAS * width)
            rows = _window(y0, reach, image.shape[0])
            columns = _window(x0, reach, image.shape[1])
            along_y = np.exp(-0.5 * ((np.arange(*rows) - y0) / width) ** 2)
            along_x = np.exp(-0.5 * ((np.arange(*columns) - x0) / width) ** 2)
            peak = total * share / (2 * math.pi * width**2)
            image[slice(*rows), slice(*columns)] += peak * np.outer(along_y, along_x)


def _window(centre: float, reach: int, size: int) -> tuple[int, int]:
    """Return the half-open range of pixels around `centre` that lies in the image."""
    middle = round(float(centre))
    start = min(max(middle - reach, 0), size)
    return start, max(min(middle + reach + 1, size), start)


def profile(radius_squared: npt.NDArray, sigma: float) -> npt.NDArray[np.float64]:
    """Return the PSF at some distances from its centre, as flux per pixel.

    Parameters
    ----------
    radius_squared : ndarray
        Squared distances, pixels².
    sigma : float
        Gaussian sigma of the core, pixels.
    """
    value = np.zeros(np.shape(radius_squared))
    for share, width in _components(sigma):
        value += share / (2 * math.pi * width**2) * np.exp(-0.5 * radius_squared / width**2)
    return value


def blur_sigma(sigma: float, target: float) -> float:
    """Return the width of the Gaussian that broadens a core from `sigma` to `target`, pixels.

    Raises
    ------
    ValueError
        If `target` is less than `sigma`.
    """
    if target < sigma:
        raise ValueError(f"a PSF of sigma {sigma} cannot be made narrower (sigma {target})")
    return math.sqrt(target**2 - sigma**2)


def blur(image: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Convolve an image with a normalised Gaussian of width `sigma` pixels; zero outside."""
    return ndimage.gaussian_filter(image, sigma, mode="constant", truncate=_TRUNCATE)


def convolve_with_psf(image: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Convolve an image with the PSF whose core has width `sigma` pixels; zero outside."""
    parts = (share * blur(image, width) for share, width in _components(sigma))
    return np.sum(list(parts), axis=0, dtype=np.float32)


def spread_variance(variance: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Propagate a variance plane through `blur`, as if pixels were independent.

    Var(Σ kᵢ vᵢ) = Σ kᵢ² Var(vᵢ). Resampled pixels are not independent, so the
    result is too small, as in the variance planes of a pipeline, for which the
    engine measures a factor.
    """
    unit = np.zeros(2 * math.ceil(_TRUNCATE * sigma) + 1)
    unit[unit.size // 2] = 1.0
    squared = ndimage.gaussian_filter1d(unit, sigma, truncate=_TRUNCATE) ** 2
    spread = variance
    for axis in (0, 1):
        spread = ndimage.correlate1d(spread, squared, axis=axis, mode="nearest")
    return spread
