"""The warps that are scored, and the coadds made from them."""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy.stats import sigma_clip
from astropy.utils.exceptions import AstropyUserWarning

__all__ = ["Combined", "Observed", "combine", "plain_mean", "sigma_clipped_mean"]

#: Rows that are sigma-clipped at a time.
_BAND = 64


@dataclass(frozen=True)
class Observed:
    """The direct warps, as input to all ways of combining them.

    Attributes
    ----------
    visits : tuple of int
        Ids, in the order of the arrays.
    weights : ndarray
        ``(epoch,)``, 0 for a warp that was skipped.
    image : ndarray of float32
        ``(epoch, y, x)``, nJy.
    usable : ndarray of bool
        ``(epoch, y, x)``, pixels that are finite and have no bad plane, before
        clipping.
    """

    visits: tuple[int, ...]
    weights: npt.NDArray[np.float64]
    image: npt.NDArray[np.float32]
    usable: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Combined:
    """One coadd, and the pixels that were left out.

    Attributes
    ----------
    name : str
        Name of the coadd.
    image : ndarray of float32
        ``(y, x)``, nJy, NaN where no value is left.
    clipped : ndarray of bool
        ``(epoch, y, x)``, usable pixels that were left out.
    """

    name: str
    image: npt.NDArray[np.float32]
    clipped: npt.NDArray[np.bool_]


def combine(observed: Observed, clipped: npt.NDArray[np.bool_], name: str) -> Combined:
    """Average the pixels that are usable and not clipped.

    Parameters
    ----------
    observed : Observed
        The warps.
    clipped : ndarray of bool
        ``(epoch, y, x)`` pixels to leave out.
    name : str
        Name of the coadd.
    """
    clipped = clipped & observed.usable
    total = np.zeros(observed.image.shape[1:])
    weight = np.zeros_like(total)
    for index, epoch_weight in enumerate(observed.weights):
        used = observed.usable[index] & ~clipped[index]
        total += epoch_weight * np.where(used, observed.image[index], 0)
        weight += epoch_weight * used
    with np.errstate(invalid="ignore"):
        return Combined(name, (total / weight).astype(np.float32), clipped)


def plain_mean(observed: Observed) -> Combined:
    """Average all usable pixels."""
    return combine(observed, np.zeros(observed.usable.shape, bool), "plain mean")


def sigma_clipped_mean(observed: Observed, sigma: float = 3.0) -> Combined:
    """Average each pixel with sigma clipping around the median, to convergence.

    Parameters
    ----------
    observed : Observed
        The warps; those of weight 0 are ignored.
    sigma : float
        Half-width of the clip, in standard deviations of the pixel's values.
    """
    clipped = np.zeros(observed.usable.shape, bool)
    for start in range(0, observed.image.shape[1], _BAND):
        band = (slice(None), slice(start, start + _BAND))
        usable = observed.usable[band] & (observed.weights > 0)[:, None, None]
        values = np.where(usable, observed.image[band], np.nan)
        with warnings.catch_warnings():
            # NaN stands for unusable pixels here, which is not worth a warning.
            warnings.simplefilter("ignore", AstropyUserWarning)
            kept = sigma_clip(values, sigma=sigma, maxiters=None, axis=0, masked=False)
        clipped[band] = usable & np.isnan(kept)
    return combine(observed, clipped, f"{sigma:g}-sigma clip")
