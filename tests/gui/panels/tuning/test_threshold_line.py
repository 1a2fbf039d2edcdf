"""Knobs that are sent no faster than they are answered."""

import numpy as np
import pytest
from qtpy.compat import isalive

from napari_comparewarp.gui.panels.tuning.threshold_line import Tuner


@pytest.fixture
def asked(session, monkeypatch):
    """Return what the session is asked for."""
    calls = []
    tune = session.tune
    monkeypatch.setattr(session, "tune", lambda **knobs: (calls.append(knobs), tune(**knobs)))
    return calls


@pytest.fixture
def tuner(session, asked):
    return Tuner(session, session)


def until_idle(session, qtbot):
    qtbot.waitUntil(lambda: not session.busy, timeout=20_000)


def test_a_change_is_sent_at_once_where_nothing_is_computed(tuner, asked):
    tuner.tune(spatial_threshold=0.7)
    assert asked == [{"spatial_threshold": 0.7}]


def test_what_comes_before_an_answer_waits_and_only_the_newest_is_sent(
    tuner, session, asked, qtbot
):
    for value in np.linspace(0.5, 0.9, 41).round(2):
        tuner.tune(spatial_threshold=float(value))
    tuner.tune(temporal_threshold=0.3)
    assert asked == [{"spatial_threshold": 0.5}]
    assert tuner.config.spatial_threshold == 0.9
    qtbot.waitUntil(lambda: session.inspection.config.temporal_threshold == 0.3, timeout=20_000)
    assert asked[1:] == [{"spatial_threshold": 0.9, "temporal_threshold": 0.3}]


def test_after_an_answer_there_is_a_rest_which_a_flush_ends(tuner, session, asked, qtbot):
    tuner.tune(spatial_threshold=0.6)
    qtbot.waitSignal(session.finished, timeout=20_000).wait()
    tuner.tune(spatial_threshold=0.7)
    assert len(asked) == 1
    tuner.flush()
    assert asked[1:] == [{"spatial_threshold": 0.7}]


def test_a_closed_tuner_sends_nothing(tuner, session, asked, qtbot):
    tuner.tune(spatial_threshold=0.6)
    tuner.tune(spatial_threshold=0.7)
    # Its timer is destroyed with it.
    tuner.close()
    qtbot.waitUntil(lambda: not isalive(tuner))
    until_idle(session, qtbot)
    assert len(asked) == 1
