"""Filling the holes of a finished coadd (section 10 of the method's description)."""

from dataclasses import replace

import numpy as np

from .coadd import Coadd
from .template import fill_holes

__all__ = ["interpolate_holes"]


def interpolate_holes(coadd: Coadd) -> Coadd:
    """Return a coadd whose NaN pixels are filled from the nearest pixel with a value.

    NO_DATA stays set there. Variances that are not positive become infinite,
    and so do those of the filled pixels: nothing was measured in them.

    Parameters
    ----------
    coadd : Coadd

    Returns
    -------
    Coadd
        The same one where it is NaN everywhere.
    """
    image = coadd.image
    holes = fill_holes(image)
    if holes is not None:
        image = image.copy()
        image.flat[holes[0]] = image.flat[holes[1]]
    with np.errstate(invalid="ignore"):
        variance = np.where(coadd.variance > 0, coadd.variance, np.float32(np.inf))
    return replace(coadd, image=image, variance=variance)
