"""The model of the static sky."""

import numpy as np
import pytest
from stacks import stack

from napari_comparewarp.algorithm.mask_planes import bits
from napari_comparewarp.algorithm.template import make_template

SETTINGS = {
    "bad_planes": ("NO_DATA",), "statistic": "MEANCLIP", "sigma": 2.5, "iterations": 3,
    "error_from_input_variance": True, "mask_propagation": {"SAT": 0.1},
}  # fmt: skip


def template_of(warps, weights=None, **changes):
    weights = np.ones(warps.n_epochs) if weights is None else weights
    return make_template(warps, weights, **SETTINGS | changes)


def test_a_trail_in_one_epoch_is_not_in_the_template():
    trail, plain = stack(n_epochs=8, trail_epoch=3), stack(n_epochs=8, trail_epoch=None)
    found, expected = (template_of(warps).image for warps in (trail, plain))
    rows = slice(31, 33)
    assert np.nanmax(np.abs(np.asarray(trail.matched.image[3]) - expected)[rows]) > 80
    assert np.nanmax(np.abs(found - expected)[rows]) < 10


def test_a_warp_without_weight_leaves_no_trace():
    warps = stack(n_epochs=5)
    weights = np.ones(5)
    weights[1] = 0
    found = template_of(warps, weights, statistic="MEAN")
    others = np.delete(np.asarray(warps.matched.image), 1, axis=0)
    masks = np.delete(np.asarray(warps.matched.mask), 1, axis=0)
    good = np.isfinite(others) & (masks & bits(warps.mask_planes, ["NO_DATA"]) == 0)
    with np.errstate(invalid="ignore"):
        mean = np.where(good, others, 0).sum(axis=0, dtype=np.float64) / good.sum(axis=0)
    np.testing.assert_allclose(found.image, mean, rtol=1e-6, atol=1e-5)


def test_where_no_warp_has_data_the_template_is_nan_and_says_so():
    warps = stack()
    found = template_of(warps)
    assert np.isnan(found.image[:3]).all()
    assert np.isnan(found.variance[:3]).all()
    assert (found.mask[:3] & bits(found.mask_planes, ["NO_DATA"]) != 0).all()
    assert np.isfinite(found.image[3:]).all()


@pytest.mark.parametrize("limit", [0.1, 0.5])
def test_a_plane_of_rejected_values_is_propagated_beyond_its_part_of_the_weight(limit):
    warps = stack(n_epochs=5)
    found = template_of(
        warps, bad_planes=("NO_DATA", "SAT"), mask_propagation={"SAT": limit}, statistic="MEAN"
    )
    saturated = np.asarray(warps.matched.mask[2]) & bits(warps.mask_planes, ["SAT"]) != 0
    # One epoch of five has it: a fifth of the weight.
    propagated = found.mask & bits(found.mask_planes, ["SAT"]) != 0
    np.testing.assert_array_equal(propagated, saturated & (limit < 0.2))
