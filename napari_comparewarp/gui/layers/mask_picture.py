"""Mask planes as one picture: each plane in its colour, blended where several are set."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from napari.utils.colormaps.standardize_color import transform_color

from ...algorithm.compiled import kernel
from ...algorithm.mask_planes import MAX_PLANES
from .schemes import Scheme

__all__ = ["draw_mask"]


def draw_mask(
    mask: npt.NDArray[np.int32],
    planes: Mapping[str, int],
    scheme: Scheme,
    opacity: Mapping[str, float],
) -> npt.NDArray[np.uint8]:
    """Return a mask as a transparent picture.

    Parameters
    ----------
    mask : ndarray of int32
        ``(y, x)`` bit planes.
    planes : mapping of str to int
        Bit number of each plane.
    scheme : Scheme
        Where the colours come from.
    opacity : mapping of str to float
        Opacity of each plane, 0 to 1; a plane that is not named is not shown.

    Returns
    -------
    ndarray of uint8
        ``(y, x, 4)`` red, green, blue, alpha. A higher bit lies over a lower.
    """
    colours = np.zeros((MAX_PLANES, 4), np.float32)
    for name, bit in planes.items():
        colours[bit, :3] = transform_color(scheme.plane_colour(name))[0, :3]
        colours[bit, 3] = opacity.get(name, 0.0)
    shown = sum(1 << bit for bit in range(MAX_PLANES) if colours[bit, 3] > 0)
    picture = np.zeros((*mask.shape, 4), np.uint8)
    _blend(np.ascontiguousarray(mask), np.int64(shown), colours, picture)
    return picture


@kernel
def _blend(mask, shown, colours, picture):  # type: ignore[no-untyped-def]
    """Lay the colours of the bits of each pixel over each other."""
    height, width = mask.shape
    for y in range(height):
        for x in range(width):
            bits = mask[y, x] & shown
            if bits == 0:
                continue
            red = green = blue = alpha = 0.0
            for bit in range(colours.shape[0]):
                if (bits >> bit) & 1:
                    over = colours[bit, 3]
                    under = alpha * (1 - over)
                    alpha = over + under
                    red = (colours[bit, 0] * over + red * under) / alpha
                    green = (colours[bit, 1] * over + green * under) / alpha
                    blue = (colours[bit, 2] * over + blue * under) / alpha
            picture[y, x, 0] = np.uint8(255 * red + 0.5)
            picture[y, x, 1] = np.uint8(255 * green + 0.5)
            picture[y, x, 2] = np.uint8(255 * blue + 0.5)
            picture[y, x, 3] = np.uint8(255 * alpha + 0.5)
