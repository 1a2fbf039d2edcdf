"""Streaks are found whatever their direction, and nothing else is taken for one."""

import logging

import numpy as np
import pytest
from goldens import load, planes
from numpy.testing import assert_array_equal
from scipy import ndimage

from napari_comparewarp.algorithm.streaks.find import find_streaks, streak_mask

SHAPE = (400, 400)
NOISE = 8.5
PSF_SIGMA = 2.4
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]
CENTRE = 200.0


def sky(seed=0):
    return np.random.default_rng(seed).normal(0.0, NOISE, SHAPE)


def across_and_along(theta, shift=0.0):
    """Distance from a line that passes the centre at `shift`, and position along it."""
    angle = np.deg2rad(theta)
    across = (X - CENTRE) * np.cos(angle) + (Y - CENTRE) * np.sin(angle) - shift
    along = -(X - CENTRE) * np.sin(angle) + (Y - CENTRE) * np.cos(angle)
    return across, along


def trail(theta, peak, shift=0.0, sigma=PSF_SIGMA, length=np.inf):
    """A trail whose peak is given in sigma of the noise."""
    across, along = across_and_along(theta, shift)
    return NOISE * peak * np.exp(-0.5 * (across / sigma) ** 2) * (np.abs(along) < 0.5 * length)


def star(y, x, peak, sigma=PSF_SIGMA):
    return NOISE * peak * np.exp(-0.5 * ((Y - y) ** 2 + (X - x) ** 2) / sigma**2)


def detect(image, threshold=7.5):
    """Pixels of the positive detections of 4 or more pixels, grown by one pixel."""
    labels, count = ndimage.label(image >= threshold * NOISE, np.ones((3, 3)))
    large = np.bincount(labels.ravel(), minlength=count + 1) >= 4
    large[0] = False
    return ndimage.binary_dilation(large[labels])


def find(image, blocked=None, saturated=None, threshold=7.5, **options):
    nothing = np.zeros(SHAPE, bool)
    detected = detect(image, threshold)
    return find_streaks(
        image.astype(np.float32),
        np.full(SHAPE, NOISE**2, np.float32),
        detected,
        nothing if blocked is None else blocked,
        nothing if saturated is None else detected & saturated,
        **options,
    )


def angle_between(theta, other):
    return abs((theta - other + 90.0) % 180.0 - 90.0)


def rho_of(theta, shift):
    angle = np.deg2rad(theta)
    return CENTRE * (np.cos(angle) + np.sin(angle)) + shift


@pytest.mark.parametrize("theta", [0, 1, 27.3, 45, 63, 90, 91, 118.4, 135, 179])
def test_a_trail_is_found_where_it_lies_whatever_its_direction(theta):
    (streak,) = find(sky() + trail(theta, 20, shift=31.5))
    assert 0 <= streak.theta < 180
    assert angle_between(streak.theta, theta) < 0.05
    distance, across = streak.distance(Y, X), across_and_along(theta, 31.5)[0]
    assert np.abs(np.abs(distance) - np.abs(across)).max() < 0.5
    assert streak.peak == pytest.approx(20 * NOISE, rel=0.1)
    assert streak.significance > 100


def test_rho_and_theta_are_those_of_the_documented_line():
    (streak,) = find(sky() + trail(60, 20, shift=-12))
    assert streak.theta == pytest.approx(60, abs=0.05)
    assert streak.rho == pytest.approx(rho_of(60, -12), abs=0.2)


def test_the_mask_is_the_detected_pixels_under_the_trail_and_no_others():
    image = sky() + trail(30, 20) + star(20, 20, 100)
    streaks = find(image)
    detected = detect(image)
    mask = streak_mask(streaks, detected)
    assert_array_equal(mask, detected & streaks[0].footprint(SHAPE))
    assert_array_equal(mask, detect(sky() + trail(30, 20)))
    assert detected[20, 20] and not mask[20, 20]


def test_the_footprint_reaches_as_many_profile_widths_as_asked_for():
    image = sky() + trail(0, 20)
    for profile_sigma in (2.0, 5.0):
        (streak,) = find(image, profile_sigma=profile_sigma)
        assert streak.half_width == pytest.approx(profile_sigma * streak.width)
        half = np.abs(across_and_along(0)[0])[streak.footprint(SHAPE)].max()
        assert half == pytest.approx(streak.half_width, abs=1.5)


def test_the_profile_is_the_peak_on_the_line_and_half_of_it_at_half_the_fwhm():
    (streak,) = find(sky() + trail(0, 20))
    fwhm = 2 * np.sqrt(2**0.4 - 1) * streak.width
    assert streak.profile(0.0) == streak.peak
    assert streak.profile(fwhm / 2) == pytest.approx(streak.peak / 2)
    # The true width of a Gaussian trail, within what the Moffat's shape allows.
    assert fwhm == pytest.approx(2.3548 * PSF_SIGMA, rel=0.1)


@pytest.mark.parametrize("theta", [0, 33, 77, 90])
def test_a_short_trail_is_found(theta):
    (streak,) = find(sky() + trail(theta, 20, length=80))
    assert angle_between(streak.theta, theta) < 1


def test_a_trail_shorter_than_the_edge_pixels_asked_for_is_not_looked_at():
    image = sky() + trail(0, 20, length=80)
    assert len(find(image, min_edge_pixels=60)) == 1
    assert find(image, min_edge_pixels=100) == []


@pytest.mark.parametrize("theta", [10, 140])
def test_a_wide_faint_trail_with_a_ragged_outline_is_found(theta):
    (streak,) = find(sky(7) + trail(theta, 10, sigma=8))
    assert angle_between(streak.theta, theta) < 0.1


@pytest.mark.parametrize("shift", [-CENTRE, -CENTRE + 2, CENTRE - 1])
@pytest.mark.parametrize("theta", [0, 90])
def test_a_trail_along_the_border_is_found(theta, shift):
    (streak,) = find(sky() + trail(theta, 30, shift=shift))
    assert angle_between(streak.theta, theta) < 0.1


@pytest.mark.parametrize(("first", "second"), [(20, 110), (40, 60), (40, 50)])
def test_two_trails_that_cross_are_two_though_one_is_much_brighter(first, second):
    streaks = find(sky() + trail(first, 100) + trail(second, 20))
    assert len(streaks) == 2
    for theta in (first, second):
        assert min(angle_between(streak.theta, theta) for streak in streaks) < 0.2


def test_two_trails_side_by_side_are_two():
    streaks = find(sky() + trail(70, 30, shift=-30) + trail(70, 30, shift=30))
    assert sorted(round(streak.rho - rho_of(70, 0)) for streak in streaks) == [-30, 30]


def test_a_trail_is_found_among_stars_and_across_gaps():
    random = np.random.default_rng(3)
    image = sky() + trail(30, 15)
    for y, x, peak in random.uniform([0, 0, -80], [400, 400, 80], (150, 3)):
        image += star(y, x, peak)
    gap = (np.abs(X - 150) < 25) | (np.abs(Y - 260) < 10)
    image[gap] = np.nan
    (streak,) = find(image, blocked=gap)
    assert angle_between(streak.theta, 30) < 0.1
    assert streak.rho == pytest.approx(rho_of(30, 0), abs=0.3)


def test_the_same_input_gives_the_same_streaks():
    image = sky() + trail(20, 30) + trail(80, 15)
    assert find(image) == find(image)


@pytest.mark.parametrize("threshold", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("correlated", [False, True])
def test_noise_has_no_streaks_however_low_the_threshold(threshold, correlated):
    image = sky(5)
    if correlated:
        image = ndimage.gaussian_filter(image, PSF_SIGMA)
        image *= NOISE / image.std()
    assert detect(image, threshold).any()
    assert find(image, threshold=threshold) == []


@pytest.mark.parametrize("sigma", [3, 10, 40, 100])
@pytest.mark.parametrize("peak", [30, 3000])
def test_a_round_residual_is_no_streak(sigma, peak):
    assert find(sky() + star(200.3, 190.8, peak, sigma)) == []


@pytest.mark.parametrize("sigma", [5, 20, 40])
def test_a_misplaced_star_is_no_streak(sigma):
    assert find(sky() + star(200, 200, 300, sigma) * (X - 200) / sigma) == []


@pytest.mark.parametrize("radius", [30, 100, 150, 190])
@pytest.mark.parametrize("width", [2, 6])
@pytest.mark.parametrize("peak", [15, 300])
def test_a_ring_is_no_streak(radius, width, peak):
    distance = np.hypot(Y - 200, X - 200) - radius
    assert find(sky() + NOISE * peak * np.exp(-0.5 * (distance / width) ** 2)) == []


@pytest.mark.parametrize("size", [(20, 20), (60, 60), (70, 22), (24, 80), (150, 150)])
def test_a_block_with_straight_sides_is_no_streak(size):
    height, width = size
    block = (np.abs(Y - 200) < height / 2) & (np.abs(X - 180) < width / 2)
    assert find(sky() + 20 * NOISE * block) == []


def test_a_step_in_the_background_is_no_streak(caplog):
    with caplog.at_level(logging.DEBUG, logger="napari_comparewarp"):
        assert find(sky() + 15 * NOISE * (X > 190)) == []
    # Why a line was dropped can be read.
    assert "no streak along" in caplog.text
    assert "pixels wide" in caplog.text


def test_a_row_of_stars_is_no_streak():
    assert find(sky() + sum(star(150, x, 60) for x in range(10, 400, 25))) == []


def test_a_bleed_trail_is_no_streak_though_only_its_middle_is_flagged():
    image = (
        sky()
        + star(200, 200, 1e4, 6)
        + 1000 * NOISE * ((np.abs(X - 200) < 4) & (np.abs(Y - 200) < 150))
    )
    saturated = (image > 500 * NOISE) & (np.abs(Y - 200) < 50)
    assert find(image, blocked=saturated, saturated=saturated) == []
    # It is the flag that tells a bleed from a trail.
    assert len(find(image)) > 0


def test_a_trail_is_found_by_what_lies_far_enough_from_saturation():
    saturated = np.hypot(Y - 200, X - 200) < 10
    image = sky() + trail(90, 20) + 1e4 * saturated
    (streak,) = find(image, saturated=saturated, saturation_distance=100)
    assert streak.theta == pytest.approx(90, abs=0.1)
    assert find(image, saturated=saturated, saturation_distance=250) == []


def test_the_light_just_beside_a_blocked_column_is_no_streak():
    column, blocked = np.abs(X - 200) <= 3, np.abs(X - 200) <= 2
    image, variance = sky() + 20 * NOISE * column, np.full(SHAPE, NOISE**2)
    nothing = np.zeros(SHAPE, bool)
    assert find_streaks(image, variance, column, blocked, nothing) == []
    assert len(find_streaks(image, variance, column, nothing, nothing)) == 1


@pytest.mark.parametrize("peak", [25, 300, 3000, 30000])
def test_stars_beside_a_trail_do_not_widen_it(peak):
    alone = sky() + trail(0, 15)
    crowded = alone + sum(star(y, 200 + x, peak) for y, x in [(90, 15), (180, -15), (300, 20)])
    (expected,), (streak,) = find(alone), find(crowded)
    assert streak.width == pytest.approx(expected.width, rel=0.005)
    assert streak.peak == pytest.approx(expected.peak, rel=0.005)


def test_nothing_detected_has_no_streaks():
    assert find(sky(), threshold=100) == []
    assert not streak_mask([], np.ones(SHAPE, bool)).any()


def test_unusable_pixels_all_along_a_line_leave_no_streak():
    image = (sky() + trail(0, 20)).astype(np.float32)
    detected, nothing = detect(image), np.zeros(SHAPE, bool)
    for useless in (np.nan, 0.0, -1.0, np.inf):
        variance = np.full(SHAPE, useless, np.float32)
        assert find_streaks(image, variance, detected, nothing, nothing) == []


def test_planes_of_different_shapes_are_refused_by_name():
    image, flags = np.zeros(SHAPE), np.zeros(SHAPE, bool)
    with pytest.raises(ValueError, match=r"blocked has shape \(3, 3\) where difference has"):
        find_streaks(image, image, flags, np.zeros((3, 3), bool), flags)


def test_the_streaks_of_the_reference_are_covered_and_hardly_more():
    inputs, golden = load("caseB_in_psfmatched"), load("caseH_out")
    bit = {name: 1 << number for name, number in planes(golden).items()}
    bad = sum(bit[name] for name in ("NO_DATA", "INTRP", "BAD", "SAT", "EDGE"))
    clipped = np.unpackbits(golden["alt_CLIPPED"], axis=-1)[..., :300].astype(bool)
    radius = int(5 * PSF_SIGMA)
    dy, dx = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = np.abs(dx) <= np.floor(np.sqrt(radius**2 - dy**2))
    with_streaks = []
    for epoch in np.flatnonzero(golden["detect_nGrow"] >= 0):
        image = inputs["psfmatched_image"][epoch] - golden["template_image"]
        factor = np.nan_to_num(golden["variance_scale_factor"][epoch], nan=1.0)
        variance = inputs["psfmatched_variance"][epoch] * factor + golden["template_variance"]
        mask = inputs["psfmatched_mask"][epoch]
        detected = golden["grown_positive_label"][epoch] > 0
        saturated = detected & (mask & bit["SAT"] != 0)
        streaks = find_streaks(
            image, variance, detected, mask & bad != 0, saturated, saturation_distance=10
        )
        others = golden["filtered_label"][epoch] > 0
        grown = ndimage.binary_dilation(streak_mask(streaks, detected), disc) & ~others
        expected = clipped[epoch] & ~others
        assert (grown & expected).sum() >= 0.95 * expected.sum()
        assert grown.sum() <= 1.4 * expected.sum()
        if streaks:
            with_streaks.append(int(epoch))
    assert with_streaks == [1]
