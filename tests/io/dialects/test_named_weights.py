"""SCI and WHT."""

import numpy as np
from fits_files import PLANES, read_planes, write_plain


def test_weights_are_turned_to_variances_and_no_weight_is_no_data(tmp_path):
    weight = np.full((20, 30), 4.0, np.float32)
    weight[2, 2], weight[2, 3] = 0, -1
    image, variance, mask = read_planes(write_plain(tmp_path / "a.fits", "WHT", weight))
    assert variance[5, 5] == 0.25
    assert np.isnan(variance[2, 2:4]).all()
    assert np.isnan(image[2, 2:4]).all()
    assert np.flatnonzero(mask == 1 << PLANES["NO_DATA"]).tolist() == [62, 63]


def test_a_weight_that_is_not_finite_or_has_an_infinite_variance_is_no_data(tmp_path):
    weight = np.full((20, 30), 4.0, np.float64)
    weight[1, 1], weight[1, 2], weight[1, 3] = np.nan, np.inf, 1e-60
    image, variance, mask = read_planes(write_plain(tmp_path / "a.fits", "WHT", weight))
    assert np.isnan(image[1, 1:3]).all() and np.isnan(variance[1, 1:3]).all()
    assert np.isposinf(variance[1, 3]) and np.isfinite(image[1, 3])
    assert np.flatnonzero(mask == 1 << PLANES["NO_DATA"]).tolist() == [31, 32, 33]


def test_pixels_without_weight_keep_their_flags(tmp_path):
    weight = np.ones((20, 30), np.float32)
    weight[4, 4] = 0
    dq = np.full((20, 30), 2, np.int16)
    _, _, mask = read_planes(write_plain(tmp_path / "a.fits", "WHT", weight, dq=dq))
    assert mask[4, 4] == 1 << PLANES["BAD"] | 1 << PLANES["NO_DATA"]
    assert mask[4, 5] == 1 << PLANES["BAD"]
