"""SCI, ERR and DQ, as the pipelines of the space telescopes write them."""

import numpy as np

from .dialect import PlaneData
from .named_planes import NamedPlanes

__all__ = ["SciErrDq"]


class SciErrDq(NamedPlanes):
    """SCI, ERR (its square is the variance) and DQ."""

    image_name = "SCI"
    variance_names = ("ERR",)

    def translate(
        self, image: PlaneData, variance: PlaneData
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return the image, and ``ERR·|ERR|``, so that a negative error stays one."""
        error = variance.values
        # Small integers would overflow.
        error = error.astype(np.result_type(error, np.float32), copy=False)
        return image.values, error * np.abs(error), None
