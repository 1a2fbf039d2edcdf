"""The steps of the reference's method: what each takes from the settings."""

import numpy as np
import pytest
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.algorithm import steps
from napari_comparewarp.algorithm.coadd import Coadd
from napari_comparewarp.algorithm.products import Inputs, Job, Products
from napari_comparewarp.algorithm.stages import run_stages
from napari_comparewarp.errors import StackError


@pytest.fixture(scope="module")
def products():
    return run_stages(Inputs(Job(stack())))


def test_factors_that_are_given_are_taken_and_nan_means_1(products):
    factors = np.array([2.0, np.nan, 0.5, 1.0, 1.0, 3.0])
    made = steps.scale_variances(Inputs(Job(stack(), variance_scale=factors)), products)
    np.testing.assert_array_equal(made["variance_scale"], [2.0, 1.0, 0.5, 1.0, 1.0, 3.0])
    assert not made["variance_scale_failed"].any()
    assert not made["variance_scale_coarse"].any()


def test_the_floor_is_the_lower_of_threshold_and_what_an_inspection_remembers(products):
    for chi, floor, expected in ((7.5, None, 7.5), (7.5, 3.0, 3.0), (2.0, 3.0, 2.0)):
        config = cw.CompareWarpConfig(chi_threshold=chi)
        found = steps.detect(Inputs(Job(stack(), config), chi_floor=floor), products)
        assert found["detections"].floor == expected


def test_protection_is_left_out_where_it_is_off(products):
    config = cw.CompareWarpConfig(protect_sources=False)
    assert steps.protect(Inputs(Job(stack(), config)), products) == {"protected": None}
    unprotected = Products()
    unprotected.candidates, unprotected.protected = products.candidates, None
    inside = steps.find_inside_sources(Inputs(Job(stack(), config)), unprotected)
    assert not any(each.any() for each in inside["inside_source"])


def test_streaks_are_sought_only_if_asked_for(products):
    made = steps.find_streaks(Inputs(Job(stack())), products)
    assert all(not len(streaks.groups) for streaks in made["streaks"])


def test_a_stack_of_which_no_warp_has_a_weight_is_refused():
    image, variance, mask = (np.zeros((3, 20, 20), kind) for kind in ("f4", "f4", "i4"))
    image[:] = np.nan
    nothing = cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=2.0)
    with pytest.raises(StackError, match="no warp can be stacked"):
        steps.weigh_direct(Inputs(Job(nothing)), Products())


def test_a_coadd_is_finished_as_the_settings_ask():
    plane = np.ones((3, 3), np.float32)
    plane[1, 1] = np.nan
    mask = np.zeros((3, 3), np.int32)
    coadd = Coadd(plane, plane.copy(), mask, mask.astype(np.uint16), {"BAD": 0})
    warps, bright = stack(n_epochs=3), np.eye(3, dtype=np.bool_)
    assert steps.finish_coadd(Job(warps), coadd) is coadd
    filled = steps.finish_coadd(Job(warps, cw.CompareWarpConfig(interpolate=True)), coadd)
    assert filled.image[1, 1] == 1
    config = cw.CompareWarpConfig(mask_bright_objects=True)
    assert steps.finish_coadd(Job(warps, config), coadd) is coadd
    marked = steps.finish_coadd(Job(warps, config, bright_objects=bright), coadd)
    np.testing.assert_array_equal(marked.mask != 0, bright)
