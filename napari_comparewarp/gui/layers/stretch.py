"""How brightness is shown: curves and limits, shared by all pictures of the sky.

The curve is in the colour map, not in the data: the cursor still reads real
values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.visualization import (
    AsinhStretch,
    BaseInterval,
    LinearStretch,
    LogStretch,
    MinMaxInterval,
    PercentileInterval,
    SqrtStretch,
    ZScaleInterval,
)
from napari.utils import Colormap

__all__ = ["CURVES", "LIMITS", "Stretch"]

#: Entries of a colour map: enough that a curve shows no steps.
ENTRIES = 1024

#: A curve that lifts what is faint goes this many times as far as zscale, which
#: ends where the noise does: the sky would be a flat grey, and all sources white.
HEADROOM = 10.0

#: Pixels that limits are estimated from; more do not move them visibly.
SAMPLE = 250_000

CURVES: Mapping[str, Callable[[], Any]] = {
    "asinh": AsinhStretch,
    "linear": LinearStretch,
    "log": LogStretch,
    "sqrt": SqrtStretch,
}

LIMITS: Mapping[str, Callable[[], BaseInterval]] = {
    "zscale": lambda: ZScaleInterval(n_samples=10_000),
    "99.5 %": lambda: PercentileInterval(99.5),
    "99 %": lambda: PercentileInterval(99),
    "95 %": lambda: PercentileInterval(95),
    "min to max": MinMaxInterval,
}


@dataclass(frozen=True)
class Stretch:
    """A curve between two limits.

    Attributes
    ----------
    curve : str
        One of `CURVES`.
    limits : str
        One of `LIMITS`.
    """

    curve: str = "asinh"
    limits: str = "zscale"

    def colormap(self) -> Colormap:
        """Return the grey scale that has this curve."""
        grey = CURVES[self.curve]()(np.linspace(0, 1, ENTRIES))
        colours = np.stack([grey, grey, grey, np.ones(ENTRIES)], axis=1)
        return Colormap(colours, name=f"grey, {self.curve}")

    def limits_of(self, image: npt.NDArray) -> tuple[float, float]:
        """Return the brightness of black and of white for an image.

        Parameters
        ----------
        image : ndarray
            ``(y, x)``; pixels that are not finite do not count.

        Returns
        -------
        tuple of float
            Lower and upper limit, the upper above the lower.
        """
        step = max(1, int(np.sqrt(image.size / SAMPLE)))
        values = image[::step, ::step]
        values = values[np.isfinite(values)]
        if values.size == 0:
            return 0.0, 1.0
        low, high = (float(limit) for limit in LIMITS[self.limits]().get_limits(values))
        if self.limits == "zscale" and self.curve != "linear":
            high = low + HEADROOM * (high - low)
        return (low, high) if high > low else (low, low + 1.0)
