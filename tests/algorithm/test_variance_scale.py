"""The factor that makes a variance agree with the scatter, and its background."""

import numpy as np
import pytest
from goldens import load

from napari_comparewarp.algorithm.background import measure_background, mesh_edges
from napari_comparewarp.algorithm.mask_planes import LSST_PLANES, bits
from napari_comparewarp.algorithm.variance_scale import measure_variance_scale

BAD = bits(LSST_PLANES, ["DETECTED", "DETECTED_NEGATIVE", "BAD", "SAT", "NO_DATA", "INTRP"])
GOLDEN = load("unit_scalevariance")


def measure(image, variance, mask, limit=10.0):
    return measure_variance_scale(
        image, variance, mask, bad=BAD, background_bad=BAD, cell=32, limit=limit
    )


def noise(shape=(100, 90), sigma=2.0, seed=0):
    image = np.random.default_rng(seed).normal(0, sigma, shape).astype(np.float32)
    return image, np.full(shape, sigma**2, np.float32), np.zeros(shape, np.int32)


@pytest.mark.parametrize("name", "bcde")
def test_the_background_equals_the_reference(name):
    background = measure_background(GOLDEN[f"{name}_image"], GOLDEN[f"{name}_mask"], BAD, 32)
    np.testing.assert_allclose(background.image(), GOLDEN[f"{name}_bg"], rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", "bcd")
def test_factors_equal_the_reference(name):
    planes = [GOLDEN[f"{name}_{plane}"] for plane in ("image", "variance", "mask")]
    assert measure(*planes).factor == pytest.approx(float(GOLDEN[f"{name}_run_factor"]), rel=1e-6)


def test_unmasked_nans_are_left_out_where_the_reference_is_undefined():
    planes = [GOLDEN[f"a_{plane}"] for plane in ("image", "variance", "mask")]
    assert measure(*planes).factor == pytest.approx(float(GOLDEN["a_run_factor"]), rel=2e-3)


def test_factors_over_the_limit_leave_the_variance_alone():
    planes = [GOLDEN[f"e_{plane}"] for plane in ("image", "variance", "mask")]
    assert np.isnan(GOLDEN["e_run_factor"])
    scale = measure(*planes)
    assert (scale.factor, scale.failed) == (1.0, True)
    unlimited = measure(*planes, limit=1e9)
    assert unlimited.factor == pytest.approx(float(GOLDEN["e_pixelFactor"]), rel=1e-6)


def test_a_true_variance_has_a_factor_of_one():
    assert measure(*noise((400, 400))).factor == pytest.approx(1, abs=0.01)


def test_the_estimate_from_the_whole_image_is_tried_next():
    image, variance, mask = noise((256, 256))
    # Nearly half of the variances are far too small: the scatter of
    # image / sigma is not believable, but the median variance is right.
    variance.ravel()[np.arange(variance.size) % 1000 < 496] /= 1e6
    scale = measure(image, variance, mask)
    assert not scale.failed
    assert scale.factor == pytest.approx(1, abs=0.03)
    assert measure(image, variance, mask, limit=0.5).failed


@pytest.mark.parametrize("good", [0, 1])
def test_fewer_than_two_good_pixels_give_a_factor_of_one(good):
    image, variance, mask = noise()
    mask[...] = BAD
    mask.ravel()[:good] = 0
    assert measure(image, variance, mask).factor == 1


def test_pixels_without_a_positive_variance_are_left_out():
    image, variance, mask = noise()
    expected = measure(image, variance, mask).factor
    variance[50, ::3] = [0, -1, np.nan] * 10
    assert measure(image, variance, mask).factor == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("size", "cell"), [(1, 32), (31, 32), (33, 32), (131, 32), (4200, 32)])
def test_mesh_cells_cover_an_axis_evenly(size, cell):
    edges = mesh_edges(size, cell)
    assert edges[0] == 0
    assert edges[-1] == size
    assert np.ptp(np.diff(edges)) <= 1
    assert np.diff(edges).max() <= cell


def test_an_image_without_a_good_pixel_has_no_background():
    image, _, mask = noise()
    assert np.isnan(measure_background(image, mask | BAD, BAD, 32).image()).all()


@pytest.mark.parametrize("sigma", [0.05, 0.3, 0.6])
def test_values_rounded_to_steps_of_their_noise_leave_the_variance_alone(sigma):
    image, variance, mask = noise(sigma=sigma)
    scale = measure(np.round(image), variance + np.float32(1 / 12), mask)
    assert (scale.factor, scale.failed, scale.coarse) == (1, False, True)


def test_finer_steps_are_measured():
    image, variance, mask = noise((300, 300), sigma=3.0)
    scale = measure(np.round(image), variance + np.float32(1 / 12), mask)
    assert not scale.coarse
    assert scale.factor == pytest.approx(1, abs=0.1)


def test_flagged_pixels_do_not_make_values_coarse():
    image, variance, mask = noise((300, 300))
    image[:200], mask[:200] = 0, BAD
    assert not measure(image, variance, mask).coarse
    assert measure(image, variance, 0 * mask).coarse
