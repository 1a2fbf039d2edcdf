"""The statistics of one pixel's values in N epochs: mean, clipped mean, median, and their mask.

Formulas: sections 2 and 9 of the method's description in the documentation.
All kernels take C-contiguous ``(epoch, y, x)`` cubes and a range of rows, and
every output pixel depends on its own N inputs alone, summed in the order of
the epochs in double precision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .mask_planes import bits

__all__ = ["IQR_TO_SIGMA", "MaskRules", "combine_values", "count_and_combine_masks"]

#: Standard deviation of a normal distribution in units of its interquartile range.
IQR_TO_SIGMA = 0.741301109252801

#: Pixels that are worked side by side; a multiple of every vector width.
LANES = 64

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
    """
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
            image, variance, mask, rows[0], rows[1], used, total, factors, squares, bad,
            out_image, out_variance,
        )  # fmt: skip
        out_clipped[...] = False
        return
    _robust(
        image, variance, mask, rows[0], rows[1], used, narrowed, bad,
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
    image, variance, mask, y0, y1, epochs, weights, factors, squares, bad, out_image, out_variance
):
    """Weighted mean, a run of pixels at a time so that the sums stay in cache."""
    run = 512
    width = image.shape[2]
    sum_w = np.empty(run, np.float64)
    sum_wv = np.empty(run, np.float64)
    sum_wwvar = np.empty(run, np.float64)
    for y in range(y0, y1):
        for x0 in range(0, width, run):
            n = min(run, width - x0)
            sum_w[:n] = 0.0
            sum_wv[:n] = 0.0
            sum_wwvar[:n] = 0.0
            for k in range(epochs.size):
                e = epochs[k]
                w, factor, square = weights[k], factors[k], squares[k]
                for i in range(n):
                    value = image[e, y, x0 + i]
                    spread = variance[e, y, x0 + i]
                    bit = mask[e, y, x0 + i]
                    good = (value - value == np.float32(0)) & (bit & bad == 0)
                    sum_w[i] += w if good else 0.0
                    sum_wv[i] += np.float64(factor * value) if good else 0.0
                    sum_wwvar[i] += np.float64(square * spread) if good else 0.0
            for i in range(n):
                total = sum_w[i]
                out_image[y - y0, x0 + i] = sum_wv[i] / total
                out_variance[y - y0, x0 + i] = sum_wwvar[i] / (total * total)


@kernel
def _robust(  # type: ignore[no-untyped-def]
    image, variance, mask, y0, y1, epochs, weights, bad, statistic, sigma, iterations,
    from_inputs, network, out_image, out_variance, out_clipped,
):  # fmt: skip
    """Clipped mean, median or mean with scatter, `LANES` pixels at a time."""
    n_epochs = epochs.size
    width = image.shape[2]
    values = np.empty((max(n_epochs, 1), LANES), np.float32)
    ordered = np.empty((max(n_epochs, 1), LANES), np.float32)
    count = np.empty(LANES, np.int32)
    kept = np.empty(LANES, np.int32)
    centre = np.empty(LANES, np.float64)
    half = np.empty(LANES, np.float64)
    half_iqr = np.empty(LANES, np.float64)
    sum_w = np.empty(LANES, np.float64)
    sum_ww = np.empty(LANES, np.float64)
    sum_wd = np.empty(LANES, np.float64)
    sum_wdd = np.empty(LANES, np.float64)
    sum_wwvar = np.empty(LANES, np.float64)
    mean = np.empty(LANES, np.float64)
    scatter = np.empty(LANES, np.float64)
    for y in range(y0, y1):
        for x0 in range(0, width, LANES):
            n = min(LANES, width - x0)
            count[:] = 0
            for k in range(n_epochs):
                e = epochs[k]
                for i in range(n):
                    value = image[e, y, x0 + i]
                    bit = mask[e, y, x0 + i]
                    good = (value - value == np.float32(0)) & (bit & bad == 0)
                    # Infinity sorts last and is never within a clip.
                    values[k, i] = value if good else np.float32(np.inf)
                    count[i] += 1 if good else 0
                for i in range(n, LANES):
                    values[k, i] = np.float32(np.inf)
            ordered[:, :] = values
            for c in range(network.shape[0]):
                low = network[c, 0]
                high = network[c, 1]
                for i in range(LANES):
                    a = ordered[low, i]
                    b = ordered[high, i]
                    ordered[low, i] = min(a, b)
                    ordered[high, i] = max(a, b)
            for i in range(LANES):
                centre[i] = _quantile(ordered, i, count[i], 0.5)
                half_iqr[i] = (sigma * IQR_TO_SIGMA) * (
                    _quantile(ordered, i, count[i], 0.75) - _quantile(ordered, i, count[i], 0.25)
                )
                # The unclipped statistics measure scatter around the mean, in
                # two passes as the clip does, but keep every value.
                half[i] = half_iqr[i] if statistic == 1 else np.finfo(np.float64).max
            for turn in range(iterations if statistic == 1 else 2):
                sum_w[:] = 0.0
                sum_ww[:] = 0.0
                sum_wd[:] = 0.0
                sum_wdd[:] = 0.0
                kept[:] = 0
                for k in range(n_epochs):
                    w = weights[k]
                    for i in range(LANES):
                        d = np.float64(values[k, i]) - centre[i]
                        inside = abs(d) <= half[i]
                        wk = w if inside else 0.0
                        dk = d if inside else 0.0
                        sum_w[i] += wk
                        sum_ww[i] += wk * wk
                        sum_wd[i] += wk * dk
                        sum_wdd[i] += wk * dk * dk
                        kept[i] += 1 if inside else 0
                last = turn == (iterations if statistic == 1 else 2) - 1
                if last and from_inputs:
                    sum_wwvar[:] = 0.0
                    for k in range(n_epochs):
                        e = epochs[k]
                        w = weights[k]
                        for i in range(n):
                            inside = abs(np.float64(values[k, i]) - centre[i]) <= half[i]
                            spread = np.float64(variance[e, y, x0 + i])
                            sum_wwvar[i] += w * w * spread if inside else 0.0
                for i in range(LANES):
                    shift = sum_wd[i] / sum_w[i]
                    squared = sum_w[i] * sum_w[i]
                    scatter[i] = (sum_wdd[i] / sum_w[i] - shift * shift) * (
                        squared / (squared - sum_ww[i])
                    )
                    mean[i] = centre[i] + shift
                    if not last:
                        centre[i] = mean[i]
                        if statistic == 1:
                            # One value has no scatter: the first half-width stays.
                            half[i] = (
                                sigma * np.sqrt(max(scatter[i], 0.0))
                                if kept[i] > 1
                                else half_iqr[i]
                            )
            for i in range(n):
                x = x0 + i
                squared = sum_w[i] * sum_w[i]
                if statistic == 2:
                    out_image[y - y0, x] = _quantile(ordered, i, count[i], 0.5)
                else:
                    out_image[y - y0, x] = mean[i] if kept[i] > 0 else np.nan
                scatter[i] = max(scatter[i], 0.0)
                if kept[i] == 0 or (kept[i] == 1 and not (from_inputs and statistic != 2)):
                    out_variance[y - y0, x] = np.nan
                elif statistic == 2:
                    # The median of n normal values scatters by pi/2n, n large.
                    out_variance[y - y0, x] = 0.5 * np.pi * scatter[i] / kept[i]
                elif from_inputs:
                    out_variance[y - y0, x] = sum_wwvar[i] / squared
                else:
                    out_variance[y - y0, x] = scatter[i] * sum_ww[i] / squared
                out_clipped[y - y0, x] = kept[i] < count[i]


@kernel
def _quantile(ordered, lane, n, fraction):  # type: ignore[no-untyped-def]
    """Return a quantile of the first `n` ordered values by linear interpolation; NaN for none."""
    if n == 0:
        return np.nan
    position = fraction * (n - 1)
    below = int(position)
    a = np.float64(ordered[below, lane])
    if below + 1 >= n:
        return a
    return a + (np.float64(ordered[below + 1, lane]) - a) * (position - below)


@dataclass(frozen=True)
class MaskRules:
    """How the masks of N epochs make the mask of their combination.

    Make one with `MaskRules.named`.

    Attributes
    ----------
    bad : int
        Bits that reject a value.
    removed : int
        Bits that are dropped from the inputs.
    propagated, limits : ndarray
        Bits that are set where the rejected values with the bit hold more than
        this fraction of the weight.
    origins, results : ndarray
        Where a value was rejected, any input with bits of an origin sets the
        bits of its result.
    no_data, clipped : int
        Bits set where nothing is left, and where a clip left out a value.
    """

    bad: int
    removed: int
    propagated: npt.NDArray[np.int32]
    limits: npt.NDArray[np.float64]
    origins: npt.NDArray[np.int32]
    results: npt.NDArray[np.int32]
    no_data: int
    clipped: int

    @classmethod
    def named(
        cls,
        planes: Mapping[str, int],
        *,
        bad: Sequence[str],
        removed: Sequence[str],
        propagation: Mapping[str, float],
    ) -> "MaskRules":
        """Make the reference's rules from plane names.

        A rejected neighbour with CLIPPED sets CLIPPED, one with EDGE sets
        SENSOR_EDGE, one with another bad plane but NO_DATA sets REJECTED.
        """
        propagated = {name: limit for name, limit in propagation.items() if name in planes}
        rejecting = [name for name in bad if name not in ("NO_DATA", "EDGE", "CLIPPED")]
        pairs = [
            (bits(planes, origin), bits(planes, [result]))
            for origin, result in (
                (["CLIPPED"], "CLIPPED"),
                (["EDGE"], "SENSOR_EDGE"),
                (rejecting, "REJECTED"),
            )
        ]
        return cls(
            bad=bits(planes, bad),
            removed=bits(planes, removed),
            propagated=np.array([bits(planes, [name]) for name in propagated], np.int32),
            limits=np.array(list(propagated.values()), np.float64),
            origins=np.array([pair[0] for pair in pairs], np.int32),
            results=np.array([pair[1] for pair in pairs], np.int32),
            no_data=bits(planes, ["NO_DATA"]),
            clipped=bits(planes, ["CLIPPED"]),
        )


def count_and_combine_masks(
    image: npt.NDArray[np.float32],
    mask: npt.NDArray[np.int32],
    rows: tuple[int, int],
    weights: npt.NDArray[np.float64],
    rules: MaskRules,
    clipped: npt.NDArray[np.bool_],
    out_mask: npt.NDArray[np.int32],
    out_count: npt.NDArray[np.uint16],
) -> None:
    """Combine the masks of each pixel over the epochs, and count what could be used.

    Parameters
    ----------
    image, mask : ndarray
        ``(epoch, y, x)`` cubes.
    rows : tuple of int
        Half-open range of rows of the cubes.
    weights : ndarray
        ``(epoch,)``; epochs whose weight is not positive are left out.
    rules : MaskRules
    clipped : ndarray
        ``(rows, x)`` where a clip left out a value.
    out_mask : ndarray
        ``(rows, x)`` combined mask.
    out_count : ndarray
        ``(rows, x)`` number of epochs without a bad bit; a value that is not
        finite but has no flag counts.
    """
    used = np.flatnonzero(weights > 0)
    _combine_masks(
        image, mask, rows[0], rows[1], used, weights[used].astype(np.float32).astype(np.float64),
        rules.bad, rules.removed, rules.propagated, rules.limits, rules.origins, rules.results,
        rules.no_data, rules.clipped, clipped, out_mask, out_count,
    )  # fmt: skip


@kernel
def _combine_masks(  # type: ignore[no-untyped-def]
    image, mask, y0, y1, epochs, weights, bad, removed, propagated, limits, origins, results,
    no_data, clipped_bit, clipped, out_mask, out_count,
):  # fmt: skip
    """Combine masks, a run of pixels at a time so that the sums stay in cache."""
    run = 512
    width = mask.shape[2]
    n_propagated = propagated.size
    used_bits = np.empty(run, np.int32)
    all_bits = np.empty(run, np.int32)
    n_used = np.empty(run, np.int32)
    count = np.empty(run, np.int32)
    weight_used = np.empty(run, np.float64)
    weight_lost = np.empty((max(n_propagated, 1), run), np.float64)
    keep = ~np.int32(removed)
    for y in range(y0, y1):
        for x0 in range(0, width, run):
            n = min(run, width - x0)
            used_bits[:n] = 0
            all_bits[:n] = 0
            n_used[:n] = 0
            count[:n] = 0
            weight_used[:n] = 0.0
            weight_lost[:, :n] = 0.0
            for k in range(epochs.size):
                e = epochs[k]
                w = weights[k]
                for i in range(n):
                    value = image[e, y, x0 + i]
                    bit = mask[e, y, x0 + i]
                    good = (value - value == np.float32(0)) & (bit & bad & keep == 0)
                    count[i] += 1 if bit & bad == 0 else 0
                    n_used[i] += 1 if good else 0
                    weight_used[i] += w if good else 0.0
                    all_bits[i] |= bit & keep
                    used_bits[i] |= bit & keep if good else np.int32(0)
                for p in range(n_propagated):
                    plane = propagated[p]
                    for i in range(n):
                        value = image[e, y, x0 + i]
                        bit = mask[e, y, x0 + i]
                        good = (value - value == np.float32(0)) & (bit & bad & keep == 0)
                        lost = (bit & plane != 0) & (not good)
                        weight_lost[p, i] += w if lost else 0.0
            for i in range(n):
                x = x0 + i
                value = used_bits[i]
                for p in range(n_propagated):
                    lost = weight_lost[p, i]
                    if lost / (lost + weight_used[i]) > limits[p]:
                        value |= propagated[p]
                if n_used[i] == 0:
                    value = np.int32(no_data)
                if clipped[y - y0, x]:
                    value |= np.int32(clipped_bit)
                if n_used[i] < epochs.size:
                    for p in range(origins.size):
                        if all_bits[i] & origins[p] != 0:
                            value |= results[p]
                out_mask[y - y0, x] = value
                out_count[y - y0, x] = count[i]
