"""Quartiles without sorting, and the clipped mean that stands on them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_comparewarp.algorithm.quantiles import clipped_mean, quartiles, select_good
from napari_comparewarp.algorithm.stacking import IQR_TO_SIGMA

values_of = st.one_of(
    st.floats(-1e6, 1e6, width=32),
    st.sampled_from([0.0, 1.0, -1.0, 2.0**-100, 2.0**100]),
)
samples = st.integers(1, 300).flatmap(lambda n: arrays(np.float32, n, elements=values_of))


def clipped_by_definition(values, sigma, iterations):
    """Clip as the description says: around the median first, each pass from all values."""
    values = values.astype(np.float64)
    low, centre, high = np.quantile(values, [0.25, 0.5, 0.75])
    half = sigma * IQR_TO_SIGMA * (high - low)
    for _ in range(iterations):
        kept = values[np.abs(values - centre) <= half]
        if not kept.size:
            return np.nan
        centre, half = kept.mean(), sigma * kept.std(ddof=1) if kept.size > 1 else 0.0
    return centre


@given(samples)
def test_quartiles_are_those_of_a_sorted_sample(values):
    expected = np.quantile(values.astype(np.float64), [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles(values), expected, rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("n", [79, 80, 81, 5000, 40_000])
def test_quartiles_of_many_values_are_exact_whatever_their_order(n):
    values = np.random.default_rng(n).standard_cauchy(n).astype(np.float32)
    expected = np.quantile(values.astype(np.float64), [0.25, 0.5, 0.75])
    for order in (values, np.sort(values), np.sort(values)[::-1].copy()):
        np.testing.assert_array_equal(quartiles(order), expected)


def test_quartiles_of_mostly_equal_values_are_that_value():
    values = np.full(1000, 3.5, np.float32)
    values[::9] = np.arange(112)
    assert quartiles(values) == (3.5, 3.5, 3.5)


def test_a_clipped_mean_leaves_outliers_out():
    values = np.random.default_rng(1).normal(10, 1, 999).astype(np.float32)
    values[:20] = 1e4
    assert clipped_mean(values, 3.0, 3) == pytest.approx(
        clipped_by_definition(values, 3.0, 3), rel=1e-9
    )
    assert clipped_mean(values, 3.0, 3) == pytest.approx(10, abs=0.2)


def test_a_clipped_mean_of_no_value_is_nan_and_of_equal_ones_that_value():
    assert np.isnan(clipped_mean(np.empty(0, np.float32), 3.0, 3))
    assert clipped_mean(np.full(7, 2.5, np.float32), 3.0, 3) == 2.5
    half_equal = np.array([1, 1, 1, 1, 1, 1, 9, 9], np.float32)
    assert clipped_mean(half_equal, 3.0, 1) == pytest.approx(
        clipped_by_definition(half_equal, 3.0, 1)
    )


@given(
    st.integers(1, 9), st.integers(1, 80), st.integers(0, 2**16),
    st.integers(0, 3), st.integers(0, 3),
)  # fmt: skip
def test_good_values_of_a_box_come_row_by_row(height, width, seed, y0, x0):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(height, width)).astype(np.float32)
    image[rng.random(image.shape) < 0.2] = rng.choice([np.nan, np.inf, -np.inf])
    mask = rng.integers(0, 8, image.shape).astype(np.int32)
    y0, x0 = min(y0, height), min(x0, width)
    out = np.empty(image.size + 1, np.float32)
    n = select_good(image, mask, 2, y0, height, x0, width, out)
    box, flags = image[y0:, x0:], mask[y0:, x0:]
    np.testing.assert_array_equal(out[:n], box[np.isfinite(box) & (flags & 2 == 0)])
