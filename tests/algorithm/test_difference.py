"""Warp differences, their parts, and the pixels that deviate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stacks import stack

from napari_comparewarp.algorithm.difference import (
    EDGE,
    MASKED,
    NO_DATA,
    chi_of_difference,
    detect_deviations,
    difference_of_epoch,
    list_deviations,
)


class Tilt:
    """A term that depends on the row and the column, and looks at whole rows."""

    def apply(self, row, y0, image, variance):
        height, width = image.shape
        assert width == 70
        y, x = np.mgrid[y0 : y0 + height, :width]
        image -= (0.1 * row + 0.01 * y + 0.02 * x).astype(np.float32)
        variance += np.float32(0.5)


@pytest.fixture
def warps():
    return stack(seed=4)


@pytest.fixture
def template(warps):
    image = np.median(np.nan_to_num(np.asarray(warps.matched.image)), axis=0)
    return image.astype(np.float32), np.full(warps.shape, 1.5, np.float32)


def test_a_difference_is_warp_minus_template_with_both_variances(warps, template):
    image, variance = difference_of_epoch(warps, 2, template, 1.3)
    np.testing.assert_array_equal(image, warps.matched.image[2] - template[0])
    expected = warps.matched.variance[2] * np.float32(1.3) + template[1]
    np.testing.assert_allclose(variance, expected, rtol=2e-7)


@pytest.mark.parametrize("terms", [(), (Tilt(),), (Tilt(), Tilt())])
@pytest.mark.parametrize(
    ("rows", "columns"),
    [(slice(7, 8), slice(50, 51)), (slice(0, 33), slice(20, 70)), (slice(None), slice(5, 9))],
)
def test_a_part_has_the_bits_of_the_whole(warps, template, terms, rows, columns):
    whole = difference_of_epoch(warps, 1, template, 0.9, terms)
    part = difference_of_epoch(warps, 1, template, 0.9, terms, rows, columns)
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal(one[rows, columns], other)


def test_chi_is_the_difference_in_sigma_and_nan_where_there_is_none():
    image = np.array([[4, -6, np.nan, 1, 1, 0]], np.float32)
    variance = np.array([[4, 9, 1, -1, 0, 0]], np.float32)
    np.testing.assert_array_equal(
        chi_of_difference(image, variance), [[2, -2, np.nan, np.nan, np.inf, np.nan]]
    )


@given(st.floats(0.5, 20), st.integers(0, 2**16))
def test_the_pixels_beyond_the_floor_are_listed_and_no_others(floor, seed):
    rng = np.random.default_rng(seed)
    image = (10 * rng.standard_cauchy((5, 150))).astype(np.float32)
    variance = rng.uniform(0.1, 9, image.shape).astype(np.float32)
    image[rng.random(image.shape) < 0.05] = np.nan
    variance[rng.random(image.shape) < 0.05] = rng.choice([np.nan, -1.0])
    found = list_deviations(image, variance, floor, first_index=1000)
    with np.errstate(invalid="ignore"):
        sigma = np.sqrt(variance.astype(np.float64))
        expected = np.flatnonzero(np.abs(image.astype(np.float64)) >= floor * sigma)
    np.testing.assert_array_equal(found.index, 1000 + expected)
    np.testing.assert_array_equal(found.difference, image.flat[expected])
    np.testing.assert_array_equal(found.variance, variance.flat[expected])
    for sign in (1, -1):
        beyond = found.beyond(floor, sign)
        np.testing.assert_array_equal(beyond, np.sign(found.difference) == sign)


def test_an_epoch_that_is_not_compared_has_no_data_and_lists_nothing(warps, template):
    compared = np.ones(warps.n_epochs, np.bool_)
    compared[3] = False
    found = detect_deviations(
        warps, *template, np.ones(warps.n_epochs), compared, floor=5.0,
        bad_planes=("BAD",), prefilter_planes=("SAT",),
    )  # fmt: skip
    assert not len(found.pixels[3].index)
    assert (found.flags[3] == NO_DATA).all()
    mask = np.asarray(warps.matched.mask)
    finite = np.isfinite(np.asarray(warps.matched.image))
    for epoch in np.flatnonzero(compared):
        flags = found.flags[epoch]
        np.testing.assert_array_equal(flags & NO_DATA != 0, ~finite[epoch])
        np.testing.assert_array_equal(flags & EDGE != 0, mask[epoch] & 1 << 4 != 0)
        np.testing.assert_array_equal(flags & MASKED != 0, mask[epoch] & 1 << 1 != 0)
    usable = ((mask & 1 == 0) & finite)[compared]
    np.testing.assert_array_equal(found.n_matched, usable.sum(axis=0))
