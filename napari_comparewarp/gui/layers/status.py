"""What the status bar shows of the pixel under the cursor."""

from typing import Any

import numpy as np

from ...algorithm.coadd import DirectMasks
from ...algorithm.mask_planes import decode
from ...io.sky import sky_of
from ..widgets.plain_text import elided, without_tags
from .views import Views

__all__ = ["describe_pixel", "sky_position"]


def describe_pixel(views: Views, epoch_index: int, y: int, x: int, sexagesimal: bool = True) -> str:
    """Return one line on a pixel: place, values, counts and mask planes by name.

    Parameters
    ----------
    views : Views
    epoch_index : int
    y, x : int
        Array indices.
    sexagesimal : bool
        How the sky position is written; else in degrees.

    Returns
    -------
    str
        Empty outside the patch.
    """
    result = views.result
    stack = result.stack
    height, width = stack.shape
    if not (0 <= y < height and 0 <= x < width and 0 <= epoch_index < stack.n_epochs):
        return ""
    image = float(stack.direct.image[epoch_index, y : y + 1][0, x])
    sigma = float(np.sqrt(stack.direct.variance[epoch_index, y : y + 1][0, x]))
    template = float(result.template.image[y, x])
    parts = [f"x {x}  y {y}"]
    sky = sky_position(stack.wcs, y, x, sexagesimal)
    if sky:
        parts.append(sky)
    parts += [
        f"epoch {without_tags(elided(str(stack.epochs[epoch_index])))}",
        f"warp {image:.4g} ± {sigma:.2g} {stack.unit}".rstrip(),
        f"template {template:.4g}",
    ]
    chi = views.known_chi(epoch_index, y, x)
    if chi is not None:
        parts.append(f"χ {chi:+.1f}")
    parts.append(f"deviates in {result.epoch_count[y, x]} of {result.n_matched[y, x]} epochs")
    names = _planes(result.products.direct_masks, epoch_index, y, x)
    parts.append(" ".join(names) if names else "no flags")
    return "   ".join(parts)


def sky_position(wcs: Any, y: float, x: float, sexagesimal: bool = True) -> str:
    """Return right ascension and declination of array position, empty without a WCS."""
    sky = sky_of(wcs, x, y)
    if sky is None:
        return ""
    if sexagesimal:
        return str(sky.to_string("hmsdms", sep=":", precision=2))
    return str(sky.to_string("decimal", precision=6))


def _planes(masks: DirectMasks, epoch: int, y: int, x: int) -> tuple[str, ...]:
    """Return the names of the planes that are set in one pixel of a direct warp."""
    stack = masks.stack
    row = np.ascontiguousarray(stack.direct.mask[epoch, y : y + 1])[np.newaxis]
    one = DirectMasks(
        stack, masks.weights[epoch : epoch + 1], masks.flags[epoch : epoch + 1],
        masks.clipped[epoch : epoch + 1], masks.bad_planes,
    )  # fmt: skip
    return decode(masks.mask_planes, one.rows(y, y + 1, row)[0, 0, x])
