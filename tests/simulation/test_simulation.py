"""The simulated night: what is in it, and that its truth is true."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from napari_comparewarp.simulation import KINDS, simulate_night
from napari_comparewarp.simulation.detector import SATURATION, saturate
from napari_comparewarp.simulation.psf import add_point_sources, blur, blur_sigma

SHAPE = (256, 288)
WRONG_VARIANCE = 6


@pytest.fixture(scope="module")
def night():
    return simulate_night(10, SHAPE, seed=3)


def plane(night, name, mask):
    return (mask & (1 << night.mask_planes[name])) != 0


def clean(night, index):
    """Pixels of a direct warp that show the sky as it fell on the detector."""
    mask = night.mask[index]
    return ~(plane(night, "NO_DATA", mask) | plane(night, "BAD", mask) | plane(night, "SAT", mask))


def test_a_seed_fixes_every_pixel_however_many_visits_are_made_at_a_time():
    one = simulate_night(2, (96, 80), seed=5, workers=1)
    two = simulate_night(2, (96, 80), seed=5, workers=2)
    other = simulate_night(2, (96, 80), seed=6)
    for name in ("image", "variance", "mask", "matched_image", "matched_variance", "matched_mask"):
        assert_array_equal(getattr(one, name), getattr(two, name))
    assert not np.array_equal(one.image, other.image, equal_nan=True)


def test_more_visits_leave_the_earlier_ones_as_they_are():
    short = simulate_night(3, (96, 80), seed=5)
    long = simulate_night(5, (96, 80), seed=5)
    assert_array_equal(short.image, long.image[:3])
    assert_array_equal(short.matched_mask, long.matched_mask[:3])
    assert [a.id for a in short.truth.artifacts] == [
        a.id for a in long.truth.artifacts if a.visit in short.visits
    ]


def test_ten_visits_have_every_kind_of_artifact(night):
    assert {artifact.kind for artifact in night.truth.artifacts} == set(KINDS)


def test_what_is_left_without_sky_and_artifacts_is_noise_of_the_stated_variance(night):
    for index, visit in enumerate(night.visits):
        rest = night.image[index] - night.truth.sky(visit) - night.truth.artifact_light(visit)
        pull = (rest / np.sqrt(night.variance[index]))[clean(night, index)]
        # One visit states a quarter of its variance.
        expected = 2.0 if index == WRONG_VARIANCE else 1.0
        assert_allclose(pull.std(), expected, rtol=0.02)
        assert abs(pull.mean()) < 0.03


def test_matched_variance_is_too_small_as_resampled_noise_is_correlated(night):
    index = 0
    visit = night.visits[index]
    light = night.truth.sky(visit) + night.truth.artifact_light(visit)
    kernel = blur_sigma(night.psf_sigma[index], night.matched_psf_sigma[index])
    rest = night.matched_image[index] - blur(light, kernel)
    pull = rest / np.sqrt(night.matched_variance[index])
    good = np.isfinite(pull) & (night.matched_mask[index] == 0)
    assert 1.2 < np.var(pull[good]) < 1.45


@pytest.mark.parametrize("sigma", [1.4, 2.4])
def test_matching_makes_a_star_of_any_seeing_the_same(sigma):
    seen, wanted = np.zeros((2, 121, 121), np.float32)
    add_point_sources(seen, 60.3, 59.8, 1e5, sigma)
    add_point_sources(wanted, 60.3, 59.8, 1e5, 2.6)
    assert_allclose(blur(seen, blur_sigma(sigma, 2.6)), wanted, atol=2e-4 * wanted.max())


def test_a_psf_cannot_be_made_narrower():
    with pytest.raises(ValueError, match="cannot be made narrower"):
        blur_sigma(2.7, 2.6)


def test_no_data_is_nan_in_image_and_variance_and_flagged_as_nothing_else(night):
    for image, variance, mask in (
        (night.image, night.variance, night.mask),
        (night.matched_image, night.matched_variance, night.matched_mask),
    ):
        no_data = plane(night, "NO_DATA", mask)
        assert_array_equal(np.isnan(image), no_data)
        assert_array_equal(np.isnan(variance), no_data)
        assert_array_equal(mask[no_data], 1 << night.mask_planes["NO_DATA"])


def test_gaps_are_dithered_and_wider_in_the_matched_warps(night):
    direct = plane(night, "NO_DATA", night.mask)
    matched = plane(night, "NO_DATA", night.matched_mask)
    assert direct.any(axis=(1, 2)).sum() >= 3
    assert not (direct & ~matched).any()
    # Every place is seen by most of the visits.
    assert direct.sum(axis=0).max() <= 4


def test_edge_flags_lie_along_the_detectors_borders(night):
    edge = plane(night, "EDGE", night.mask)
    with_gap = plane(night, "NO_DATA", night.mask).any(axis=(1, 2))
    assert_array_equal(edge.any(axis=(1, 2)), with_gap)
    assert edge.mean() < 0.15


def test_bright_stars_saturate_at_full_well_in_every_visit(night):
    saturated = plane(night, "SAT", night.mask)
    assert saturated.any(axis=(1, 2)).all()
    star = night.truth.stars[np.argmin(night.truth.stars["mag"])]
    y, x = round(float(star["y"])), round(float(star["x"]))
    seen = np.isfinite(night.image[:, y, x])
    assert saturated[seen, y, x].all()
    assert_allclose(night.image[seen, y, x], SATURATION, rtol=0.05)


def test_a_bleed_runs_along_the_column_and_holds_the_charge_above_full_well():
    image = np.zeros((101, 31), np.float32)
    image[50, 15] = 9 * SATURATION
    saturated = saturate(image)
    assert saturated[:, 15].sum() == 9
    assert not saturated[:, np.arange(31) != 15].any()
    assert_allclose(image.sum(), 9 * SATURATION)


def test_bad_columns_are_flagged_and_filled_from_their_neighbours(night):
    bad = plane(night, "BAD", night.mask)
    assert bad.any()
    assert_array_equal(bad, plane(night, "INTRP", night.mask))
    index, row, column = (int(v[0]) for v in np.nonzero(bad & np.isfinite(night.image)))
    right = column + 1
    while bad[index, row, right]:
        right += 1
    neighbours = night.image[index, row, [column - 1, right]]
    assert_allclose(night.image[index, row, column], neighbours.mean(), rtol=1e-5)


def test_bright_sources_are_flagged_detected_and_most_of_the_sky_is_not(night):
    detected = plane(night, "DETECTED", night.mask)
    for star in night.truth.stars[night.truth.stars["mag"] < 22]:
        y, x = round(float(star["y"])), round(float(star["x"]))
        if 0 <= y < SHAPE[0] and 0 <= x < SHAPE[1]:
            assert detected[np.isfinite(night.image[:, y, x]), y, x].all()
    assert detected.mean() < 0.4


def test_seeing_noise_and_background_differ_from_visit_to_visit(night):
    visits = night.truth.visits
    assert np.ptp(night.psf_sigma) > 0.4
    assert night.psf_sigma.max() < night.matched_psf_sigma.min()
    assert np.ptp(visits["sky_sigma"]) > 2
    assert np.ptp(visits["background"], axis=0).min() > 0


def test_periodic_stars_change_and_supernovae_appear_and_brighten(night):
    truth = night.truth
    fluxes = np.array([truth.fluxes(visit) for visit in night.visits])
    supernova = np.asarray(truth.variables["kind"] == "supernova")
    assert supernova.any() and not supernova.all()
    assert (fluxes[:4, supernova] == 0).all()
    assert (fluxes[4:, supernova] > 0).all()
    assert (fluxes[8, supernova] > 1.2 * fluxes[4, supernova]).all()
    change = fluxes[:, ~supernova].max(axis=0) / fluxes[:, ~supernova].min(axis=0)
    assert (change > 1.2).all()


def of_kind(night, kind):
    return [artifact for artifact in night.truth.artifacts if artifact.kind == kind]


def test_an_asteroid_moves_on_from_visit_to_visit(night):
    places = [set(zip(a.y.tolist(), a.x.tolist(), strict=True)) for a in of_kind(night, "asteroid")]
    assert len(places) >= 3
    seen = [place for pixels in places for place in pixels]
    assert len(seen) == len(set(seen))


def test_cosmic_rays_are_sharper_than_any_star(night):
    for artifact in of_kind(night, "cosmic ray"):
        light = night.truth.artifact_light(artifact.visit)
        alone = np.zeros(SHAPE, np.float32)
        alone[artifact.y, artifact.x] = artifact.signal
        peak = np.unravel_index(alone.argmax(), SHAPE)
        assert light[peak] >= alone[peak]
        # A hit is one pixel wide: some direction leaves it at once.
        around = alone[peak[0] - 2 : peak[0] + 3, peak[1] - 2 : peak[1] + 3]
        assert around.min() < 0.02 * around.max()


def test_trails_have_wings_far_outside_their_cores(night):
    for artifact in of_kind(night, "trail"):
        sky_sigma = float(night.truth.visit(artifact.visit)["sky_sigma"])
        faint = (artifact.signal < 0.02 * artifact.signal.max()).sum()
        bright = (artifact.signal > 0.5 * artifact.signal.max()).sum()
        assert artifact.signal.max() > 5 * sky_sigma
        assert faint > 3 * bright


def test_a_ghost_is_wide_and_of_low_surface_brightness(night):
    (ghost,) = of_kind(night, "ghost")
    sky_sigma = float(night.truth.visit(ghost.visit)["sky_sigma"])
    assert ghost.signal.max() < 4.5 * sky_sigma
    assert (ghost.signal > sky_sigma).sum() > 0.02 * SHAPE[0] * SHAPE[1]


def test_a_glint_is_brightest_at_a_detectors_edge(night):
    (glint,) = of_kind(night, "glint")
    brightest = int(glint.signal.argmax())
    assert glint.x[brightest] == glint.x.min()
    index = night.visits.index(glint.visit)
    row, column = glint.y[brightest], glint.x[brightest]
    assert column == 0 or np.isnan(night.image[index, row, column - 1])


def test_a_night_makes_a_stack_without_copying(night):
    stack = night.stack()
    assert stack.direct.image is night.image
    assert stack.epochs == night.visits
    assert_array_equal(stack.psf_sigma, night.matched_psf_sigma)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_epochs": 0}, "n_epochs is 0; it must be 1 or more"),
        ({"shape": (512, 20)}, "512 × 20 pixels; each side must be 64 or more"),
        ({"seed": -1}, "seed is -1; it must be 0 or more"),
        ({"n_epochs": 10**4000}, r"more than 4e\+09 pixels, and is held in memory"),
        ({"shape": (2**31, 2**31)}, "make fewer epochs, or a smaller patch"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_night(**arguments)


def test_the_truth_knows_its_visits_only(night):
    with pytest.raises(KeyError, match="no visit 17"):
        night.truth.sky(17)
