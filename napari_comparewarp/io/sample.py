"""What a few rows of an exposure tell: its sky, its noise, and how much of it is flagged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Sample", "bands_of", "measure"]

#: Rows of a band, and columns of a cell in it: places whose scatter is measured apart, so
#: that neither a gradient nor the stars count. Few rows, as each is a tile to unpack.
ROWS, COLUMNS = 8, 32

#: Of more cells in a band, some are chosen.
MOST_CELLS = 16

#: Bands of rows across an image; half of them are enough where each has many cells.
BANDS, TALL = 8, 1024

#: Fewer cells than this tell nothing.
FEWEST = 4

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


#: What is known of an exposure that was not looked at.
UNKNOWN = Sample(np.nan, np.nan, np.nan, np.nan, np.nan, 0.0)


def bands_of(height: int) -> list[slice]:
    """Return the rows to look at: bands that are spread evenly over an image.

    Parameters
    ----------
    height : int
        Of the image, rows.
    """
    most = BANDS if height < TALL else BANDS // 2
    count = max(1, min(most, height // ROWS))
    starts = (np.arange(count) + 0.5) * height / count - ROWS / 2
    return [
        slice(start, min(start + ROWS, height))
        for start in np.maximum(starts, 0).astype(int).tolist()
    ]


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
        cells = _cells(np.where(good, image, np.nan))
        spreads = _cells(np.where(good, variance, np.nan))
        full = np.isfinite(cells).sum(1) * 2 > cells.shape[1]
        cells, spreads = cells[full], spreads[full]
        if not len(cells):
            continue
        level = _medians(cells)
        scatter = MAD_TO_SIGMA * _medians(np.abs(cells - level[:, np.newaxis]))
        told = np.sqrt(_medians(spreads))
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


def _cells(band: npt.NDArray) -> npt.NDArray[np.float64]:
    """Return ``(cell, pixel)`` values of the cells of a band, evenly chosen if they are many."""
    rows, width = band.shape
    side = min(COLUMNS, width)
    columns = np.arange(width // side)
    if len(columns) > MOST_CELLS:
        columns = columns[:: -(-len(columns) // MOST_CELLS)]
    cells = band[:, : width // side * side].reshape(rows, -1, side)[:, columns]
    return np.asarray(cells, np.float64).transpose(1, 0, 2).reshape(len(columns), -1)


def _medians(cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the median of each row; NaN are left out, as sorting puts them last."""
    ordered = np.sort(cells, axis=1)
    count = np.isfinite(ordered).sum(1)
    row = np.arange(len(ordered))
    return (ordered[row, np.maximum(count - 1, 0) // 2] + ordered[row, count // 2]) / 2


def _median(parts: Sequence[npt.NDArray]) -> float:
    """Return the median of some arrays together, NaN where there are none."""
    return float(np.median(np.concatenate(parts))) if parts else float(np.nan)
