"""One independent stream of random numbers for each thing that is drawn."""

from enum import IntEnum

import numpy as np

__all__ = ["Stream", "stream"]


class Stream(IntEnum):
    """What a stream of random numbers is for; the numbers are part of what a seed means."""

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
    """Return the generator for one purpose, and for one visit or night of it.

    More visits, or another kind of artifact, draw from other streams: what
    was there before stays the same to the pixel.

    Parameters
    ----------
    seed : int
        >= 0.
    purpose : Stream
        What is drawn.
    *which : int
        Further numbers, such as the visit's place in the series.
    """
    return np.random.default_rng([seed, int(purpose), *which])
