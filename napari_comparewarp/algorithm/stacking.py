"""The statistics of one pixel's values in N epochs: mean, clipped mean and median.

Formulas: sections 2 and 9 of the method's description in the documentation.
All kernels take C-contiguous ``(epoch, y, x)`` cubes and a range of rows, and
every output pixel depends on its own N inputs alone, summed in the order of
the epochs in double precision.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from .compiled import kernel

__all__ = ["IQR_TO_SIGMA", "LANES", "combine_values"]

#: Standard deviation of a normal distribution in units of its interquartile range.
IQR_TO_SIGMA = 0.741301109252801

#: Pixels that are worked side by side; a multiple of every vector width.
LANES = 64

#: Pixels of a run whose sums stay in the first-level cache.
RUN = 512

#: Where the numbers of each lane stand in `_robust`.
CENTRE, HALF, FIRST_HALF, MEAN, SCATTER = (row * LANES for row in range(5))
SUM_W, SUM_WW, SUM_WD, SUM_WDD, KEPT = (row * LANES for row in range(5, 10))

_CODES = {"MEAN": 0, "MEANCLIP": 1, "MEDIAN": 2}


def combine_values(
    image: npt.NDArray[np.float32],
    variance: npt.NDArray[np.float32],
    mask: npt.NDArray[np.int32],
    rows: tuple[int, int],
    weights: npt.NDArray[np.float64],
    bad: int,
    *,
    statistic: str,
    sigma: float,
    iterations: int,
    error_from_input_variance: bool,
    out_image: npt.NDArray[np.float32],
    out_variance: npt.NDArray[np.float32],
    out_clipped: npt.NDArray[np.bool_],
    online: bool = False,
    mask_row: int | None = None,
) -> None:
    """Combine the values of each pixel over the epochs.

    Parameters
    ----------
    image, variance, mask : ndarray
        ``(epoch, y, x)`` cubes.
    rows : tuple of int
        Half-open range of rows of the cubes.
    weights : ndarray
        ``(epoch,)``; epochs whose weight is not positive are left out. As in
        the reference, weights are rounded to float32 before use.
    bad : int
        Values with one of these mask bits are left out, and so are values
        that are not finite.
    statistic : {"MEAN", "MEANCLIP", "MEDIAN"}
    sigma : float
        Half-width of the clip in standard deviations.
    iterations : int
        Passes of the clip, at least 1.
    error_from_input_variance : bool
        Variance of the result from `variance`; otherwise from the scatter of
        the values (NaN for fewer than two).
    out_image, out_variance : ndarray
        ``(rows, x)`` results; NaN where no value is left.
    out_clipped : ndarray
        ``(rows, x)`` set where the clip left out a value.
    online : bool
        Round as the reference's running sums do, which serve for MEAN only:
        each product to float32, but not the sum of the weights.
    mask_row : int, optional
        First row to use of `mask`, where its rows are counted apart.
    """
    mask_row = rows[0] if mask_row is None else mask_row
    used = np.flatnonzero(weights > 0)
    exact = weights[used]
    narrowed = exact.astype(np.float32).astype(np.float64)
    if statistic == "MEAN" and error_from_input_variance:
        # The type of the factors is the precision of the products.
        total, factors, squares = narrowed, narrowed, narrowed**2
        if online:
            total = exact
            factors, squares = exact.astype(np.float32), (exact**2).astype(np.float32)
        _mean(
            image, variance, mask, rows[0], rows[1], mask_row, used, total, factors, squares, bad,
            out_image, out_variance,
        )  # fmt: skip
        out_clipped[...] = False
        return
    _robust(
        image, variance, mask, rows[0], rows[1], mask_row, used, narrowed, bad,
        _CODES[statistic], sigma, iterations, error_from_input_variance,
        sorting_network(len(used)), out_image, out_variance, out_clipped,
    )  # fmt: skip


@cache
def sorting_network(n: int) -> npt.NDArray[np.int32]:
    """Return the comparators of Batcher's odd-even merge sort for `n` values.

    A fixed sequence of compare-exchanges sorts many pixels at once, with no
    branch that depends on the data (Batcher 1968; Knuth, The Art of Computer
    Programming, 5.2.2, algorithm M).

    Returns
    -------
    ndarray
        ``(comparator, 2)`` indices; the smaller value goes to the first.
    """
    pairs = []
    top = 1
    while top < n:
        top *= 2
    p = top // 2
    while p > 0:
        q, r, d = top // 2, 0, p
        while d > 0:
            pairs += [(i, i + d) for i in range(n - d) if i & p == r]
            d, q, r = q - p, q // 2, p
        p //= 2
    return np.array(pairs, dtype=np.int32).reshape(-1, 2)


@kernel
def _mean(  # type: ignore[no-untyped-def]
    image,
    variance,
    mask,
    y0,
    y1,
    mask_row,
    epochs,
    weights,
    factors,
    squares,
    bad,
    out_image,
    out_variance,
):
    """Weighted mean, a run of pixels at a time so that the sums stay in cache."""
    width = image.shape[2]
    bad = np.int32(bad)
    # The sums share one array at constant distances: so the compiler knows that
    # they do not overlap, and works several pixels with one instruction.
    sums = np.empty(3 * RUN, np.float64)
    for y in range(y0, y1):
        for x0 in range(0, width, RUN):
            n = min(RUN, width - x0)
            sums[:] = 0.0
            for k in range(epochs.size):
                e = epochs[k]
                w, factor, square = weights[k], factors[k], squares[k]
                values = image[e, y, x0 : x0 + n]
                spreads = variance[e, y, x0 : x0 + n]
                flags = mask[e, mask_row + y - y0, x0 : x0 + n]
                for i in range(n):
                    value = values[i]
                    good = (value - value == np.float32(0)) & (flags[i] & bad == 0)
                    sums[i] += w if good else 0.0
                    sums[RUN + i] += np.float64(factor * value) if good else 0.0
                    sums[2 * RUN + i] += np.float64(square * spreads[i]) if good else 0.0
            for i in range(n):
                total = sums[i]
                out_image[y - y0, x0 + i] = sums[RUN + i] / total
                out_variance[y - y0, x0 + i] = sums[2 * RUN + i] / (total * total)


@kernel
def _robust(  # type: ignore[no-untyped-def]
    image, variance, mask, y0, y1, mask_row, epochs, weights, bad, statistic, sigma, iterations,
    from_inputs, network, out_image, out_variance, out_clipped,
):  # fmt: skip
    """Clipped mean, median or mean with scatter, `LANES` pixels at a time."""
    n_epochs = epochs.size
    width = image.shape[2]
    bad = np.int32(bad)
    clips = statistic == 1
    passes = iterations if clips else 2
    values = np.empty((max(n_epochs, 1), LANES), np.float32)
    ordered = np.empty(max(n_epochs, 1) * LANES, np.float32)
    # Rows of `LANES` at constant distances, see `_mean`.
    count = np.empty(LANES, np.int32)
    lanes = np.empty(10 * LANES, np.float64)
    for y in range(y0, y1):
        for x0 in range(0, width, LANES):
            n = min(LANES, width - x0)
            count[:] = 0
            for k in range(n_epochs):
                e = epochs[k]
                row = image[e, y, x0 : x0 + n]
                flags = mask[e, mask_row + y - y0, x0 : x0 + n]
                kept = values[k]
                for i in range(n):
                    value = row[i]
                    good = (value - value == np.float32(0)) & (flags[i] & bad == 0)
                    # Infinity sorts last and is never within a clip.
                    kept[i] = value if good else np.float32(np.inf)
                    count[i] += 1 if good else 0
                kept[n:] = np.float32(np.inf)
                ordered[k * LANES : (k + 1) * LANES] = kept
            _sort_lanes(ordered, network)
            for i in range(LANES):
                lanes[CENTRE + i] = _quantile(ordered, i, count[i], 0.5)
                lanes[FIRST_HALF + i] = (sigma * IQR_TO_SIGMA) * (
                    _quantile(ordered, i, count[i], 0.75) - _quantile(ordered, i, count[i], 0.25)
                )
                # The unclipped statistics measure scatter around the mean, in
                # two passes as the clip does, but keep every value.
                lanes[HALF + i] = lanes[FIRST_HALF + i] if clips else np.finfo(np.float64).max
            for turn in range(passes):
                if turn > 0:
                    for i in range(LANES):
                        lanes[CENTRE + i] = lanes[MEAN + i]
                        if clips:
                            # One value has no scatter: the first half-width stays.
                            lanes[HALF + i] = (
                                sigma * np.sqrt(max(lanes[SCATTER + i], 0.0))
                                if lanes[KEPT + i] > 1.0
                                else lanes[FIRST_HALF + i]
                            )
                _sum_inside(values, weights, lanes)
                for i in range(LANES):
                    total = lanes[SUM_W + i]
                    squared = total * total
                    shift = lanes[SUM_WD + i] / total
                    lanes[SCATTER + i] = (lanes[SUM_WDD + i] / total - shift * shift) * (
                        squared / (squared - lanes[SUM_WW + i])
                    )
                    lanes[MEAN + i] = lanes[CENTRE + i] + shift
            if from_inputs:
                # Of the sums of the last pass, this one takes the place of SUM_WDD.
                lanes[SUM_WDD : SUM_WDD + LANES] = 0.0
                for k in range(n_epochs):
                    square = weights[k] * weights[k]
                    kept = values[k]
                    spreads = variance[epochs[k], y, x0 : x0 + n]
                    for i in range(n):
                        d = abs(np.float64(kept[i]) - lanes[CENTRE + i])
                        spread = square * np.float64(spreads[i])
                        lanes[SUM_WDD + i] += spread if d <= lanes[HALF + i] else 0.0
            for i in range(n):
                x = x0 + i
                kept_here = lanes[KEPT + i]
                scatter = max(lanes[SCATTER + i], 0.0)
                squared = lanes[SUM_W + i] * lanes[SUM_W + i]
                if statistic == 2:
                    out_image[y - y0, x] = _quantile(ordered, i, count[i], 0.5)
                else:
                    out_image[y - y0, x] = lanes[MEAN + i] if kept_here > 0 else np.nan
                if kept_here == 0 or (kept_here == 1 and not (from_inputs and statistic != 2)):
                    out_variance[y - y0, x] = np.nan
                elif statistic == 2:
                    # The median of n normal values scatters by pi/2n, n large.
                    out_variance[y - y0, x] = 0.5 * np.pi * scatter / kept_here
                elif from_inputs:
                    out_variance[y - y0, x] = lanes[SUM_WDD + i] / squared
                else:
                    out_variance[y - y0, x] = scatter * lanes[SUM_WW + i] / squared
                out_clipped[y - y0, x] = kept_here < count[i]


@kernel
def _sort_lanes(ordered, network):  # type: ignore[no-untyped-def]
    """Sort the values of each lane with a network of compare-exchanges."""
    for c in range(network.shape[0]):
        low = ordered[network[c, 0] * LANES : (network[c, 0] + 1) * LANES]
        high = ordered[network[c, 1] * LANES : (network[c, 1] + 1) * LANES]
        for i in range(LANES):
            a = low[i]
            b = high[i]
            low[i] = a if a < b else b
            high[i] = b if a < b else a


@kernel
def _sum_inside(values, weights, lanes):  # type: ignore[no-untyped-def]
    """Sum weights, deviations and their squares over the values within each lane's clip."""
    lanes[SUM_W : KEPT + LANES] = 0.0
    for k in range(weights.size):
        w = weights[k]
        ww = w * w
        kept = values[k]
        for i in range(LANES):
            d = np.float64(kept[i]) - lanes[CENTRE + i]
            inside = abs(d) <= lanes[HALF + i]
            d = d if inside else 0.0
            wd = w * d
            lanes[SUM_W + i] += w if inside else 0.0
            lanes[SUM_WW + i] += ww if inside else 0.0
            lanes[SUM_WD + i] += wd
            lanes[SUM_WDD + i] += wd * d
            lanes[KEPT + i] += 1.0 if inside else 0.0


@kernel
def _quantile(ordered, lane, n, fraction):  # type: ignore[no-untyped-def]
    """Return a quantile of the first `n` ordered values by linear interpolation; NaN for none."""
    if n == 0:
        return np.nan
    position = fraction * (n - 1)
    below = int(position)
    a = np.float64(ordered[below * LANES + lane])
    if below + 1 >= n:
        return a
    return a + (np.float64(ordered[(below + 1) * LANES + lane]) - a) * (position - below)
