"""The statistics of one pixel's N values."""

import itertools

import numpy as np
import pytest
from goldens import load, planes

from napari_comparewarp.algorithm.mask_combination import MaskRules, count_and_combine_masks
from napari_comparewarp.algorithm.stacking import combine_values, sorting_network


def combine(image, variance, mask, weights, bad=0, statistic="MEANCLIP", sigma=3.0, iterations=2,
            from_inputs=True):  # fmt: skip
    shape = image.shape[1:]
    out = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, bool)
    combine_values(
        image, variance, mask, (0, shape[0]), weights, bad, statistic=statistic, sigma=sigma,
        iterations=iterations, error_from_input_variance=from_inputs,
        out_image=out[0], out_variance=out[1], out_clipped=out[2],
    )  # fmt: skip
    return out


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 13, 20, 33])
def test_the_sorting_network_sorts(n):
    values = np.random.default_rng(n).integers(0, 5, (n, 300))
    for low, high in sorting_network(n):
        values[low], values[high] = (
            np.minimum(values[low], values[high]),
            np.maximum(values[low], values[high]),
        )
    assert (np.diff(values, axis=0) >= 0).all()


GOLDEN = load("unit_stack")
VARIANTS = sorted(key[:-6] for key in GOLDEN if key.endswith("_image") and key.count("_") == 6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_statistics_and_masks_equal_the_reference(variant):
    n, statistic, sigma, iterations, weighted, error = variant.split("_")
    cubes = [GOLDEN[f"{n}_{plane}"] for plane in ("image", "variance", "mask")]
    weights = GOLDEN[f"{n}_weights"] if weighted == "w" else np.ones(len(cubes[0]))
    bits = planes(GOLDEN)
    rules = MaskRules.named(
        bits, bad=("NO_DATA", "BAD", "SAT"), removed=(), propagation={"SAT": 0.1}
    )
    image, variance, clipped = combine(
        *cubes, weights, rules.bad, statistic, float(sigma[3:]), int(iterations[2:]),
        error == "invar",
    )  # fmt: skip
    mask = np.empty_like(cubes[2][0])
    count = np.empty(mask.shape, np.uint16)
    count_and_combine_masks(
        cubes[0], cubes[2], (0, len(mask)), weights, rules, clipped, mask, count
    )
    np.testing.assert_allclose(image, GOLDEN[f"{variant}_image"], rtol=1e-7)
    expected = GOLDEN[f"{variant}_variance"]
    if error == "sample" or statistic == "MEDIAN":
        # One value has no scatter (NaN here, NaN or infinity there, as 0 / 0 is
        # rounded), and equal values have none (0 here, NaN there where a
        # rounded sum of squares came out negative).
        lone = ~np.isfinite(expected)
        assert (np.isnan(variance[lone]) | (variance[lone] < 1e-12)).all()
        variance, expected = variance[~lone], expected[~lone]
    # The scatter of equal values (of 100) is a rounding error, here and there.
    np.testing.assert_allclose(variance, expected, rtol=2e-6, atol=1e-12)
    np.testing.assert_array_equal(mask, GOLDEN[f"{variant}_mask"])


def test_each_pixel_is_the_same_wherever_it_stands():
    rng = np.random.default_rng(2)
    image = rng.normal(size=(9, 4, 150)).astype(np.float32)
    image[rng.random(image.shape) < 0.1] = np.nan
    variance = rng.uniform(1, 2, image.shape).astype(np.float32)
    mask = np.zeros(image.shape, np.int32)
    weights = rng.uniform(0.5, 2, 9)
    for statistic, start in itertools.product(("MEAN", "MEANCLIP", "MEDIAN"), (1, 37)):
        whole = combine(image, variance, mask, weights, statistic=statistic)
        part = combine(
            *(np.ascontiguousarray(cube[:, 1:3, start:]) for cube in (image, variance, mask)),
            weights, statistic=statistic,
        )  # fmt: skip
        for a, b in zip(whole, part, strict=True):
            np.testing.assert_array_equal(a[1:3, start:], b)


def test_a_value_clipped_in_the_first_pass_can_come_back():
    values = np.array([0] + [-0.5, 0.5] * 6 + [-1.9, 1.9] * 4 + [3.5], np.float32)
    values = values.reshape(-1, 1, 1)
    ones = np.ones_like(values)
    mask = np.zeros(values.shape, np.int32)
    first = combine(values, ones, mask, np.ones(len(values)), iterations=1)[0]
    second = combine(values, ones, mask, np.ones(len(values)), iterations=2)[0]
    assert first[0, 0] == pytest.approx(0, abs=1e-7)
    assert second[0, 0] == pytest.approx(values.mean())


def test_no_value_at_all_is_nan():
    image = np.full((3, 1, 5), np.nan, np.float32)
    mask = np.zeros(image.shape, np.int32)
    for statistic in ("MEAN", "MEANCLIP", "MEDIAN"):
        out = combine(image, np.ones_like(image), mask, np.ones(3), statistic=statistic)
        assert np.isnan(out[0]).all()
        assert np.isnan(out[1]).all()
