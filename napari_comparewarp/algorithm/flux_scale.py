"""Numbers of any size: what an array holds where single precision would lose a variance.

The planes of a stack are single precision, which holds 1e-38 to 3e38: the square
of 1e-24 is 0 in it. The engine gives the same coadd for numbers of any scale as
long as variances stay within; those that would not are kept in another unit.
"""

import math

__all__ = ["MAX_SIGMA", "MIN_SIGMA", "flux_scale", "scaled_unit", "unscaled_unit"]

#: Standard deviations between these need no other unit: squares of their products with
#: weights were found to stay exact from 2e-17 to 7e17.
MIN_SIGMA, MAX_SIGMA = 1e-15, 1e15


def flux_scale(sigma: float) -> float:
    """Return the unit that numbers with this noise are kept in, a power of ten.

    Parameters
    ----------
    sigma : float
        Typical standard deviation of a pixel; NaN where it is not known.

    Returns
    -------
    float
        1 unless `sigma` is outside `MIN_SIGMA` to `MAX_SIGMA`. Numbers divided by
        it have a noise between 1 and 10.
    """
    if not 0 < sigma < math.inf or MIN_SIGMA <= sigma <= MAX_SIGMA:
        return 1.0
    return 10.0 ** math.floor(math.log10(sigma))


def scaled_unit(unit: str, scale: float) -> str:
    """Return the unit of numbers that were divided by `scale`, such as ``1e-20 erg``."""
    return unit if scale == 1 else f"{scale:g} {unit}".rstrip()


def unscaled_unit(unit: str, scale: float) -> str:
    """Return what `scaled_unit` was made of."""
    return unit if scale == 1 else unit.removeprefix(f"{scale:g}").lstrip()
