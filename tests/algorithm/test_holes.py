"""Holes of images, and what they are filled with."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from napari_comparewarp.algorithm.holes import fill_holes, interpolate_along_rows


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=20)), st.integers(0, 9))
def test_holes_are_filled_from_the_nearest_value(holes, seed):
    image = np.random.default_rng(seed).normal(size=holes.shape).astype(np.float32)
    place = np.arange(holes.size, dtype=np.float32).reshape(holes.shape)
    image[holes] = np.nan
    filled, sources = fill_holes(image, place)
    if holes.all() or not holes.any():
        assert filled is image
        assert sources is place
        return
    np.testing.assert_array_equal(filled[~holes], image[~holes])
    np.testing.assert_array_equal(filled, image.flat[sources.astype(int)])
    distance = ndimage.distance_transform_edt(holes)
    y, x = np.indices(holes.shape)
    near_y, near_x = np.divmod(sources.astype(int), holes.shape[1])
    np.testing.assert_allclose(np.hypot(near_y - y, near_x - x), distance)


def test_gaps_are_bridged_along_rows():
    nan = np.nan
    image = np.array(
        [[1, nan, nan, 4, nan], [nan, nan, nan, nan, nan], [nan, 6, nan, 2, 1]], np.float32
    )
    other = np.where(np.isnan(image), np.float32(9), 2 * image)
    filled, second = interpolate_along_rows(image, other)
    np.testing.assert_array_equal(filled[0], [1, 2, 3, 4, 4])
    np.testing.assert_array_equal(filled[2], [6, 6, 4, 2, 1])
    np.testing.assert_array_equal(second[0], [2, 4, 6, 8, 8])
    # A row without a value has those of the nearest pixels.
    np.testing.assert_array_equal(filled[1], fill_holes(image)[0][1])
    assert np.isnan(image[0, 1])


def test_an_image_without_holes_or_without_values_is_left_alone():
    for image in (np.ones((3, 4), np.float32), np.full((3, 4), np.nan, np.float32)):
        assert interpolate_along_rows(image)[0] is image
