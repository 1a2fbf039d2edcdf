"""Holes of images, and what they are filled with."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from napari_comparewarp.algorithm.holes import fill_holes


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
