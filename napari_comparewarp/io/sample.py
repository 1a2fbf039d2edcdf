"""What a few rows of an exposure tell: its sky, its noise, and how much of it is flagged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Sample", "bands_of", "measure"]

#: Rows of a band, and columns of a cell in it: places whose scatter is measured apart, so
#: that neither a gradient nor the stars count.
CELL = 16

#: Bands of rows across an image.
BANDS = 4

#: Fewer cells than this tell nothing.
FEWEST = 6

#: Of so many, some lie between the stars.
ENOUGH = 24

#: The quiet part of the cells, in per cent: stars widen the others.
QUIET = 30

#: The quietest one, which crowding reaches last.
QUIETEST = 0

#: Scatter of a normal distribution, from its median absolute deviation.
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Sample:
    """What some rows tell.

    Attributes
    ----------
    sky : float
        Median level between the stars, in the unit of the image; NaN if unknown.
    noise : float
        Scatter of the pixels there; NaN if it could not be measured.
    ratio : float
        That scatter divided by what the variance tells; NaN if unknown.
    quietest : float
        The same in the quietest cells, as a part of `ratio`: what crowding adds
        is not in it. NaN if unknown.
    sigma : float
        Median standard deviation that the variance tells; NaN if unknown.
    flagged : float
        Part of the pixels with data whose mask is not 0, where its flags have
        no names.
    """

    sky: float
    noise: float
    ratio: float
    quietest: float
    sigma: float
    flagged: float


def bands_of(height: int) -> list[slice]:
    """Return the rows to look at."""
    count = max(1, min(BANDS, height // CELL))
    starts = np.linspace(0, max(height - CELL, 0), count + 2).round().astype(int)
    inner = starts[1:-1] if height > 2 * CELL * count else starts[:count]
    return [slice(int(start), min(int(start) + CELL, height)) for start in np.unique(inner)]


def measure(
    bands: Sequence[tuple[npt.NDArray, npt.NDArray, npt.NDArray[np.bool_], npt.NDArray | None]],
    is_whole_numbers: bool = False,
) -> Sample:
    """Measure some bands of rows.

    Parameters
    ----------
    bands : sequence of tuple
        Image, variance, where there is no data, and the mask if its flags have
        no names; ``(rows, x)`` each.
    is_whole_numbers : bool
        The image holds whole numbers: a scatter below one step is none.

    Returns
    -------
    Sample
    """
    skies, noises, ratios, sigmas = [], [], [], []
    flagged, with_data = 0, 0
    for image, variance, missing, flags in bands:
        good = ~missing & np.isfinite(image)
        if flags is not None:
            with_data += int(good.sum())
            flagged += int((good & (flags != 0)).sum())
        width = image.shape[1] // CELL * CELL
        if width == 0:
            continue
        cells = [
            np.asarray(plane[:, :width], np.float64)
            .reshape(len(image), -1, CELL)
            .transpose(1, 0, 2)
            .reshape(width // CELL, -1)
            for plane in (np.where(good, image, np.nan), np.where(good, variance, np.nan))
        ]
        full = np.isfinite(cells[0]).sum(1) * 2 > cells[0].shape[1]
        values, spreads = cells[0][full], cells[1][full]
        if not len(values):
            continue
        level = np.nanmedian(values, axis=1)
        scatter = MAD_TO_SIGMA * np.nanmedian(np.abs(values - level[:, np.newaxis]), axis=1)
        told = np.sqrt(np.nanmedian(spreads, axis=1))
        skies.append(level)
        noises.append(scatter)
        ratios.append(scatter / told)
        sigmas.append(told)
    part = flagged / with_data if with_data else 0.0
    if not noises or sum(map(len, noises)) < FEWEST:
        return Sample(np.nan, np.nan, np.nan, np.nan, _median(sigmas), part)
    scatter = np.concatenate(noises)
    noise = float(np.percentile(scatter, QUIET))
    if not noise > (1.0 if is_whole_numbers else 0.0):
        return Sample(_median(skies), np.nan, np.nan, np.nan, _median(sigmas), part)
    quiet = scatter <= np.percentile(scatter, 2 * QUIET)
    sky = float(np.median(np.concatenate(skies)[quiet]))
    lowest, ratio = np.percentile(np.concatenate(ratios), [QUIETEST, QUIET])
    # Few places may all be crowded.
    doubt = 1.0 if len(scatter) >= ENOUGH else 0.5
    return Sample(sky, noise, float(ratio), doubt * float(lowest / ratio), _median(sigmas), part)


def _median(parts: Sequence[npt.NDArray]) -> float:
    """Return the median of some arrays together, NaN where there are none."""
    return float(np.median(np.concatenate(parts))) if parts else float(np.nan)
