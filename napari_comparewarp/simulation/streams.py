"""An independent stream of random numbers for each purpose."""

from enum import IntEnum

import numpy as np

__all__ = ["Stream", "stream"]


class Stream(IntEnum):
    """Purpose of a stream of random numbers; the values enter the seed and must not change."""

    STARS = 1
    GALAXIES = 2
    VARIABLES = 3
    VISIT = 4
    NOISE = 5
    DETECTOR = 6
    ASTEROID = 7
    COSMIC_RAYS = 8
    TRAIL = 9
    GHOST = 10
    GLINT = 11


def stream(seed: int, purpose: Stream, *which: int) -> np.random.Generator:
    """Return the generator for one purpose, and for one visit or night.

    More visits, or another kind of artifact, draw from other streams, so that
    all others stay identical.

    Parameters
    ----------
    seed : int
        >= 0.
    purpose : Stream
        What the numbers are used for.
    *which : int
        Further numbers, such as the index of the visit.
    """
    return np.random.default_rng([seed, int(purpose), *which])
