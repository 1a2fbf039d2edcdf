"""What is known of one pixel, epoch by epoch."""

import copy
import dataclasses

import numpy as np
import pytest
from fits_files import tan_wcs
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp import CompareWarpConfig, WarpStack
from napari_comparewarp.algorithm.mask_planes import decode
from napari_comparewarp.algorithm.verdicts import effective_maximum
from napari_comparewarp.algorithm.warps import Warps
from napari_comparewarp.result.result import CompareWarpResult
from napari_comparewarp.review.pixel import inspect_pixel

#: In the trail of epoch 1; where epoch 2 is saturated; without data; in a clear place; BAD in
#: epoch 0; where the matched warp of epoch 3 has EDGE.
PLACES = [(31, 50), (41, 25), (1, 1), (50, 50), (20, 10), (5, 33), (59, 69)]


def make_stack(**changes):
    """Return six epochs of which the fifth has no matched warp and the last is skipped."""
    image, variance, mask = planes()
    direct, spread = image.copy(), variance.copy()
    direct[5] = np.nan
    rows = [3, 0, 1, 2, 5]
    arguments = {
        "matched_image": image[rows], "matched_variance": variance[rows],
        "matched_mask": mask[rows], "psf_sigma": 2.0, "epochs": list("abcdef"),
        "matched_epochs": list("dabcf"), "wcs": tan_wcs(), "psf": 2.0,
    }  # fmt: skip
    return WarpStack.from_arrays(direct, spread, mask, **(arguments | changes))


@pytest.fixture(scope="module")
def result():
    return cw.run(make_stack())


@pytest.fixture(scope="module")
def with_streak():
    """A faint straight line, found as a streak that covers more than its candidates."""
    image, variance, mask = planes(n_epochs=6, shape=(120, 120), trail_epoch=None, stars=False)
    y = np.arange(120)
    for offset in range(-2, 3):
        x = np.round(0.5 * y + 30 + offset).astype(int)
        image[1, y, x] += 60
    config = CompareWarpConfig(filter_streaks=True, streak_grow_sigma=3.0)
    return cw.run(WarpStack.from_arrays(image, variance, mask, psf_sigma=2.0), config)


def values(report, name):
    return [getattr(epoch, name) for epoch in report.epochs]


@pytest.mark.parametrize(("y", "x"), PLACES)
def test_every_epoch_shows_what_the_planes_hold_there(result, y, x):
    report, stack = inspect_pixel(result, y, x), result.stack
    assert values(report, "epoch") == list("abcdef")
    assert values(report, "epoch_index") == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(values(report, "value"), stack.direct.image[:, y, x])
    np.testing.assert_allclose(
        values(report, "sigma"), np.sqrt(stack.direct.variance[:, y, x]), rtol=1e-7
    )
    for index, epoch in enumerate(report.epochs):
        mask = result.direct_mask(index)[y, x]
        assert epoch.planes == decode(result.coadd.mask_planes, mask)
        row = stack.partner[index]
        if row < 0:
            assert (epoch.epoch, epoch.matched_planes) == ("e", ())
            assert np.isnan([epoch.matched_value, epoch.matched_sigma]).all()
            continue
        np.testing.assert_equal(epoch.matched_value, float(stack.matched.image[row, y, x]))
        assert epoch.matched_sigma == pytest.approx(np.sqrt(stack.matched.variance[row, y, x]))
        assert epoch.matched_planes == decode(stack.mask_planes, stack.matched.mask[row, y, x])


@pytest.mark.parametrize(("y", "x"), PLACES)
def test_chi_is_to_the_bit_that_of_the_whole_plane(result, y, x):
    chi = np.array(values(inspect_pixel(result, y, x), "chi"))
    planes_of_chi = np.array([result.chi(index)[y, x] for index in range(6)])
    np.testing.assert_array_equal(chi.astype(np.float32), planes_of_chi)
    assert np.isnan(chi[[4, 5]]).all()


def test_chi_counts_the_terms_of_optional_steps(result):
    class Slope:
        def apply(self, row, y0, image, variance):
            image += np.float32(row) + np.arange(y0, y0 + len(image), dtype=np.float32)[:, None]

    products = copy.copy(result.products)
    products.difference_terms = (Slope(),)
    sloping = CompareWarpResult(result.job, products)
    chi = np.array(values(inspect_pixel(sloping, 50, 50), "chi"), np.float32)
    np.testing.assert_array_equal(chi, [sloping.chi(index)[50, 50] for index in range(6)])
    assert chi[0] > result.chi(0)[50, 50]


@pytest.mark.parametrize(("y", "x"), PLACES)
def test_the_values_that_went_in_make_the_coadd(result, y, x):
    report = inspect_pixel(result, y, x)
    used = [epoch for epoch in report.epochs if epoch.in_coadd]
    assert tuple(epoch.epoch for epoch in used) == result.contributors(y, x)
    mean = sum(epoch.share * epoch.value for epoch in used) if used else np.nan
    assert report.value == pytest.approx(mean, rel=1e-5, nan_ok=True)
    assert sum(epoch.share for epoch in report.epochs) == pytest.approx(1 if used else 0)
    np.testing.assert_equal(report.value, float(result.coadd.image[y, x]))
    assert report.n_image == result.coadd.n_image[y, x]
    assert report.planes == decode(result.coadd.mask_planes, result.coadd.mask[y, x])


def test_what_was_left_out_says_why(result):
    in_trail = values(inspect_pixel(result, 31, 50), "left_out")
    assert in_trail[:2] == ["", "masked as CLIPPED"]
    assert in_trail[4] == "masked as NO_DATA"
    assert in_trail[5].startswith("the warp is skipped: it is NaN everywhere")
    assert values(inspect_pixel(result, 41, 25), "left_out")[2].startswith("masked as SAT")
    nothing = values(inspect_pixel(result, 1, 1), "left_out")
    assert nothing[0] == "the value is not finite; masked as NO_DATA"


@pytest.mark.parametrize("name", ["result", "with_streak"])
def test_the_footprint_and_its_verdict_are_those_of_the_table(name, request):
    result = request.getfixturevalue(name)
    table = result.footprints
    labels = [result.labels(index) for index in range(result.stack.n_epochs)]
    rng = np.random.default_rng(1)
    inside = np.argwhere(np.any(labels, axis=0))
    seen = set()
    for y, x in [*rng.permutation(inside)[:60].tolist(), (45, 3)]:
        for epoch in inspect_pixel(result, y, x).epochs:
            label = labels[epoch.epoch_index][y, x]
            assert (epoch.footprint or 0) == label
            assert epoch.verdict == (table["verdict"][label - 1] if label else "")
            seen.add(epoch.verdict)
    assert {"", "clipped"} <= seen
    assert ("streak" in seen) == (name == "with_streak")


def test_a_streak_that_is_kept_by_hand_is_persistent(with_streak):
    inspection = cw.Inspection(with_streak.stack, with_streak.config)
    table = inspection.result.footprints
    streaks = table["id"][table["verdict"] == "streak"]
    index = int(table["epoch_index"][streaks[0] - 1])
    inspection.override(int(streaks[0]), "keep")
    y, x = np.argwhere(inspection.result.labels(index) == streaks[0])[0].tolist()
    epoch = inspect_pixel(inspection.result, y, x).epochs[index]
    assert (epoch.footprint, epoch.verdict) == (int(streaks[0]), "persistent")


def test_the_counts_and_the_template_are_those_of_the_result(result):
    for y, x in PLACES:
        report = inspect_pixel(result, y, x)
        assert (report.y, report.x) == (y, x)
        assert report.epoch_count == result.epoch_count[y, x]
        assert report.n_matched == result.n_matched[y, x]
        np.testing.assert_equal(report.template, float(result.template.image[y, x]))
        assert report.template_sigma == pytest.approx(
            np.sqrt(result.template.variance[y, x]), nan_ok=True
        )
        config = result.config
        assert report.max_epochs == effective_maximum(
            report.n_matched, temporal_threshold=config.temporal_threshold,
            max_epochs=config.max_epochs, max_epochs_slope=config.max_epochs_slope,
        )  # fmt: skip
    assert inspect_pixel(result, 31, 50).epoch_count == 1


def test_the_position_on_the_sky_is_that_of_the_pixel(result):
    sky = inspect_pixel(result, 10, 20).sky
    assert sky.separation(result.coadd.wcs.pixel_to_world(20, 10)).arcsec < 1e-6
    assert inspect_pixel(cw.run(make_stack(wcs=None)), 10, 20).sky is None


def test_the_width_of_the_psf_is_given_or_why_it_is_not_known(result):
    report = inspect_pixel(result, 50, 50)
    assert report.psf_sigma == pytest.approx(2.0, rel=1e-6)
    assert report.psf_message == ""
    unknown = inspect_pixel(cw.run(make_stack(psf=[2.0, None, 2.0, 2.0, 2.0, 2.0])), 50, 50)
    assert unknown.psf_sigma is None
    assert "visit b has no PSF" in unknown.psf_message


def test_only_one_row_of_each_plane_is_read(result):
    class OneRow:
        """A cube that gives out a single row of all epochs, and nothing else."""

        def __init__(self, cube):
            self.cube, self.shape, self.dtype = cube, cube.shape, cube.dtype

        def __getitem__(self, index):
            _, rows = index
            assert rows.stop - rows.start == 1
            return self.cube[index].copy()

    stack = result.stack
    direct, matched = (
        Warps(OneRow(warps.image), OneRow(warps.variance), OneRow(warps.mask))
        for warps in (stack.direct, stack.matched)
    )
    on_disk = dataclasses.replace(stack, direct=direct, matched=matched)
    same = CompareWarpResult(dataclasses.replace(result.job, stack=on_disk), result.products)
    assert repr(inspect_pixel(same, 31, 50)) == repr(inspect_pixel(result, 31, 50))


@pytest.mark.parametrize(("y", "x"), [(-1, 0), (0, 70), (60, 0)])
def test_a_pixel_outside_the_patch_is_refused(result, y, x):
    with pytest.raises(IndexError, match="y from 0 to 59 and x from 0 to 69"):
        inspect_pixel(result, y, x)
