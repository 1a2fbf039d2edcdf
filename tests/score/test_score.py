"""The score of a coadd against the truth."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal

from napari_comparewarp import run
from napari_comparewarp.algorithm.mask_planes import bits
from napari_comparewarp.result.files import write_masks
from napari_comparewarp.score import ScoreError, score
from napari_comparewarp.score.observed import Observed, combine, sigma_clipped_mean
from napari_comparewarp.score.recover import recover_rejected
from napari_comparewarp.score.score import score_combined
from napari_comparewarp.simulation import read_truth, simulate_night, write_night

BAD_PLANES = ("NO_DATA", "BAD", "SAT")


@pytest.fixture(scope="module")
def night():
    return simulate_night(10, (256, 288), seed=4)


@pytest.fixture(scope="module")
def observed(night):
    usable = np.isfinite(night.image) & ((night.mask & bits(night.mask_planes, BAD_PLANES)) == 0)
    weights = 1 / np.nanmean(night.variance, axis=(1, 2))
    return Observed(night.visits, weights, night.image, usable)


@pytest.fixture(scope="module")
def light(night):
    return np.stack([night.truth.artifact_light(visit) for visit in night.visits])


@pytest.fixture(scope="module")
def support(night, light):
    """Where an artifact has a quarter of the noise or more."""
    return light > 0.25 * np.asarray(night.truth.visits["sky_sigma"])[:, None, None]


@pytest.fixture(scope="module")
def perfect(night, observed, light):
    return score_combined(observed, combine(observed, light > 0, "coadd"), night.truth).coadd


@pytest.fixture(scope="module")
def empty(night, observed):
    nothing = np.zeros(observed.usable.shape, bool)
    return score_combined(observed, combine(observed, nothing, "coadd"), night.truth).coadd


def test_a_perfect_mask_is_complete_and_leaves_nothing(perfect):
    assert set(perfect.all.completeness.values()) == {1.0}
    assert perfect.all.flux_completeness == 1
    assert perfect.trails.residual_flux == 0
    assert perfect.peak_sigma < 1e-3
    assert perfect.unexplained_fraction == 0


def test_a_mask_of_the_artifacts_alone_is_pure(night, observed, support):
    found = score_combined(observed, combine(observed, support, "coadd"), night.truth).coadd
    assert found.purity.purity == 1
    assert found.purity.clipped == (observed.usable & support).sum()


def test_an_empty_mask_finds_nothing_and_leaves_everything(empty):
    assert set(empty.all.completeness.values()) == {0.0}
    assert empty.all.flux_completeness == 0
    assert empty.purity.purity is None
    assert empty.trails.residual_fraction == 1
    assert empty.trails.residual_flux == empty.trails.injected_flux > 0
    assert empty.peak_sigma > 20


def test_print_through_is_measured_on_the_coadd_itself(night, observed, light):
    made = combine(observed, light > 0, "coadd")
    y, x = np.argwhere((light > 0).any(axis=0) & np.isfinite(made.image))[0]
    noise = [float(night.truth.visit(visit)["sky_sigma"]) for visit in night.visits]
    used = observed.weights * (observed.usable & (light == 0))[:, y, x]
    sigma = np.sqrt(np.sum((used * noise) ** 2)) / used.sum()
    image = made.image.copy()
    image[y, x] += 5 * sigma
    forged = score_combined(observed, replace(made, image=image), night.truth).coadd
    assert_allclose(forged.peak_sigma, 5, rtol=1e-3)


def test_a_coadd_that_is_not_the_mean_of_its_masks_is_said_to_be_none(night, observed, light):
    made = combine(observed, light > 0, "coadd")
    shifted = replace(made, image=made.image + 1)
    found = score_combined(observed, shifted, night.truth)
    assert found.coadd.unexplained_fraction == 1
    assert "100 % of the pixels without artifacts" in found.notes[0]
    assert found.notes[0] in found.summary()


def test_half_of_a_trail_counts_as_half(night, observed):
    trail = next(a for a in night.truth.artifacts if a.kind == "trail")
    index = night.visits.index(trail.visit)
    alone = replace(night.truth, artifacts=(trail,))
    clipped = np.zeros(observed.usable.shape, bool)
    half = slice(None, None, 2)
    clipped[index, trail.y[half], trail.x[half]] = True
    found = score_combined(observed, combine(observed, clipped, "coadd"), alone).coadd
    usable = observed.usable[index, trail.y, trail.x]
    picked = clipped[index, trail.y, trail.x]
    deep = trail.signal > float(alone.visit(trail.visit)["sky_sigma"])
    assert found.all.completeness["1"] == (usable & picked & deep).sum() / (usable & deep).sum()
    by_flux = trail.signal[usable & picked].sum(dtype=float) / trail.signal[usable].sum(dtype=float)
    assert_allclose(found.all.flux_completeness, by_flux)
    # Where an epoch is left out the others count for more, but none of them has the trail.
    assert_allclose(found.all.residual_fraction, 1 - by_flux, atol=0.02)


def test_completeness_does_not_count_what_a_bad_plane_keeps_out(night, observed, light):
    usable = observed.usable & ~((light > 0) & (np.arange(light.shape[2]) < 100))
    narrow = replace(observed, usable=usable)
    clipped = light > 0
    clipped[:, :, :100] = False
    found = score_combined(narrow, combine(narrow, clipped, "coadd"), night.truth).coadd
    assert set(found.all.completeness.values()) == {1.0}


def test_clipped_sky_and_clipped_variables_lower_the_purity_and_are_told_apart(
    night, observed, support
):
    variable = night.truth.variables[0]
    y, x = round(float(variable["y"])), round(float(variable["x"]))
    # The first visit has only a few cosmic rays.
    alone = replace(night.truth, artifacts=())
    clipped = np.zeros(support.shape, bool)
    clipped[0, y - 2 : y + 3, x - 2 : x + 3] = True
    clipped[0, 5:15, 40:60] = True
    clipped &= observed.usable
    purity = score_combined(observed, combine(observed, clipped, "c"), alone).coadd.purity
    assert purity.on_variables == clipped[0, y - 2 : y + 3, x - 2 : x + 3].sum() > 0
    assert purity.elsewhere == clipped[0, 5:15, 40:60].sum() > 0
    assert purity.purity == 0
    clipped |= support
    purity = score_combined(observed, combine(observed, clipped, "c"), night.truth).coadd.purity
    assert purity.on_artifacts + purity.on_variables + purity.elsewhere == purity.clipped
    assert_allclose(purity.purity, purity.on_artifacts / purity.clipped)
    assert 0.9 < purity.purity < 1


def test_clipping_the_cores_of_stars_shows_as_a_loss_of_their_flux(night, observed, light):
    clean = replace(observed, image=observed.image - light)
    # The sharpest images have the highest cores.
    clipped = np.zeros(light.shape, bool)
    clipped[np.argsort(night.psf_sigma)[:3]] = night.truth.sky(night.visits[2]) > 500
    biased = score_combined(clean, combine(clean, clipped, "c"), night.truth).coadd
    honest = score_combined(clean, combine(clean, clipped & False, "c"), night.truth).coadd
    for with_loss, without in zip(biased.stars, honest.stars, strict=True):
        if with_loss.faint <= 20:
            assert with_loss.bias > 20
            assert abs(without.bias) < 10


def test_a_variable_kept_in_every_visit_has_its_mean_flux_and_one_clipped_at_its_best_has_not(
    night, observed, light
):
    variable = night.truth.variables[1]
    y, x = round(float(variable["y"])), round(float(variable["x"]))
    box = slice(y - 9, y + 10), slice(x - 9, x + 10)
    clipped = np.zeros(light.shape, bool)
    clean = replace(observed, image=observed.image - light)
    kept = score_combined(clean, combine(clean, clipped, "c"), night.truth).coadd.variables[1]
    assert_allclose(kept.ratio, 1, atol=0.02)
    fluxes = np.array([night.truth.fluxes(visit)[1] for visit in night.visits])
    brightest = np.argsort(fluxes)[-3:]
    clipped[brightest, *box] = True
    lost = score_combined(clean, combine(clean, clipped, "c"), night.truth).coadd.variables[1]
    assert lost.ratio < kept.ratio - 0.02
    assert lost.epochs_clipped == observed.usable[brightest, y, x].sum()


def test_sigma_clipping_removes_outliers_of_a_deep_stack_and_not_the_good_values():
    rng = np.random.default_rng(1)
    image = rng.normal(0, 1, (30, 70, 8)).astype(np.float32)
    image[3] = 100
    usable = np.ones(image.shape, bool)
    usable[5, :10] = False
    observed = Observed(tuple(range(30)), np.ones(30), image, usable)
    made = sigma_clipped_mean(observed)
    assert made.clipped[3].all()
    assert not made.clipped[5, :10].any()
    assert np.delete(made.clipped, 3, axis=0).mean() < 0.02
    assert np.abs(made.image).max() < 1


def test_the_visits_that_a_coadd_left_out_are_found_from_its_pixels():
    rng = np.random.default_rng(2)
    image = rng.normal(100, 10, (9, 20, 30)).astype(np.float32)
    usable = rng.random(image.shape) < 0.9
    weights = rng.uniform(0.5, 2, 9)
    weights[4] = 0
    left_out = usable & (rng.random(image.shape) < 0.15) & (weights > 0)[:, None, None]
    # Where nothing is left there is nothing to tell.
    left_out[:, 0, 0] = usable[:, 0, 0] & (weights > 0)
    observed = Observed(tuple(range(9)), weights, image, usable)
    made = combine(observed, left_out, "coadd")
    n_image = (usable & ~left_out & (weights > 0)[:, None, None]).sum(axis=0)
    found, n_unresolved = recover_rejected(image, usable, weights, made.image, n_image)
    assert n_unresolved == 0
    assert_array_equal(found, left_out)


def test_a_coadd_that_is_no_mean_of_its_warps_is_not_explained_by_force():
    rng = np.random.default_rng(3)
    image = rng.normal(100, 10, (5, 4, 4)).astype(np.float32)
    usable = np.ones(image.shape, bool)
    median = np.median(image, axis=0)
    n_image = np.full((4, 4), 4)
    found, n_unresolved = recover_rejected(image, usable, np.ones(5), median, n_image)
    assert n_unresolved == 16
    assert not found.any()


@pytest.fixture(scope="module")
def result(night):
    return run(night.stack())


def test_the_engine_beats_both_means(night, result):
    found = score(result, night.truth)
    assert found.coadd.all.completeness["4"] > 0.95
    assert found.coadd.purity.purity > 0.95
    assert found.coadd.trails.residual_fraction < 0.1
    assert found.plain_mean.trails.residual_fraction == 1
    assert found.coadd.trails.residual_fraction < found.sigma_clipped.trails.residual_fraction
    assert found.coadd.unexplained_fraction == 0
    assert found.notes == ()


@pytest.fixture(scope="module")
def written(night, tmp_path_factory):
    """A night on disk, and a coadd with its masks made of the files."""
    from napari_comparewarp import read_stack

    folder = tmp_path_factory.mktemp("scored")
    write_night(night, folder / "night")
    made = run(read_stack(folder / "night"))
    made.write(folder / "coadd.fits")
    write_masks(made, folder / "masks")
    return folder, made


def figures(found):
    return found.to_dict()["coadd"]


def test_files_with_masks_score_like_the_result_in_memory(written):
    folder, made = written
    in_memory = figures(score(made, folder / "night"))
    assert figures(score(folder / "coadd.fits", folder / "night", folder / "masks")) == in_memory


def test_without_masks_the_coadd_tells_the_same(written):
    folder, made = written
    in_memory = score(made, folder / "night")
    without_masks = score(folder / "coadd.fits", folder / "night")
    assert without_masks.notes == ()
    assert figures(without_masks) == figures(in_memory)


def test_the_warps_are_found_beside_a_truth_that_has_moved(written, tmp_path):
    folder, _ = written
    shutil.copytree(folder / "night", tmp_path / "elsewhere")
    shutil.move(folder / "night", folder / "gone")
    try:
        for truth in (tmp_path / "elsewhere", tmp_path / "elsewhere" / "truth"):
            assert figures(score(folder / "coadd.fits", truth, folder / "masks"))
        needed = r"direct_warp_401001\.fits\.fz is needed and does not exist"
        with pytest.raises(ScoreError, match=needed):
            score(folder / "coadd.fits", read_truth(folder / "gone"))
    finally:
        shutil.move(folder / "gone", folder / "night")


def test_epochs_without_numbers_are_refused(night):
    stack = replace(night.stack(), epochs=tuple("abcdefghij"), matched_epochs=tuple("abcdefghij"))
    with pytest.raises(ScoreError, match="not a simulated night"):
        score(run(stack), night.truth)


def test_the_summary_names_every_measure_and_the_dictionary_is_json(night, result):
    found = score(result, night.truth)
    text = found.summary()
    for words in (
        "completeness by area, > 0.5 sigma",
        "completeness by area, > 4 sigma",
        "completeness by flux",
        "purity by area",
        "trail flux left",
        "peak print-through, sigma",
        "plain mean",
        "3-sigma clip",
        "cosmic ray",
        "asteroid",
        "Flux bias",
        "supernova",
    ):
        assert words in text
    figures = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert figures["plain_mean"]["all"]["completeness"] == dict.fromkeys(("0.5", "1", "2", "4"), 0)


def test_another_nights_truth_is_refused(result):
    with pytest.raises(ScoreError, match="do not belong to the same night"):
        score(result, simulate_night(2, (96, 80)).truth)
    with pytest.raises(ScoreError, match="the truth has no visit 401003"):
        score(result, simulate_night(2, (256, 288)).truth)


def test_a_file_that_is_no_coadd_is_refused_in_one_line(written, tmp_path):
    folder, _ = written
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    for path in (tmp_path / "empty.fits", tmp_path / "nothing.fits"):
        with pytest.raises(ScoreError, match=path.name) as error:
            score(path, folder / "night")
        assert "\n" not in str(error.value)


def test_a_missing_mask_is_named(written, tmp_path):
    folder, _ = written
    with pytest.raises(ScoreError, match=r"clipped_401001\.fits\.fz: cannot read this mask"):
        score(folder / "coadd.fits", folder / "night", tmp_path)
