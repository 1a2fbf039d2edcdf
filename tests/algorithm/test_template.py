"""The model of the static sky."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from napari_comparewarp.algorithm.template import fill_holes


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=20)), st.integers(0, 9))
def test_holes_are_filled_from_the_nearest_value(holes, seed):
    image = np.random.default_rng(seed).normal(size=holes.shape).astype(np.float32)
    image[holes] = np.nan
    filling = fill_holes(image)
    if holes.all() or not holes.any():
        assert filling is None
        return
    targets, sources = filling
    np.testing.assert_array_equal(targets, np.flatnonzero(holes))
    assert not holes.flat[sources].any()
    distance = ndimage.distance_transform_edt(holes)
    (y, x), (near_y, near_x) = (np.unravel_index(i, holes.shape) for i in filling)
    np.testing.assert_allclose(np.hypot(near_y - y, near_x - x), distance.flat[targets])
