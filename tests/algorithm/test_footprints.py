"""Candidates: groups of deviating pixels, grown, united and prefiltered."""

import numpy as np
import pytest
from goldens import load
from test_goldens import assert_same_groups

from napari_comparewarp.algorithm.difference import MASKED, Detections, list_deviations
from napari_comparewarp.algorithm.footprints import find_candidates, growth_radius
from napari_comparewarp.algorithm.spans import paint


def candidates(image, variance, *, flags=None, psf_sigma=1.0, floor=None, **settings):
    chosen = {
        "chi_threshold": 5.0, "polarity": "both", "min_pixels": 4, "grow_sigma": 0.0,
        "isotropic": True, "prefilter": True, "prefilter_ratio": 0.05,
    } | settings  # fmt: skip
    flags = np.zeros(image.shape, np.uint8) if flags is None else flags
    pixels = list_deviations(image, variance, floor or chosen["chi_threshold"])
    detections = Detections(
        floor or chosen["chi_threshold"], (pixels,), np.ones(1, bool), flags[np.newaxis],
        np.ones(image.shape, np.uint16),
    )  # fmt: skip
    return find_candidates(detections, np.array([psf_sigma]), **chosen)[0]


def labels(found, shape):
    image = np.zeros(shape, np.int32)
    paint(found.spans.y, found.spans.x0, found.spans.x1, found.group + 1, image)
    return image


def blank(shape=(30, 40)):
    return np.zeros(shape, np.float32), np.ones(shape, np.float32)


@pytest.mark.parametrize("min_pixels", [1, 2, 4])
@pytest.mark.parametrize(("polarity", "sign"), [("positive", "pos"), ("negative", "neg")])
@pytest.mark.parametrize("chi", [2.0, 3.0])
def test_groups_equal_the_reference_even_at_odd_variances(chi, polarity, sign, min_pixels):
    golden = load("unit_footprints")
    found = candidates(
        golden["image"], golden["variance"], chi_threshold=chi, polarity=polarity,
        min_pixels=min_pixels,
    )  # fmt: skip
    expected = golden[f"label_pixel_stdev_{chi}_{sign}_npix{min_pixels}"]
    assert_same_groups(labels(found, expected.shape), expected)


@pytest.mark.parametrize("sigma", ["2.4", "1.1", "3.9"])
@pytest.mark.parametrize(("polarity", "sign"), [("positive", "positive"), ("negative", "negative")])
def test_grown_groups_equal_the_reference(sigma, polarity, sign):
    golden = load("unit_detect")
    assert growth_radius(0.4, float(sigma)) == golden[f"detect_s{sigma}_nGrow"]
    found = candidates(
        golden["image"], golden["variance"], chi_threshold=7.5, polarity=polarity,
        grow_sigma=0.4, psf_sigma=float(sigma),
    )  # fmt: skip
    expected = golden[f"detect_s{sigma}_{sign}_label"]
    assert_same_groups(labels(found, expected.shape), expected)


def test_united_polarities_equal_the_reference():
    golden = load("unit_footprints")
    found = candidates(golden["image"], golden["variance"], chi_threshold=2.0)
    assert_same_groups(
        labels(found, golden["image"].shape), golden["merge_pixel_stdev_2.0_npix4_grow0_0"]
    )


def test_each_polarity_needs_enough_pixels_of_its_own():
    image, variance = blank()
    image[5, 5:8], image[5, 8:11] = 9, -9
    assert len(candidates(image, variance)) == 0
    image[6, 5] = 9
    found = candidates(image, variance)
    assert (found.area.tolist(), found.signs.tolist()) == ([4], [1])
    image[6, 10] = -9
    found = candidates(image, variance)
    assert (found.area.tolist(), found.signs.tolist()) == ([8], [3])


def test_a_lower_floor_of_the_list_changes_nothing():
    rng = np.random.default_rng(0)
    image, variance = rng.normal(size=(80, 90)).astype(np.float32), blank((80, 90))[1]
    settings = {"chi_threshold": 2.5, "min_pixels": 1, "grow_sigma": 1.0}
    direct = candidates(image, variance, **settings)
    listed = candidates(image, variance, floor=1.0, **settings)
    np.testing.assert_array_equal(labels(direct, image.shape), labels(listed, image.shape))
    np.testing.assert_array_equal(direct.peak_chi, listed.peak_chi)
    with pytest.raises(ValueError, match="below the floor"):
        candidates(image, variance, floor=3.0, chi_threshold=2.5)


def test_growth_stops_at_the_border_and_joins_neighbours():
    image, variance = blank()
    image[0, 0:4], image[0, 7:11] = 9, 9
    apart = candidates(image, variance, grow_sigma=1.0)
    joined = candidates(image, variance, grow_sigma=2.0)
    assert len(apart) == 2
    assert len(joined) == 1
    assert apart.box[0].tolist() == [0, 2, 0, 5]


def test_the_diamond_is_the_other_stencil():
    image, variance = blank()
    image[10:12, 10:12] = 9
    disc = candidates(image, variance, grow_sigma=4.0)
    diamond = candidates(image, variance, grow_sigma=4.0, isotropic=False)
    assert diamond.area[0] < disc.area[0]


@pytest.mark.parametrize(("masked", "stays"), [(18, True), (19, False), (20, False)])
def test_the_prefilter_drops_what_is_masked_anyway(masked, stays):
    image, variance = blank()
    image[8, 10:30] = 9
    flags = np.zeros(image.shape, np.uint8)
    flags[8, 10 : 10 + masked] = MASKED
    found = candidates(image, variance, flags=flags)
    # 1 of 20 is just 0.05, which is not more than the ratio.
    assert found.stays.tolist() == [stays]
    assert candidates(image, variance, flags=flags, prefilter=False).stays.all()


def test_nan_is_never_detected():
    image, variance = blank()
    image[5, 5:10], variance[15, 5:10] = np.nan, np.nan
    image[15, 5:10] = 100
    assert len(candidates(image, variance)) == 0
