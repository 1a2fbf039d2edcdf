"""How much clipping changes the size of the coadd's PSF, and which sources that cuts."""

import numpy as np
import pytest
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp import CompareWarpConfig, WarpStack
from napari_comparewarp.algorithm.psf import PolynomialPsf, gaussian_psf
from napari_comparewarp.algorithm.psf_kernels import psf_sigma
from napari_comparewarp.errors import PsfError
from napari_comparewarp.review.psf_map import map_psf_size

WIDTHS = (2.0, 3.0, 2.2, 1.8, 2.0, 2.5)
#: Nothing deviates so much.
CLIP_NOTHING = CompareWarpConfig(chi_threshold=1000)
#: Rows of the trail in epoch 1.
TRAIL = slice(28, 36)


def widening(sigma):
    """Return a PSF that grows to the right."""
    narrow, wide = (gaussian_psf(s).kernel(0, 0) for s in (sigma, 2 * sigma))
    narrow = np.pad(narrow, (len(wide) - len(narrow)) // 2)
    return PolynomialPsf(np.stack([narrow, wide - narrow, 0 * wide]), 1, 0, 0, 70, 70)


def make_stack(psf=WIDTHS, stars=(), rows=TRAIL):
    """Return six epochs with a trail in the second, and stars of sigma 2."""
    image, variance, mask = planes(trail_epoch=None, stars=False)
    image[1, rows] += 120
    y, x = np.mgrid[: image.shape[1], : image.shape[2]]
    for star_y, star_x in stars:
        image += (400 * np.exp(-((y - star_y) ** 2 + (x - star_x) ** 2) / 8)).astype(np.float32)
    return WarpStack.from_arrays(
        image, variance, mask, psf_sigma=2.0, psf=psf, epochs=list("abcdef")
    )


def size(result, y, x):
    """Return the width of the coadd's PSF, NaN where there is none."""
    try:
        return psf_sigma(result.psf(y, x))
    except PsfError:
        return np.nan


def test_the_ratio_is_that_of_two_means_of_gaussians():
    result = cw.run(make_stack())
    weights, variances = result.weights, np.square(WIDTHS)
    without = np.average(variances, weights=weights)
    weights = np.where(np.arange(6) == 1, 0, weights)
    ratio = map_psf_size(result).ratio
    assert ratio.dtype == np.float32
    expected = np.sqrt(np.average(variances, weights=weights) / without)
    np.testing.assert_allclose(ratio[31, 50:55], expected, rtol=1e-6)
    assert expected < 0.95


@pytest.mark.parametrize("psf", [WIDTHS, [widening(s) for s in WIDTHS]], ids=["fixed", "varying"])
def test_the_map_is_the_ratio_of_the_psfs_with_clipping_and_without(psf):
    stack = make_stack(psf)
    with_clip, without = cw.run(stack), cw.run(stack, CLIP_NOTHING)
    assert without.clipped_fraction.sum() == 0
    ratio = map_psf_size(with_clip).ratio
    rng = np.random.default_rng(2)
    places = [*rng.integers(0, (60, 70), (25, 2)).tolist(), (31, 25), (33, 10), (30, 60), (41, 25)]
    for y, x in places:
        expected = size(with_clip, y, x) / size(without, y, x)
        np.testing.assert_allclose(ratio[y, x], expected, rtol=1e-6)
    assert (ratio[~np.isnan(ratio)] != 1).sum() > 400


def test_the_map_is_one_where_nothing_is_clipped_and_unknown_where_nothing_is_stacked():
    result = cw.run(make_stack())
    ratio = map_psf_size(result).ratio
    clipped = np.any([result.clipped(index) for index in range(6)], axis=0)
    empty = np.isnan(result.coadd.image)
    assert empty.any() and clipped.any()
    np.testing.assert_array_equal(np.isnan(ratio), empty)
    assert (ratio[~clipped & ~empty] == 1).all()


def test_a_visit_without_a_psf_is_said_and_the_map_is_unknown_where_it_contributes():
    psf = [2.0, 3.0, None, 1.8, 2.0, 2.5]
    result = cw.run(make_stack(psf))
    found = map_psf_size(result)
    assert found.messages == ("visit c has no PSF: the map is NaN where such a visit contributes",)
    known = ~np.isnan(found.ratio)
    saturated = np.zeros(known.shape, bool)
    saturated[40:44, 20:30] = True
    np.testing.assert_array_equal(known, saturated)
    assert (found.ratio[40:44, 20:30] == 1).all()


def test_a_clipped_visit_without_a_psf_leaves_its_region_unknown():
    result = cw.run(make_stack([2.0, None, 2.0, 2.0, 2.0, 2.0]))
    assert size(result, 31, 50) == pytest.approx(2.0, rel=1e-6)
    assert np.isnan(map_psf_size(result).ratio[31, 50])


def test_without_any_psf_there_is_no_map_but_the_sources_are_still_counted():
    found = map_psf_size(cw.run(make_stack(None, stars=[(28, 40), (50, 55)])))
    assert np.isnan(found.ratio).all()
    assert found.messages[0].startswith("visits a, b, c, d, e, f have no PSF")
    assert (found.n_sources, len(found.sources)) == (2, 1)
    assert np.isnan(found.sources["least_ratio"][0])


def test_a_star_on_the_edge_of_a_clipped_region_is_listed_and_one_outside_is_not():
    found = map_psf_size(cw.run(make_stack(stars=[(28, 40), (50, 55)])))
    assert found.messages == ()
    assert found.n_sources == 2
    assert found.sources.colnames == ["y", "x", "visits", "least_ratio", "greatest_ratio"]
    (row,) = found.sources
    assert (abs(row["y"] - 28) <= 1, abs(row["x"] - 40) <= 1) == (True, True)
    assert row["visits"] == "b"
    assert row["greatest_ratio"] == 1
    assert row["least_ratio"] == pytest.approx(found.ratio[31, 40])


def test_a_star_inside_a_clipped_region_is_not_cut_by_its_edge():
    result = cw.run(make_stack(stars=[(30, 45)], rows=slice(12, 50)))
    assert result.clipped(1)[20:40, 35:55].all()
    found = map_psf_size(result)
    assert (found.n_sources, len(found.sources)) == (1, 0)


def test_without_clipping_there_are_sources_but_none_is_cut():
    found = map_psf_size(cw.run(make_stack(stars=[(28, 40), (50, 55)]), CLIP_NOTHING))
    assert (found.n_sources, len(found.sources)) == (2, 0)
    assert found.sources.colnames[0] == "y"
    assert np.nanmin(found.ratio) == np.nanmax(found.ratio) == 1


def test_a_skipped_visit_counts_neither_with_clipping_nor_without():
    stack = make_stack()
    stack.direct.image[5] = np.nan
    result = cw.run(stack)
    assert result.weights[5] == 0
    without = cw.run(stack, CLIP_NOTHING)
    np.testing.assert_allclose(
        map_psf_size(result).ratio[31, 50], size(result, 31, 50) / size(without, 31, 50), rtol=1e-6
    )


def test_a_threshold_that_is_not_above_zero_is_refused():
    with pytest.raises(ValueError, match="source_threshold = 0; it must be above 0"):
        map_psf_size(cw.run(make_stack()), source_threshold=0)
