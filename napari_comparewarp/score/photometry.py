"""Effects of clipping on the fluxes of stars and variables."""

import math

import numpy as np
import numpy.typing as npt

from ..simulation import Truth
from ..simulation.psf import profile
from .observed import Combined, Observed
from .scorecard import MagnitudeBin, VariableFlux

__all__ = ["Expectation", "star_bias", "variable_fluxes"]

#: Radius of the aperture, in PSF widths.
_APERTURE = 2.5

#: Magnitude limit: fainter stars are lost in the noise of any coadd.
_FAINTEST = 25.0


class Expectation:
    """The expected coadd, without noise, artifacts and clipping.

    Parameters
    ----------
    observed : Observed
        The warps, for their usable pixels and weights.
    truth : Truth
        The true sky.

    Attributes
    ----------
    image : ndarray
        ``(y, x)``, nJy: weighted mean, over the usable pixels, of the true sky of
        each visit with its own PSF. NaN where no pixel is usable.
    """

    def __init__(self, observed: Observed, truth: Truth) -> None:
        total = np.zeros(truth.shape)
        weight = np.zeros(truth.shape)
        for index, visit in enumerate(observed.visits):
            pixel_weight = observed.weights[index] * observed.usable[index]
            total += pixel_weight * truth.sky(visit)
            weight += pixel_weight
        with np.errstate(invalid="ignore"):
            self.image: npt.NDArray[np.float64] = total / weight
        self._psf_sigmas = [float(truth.visit(visit)["psf_sigma"]) for visit in observed.visits]
        self._weights = observed.weights
        self._radius = _APERTURE * max(self._psf_sigmas)

    def flux_difference(self, image: npt.NDArray[np.floating], x: float, y: float) -> float | None:
        """Measure the excess flux of a coadd at a star.

        The difference between coadd and expectation is fitted in an aperture
        with the PSF of the coadd at the known position, so that neighbours and
        background cancel.

        Parameters
        ----------
        image : ndarray
            ``(y, x)`` coadd, nJy.
        x, y : float
            Position of the star, array pixels.

        Returns
        -------
        float or None
            nJy; None if the aperture exceeds the patch or contains a NaN.
        """
        reach = math.ceil(self._radius)
        y0, x0 = round(y) - reach, round(x) - reach
        window = slice(y0, y0 + 2 * reach + 1), slice(x0, x0 + 2 * reach + 1)
        if y0 < 0 or x0 < 0 or window[0].stop > image.shape[0] or window[1].stop > image.shape[1]:
            return None
        rows, columns = np.mgrid[window]
        radius_squared = (rows - y) ** 2 + (columns - x) ** 2
        inside = radius_squared <= self._radius**2
        difference = (image[window] - self.image[window])[inside]
        if not np.isfinite(difference).all():
            return None
        profiles = [profile(radius_squared[inside], sigma) for sigma in self._psf_sigmas]
        psf = np.average(profiles, axis=0, weights=self._weights)
        return float(np.sum(psf * difference) / np.sum(psf**2))


def star_bias(
    combined: Combined, truth: Truth, expectation: Expectation
) -> tuple[MagnitudeBin, ...]:
    """Return the flux bias of the constant stars in bins of one magnitude."""
    mags, ratios = [], []
    for row in truth.stars:
        if row["mag"] > _FAINTEST:
            continue
        difference = expectation.flux_difference(combined.image, row["x"], row["y"])
        if difference is not None:
            mags.append(float(row["mag"]))
            ratios.append(1 + difference / float(row["flux"]))
    whole = np.floor(mags).astype(int)
    return tuple(
        _bin(int(bright), np.array(ratios)[whole == bright]) for bright in np.unique(whole)
    )


def _bin(bright: int, ratios: npt.NDArray[np.float64]) -> MagnitudeBin:
    """Summarise the flux ratios of the stars in one magnitude bin."""
    # d(mag) = -2.5 / ln 10 · d(flux) / flux.
    mmag = -2500 / math.log(10) * (ratios - 1)
    median = float(np.median(mmag))
    error = None
    if mmag.size > 1:
        # The standard error of the median is 1.253 times that of the mean (normal distribution).
        scatter = 1.4826 * float(np.median(np.abs(mmag - median)))
        error = 1.253 * scatter / math.sqrt(mmag.size)
    return MagnitudeBin(float(bright), float(bright + 1), int(mmag.size), median, error)


def variable_fluxes(
    observed: Observed, combined: Combined, truth: Truth, expectation: Expectation
) -> tuple[VariableFlux, ...]:
    """Return the flux of each variable in a coadd, compared with its mean over all epochs."""
    fluxes = np.array([truth.fluxes(visit) for visit in observed.visits])
    variables = []
    for number, row in enumerate(truth.variables):
        y, x = round(float(row["y"])), round(float(row["x"]))
        height, width = combined.image.shape
        # A centre may lie in the outer half of the last pixel, or just outside; of what lies
        # further away, light reaches into the patch.
        is_near = -1 <= y <= height and -1 <= x <= width
        y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
        weights = observed.weights * (observed.usable[:, y, x] if is_near else 0)
        difference = expectation.flux_difference(combined.image, row["x"], row["y"])
        if weights.sum() > 0:
            mean = float(np.average(fluxes[:, number], weights=weights))
        else:
            mean, difference = float(fluxes[:, number].mean()), None
        variables.append(
            VariableFlux(
                id=int(row["id"]),
                kind=str(row["kind"]),
                mean_flux=mean,
                ratio=None if difference is None else 1 + difference / mean,
                epochs_clipped=(int(np.count_nonzero(combined.clipped[:, y, x])) if is_near else 0),
            )
        )
    return tuple(variables)
