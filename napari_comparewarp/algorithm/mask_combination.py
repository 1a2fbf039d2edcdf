"""The mask of a combination, from the masks of one pixel in N epochs.

Rules: section 9 of the method's description in the documentation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .mask_planes import bits
from .stacking import LANES

__all__ = ["MaskRules", "count_and_combine_masks", "set_derived_planes"]

#: Where the numbers of each lane stand in `_combine_masks`.
ALL_BITS, USED_BITS, N_USED, N_UNFLAGGED = (row * LANES for row in range(4))


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
    mask_row: int | None = None,
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
    mask_row : int, optional
        First row to use of `mask`, where its rows are counted apart.
    """
    mask_row = rows[0] if mask_row is None else mask_row
    used = np.flatnonzero(weights > 0)
    _combine_masks(
        image, mask, rows[0], rows[1], mask_row, used,
        weights[used].astype(np.float32).astype(np.float64), rules.bad, rules.removed,
        rules.propagated, rules.limits, rules.origins, rules.results, rules.no_data,
        rules.clipped, clipped, out_mask, out_count,
    )  # fmt: skip


@kernel
def _combine_masks(  # type: ignore[no-untyped-def]
    image, mask, y0, y1, mask_row, epochs, weights, bad, removed, propagated, limits, origins,
    results, no_data, clipped_bit, clipped, out_mask, out_count,
):  # fmt: skip
    """Combine masks, a run of pixels at a time so that the sums stay in cache."""
    width = mask.shape[2]
    n_epochs = epochs.size
    keep = ~np.int32(removed)
    bad = np.int32(bad)
    rejecting = bad & keep
    bits = np.empty(4 * LANES, np.int32)
    lost = np.empty((max(propagated.size, 1), LANES), np.float64)
    used = np.empty(LANES, np.float64)
    for y in range(y0, y1):
        for x0 in range(0, width, LANES):
            n = min(LANES, width - x0)
            bits[:] = 0
            for k in range(n_epochs):
                e = epochs[k]
                values = image[e, y, x0 : x0 + n]
                flags = mask[e, mask_row + y - y0, x0 : x0 + n]
                for i in range(n):
                    value = values[i]
                    bit = flags[i]
                    good = (value - value == np.float32(0)) & (bit & rejecting == 0)
                    bits[ALL_BITS + i] |= bit
                    bits[USED_BITS + i] |= bit if good else np.int32(0)
                    bits[N_USED + i] += 1 if good else 0
                    bits[N_UNFLAGGED + i] += 1 if bit & bad == 0 else 0
            all_used = True
            for i in range(n):
                all_used &= bits[N_USED + i] == n_epochs
            if not all_used and propagated.size > 0:
                _sum_weights(
                    image, mask, y, mask_row + y - y0, x0, n, epochs, weights, rejecting,
                    propagated, used, lost,
                )  # fmt: skip
            for i in range(n):
                x = x0 + i
                value = bits[USED_BITS + i] & keep
                if bits[N_USED + i] < n_epochs:
                    for p in range(propagated.size):
                        if lost[p, i] / (lost[p, i] + used[i]) > limits[p]:
                            value |= propagated[p]
                    if bits[N_USED + i] == 0:
                        value = np.int32(no_data)
                    for p in range(origins.size):
                        if bits[ALL_BITS + i] & keep & origins[p] != 0:
                            value |= results[p]
                if clipped[y - y0, x]:
                    value |= np.int32(clipped_bit)
                out_mask[y - y0, x] = value
                out_count[y - y0, x] = bits[N_UNFLAGGED + i]


@kernel
def _sum_weights(  # type: ignore[no-untyped-def]
    image, mask, y, mask_y, x0, n, epochs, weights, rejecting, propagated, used, lost
):
    """Sum the weights of the used values, and of the rejected ones that carry a plane."""
    used[:] = 0.0
    lost[:, :] = 0.0
    for k in range(epochs.size):
        w = weights[k]
        values = image[epochs[k], y, x0 : x0 + n]
        flags = mask[epochs[k], mask_y, x0 : x0 + n]
        for i in range(n):
            value = values[i]
            good = (value - value == np.float32(0)) & (flags[i] & rejecting == 0)
            used[i] += w if good else 0.0
        for p in range(propagated.size):
            weight = lost[p]
            plane = propagated[p]
            for i in range(n):
                value = values[i]
                good = (value - value == np.float32(0)) & (flags[i] & rejecting == 0)
                weight[i] += w if (flags[i] & plane != 0) & (not good) else 0.0


def set_derived_planes(
    planes: Mapping[str, int], variance: npt.NDArray[np.float32], mask: npt.NDArray[np.int32]
) -> None:
    """Set, in place, the planes of a combined mask that follow from its others.

    INEXACT_PSF goes where the inputs of a pixel differ from its neighbours';
    NO_DATA where the variance is exactly 0.
    """
    inexact = bits(planes, ["SENSOR_EDGE", "CLIPPED", "REJECTED"])
    mask[mask & inexact != 0] |= bits(planes, ["INEXACT_PSF"])
    mask[variance == 0] |= bits(planes, ["NO_DATA"])
