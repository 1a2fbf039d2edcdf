"""Determine from a coadd which epochs were left out in each pixel."""

import itertools
import math

import numpy as np
import numpy.typing as npt

__all__ = ["recover_rejected"]

#: Maximum number of combinations of rejected epochs that are tried in a pixel.
_MOST_WAYS = 20_000

#: Relative tolerance of the mean: a few roundings to float32.
_TOLERANCE = 2e-6


def recover_rejected(
    image: npt.NDArray[np.float32],
    usable: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
    coadd: npt.NDArray[np.float32],
    n_image: npt.NDArray[np.integer],
) -> tuple[npt.NDArray[np.bool_], int]:
    """Find, pixel by pixel, the epochs without which the weighted mean equals the coadd.

    The number of missing epochs follows from `n_image`; because of the noise,
    the combination is unique.

    Parameters
    ----------
    image : ndarray of float32
        ``(epoch, y, x)`` direct warps.
    usable : ndarray of bool
        ``(epoch, y, x)`` pixels that could have been used.
    weights : ndarray
        ``(epoch,)``.
    coadd : ndarray of float32
        ``(y, x)``.
    n_image : ndarray of int
        ``(y, x)`` number of epochs that were used.

    Returns
    -------
    rejected : ndarray of bool
        ``(epoch, y, x)``, usable pixels that were left out.
    n_unresolved : int
        Number of pixels for which no combination gives the coadd, or too many
        would have to be tried; nothing is marked there.
    """
    usable = usable & (weights > 0)[:, None, None]
    missing = usable.sum(axis=0) - n_image.astype(int)
    rejected = np.zeros(usable.shape, bool)
    n_unresolved = int(np.count_nonzero(missing < 0))
    for count in np.unique(missing[missing > 0]).tolist():
        y, x = np.nonzero(missing == count)
        # If all usable epochs are missing, there is only one combination.
        emptied = usable[:, y, x].sum(axis=0) == count
        rejected[:, y[emptied], x[emptied]] = usable[:, y[emptied], x[emptied]]
        y, x = y[~emptied], x[~emptied]
        if math.comb(len(weights), count) > _MOST_WAYS:
            n_unresolved += y.size
            continue
        choice, met = _choose(image[:, y, x], usable[:, y, x], weights, coadd[y, x], count)
        n_unresolved += int(np.count_nonzero(~met))
        for member in choice[:, met]:
            rejected[member, y[met], x[met]] = True
    return rejected, n_unresolved


def _choose(
    image: npt.NDArray[np.float32],
    usable: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
    coadd: npt.NDArray[np.float32],
    count: int,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Try all combinations of `count` epochs; return the best one per pixel and if it fits."""
    value = np.where(usable, image, 0).astype(float) * weights[:, None]
    weight = usable * weights[:, None]
    sum_value, sum_weight = value.sum(axis=0), weight.sum(axis=0)
    best = np.full(coadd.shape, np.inf)
    choice = np.zeros((count, coadd.size), np.intp)
    for members in itertools.combinations(range(len(weights)), count):
        picked = list(members)
        possible = usable[picked].all(axis=0)
        left = sum_weight - weight[picked].sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (sum_value - value[picked].sum(axis=0)) / left
        distance = np.where(possible, np.abs(mean - coadd), np.inf)
        better = distance < best
        best[better] = distance[better]
        choice[:, better] = np.array(members)[:, None]
    scale = np.abs(value).sum(axis=0) / sum_weight
    return choice, best <= _TOLERANCE * scale
