"""A change that is said to flip a verdict flips it, and a smaller one does not."""

import numpy as np
import pytest
from many_verdicts import ARTIFACT, footprint_at, many_verdicts

import napari_comparewarp as cw
from napari_comparewarp.review.doubtful import flipping_changes, knife_edges, smallest_changes

TINY = 1e-9


def inspect(**knobs):
    return cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**knobs))


def is_clipped(inspection, **knobs):
    """Return which footprints a run clips with some knobs changed."""
    run = cw.run(inspection.stack, inspection.config.replace(**knobs))
    return np.array(run.footprints["verdict"] == "clipped")


@pytest.mark.parametrize("config", [{}, {"max_epochs": None}, {"max_epochs": 3}])
@pytest.mark.parametrize("knob", ["temporal_threshold", "max_epochs", "spatial_threshold"])
def test_a_footprint_flips_at_its_change_and_not_before(knob, config):
    inspection = inspect(**config)
    present = getattr(inspection.config, knob)
    changes = flipping_changes(inspection.result)
    known = np.isfinite(changes[knob])
    assert known.any() == (present is not None)
    now = is_clipped(inspection)
    for change in np.unique(np.round(changes[knob][known], 12)):
        own = changes["id"][known][np.isclose(changes[knob][known], change)] - 1
        if knob == "max_epochs":
            short, beyond = int(present + change - np.sign(change)), int(present + change)
        else:
            step = TINY * np.sign(change)
            short, beyond = present + change - step, min(max(present + change + step, 0), 1)
        np.testing.assert_array_equal(is_clipped(inspection, **{knob: short})[own], now[own])
        np.testing.assert_array_equal(is_clipped(inspection, **{knob: beyond})[own], ~now[own])


@pytest.mark.parametrize("knob", ["temporal_threshold", "max_epochs", "spatial_threshold"])
def test_what_has_no_change_does_not_flip_wherever_the_knob_is(knob):
    inspection = inspect()
    changes = flipping_changes(inspection.result)
    never = changes["id"][np.isnan(changes[knob])] - 1
    assert len(never)
    now = is_clipped(inspection)[never]
    values = [0, 1, 9] if knob == "max_epochs" else [0.0, 0.3, 1.0]
    for value in values:
        np.testing.assert_array_equal(is_clipped(inspection, **{knob: value})[never], now)


def test_beyond_its_change_of_chi_a_clipped_footprint_is_not_found():
    inspection = inspect()
    epoch, y, x = ARTIFACT
    row = footprint_at(inspection.result, epoch, y + 1, x + 1)
    changes = flipping_changes(inspection.result)
    change = float(changes["chi_threshold"][changes["id"] == row][0])
    chi = inspection.config.chi_threshold + change * (1 + 1e-6)
    run = cw.run(inspection.stack, inspection.config.replace(chi_threshold=chi))
    assert footprint_at(run, epoch, y + 1, x + 1) == 0


def test_knife_edges_are_what_a_small_change_flips():
    inspection = inspect(spatial_threshold=0.36)
    changes = smallest_changes(inspection.result)
    ids = knife_edges(inspection.result, 0.1)
    assert len(ids)
    np.testing.assert_array_equal(np.sort(ids) - 1, np.flatnonzero(changes <= 0.1))
    assert (np.diff(changes[ids - 1]) >= 0).all()
    now = is_clipped(inspection)
    scaled = [{"spatial_threshold": 0.36 * factor} for factor in (0.9 - TINY, 1.1 + TINY)] + [
        {"temporal_threshold": 0.4 * factor, "max_epochs_slope": 0.03 * factor}
        for factor in (0.9 - TINY, 1.1 + TINY)
    ]
    flipped = np.zeros(len(now), np.bool_)
    for knobs in scaled:
        flipped |= is_clipped(inspection, **knobs) != now
    assert flipped.any()
    assert set(np.flatnonzero(flipped) + 1) <= set(ids)
    vanish = inspection.result.footprints["peak_chi"] <= 7.5 * 1.1
    assert set(ids - 1) == set(np.flatnonzero(flipped | (vanish & now)))


def test_the_limit_on_epochs_counts_as_a_whole():
    # 2 + 0.08 * 9 = 2.72 epochs are allowed where 3 are needed.
    inspection = inspect(max_epochs_slope=0.08)
    table = inspection.result.footprints
    three = (table["epochs_needed"] == 3) & (table["verdict"] == "persistent")
    three &= table["n_mean"] == 9
    assert three.any()
    expected = np.minimum(
        3 / 2.72 - 1,
        np.where(table["fraction"] > 0, np.abs(table["spatial_margin"]) / 0.5, np.inf),
    )
    np.testing.assert_allclose(smallest_changes(inspection.result)[three], expected[three])


def test_what_other_rules_decide_is_never_on_a_knifes_edge():
    inspection = inspect()
    epoch, y, x = ARTIFACT
    inspection.override(footprint_at(inspection.result, epoch, y + 1, x + 1), "clip")
    table = inspection.result.footprints
    aside = np.isin(table["verdict"], ["protected", "prefiltered"]) | (
        table["decided_by"] == "hand"
    )
    changes = smallest_changes(inspection.result)
    assert aside.sum() == 3
    np.testing.assert_array_equal(np.isnan(changes), aside)
    assert not set(table["id"][aside]) & set(knife_edges(inspection.result, 1e9))


def test_streaks_keep_their_place_among_the_footprints():
    inspection = inspect(filter_streaks=True, chi_threshold=6.0)
    table = inspection.result.footprints
    changes = smallest_changes(inspection.result)
    assert len(changes) == len(table)
    assert np.isnan(changes[table["verdict"] == "streak"]).all()
    assert np.isfinite(changes[table["verdict"] == "clipped"]).all()
