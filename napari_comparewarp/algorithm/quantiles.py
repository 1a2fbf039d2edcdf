"""Exact quartiles and clipped means of many values, without sorting them."""

import numpy as np

from .compiled import kernel
from .stacking import IQR_TO_SIGMA

__all__ = ["clipped_mean", "quartiles", "select_good"]

@kernel
def select_good(image, mask, bad, out):  # type: ignore[no-untyped-def]
    """Copy the finite values without a bad mask bit to the front of `out`.

    Parameters
    ----------
    image : ndarray of float32
        ``(y, x)`` values.
    mask : ndarray of int32
        ``(y, x)`` bit planes.
    bad : int
        Bits that leave a value out.
    out : ndarray of float32
        Scratch with room for every value and one more.

    Returns
    -------
    int
        Number of values copied, row by row.
    """
    n = 0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            value = image[y, x]
            out[n] = value
            n += 1 if (value - value == np.float32(0)) & (mask[y, x] & bad == 0) else 0
    return n


@kernel
def clipped_mean(values, sigma, iterations):  # type: ignore[no-untyped-def]
    """Return the unweighted clipped mean of some values; NaN where the clip leaves none.

    The first clip is by the interquartile range around the median, the
    `iterations` passes each start from all values again: section 2 of the
    method's description.

    Parameters
    ----------
    values : ndarray of float32
        Finite values, one-dimensional and contiguous, in the order of the
        pixels: the sums run in that order, as the reference's do. Where most
        values are equal, their rounding decides whether the clip keeps any.
    sigma : float
        Half-width of the clip in standard deviations.
    iterations : int
        Passes, at least 1.

    Returns
    -------
    float
    """
    if values.size == 0:
        return np.nan
    low, centre, high = quartiles(values)
    half_iqr = (sigma * IQR_TO_SIGMA) * (high - low)
    half = half_iqr
    for _ in range(iterations):
        kept = 0
        total = 0.0
        square = 0.0
        for value in values:
            d = np.float64(value) - centre
            inside = abs(d) <= half
            d = d if inside else 0.0
            kept += 1 if inside else 0
            total += d
            square += d * d
        if kept == 0:
            return np.nan
        shift = total / kept
        half = half_iqr
        if kept > 1:
            scatter = (square / kept - shift * shift) * kept / (kept - 1)
            half = sigma * np.sqrt(max(scatter, 0.0))
        centre += shift
    return centre


@kernel
def quartiles(values):  # type: ignore[no-untyped-def]
    """Return the 25, 50 and 75 % quantiles by linear interpolation at rank f (n - 1).

    The values are counted in bins; only those in the few bins that hold a
    wanted rank are ordered.

    Parameters
    ----------
    values : ndarray of float32
        Finite values, at least one.

    Returns
    -------
    tuple of float
    """
    n = values.size
    ranks = np.empty(6, np.int64)
    for q in range(3):
        below = int(0.25 * (q + 1) * (n - 1))
        ranks[2 * q] = below
        ranks[2 * q + 1] = min(below + 1, n - 1)
    n_bins = min(max(n >> 2, 1), 2048)
    low, scale = _bin_scale(values, n_bins)
    counts = np.zeros(n_bins, np.int64)
    for value in values:
        counts[_bin(value, low, scale, n_bins)] += 1
    # Where each wanted rank will be among the values that are gathered.
    wanted = np.zeros(n_bins, np.bool_)
    places = np.empty(6, np.int64)
    total, gathered, k = 0, 0, 0
    for b in range(n_bins):
        while k < 6 and ranks[k] < total + counts[b]:
            wanted[b] = True
            places[k] = gathered + ranks[k] - total
            k += 1
        if wanted[b]:
            gathered += counts[b]
        total += counts[b]
    pool = np.empty(gathered + 1, np.float32)
    fill = 0
    for value in values:
        pool[fill] = value
        fill += 1 if wanted[_bin(value, low, scale, n_bins)] else 0
    picked = np.empty(6, np.float64)
    start = 0
    for k in range(6):
        # The places ascend: what lies left of one is done with.
        _partition(pool, start, gathered, places[k])
        picked[k] = pool[places[k]]
        start = places[k]
    result = np.empty(3, np.float64)
    for q in range(3):
        part = 0.25 * (q + 1) * (n - 1) - ranks[2 * q]
        result[q] = picked[2 * q] + (picked[2 * q + 1] - picked[2 * q]) * part
    return result[0], result[1], result[2]


@kernel
def _bin_scale(values, n_bins):  # type: ignore[no-untyped-def]
    """Choose bins from a sample of the values; any choice is right, a good one is quick."""
    size = min(values.size, 64)
    step = values.size // size
    sample = np.empty(size, np.float32)
    for i in range(size):
        sample[i] = values[i * step]
    sample.sort()
    low, high = sample[size // 16], sample[size - 1 - size // 16]
    width = high - low
    scale = np.float32(n_bins) / width if width > 0 else np.float32(0)
    return low, scale if np.isfinite(scale) else np.float32(0)


@kernel
def _bin(value, low, scale, n_bins):  # type: ignore[no-untyped-def]
    """Return the bin of a value, which rises with the value and is clamped at both ends."""
    position = (value - low) * scale
    # Not a number, where an overflow meets a scale of 0, goes to the first bin as well.
    if not position > np.float32(0):
        return 0
    return int(min(position, np.float32(n_bins - 1)))


@kernel
def _partition(values, start, stop, rank):  # type: ignore[no-untyped-def]
    """Put the value of `rank` among ``values[start:stop]`` at its sorted place (Hoare 1961)."""
    low, high = start, stop - 1
    while low < high:
        middle = (low + high) >> 1
        a, b, c = values[low], values[middle], values[high]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            return
