"""What has become of every pixel of an epoch: an image of footprint states."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..algorithm.compiled import kernel
from ..algorithm.spans import Spans, disc_half_widths, paint

if TYPE_CHECKING:
    from .result import CompareWarpResult

__all__ = ["OUTLINE", "SELECTED", "draw_states"]


#: Added to the state on the rim of a footprint.
OUTLINE = 16

#: Value of the ring around the selected footprint.
SELECTED = 32

#: Width of that ring, pixels.
RING = 2


def draw_states(
    result: "CompareWarpResult", epoch_index: int, selected: int | None = None
) -> npt.NDArray[np.uint8]:
    """Return the footprint states of one epoch as an image.

    Parameters
    ----------
    result : CompareWarpResult
    epoch_index : int
        Counted from 0.
    selected : int, optional
        Id of a footprint to draw a ring around, if it is of this epoch.

    Returns
    -------
    ndarray of uint8
        ``(y, x)`` values of `State`, plus `OUTLINE` on the rims; `SELECTED` on
        the ring. What is clipped hides what is not.
    """
    products = result.products
    image = np.zeros(result.stack.shape, np.uint8)
    for spans, states in result.footprint_set.layers_of_states(epoch_index):
        _paint(spans, states, image)
    for region in (products.candidates[epoch_index].spans, *products.streaks[epoch_index].groups):
        _mark_rims(region.y, region.x0, region.x1, image, OUTLINE)
    if selected is not None:
        epoch, pixels = result.footprint_set.pixels(selected)
        if epoch == epoch_index:
            ring = pixels.grown(disc_half_widths(RING), image.shape).symmetric_difference(pixels)
            _paint(ring, np.full(len(ring), SELECTED, np.uint8), image)
    return image


def _paint(spans: Spans, values: npt.NDArray[np.uint8], image: npt.NDArray[np.uint8]) -> None:
    paint(spans.y, spans.x0, spans.x1, values, image)


@kernel
def _mark_rims(y, x0, x1, image, outline):  # type: ignore[no-untyped-def]
    """Add `outline` to pixels that touch one of another state, or the border."""
    height, width = image.shape
    low = outline - 1
    for span in range(len(y)):
        row = y[span]
        for x in range(x0[span], x1[span]):
            here = image[row, x] & low
            rim = row == 0 or row == height - 1 or x == 0 or x == width - 1
            if not rim:
                rim = (
                    image[row - 1, x] & low != here
                    or image[row + 1, x] & low != here
                    or image[row, x - 1] & low != here
                    or image[row, x + 1] & low != here
                )
            if rim:
                image[row, x] = here | outline
