"""Direct warps that are larger than the patch: the part of them that the matched ones cover."""

from collections.abc import Sequence
from dataclasses import replace

from ..errors import StackError
from .exposure import Exposure

__all__ = ["crop_to_matched"]


def crop_to_matched(exposures: Sequence[Exposure]) -> list[Exposure]:
    """Return exposures with the direct ones cropped to the box of the matched ones.

    Rubin's direct warps reach 256 pixels over the patch on each side. Where
    each lies is told by its origin in the parent grid.

    Parameters
    ----------
    exposures : sequence of Exposure
        Their `kind` must be known.

    Raises
    ------
    StackError
        If a direct warp does not cover the box.
    """
    matched = [e for e in exposures if e.kind == "matched" and e.origin is not None]
    if not matched or all(e.shape == matched[0].shape for e in exposures):
        return list(exposures)
    grid = matched[0]
    if any((e.origin, e.shape) != (grid.origin, grid.shape) for e in matched):
        return list(exposures)  # what differs is refused where all exposures are compared
    return [
        _cropped(e, grid) if e.kind != "matched" and e.shape != grid.shape else e for e in exposures
    ]


def _cropped(exposure: Exposure, grid: Exposure) -> Exposure:
    """Return the part of an exposure that covers the grid of another."""
    if exposure.origin is None or grid.origin is None:
        return exposure
    x0, y0 = (there - here for there, here in zip(grid.origin, exposure.origin, strict=True))
    height, width = grid.shape
    if x0 < 0 or y0 < 0 or y0 + height > exposure.shape[0] or x0 + width > exposure.shape[1]:
        raise StackError(
            f"{exposure.path}: shape {exposure.shape} at origin {exposure.origin} does not cover "
            f"the matched warps, of shape {grid.shape} at {grid.origin} ({grid.path})"
        )
    window = (y0, y0 + height, x0, x0 + width)
    wcs = exposure.wcs
    return replace(
        exposure,
        shape=grid.shape,
        origin=grid.origin,
        wcs=None if wcs is None else wcs[y0 : y0 + height, x0 : x0 + width],
        treatment=replace(exposure.treatment, window=window),
    )
