"""Exact quartiles and clipped means of many values, without sorting them."""

import numpy as np

from .compiled import kernel
from .stacking import IQR_TO_SIGMA, LANES

__all__ = ["clipped_mean", "quartiles", "select_good"]

#: Values that are tested together before one of them is looked at.
CHUNK = 32

#: Fewer values than this are sorted, of more only the wanted ones are put in place.
FEW = 80

#: A clip narrower than this part of its centre is at the mercy of rounding.
TIGHT = 1e-9


@kernel
def select_good(image, mask, bad, y0, y1, x0, x1, out):  # type: ignore[no-untyped-def]
    """Copy the finite values without a bad mask bit in a box to the front of `out`.

    Parameters
    ----------
    image : ndarray of float32
        ``(y, x)`` values.
    mask : ndarray of int32
        ``(y, x)`` bit planes.
    bad : int
        Bits that leave a value out.
    y0, y1, x0, x1 : int
        The box, half-open.
    out : ndarray of float32
        Scratch with room for every value and one more.

    Returns
    -------
    int
        Number of values copied, row by row.
    """
    n = 0
    bad = np.int32(bad)
    for y in range(y0, y1):
        for start in range(x0, x1, CHUNK):
            stop = min(start + CHUNK, x1)
            values = image[y, start:stop]
            flags = mask[y, start:stop]
            good = 0
            for i in range(values.size):
                value = values[i]
                good += 1 if (value - value == np.float32(0)) & (flags[i] & bad == 0) else 0
            if good == values.size:
                out[n : n + good] = values
                n += good
            elif good > 0:
                for i in range(values.size):
                    value = values[i]
                    out[n] = value
                    n += 1 if (value - value == np.float32(0)) & (flags[i] & bad == 0) else 0
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
        pixels. Where most of them are equal, the rounding of the sums decides
        whether the clip keeps any: then the sums run in that order, as the
        reference's do.
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
    low, middle, high = quartiles(values)
    return clip_from_quartiles(values, sigma, iterations, low, middle, high)


@kernel
def clip_from_quartiles(values, sigma, iterations, low, middle, high):  # type: ignore[no-untyped-def]
    """Return the clipped mean of at least one value, given the quartiles; see `clipped_mean`."""
    half_iqr = (sigma * IQR_TO_SIGMA) * (high - low)
    if half_iqr == 0.0:
        # Only values equal to the median are kept, in every pass.
        return middle
    centre, half = middle, half_iqr
    for _ in range(iterations):
        if half <= TIGHT * abs(centre):
            return _clipped_mean_in_order(values, sigma, iterations, middle, half_iqr)
        kept, total, square = _sums_within(values, centre, half)
        if kept == 0:
            return np.nan
        centre, half = _next_clip(kept, total, square, centre, sigma, half_iqr)
    return centre


@kernel
def _clipped_mean_in_order(values, sigma, iterations, centre, half_iqr):  # type: ignore[no-untyped-def]
    """Clip with sums in the order of the pixels, as the reference's run."""
    half = half_iqr
    for _ in range(iterations):
        kept = 0
        total = 0.0
        square = 0.0
        for value in values:
            d = np.float64(value) - centre
            if abs(d) <= half:
                kept += 1
                total += d
                square += d * d
        if kept == 0:
            return np.nan
        centre, half = _next_clip(kept, total, square, centre, sigma, half_iqr)
    return centre


@kernel
def _sums_within(values, centre, half):  # type: ignore[no-untyped-def]
    """Return the number of values within a clip, their summed deviations and squares of them."""
    # Many partial sums side by side: a single one would wait for its own last addition.
    sums = np.zeros(3 * LANES, np.float64)
    whole = values.size - values.size % LANES
    for start in range(0, whole, LANES):
        chunk = values[start : start + LANES]
        for i in range(LANES):
            d = np.float64(chunk[i]) - centre
            inside = abs(d) <= half
            d = d if inside else 0.0
            sums[i] += 1.0 if inside else 0.0
            sums[LANES + i] += d
            sums[2 * LANES + i] += d * d
    for i in range(whole, values.size):
        d = np.float64(values[i]) - centre
        if abs(d) <= half:
            sums[0] += 1.0
            sums[LANES] += d
            sums[2 * LANES] += d * d
    kept, total, square = 0.0, 0.0, 0.0
    for i in range(LANES):
        kept += sums[i]
        total += sums[LANES + i]
        square += sums[2 * LANES + i]
    return kept, total, square


@kernel
def _next_clip(kept, total, square, centre, sigma, half_iqr):  # type: ignore[no-untyped-def]
    """Return centre and half-width of the next pass."""
    shift = total / kept
    if kept == 1:
        return centre + shift, half_iqr
    scatter = (square / kept - shift * shift) * kept / (kept - 1)
    return centre + shift, sigma * np.sqrt(max(scatter, 0.0))


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
    n_bins = number_of_bins(values.size)
    low, scale = _bin_scale(values, n_bins)
    return quartiles_in_bins(values, n_bins, low, scale)


@kernel
def number_of_bins(n):  # type: ignore[no-untyped-def]
    """Return how many bins suit the quartiles of n values."""
    return min(max(n >> 2, 1), 2048)


@kernel
def quartiles_in_bins(values, n_bins, low, scale):  # type: ignore[no-untyped-def]
    """Return the quartiles as `quartiles` does, with bins that begin at `low`, `scale` a unit.

    Any bins give the right answer. Those from the quartiles of similar values
    are as quick as any, and cost no look at these.
    """
    n = values.size
    ranks = np.empty(6, np.int64)
    for q in range(3):
        below = int(0.25 * (q + 1) * (n - 1))
        ranks[2 * q] = below
        ranks[2 * q + 1] = min(below + 1, n - 1)
    if scale == 0:
        # Most values are equal: perhaps all the wanted ones are.
        below, equal = _count_below_and_equal(values, low)
        if below <= ranks[0] and ranks[5] < below + equal:
            return np.float64(low), np.float64(low), np.float64(low)
    counts = _count_in_bins(values, low, scale, n_bins)
    # Where each wanted rank will be among the values that are gathered.
    wanted = np.zeros(n_bins, np.bool_)
    bins = np.full(6, np.float32(-1))
    places = np.empty(6, np.int64)
    total, gathered, k = 0, 0, 0
    for b in range(n_bins):
        while k < 6 and ranks[k] < total + counts[b]:
            wanted[b] = True
            bins[k] = b
            places[k] = gathered + ranks[k] - total
            k += 1
        if wanted[b]:
            gathered += counts[b]
        total += counts[b]
    pool = _gather(values, low, scale, n_bins, wanted, bins, gathered)
    if gathered < FEW:
        _insertion_sort(pool)
    else:
        start = np.int64(0)
        for place in places:
            # The places ascend: what lies left of one is done with.
            _partition(pool, start, gathered, place)
            start = place
    first = _between(pool, places[0], places[1], 0.25 * (n - 1) - ranks[0])
    second = _between(pool, places[2], places[3], 0.50 * (n - 1) - ranks[2])
    third = _between(pool, places[4], places[5], 0.75 * (n - 1) - ranks[4])
    return first, second, third


@kernel
def _between(values, place, next_place, part):  # type: ignore[no-untyped-def]
    """Interpolate between two ordered values."""
    value = np.float64(values[place])
    return value + (np.float64(values[next_place]) - value) * part


@kernel
def _insertion_sort(values):  # type: ignore[no-untyped-def]
    """Sort a few values in place."""
    for i in range(1, values.size):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value


@kernel
def _count_in_bins(values, low, scale, n_bins):  # type: ignore[no-untyped-def]
    """Return the number of values in each bin."""
    # Four counters a bin: one alone would wait for its own last increment.
    counts = np.zeros((4, n_bins), np.int32)
    bins = np.empty(LANES, np.int32)
    whole = values.size - values.size % LANES
    top = np.float32(n_bins - 1)
    for start in range(0, whole, LANES):
        chunk = values[start : start + LANES]
        for i in range(LANES):
            position = (chunk[i] - low) * scale
            position = position if position > np.float32(0) else np.float32(0)
            bins[i] = np.int32(position if position < top else top)
        for i in range(0, LANES, 4):
            counts[0, bins[i]] += 1
            counts[1, bins[i + 1]] += 1
            counts[2, bins[i + 2]] += 1
            counts[3, bins[i + 3]] += 1
    for i in range(whole, values.size):
        counts[0, _bin(values[i], low, scale, n_bins)] += 1
    for b in range(n_bins):
        counts[0, b] += counts[1, b] + counts[2, b] + counts[3, b]
    return counts[0]


@kernel
def _gather(values, low, scale, n_bins, wanted, bins, count):  # type: ignore[no-untyped-def]
    """Return the values whose bin is wanted: one of six, some of them the same."""
    a, b, c, d, e, f = bins
    top = np.float32(n_bins - 1)
    pool = np.empty(count, np.float32)
    fill = 0
    for start in range(0, values.size, CHUNK):
        chunk = values[start : start + CHUNK]
        hits = 0
        for i in range(chunk.size):
            position = (chunk[i] - low) * scale
            position = position if position > np.float32(0) else np.float32(0)
            bin_ = np.floor(position if position < top else top)
            hit = (bin_ == a) | (bin_ == b) | (bin_ == c) | (bin_ == d) | (bin_ == e) | (bin_ == f)
            hits += 1 if hit else 0
        if hits > 0:
            for i in range(chunk.size):
                if wanted[_bin(chunk[i], low, scale, n_bins)]:
                    pool[fill] = chunk[i]
                    fill += 1
    return pool


@kernel
def _count_below_and_equal(values, pivot):  # type: ignore[no-untyped-def]
    """Return how many values are below a pivot, and how many equal it."""
    below, equal = 0, 0
    for value in values:
        below += 1 if value < pivot else 0
        equal += 1 if value == pivot else 0
    return below, equal


@kernel
def _bin_scale(values, n_bins):  # type: ignore[no-untyped-def]
    """Choose bins from a sample of the values; any choice is right, a good one is quick."""
    size = min(values.size, 32)
    step = values.size // size
    sample = np.empty(size, np.float32)
    for i in range(size):
        sample[i] = values[i * step]
    sample.sort()
    if sample[size // 4] == sample[(3 * size) // 4]:
        # Most values seem to be equal: no bins, but a look at that value.
        return sample[size // 2], np.float32(0)
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
