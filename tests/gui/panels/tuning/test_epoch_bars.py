"""Bars of what is clipped in each epoch."""

import numpy as np
import pytest

from napari_comparewarp.gui.panels.tuning.epoch_bars import EpochBars

#: The epoch of the trail.
EPOCH = 1
CLIP_NOTHING = {"max_epochs": 0, "temporal_threshold": 0.0, "max_epochs_slope": 0.0}


@pytest.fixture
def bars(show_panel):
    return show_panel(EpochBars(), (400, 300))


def tune(session, qtbot, **knobs):
    session.tune(**knobs)
    qtbot.waitUntil(lambda: not session.busy)


def test_the_bars_are_what_is_clipped_in_each_epoch(bars, session):
    result = session.inspection.result
    table = result.footprints
    clipped = table["epoch_index"][table["verdict"] == "clipped"]
    np.testing.assert_array_equal(
        bars.plots[0].heights, np.bincount(clipped, minlength=result.stack.n_epochs)
    )
    areas = [100 * result.clipped(epoch).mean() for epoch in range(result.stack.n_epochs)]
    np.testing.assert_allclose(bars.plots[1].heights, areas)
    assert bars.plots[1].heights[EPOCH] > 0


def test_the_bars_follow_a_knob(bars, session, qtbot):
    tune(session, qtbot, **CLIP_NOTHING)
    assert not bars.plots[0].heights.any()


def test_the_epoch_on_the_screen_is_told_in_words(bars, session):
    session.epoch_index = EPOCH
    row = session.inspection.result.footprints
    row = row[row["epoch_index"] == EPOCH]
    n_clipped = (row["verdict"] == "clipped").sum()
    assert bars.title.text().startswith(f"Epoch {EPOCH}: {n_clipped} of {len(row)} clipped")


def test_a_click_goes_to_an_epoch_and_one_beside_the_bars_nowhere(bars, session):
    bars.plots[1].clicked.emit(3.2, 0.0)
    assert session.epoch_index == 3
    bars.plots[1].clicked.emit(-1.4, 0.0)
    bars.plots[1].clicked.emit(99.0, 0.0)
    assert session.epoch_index == 3


def test_hollow_bars_show_the_pinned_settings(bars, session, qtbot):
    pinned = bars.plots[0].heights.copy()
    session.pin()
    tune(session, qtbot, **CLIP_NOTHING)
    hollow = bars.plots[0].past
    np.testing.assert_array_equal(hollow, pinned)
    assert not bars.plots[0].heights.any()


def test_without_a_session_there_are_no_bars(bars, session):
    bars.set_session(None)
    assert bars.plots[0].heights.size == 0
    assert bars.title.text() == ""
    session.epoch_index = 2
    assert bars.title.text() == ""


def test_hidden_bars_rest_and_catch_up_when_they_are_seen(bars, session, qtbot):
    before = bars.plots[0].heights.copy()
    assert before.any()
    bars.hide()
    tune(session, qtbot, **CLIP_NOTHING)
    np.testing.assert_array_equal(bars.plots[0].heights, before)
    bars.show()
    assert not bars.plots[0].heights.any()
