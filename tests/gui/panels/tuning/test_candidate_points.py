"""Candidates as points of a plot, at the present and at other thresholds."""

import numpy as np
import pytest

import napari_comparewarp as cw
from napari_comparewarp.gui.panels.tuning.candidate_points import CandidatePoints
from napari_comparewarp.result.footprints import State
from napari_comparewarp.simulation import simulate_night


@pytest.fixture(scope="module")
def night():
    return simulate_night(8, (256, 256), seed=35).stack()


@pytest.fixture(scope="module")
def result(night):
    return cw.run(night)


def candidates(result):
    """Return the table without streaks."""
    table = result.footprints
    return table[table["verdict"] != "streak"]


def test_each_candidate_stands_at_its_fraction_and_its_mean_epoch_count(result):
    points = CandidatePoints.of(result)
    fraction, _ = points.at(result.config)
    table = candidates(result)
    np.testing.assert_array_equal(points.pool.id, table["id"])
    np.testing.assert_allclose(fraction, table["fraction"])
    for index in (0, len(table) // 2, len(table) - 1):
        labels = result.labels(int(table["epoch_index"][index]))
        counts = result.epoch_count[labels == table["id"][index]]
        expected = counts[counts > 0].mean() if (counts > 0).any() else 0
        assert points.mean_epochs[index] == pytest.approx(expected)


def test_the_points_at_other_thresholds_are_those_of_a_run_with_them(result, night):
    points = CandidatePoints.of(result)
    config = result.config.replace(max_epochs=1, spatial_threshold=0.8, temporal_threshold=0.2)
    fraction, state = points.at(config)
    table = candidates(cw.run(night, config))
    np.testing.assert_allclose(fraction, table["fraction"])
    np.testing.assert_array_equal(
        state, [State[str(verdict).upper()] for verdict in table["verdict"]]
    )


def test_a_decision_by_hand_keeps_its_colour_at_any_threshold(night):
    inspection = cw.Inspection(night)
    table = candidates(inspection.result)
    footprint = int(table["id"][table["verdict"] == "clipped"][0])
    inspection.override(footprint, "keep")
    points = CandidatePoints.of(inspection.result)
    for threshold in (0.0, 0.9):
        _, state = points.at(inspection.config.replace(spatial_threshold=threshold))
        assert state[points.index_of(footprint)] == State.KEPT_MANUALLY


def test_no_footprint_and_an_unknown_one_have_no_point(result):
    points = CandidatePoints.of(result)
    assert points.index_of(None) is None
    assert points.index_of(10**6) is None
    known = int(points.pool.id[-1])
    assert points.index_of(known) == len(points.pool) - 1


def test_the_limit_is_the_lower_of_both_rules(result):
    points = CandidatePoints.of(result)
    config = result.config.replace(temporal_threshold=0.1)
    assert points.limit(config) == pytest.approx(0.1 * points.depth)
    config = result.config.replace(temporal_threshold=1.0, max_epochs=1, max_epochs_slope=0.1)
    assert points.limit(config) == pytest.approx(1 + 0.1 * points.depth)
