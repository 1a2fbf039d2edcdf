"""Streaks of every epoch as footprints."""

import numpy as np
import pytest
from many_verdicts import STREAKS, TRAIL, many_verdicts

import napari_comparewarp as cw
from napari_comparewarp.algorithm.spans import Spans
from napari_comparewarp.algorithm.streaks.stage import StreakFootprints, find_streak_footprints

CONFIG = cw.CompareWarpConfig(**STREAKS)


@pytest.fixture(scope="module")
def result():
    return cw.run(many_verdicts(), CONFIG)


def find(result, config=CONFIG, protected=None, compared=None, candidates=None):
    products = result.products
    return find_streak_footprints(
        result.stack, products.filled, products.variance_scale,
        products.compared if compared is None else compared,
        products.candidates if candidates is None else candidates, protected, config=config,
    )  # fmt: skip


def test_a_trail_is_found_in_its_epoch_and_in_no_other(result):
    found = find(result)
    assert [epoch for epoch, streaks in enumerate(found) if streaks.groups] == [TRAIL[0]]
    streaks, shape = found[TRAIL[0]], result.stack.shape
    assert streaks.spans.mask(shape)[TRAIL[1], TRAIL[2]]
    assert streaks.kept == (False,) * len(streaks.groups)
    union = np.any([pixels.mask(shape) for pixels in streaks.groups], axis=0)
    np.testing.assert_array_equal(streaks.spans.mask(shape), union)


def test_a_peak_is_the_largest_deviation_before_the_streak_grew(result):
    cores = find(result, CONFIG.replace(streak_grow_sigma=0.0))[TRAIL[0]]
    chi = np.abs(result.chi(TRAIL[0]))
    expected = [np.nanmax(chi[core.mask(result.stack.shape)]) for core in cores.groups]
    assert cores.peak_chi == tuple(map(float, expected))
    assert find(result)[TRAIL[0]].peak_chi == cores.peak_chi


def test_it_grows_by_widths_of_the_psf(result):
    narrow, wide = (
        find(result, CONFIG.replace(streak_grow_sigma=sigma))[TRAIL[0]].spans for sigma in (1, 5)
    )
    assert wide.area > 1.5 * narrow.area
    assert not narrow.union(wide).symmetric_difference(wide).area


def test_a_streak_that_lies_wholly_inside_a_source_is_left(result):
    everything = np.ones(result.stack.shape, np.int32)
    assert not len(find(result, protected=everything)[TRAIL[0]].groups)


def test_nothing_is_sought_where_nothing_is_compared_or_detected(result):
    compared = np.zeros(result.stack.n_epochs, np.bool_)
    for streaks in find(result, compared=compared):
        assert streaks.groups == StreakFootprints.none().groups == ()
        assert len(streaks.spans) == len(Spans.empty())
