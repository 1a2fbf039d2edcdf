"""The mask of a combination, re-stated in numpy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_comparewarp.algorithm.mask_combination import (
    MaskRules,
    count_and_combine_masks,
    set_derived_planes,
)
from napari_comparewarp.algorithm.mask_planes import LSST_PLANES, OUTPUT_PLANES, add_planes, bits

PLANES = add_planes(LSST_PLANES, OUTPUT_PLANES)
BAD = ("NO_DATA", "BAD", "SAT", "CLIPPED")
REMOVED = ("DETECTED",)


def bit(*names):
    return bits(PLANES, names)


def combine(image, mask, weights, clipped, propagation):
    rules = MaskRules.named(PLANES, bad=BAD, removed=REMOVED, propagation=propagation)
    out, count = np.empty(image.shape[1:], np.int32), np.empty(image.shape[1:], np.uint16)
    count_and_combine_masks(image, mask, (0, image.shape[1]), weights, rules, clipped, out, count)
    return out, count


def by_definition(values, masks, weights, is_clipped, propagation):
    """Section 9 of the method's description, for one pixel."""
    usable = [i for i, weight in enumerate(weights) if weight > 0]
    masks = {i: int(masks[i]) & ~bit(*REMOVED) for i in usable}
    good = [i for i in usable if np.isfinite(values[i]) and not masks[i] & bit(*BAD)]
    single = {i: float(np.float32(weights[i])) for i in usable}
    rejected = [i for i in usable if i not in good]
    result = 0
    for i in good:
        result |= masks[i]
    for name, limit in propagation.items():
        lost = sum(single[i] for i in rejected if masks[i] & bit(name))
        if lost and lost / (lost + sum(single[i] for i in good)) > limit:
            result |= bit(name)
    if not good:
        result = bit("NO_DATA")
    every = 0
    for i in usable:
        every |= masks[i]
    if rejected:
        for origin, name in (
            (bit("CLIPPED"), "CLIPPED"), (bit("EDGE"), "SENSOR_EDGE"),
            (bit("BAD", "SAT"), "REJECTED"),
        ):  # fmt: skip
            result |= bit(name) if every & origin else 0
    if is_clipped:
        result |= bit("CLIPPED")
    return result, sum(not masks[i] & bit(*BAD) for i in usable)


@given(st.integers(1, 9), st.integers(0, 2**16))
def test_masks_and_counts_are_as_described(n_epochs, seed):
    rng = np.random.default_rng(seed)
    shape = (n_epochs, 2, 70)
    image = rng.normal(size=shape).astype(np.float32)
    image[rng.random(shape) < 0.1] = np.nan
    names = ["BAD", "SAT", "INTRP", "CR", "EDGE", "DETECTED", "NO_DATA", "CLIPPED"]
    mask = np.zeros(shape, np.int32)
    for name in names:
        mask[rng.random(shape) < 0.12] |= bit(name)
    weights = rng.uniform(0.5, 3, n_epochs) * (rng.random(n_epochs) < 0.8)
    if not weights.any():
        weights[0] = 1.0
    clipped = rng.random(shape[1:]) < 0.1
    propagation = {"SAT": 0.25, "INTRP": 0.5}
    out, count = combine(image, mask, weights, clipped, propagation)
    for y, x in np.ndindex(shape[1:]):
        expected = by_definition(image[:, y, x], mask[:, y, x], weights, clipped[y, x], propagation)
        assert (int(out[y, x]), int(count[y, x])) == expected, (y, x)


def test_planes_that_follow_from_others_are_set_in_place():
    mask = np.array([[0, bit("CLIPPED"), bit("SENSOR_EDGE"), bit("REJECTED"), bit("CR")]], np.int32)
    variance = np.array([[1, 1, 1, 1, 0]], np.float32)
    set_derived_planes(PLANES, variance, mask)
    inexact = mask[0] & bit("INEXACT_PSF") != 0
    assert inexact.tolist() == [False, True, True, True, False]
    assert (mask[0] & bit("NO_DATA") != 0).tolist() == [False] * 4 + [True]
