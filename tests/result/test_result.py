"""Properties of a whole run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stacks import PSF_SIGMA, planes, stack

import napari_comparewarp as cw
from napari_comparewarp.algorithm import parallel
from napari_comparewarp.algorithm.mask_planes import bits
from napari_comparewarp.algorithm.verdicts import effective_maximum
from napari_comparewarp.errors import StackError

seeds = st.integers(0, 2**32 - 1)


def clipped(result):
    return np.array([result.clipped(epoch) for epoch in range(result.stack.n_epochs)])


def assert_same_bits(a, b):
    for name in ("image", "variance", "mask", "n_image"):
        np.testing.assert_array_equal(getattr(a.coadd, name), getattr(b.coadd, name))
    np.testing.assert_array_equal(a.template.image, b.template.image)
    np.testing.assert_array_equal(a.epoch_count, b.epoch_count)
    np.testing.assert_array_equal(clipped(a), clipped(b))


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (33, 2), (34, 3), (66, 3), (100, 5)],
)
def test_the_effective_maximum_of_the_defaults(n, expected):
    config = cw.CompareWarpConfig()
    maximum = effective_maximum(
        n,
        temporal_threshold=config.temporal_threshold,
        max_epochs=config.max_epochs,
        max_epochs_slope=config.max_epochs_slope,
    )
    assert maximum == expected


def test_without_max_epochs_the_temporal_threshold_rules_alone():
    maximum = effective_maximum(
        [10, 100], temporal_threshold=0.4, max_epochs=None, max_epochs_slope=0.03
    )
    np.testing.assert_array_equal(maximum, [4, 40])


def test_a_trail_in_one_epoch_is_clipped_and_gone():
    result = cw.run(stack())
    trail = np.zeros((60, 70), bool)
    trail[30:34] = True
    assert result.clipped(1)[trail].all()
    assert not any(result.clipped(epoch)[trail].any() for epoch in (0, 2, 3, 4, 5))
    clean = cw.run(stack(trail_epoch=None)).coadd.image
    np.testing.assert_allclose(result.coadd.image[trail], clean[trail], atol=6)
    assert (result.unclipped().image - clean)[trail].mean() > 10


def test_a_variable_star_in_most_epochs_is_kept():
    image, variance, mask = planes(n_epochs=8, trail_epoch=None)
    y, x = np.mgrid[:60, :70]
    star = np.exp(-0.5 * ((y - 20) ** 2 + (x - 50) ** 2) / PSF_SIGMA**2)
    flux = 300 * np.array([1, -1, 1.3, -1.2, 0.8, -0.9, 1.1, -1])
    image += (flux[:, None, None] * star + 400 * star).astype(np.float32)
    result = cw.run(cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA))
    assert not clipped(result)[:, 20, 50].any()
    row = result.footprints[result.footprints["y0"] < 21]
    row = row[(row["y1"] > 20) & (row["x0"] < 51) & (row["x1"] > 50)]
    assert len(row) >= 6
    assert set(row["verdict"]) == {"persistent"}


@settings(max_examples=15)
@given(seeds, st.permutations(range(6)))
def test_the_order_of_epochs_does_not_matter(seed, order):
    cubes = planes(seed=seed)
    result = cw.run(cw.WarpStack.from_arrays(*cubes, psf_sigma=PSF_SIGMA))
    other = cw.run(
        cw.WarpStack.from_arrays(
            *(cube[order] for cube in cubes), psf_sigma=PSF_SIGMA, epochs=order
        )
    )
    np.testing.assert_array_equal(clipped(other), clipped(result)[order])
    np.testing.assert_array_equal(other.coadd.mask, result.coadd.mask)
    np.testing.assert_allclose(other.coadd.image, result.coadd.image, rtol=2e-6, atol=2e-6)


@settings(max_examples=10)
@given(seeds, st.permutations(range(6)), st.sets(st.integers(0, 5), max_size=2))
def test_matched_warps_are_paired_by_their_ids(seed, order, missing):
    cubes = planes(seed=seed)
    order = [epoch for epoch in order if epoch not in missing]
    kept = sorted(order)
    results = [
        cw.run(
            cw.WarpStack.from_arrays(
                *cubes, *(cube[rows] for cube in cubes), psf_sigma=PSF_SIGMA, matched_epochs=rows
            )
        )
        for rows in (order, kept)
    ]
    np.testing.assert_array_equal(*(clipped(result) for result in results))
    np.testing.assert_array_equal(*(result.coadd.mask for result in results))
    for epoch in missing:
        assert results[0].no_data(epoch).all()
        assert not results[0].clipped(epoch).any()
    assert set(results[0].contributors(30, 30)) <= set(order)


@settings(max_examples=10)
@given(seeds, st.tuples(st.integers(-9999, 9999), st.integers(-9999, 9999)))
def test_a_shift_of_origin_changes_nothing(seed, origin):
    cubes = planes(seed=seed)
    results = [
        cw.run(cw.WarpStack.from_arrays(*cubes, psf_sigma=PSF_SIGMA, origin=where))
        for where in ((0, 0), origin)
    ]
    assert_same_bits(*results)
    assert results[1].coadd.origin == origin


@settings(max_examples=15)
@given(seeds, st.floats(-30, 30))
def test_a_constant_sky_does_not_change_what_is_clipped(seed, constant):
    image, variance, mask = planes(seed=seed)
    results = [
        cw.run(cw.WarpStack.from_arrays(cube, variance, mask, psf_sigma=PSF_SIGMA))
        for cube in (image, image + np.float32(constant))
    ]
    np.testing.assert_array_equal(*(clipped(result) for result in results))


@settings(max_examples=25)
@given(seeds, st.integers(1, 40))
def test_pure_noise_is_not_clipped(seed, n_epochs):
    result = cw.run(stack(n_epochs, seed=seed, trail_epoch=None, stars=False, shape=(50, 40)))
    assert not clipped(result).any()


@settings(max_examples=15)
@given(seeds)
def test_masking_by_hand_gives_the_same_coadd(seed):
    cubes = planes(seed=seed)
    result = cw.run(cw.WarpStack.from_arrays(*cubes, psf_sigma=PSF_SIGMA))
    image, variance = (cube.astype(np.float64) for cube in cubes[:2])
    bad = bits(result.coadd.mask_planes, ["NO_DATA", "BAD", "SAT"])
    used = np.isfinite(image) & (cubes[2] & bad == 0) & ~clipped(result)
    weight = np.where(used, result.weights[:, None, None], 0)
    with np.errstate(invalid="ignore"):
        total = weight.sum(axis=0)
        mean = np.nansum(weight * image, axis=0) / total
        spread = (weight**2 * variance).sum(axis=0) / total**2
    np.testing.assert_allclose(result.coadd.image, mean, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(result.coadd.variance, spread, rtol=2e-6)
    for y, x in ((30, 10), (31, 31), (41, 25)):
        assert result.contributors(y, x) == tuple(np.flatnonzero(used[:, y, x]))


@settings(max_examples=10)
@given(seeds)
def test_the_online_mean_gives_the_same_mask(seed):
    results = [
        cw.run(stack(seed=seed), cw.CompareWarpConfig(online_mean=online))
        for online in (False, True)
    ]
    np.testing.assert_array_equal(*(result.coadd.mask for result in results))
    np.testing.assert_allclose(*(result.coadd.image for result in results), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("rows", [1, 7, 59])
def test_bands_of_any_height_give_the_same_bits(monkeypatch, rows):
    config = cw.CompareWarpConfig(interpolate=True, statistic="MEANCLIP")
    whole = cw.run(stack(), config)
    monkeypatch.setattr(
        parallel,
        "row_bands",
        lambda n, _: [(start, min(start + rows, n)) for start in range(0, n, rows)],
    )
    assert_same_bits(whole, cw.run(stack(), config))


@pytest.mark.parametrize("polarity", ["positive", "negative", "both"])
def test_each_polarity_finds_its_own(polarity):
    image, variance, mask = planes()
    image[4, 45:49] -= 120
    given_stack = cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA)
    result = cw.run(given_stack, cw.CompareWarpConfig(polarity=polarity))
    assert result.clipped(1)[32, 40] == (polarity != "negative")
    assert result.clipped(4)[47, 40] == (polarity != "positive")


@pytest.mark.parametrize("n_epochs", [1, 2])
def test_one_or_two_epochs_run_and_say_that_nothing_is_clipped(n_epochs):
    result = cw.run(stack(n_epochs, trail_epoch=0, shape=(60, 70)))
    assert not clipped(result).any()
    assert any("nothing is ever clipped" in message for message in result.messages)
    assert np.isfinite(result.coadd.image[10:, 40:]).all()


def test_a_stack_that_is_nan_everywhere_is_refused():
    image, variance, mask = planes()
    with pytest.raises(StackError, match="no warp can be stacked"):
        cw.run(cw.WarpStack.from_arrays(image * np.nan, variance, mask, psf_sigma=PSF_SIGMA))


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_a_warp_without_a_positive_variance_is_skipped_with_a_message(value):
    image, variance, mask = planes()
    variance[2] = value
    result = cw.run(cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA))
    assert result.weights[2] == 0
    assert 2 not in result.contributors(30, 30)
    assert any("epoch 2: the direct warp is skipped" in message for message in result.messages)
    others = [0, 1, 3, 4, 5]
    rest = cw.run(
        cw.WarpStack.from_arrays(
            image[others], variance[others], mask[others], psf_sigma=PSF_SIGMA, epochs=others
        )
    )
    np.testing.assert_array_equal(result.coadd.image, rest.coadd.image)
    np.testing.assert_array_equal(result.coadd.mask, rest.coadd.mask)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_single_pixels_without_a_positive_variance_are_no_data(value):
    image, variance, mask = planes()
    variance[:, 50, 10:20] = value
    variance[1, 40, 10:20] = value
    result = cw.run(cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA))
    no_data = bits(result.coadd.mask_planes, ["NO_DATA"])
    assert np.isnan(result.coadd.image[50, 12:20]).all()
    assert (result.coadd.mask[50, 12:20] & no_data != 0).all()
    assert 1 not in result.contributors(40, 15)
    assert np.isfinite(result.coadd.image[40, 12:20]).all()


def test_streaks_become_rows_of_their_own():
    config = cw.CompareWarpConfig(filter_streaks=True)
    result = cw.run(stack(shape=(200, 220)), config)
    streaks = result.footprints[result.footprints["verdict"] == "streak"]
    assert list(streaks["epoch"]) == [1]
    assert result.clipped(1)[95:110].sum() > result.stack.shape[1] * 4


def test_labels_show_the_ids_of_the_table():
    result = cw.run(stack(), cw.CompareWarpConfig(chi_threshold=3, min_pixels=1))
    table = result.footprints
    assert len(table) > 3
    for row in table:
        labels = result.labels(row["epoch_index"])
        where = labels == row["id"]
        assert where.sum() == row["area"]
        y, x = np.nonzero(where)
        assert (y.min(), y.max() + 1, x.min(), x.max() + 1) == tuple(
            row[name] for name in ("y0", "y1", "x0", "x1")
        )
        chi = result.chi(row["epoch_index"])[where]
        assert row["peak_chi"] == pytest.approx(np.nanmax(np.abs(chi)), rel=1e-6)
        assert row["peak_chi"] >= 3
        assert row["n_mean"] == pytest.approx(result.n_matched[where].mean())
        few = result.epoch_count[where]
        expected = ((few > 0) & (few <= row["max_epochs"])).mean()
        assert row["fraction"] == pytest.approx(expected)
        assert (row["verdict"] == "clipped") == result.clipped(row["epoch_index"])[where].all()


def test_interpolation_fills_holes_and_leaves_no_data_set():
    result = cw.run(stack(), cw.CompareWarpConfig(interpolate=True))
    assert np.isfinite(result.coadd.image).all()
    assert np.isinf(result.coadd.variance[:3]).all()
    no_data = bits(result.coadd.mask_planes, ["NO_DATA"])
    assert (result.coadd.mask[:3] & no_data != 0).all()


def test_progress_names_each_stage_and_can_stop_the_run():
    reports = []
    cw.run(stack(), progress=lambda *report: reports.append(report))
    stages = list(dict.fromkeys(stage for stage, _, _ in reports))
    assert stages[0] == "weights of direct warps"
    assert stages[-1] == "coadd"
    for stage in stages:
        done = [done for name, done, _ in reports if name == stage]
        total = {total for name, _, total in reports if name == stage}
        assert done == sorted(done)
        assert total == {done[-1]}

    def stop(stage, done, total):
        if stage == "template":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cw.run(stack(), progress=stop)


def test_given_variance_factors_are_used_and_their_number_is_checked():
    factors = np.array([1, 2, 3, 4, 5, np.nan])
    result = cw.run(stack(), variance_scale=factors)
    np.testing.assert_array_equal(result.variance_scale, [1, 2, 3, 4, 5, 1])
    with pytest.raises(StackError, match=r"must be \(6,\)"):
        cw.run(stack(), variance_scale=[1.0])


def test_an_epoch_index_out_of_range_is_an_index_error():
    result = cw.run(stack())
    with pytest.raises(IndexError, match="6 epochs"):
        result.chi(6)
    np.testing.assert_array_equal(result.chi(-1), result.chi(5))


@pytest.mark.parametrize("interpolate", [False, True])
def test_the_coadd_with_nothing_clipped_is_made_once_whatever_an_inspection_keeps(interpolate):
    config = cw.CompareWarpConfig(interpolate=interpolate)
    result, inspected = cw.run(stack(), config), cw.Inspection(stack(), config).result
    assert result.unclipped() is result.unclipped()
    assert result.products.unclipped is None
    assert inspected.products.unclipped is not None
    for name in ("image", "variance", "mask", "n_image"):
        np.testing.assert_array_equal(
            getattr(result.unclipped(), name), getattr(inspected.unclipped(), name)
        )
    assert np.isnan(result.unclipped().image).any() != interpolate
