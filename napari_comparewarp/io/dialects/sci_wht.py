"""SCI and WHT, as programs that drizzle and mosaic write them."""

import numpy as np

from .dialect import PlaneData
from .named_planes import NamedPlanes

__all__ = ["SciWht"]


class SciWht(NamedPlanes):
    """SCI and WHT, the inverse of the variance."""

    image_name = "SCI"
    variance_names = ("WHT",)

    def translate(
        self, image: PlaneData, variance: PlaneData
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return the image and 1/WHT; where WHT is not finite and above 0, there is no data."""
        weight = variance.values
        usable = (weight > 0) & np.isfinite(weight)
        inverse = np.full(weight.shape, np.nan, np.float32)
        with np.errstate(over="ignore"):  # A tiny weight is an infinite variance.
            np.divide(1.0, weight, out=inverse, where=usable, casting="same_kind")
        return np.where(usable, image.values, np.float32(np.nan)), inverse, ~usable
