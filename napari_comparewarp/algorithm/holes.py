"""Filling the holes of a template, and of a finished coadd (section 10 of the method)."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .coadd import Coadd
from .compiled import kernel

__all__ = ["fill_holes", "interpolate_along_rows", "interpolate_holes"]


def fill_holes(
    image: npt.NDArray[np.float32], *others: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], ...]:
    """Fill the NaN pixels of an image from the nearest pixel with a value.

    Parameters
    ----------
    image : ndarray of float32
        ``(y, x)``.
    *others : ndarray of float32
        ``(y, x)`` planes that take their values at the same pixels from the same places.

    Returns
    -------
    tuple of ndarray
        Filled copies of all planes, or these themselves where the image is NaN
        everywhere or nowhere.
    """
    planes = (image, *others)
    holes = np.isnan(image)
    if not holes.any() or holes.all():
        return planes
    targets = np.flatnonzero(holes)
    sources = _nearest(holes, targets)
    filled = tuple(plane.copy() for plane in planes)
    for plane in filled:
        plane.flat[targets] = plane.flat[sources]
    return filled


def interpolate_along_rows(
    image: npt.NDArray[np.float32], *others: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], ...]:
    """Fill the NaN pixels of an image along its rows.

    A gap is bridged by a straight line between the values at its two ends, or
    continued from the one end that it has. A row without any value is filled
    from the nearest pixels, as by `fill_holes`.

    Parameters
    ----------
    image : ndarray of float32
        ``(y, x)``.
    *others : ndarray of float32
        ``(y, x)`` planes that are filled at the same pixels in the same way.

    Returns
    -------
    tuple of ndarray
        Filled copies of all planes, or these themselves where the image is NaN
        everywhere or nowhere.
    """
    filled = fill_holes(image, *others)
    if filled[0] is image:
        return filled
    holes = np.isnan(image)
    for plane in filled:
        _bridge(plane, holes)
    return filled


def interpolate_holes(coadd: Coadd) -> Coadd:
    """Return a coadd whose NaN pixels are filled from the nearest pixel with a value.

    NO_DATA stays set there. Variances that are not positive become infinite,
    and so do those of the filled pixels: nothing was measured in them.

    Parameters
    ----------
    coadd : Coadd

    Returns
    -------
    Coadd
        Its image is the same one where it is NaN everywhere or nowhere.
    """
    (image,) = fill_holes(coadd.image)
    with np.errstate(invalid="ignore"):
        variance = np.where(coadd.variance > 0, coadd.variance, np.float32(np.inf))
    return replace(coadd, image=image, variance=variance)


@kernel
def _bridge(plane, holes):  # type: ignore[no-untyped-def]
    """Interpolate a plane over the holes of each row that has a value."""
    height, width = plane.shape
    for y in range(height):
        left = -1
        x = 0
        while x < width:
            if not holes[y, x]:
                left = x
                x += 1
                continue
            right = x
            while right < width and holes[y, right]:
                right += 1
            if left >= 0 and right < width:
                step = (np.float64(plane[y, right]) - np.float64(plane[y, left])) / (right - left)
                for gap in range(x, right):
                    plane[y, gap] = np.float64(plane[y, left]) + step * (gap - left)
            elif left >= 0 or right < width:
                end = left if left >= 0 else right
                for gap in range(x, right):
                    plane[y, gap] = plane[y, end]
            x = right


@kernel
def _nearest(holes, targets):  # type: ignore[no-untyped-def]
    """Return the flat index of the pixel outside the holes that is nearest to each target.

    The nearest one of each column is known from two sweeps; the columns are
    tried outwards until they alone are farther than the best so far.
    """
    height, width = holes.shape
    far = height + width
    # Rows up (negative) or down to the nearest pixel with a value in the column.
    steps = np.full((height, width), far, np.int32)
    for y in range(height):
        for x in range(width):
            if not holes[y, x]:
                steps[y, x] = 0
            elif y > 0 and steps[y - 1, x] != far:
                steps[y, x] = steps[y - 1, x] - 1
    for y in range(height - 2, -1, -1):
        for x in range(width):
            down = steps[y + 1, x] + 1
            if steps[y, x] != 0 and steps[y + 1, x] >= 0 and down < abs(steps[y, x]):
                steps[y, x] = down
    result = np.empty(targets.size, np.int64)
    for i in range(targets.size):
        y, x = targets[i] // width, targets[i] % width
        best = np.int64(2) * far * far
        for dx in range(width):
            if dx * dx >= best:
                break
            for column in (x - dx, x + dx):
                if 0 <= column < width and steps[y, column] != far:
                    step = np.int64(steps[y, column])
                    distance = dx * dx + step * step
                    if distance < best:
                        best = distance
                        result[i] = (y + step) * width + column
    return result
