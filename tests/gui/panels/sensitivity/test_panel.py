"""The sensitivity sheet."""

import threading

import numpy as np
import pytest
from qtpy.compat import isalive
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.gui.panels.sensitivity import panel as sensitivity_panel
from napari_comparewarp.gui.panels.sensitivity.panel import SensitivityPanel
from napari_comparewarp.gui.session import Session
from napari_comparewarp.review.sensitivity import chi_sensitivity, verdict_sensitivity


@pytest.fixture
def panel(show_panel):
    """Return a panel that is visible, and computes only when asked."""
    panel = SensitivityPanel()
    panel.follows.setChecked(False)
    return show_panel(panel, (1000, 500))


@pytest.fixture
def gate(monkeypatch):
    """Hold up every computation until the gate is opened."""
    opened = threading.Event()
    make = sensitivity_panel.make_sheet

    def hold(inspection, knob, progress):
        opened.wait(20)
        return make(inspection, knob, progress)

    monkeypatch.setattr(sensitivity_panel, "make_sheet", hold)
    yield opened
    opened.set()


def compute(panel, qtbot):
    panel.compute_now.click()
    until_computed(panel, qtbot)


def until_computed(panel, qtbot):
    qtbot.waitUntil(lambda: panel.state.text() == "up to date", timeout=20_000)


def tune(session, qtbot, **knobs):
    session.tune(**knobs)
    qtbot.waitUntil(lambda: not session.busy)


def test_nothing_is_computed_before_it_is_asked_for(panel):
    assert panel.state.text() == "not computed yet"
    assert panel.maps[0].knobs_at(2.0, 0.5) is None


def test_the_maps_are_what_the_sensitivity_says(panel, session, qtbot):
    compute(panel, qtbot)
    expected = verdict_sensitivity(session.inspection, panel.knob.currentData())
    for i, x in enumerate(expected.values[0]):
        for j, y in enumerate(expected.values[1]):
            knobs, value = panel.maps[0].knobs_at(x, y)
            assert knobs == {expected.knobs[0]: x, "spatial_threshold": y}
            assert value == expected.n_clipped[i, j]
    knobs, depth = panel.maps[2].knobs_at(expected.values[0][-1], expected.values[1][0])
    assert depth == pytest.approx(-1000 * expected.depth_change[-1, 0])


def test_the_curves_are_what_the_sensitivity_says(panel, session, qtbot):
    compute(panel, qtbot)
    expected = chi_sensitivity(session.inspection)
    areas = expected.clipped_area.sum(axis=-1)
    for chi, area in zip(expected.values[0], areas, strict=True):
        knobs, value = panel.curves[1].knobs_at(np.log10(chi), 0.0)
        assert knobs == {"chi_threshold": chi}
        assert value == pytest.approx(area / 1000)


def test_the_maps_begin_with_the_knob_that_decides(panel, session, qtbot):
    assert panel.knob.currentData() == "max_epochs"
    tune(session, qtbot, max_epochs=None)
    panel.set_session(session)
    assert panel.knob.currentData() == "temporal_threshold"


def test_a_click_on_a_map_sets_both_knobs(panel, session, qtbot):
    compute(panel, qtbot)
    panel.maps[0].clicked.emit(3.2, 0.71)
    qtbot.waitUntil(lambda: not session.busy)
    assert session.config.max_epochs == 3
    assert isinstance(session.config.max_epochs, int)
    assert session.config.spatial_threshold == pytest.approx(0.7)


def test_a_click_on_a_curve_sets_the_chi_threshold(panel, session, qtbot):
    compute(panel, qtbot)
    panel.curves[2].clicked.emit(np.log10(9.8), 0.0)
    qtbot.waitUntil(lambda: not session.busy)
    assert session.config.chi_threshold == 10


def test_a_part_that_a_change_reaches_is_out_of_date_and_comes_back_with_it(panel, session, qtbot):
    compute(panel, qtbot)
    tune(session, qtbot, spatial_threshold=0.8)
    assert panel.state.text() == "<b>out of date: curves</b>"
    tune(session, qtbot, spatial_threshold=0.5, chi_threshold=5)
    assert panel.state.text() == "<b>out of date: maps</b>"
    tune(session, qtbot, chi_threshold=7.5)
    assert panel.state.text() == "up to date"


def test_a_decision_by_hand_puts_the_whole_sheet_out_of_date(panel, session, qtbot):
    compute(panel, qtbot)
    session.decide(session.inspection.key_of(1), "clip")
    qtbot.waitUntil(lambda: panel.state.text() == "<b>out of date: maps and curves</b>")


def test_a_sheet_that_is_followed_is_made_when_nothing_moves(panel, session, qtbot):
    panel.follows.setChecked(True)
    until_computed(panel, qtbot)
    tune(session, qtbot, spatial_threshold=0.8)
    assert "out of date" in panel.state.text()
    until_computed(panel, qtbot)
    chi = chi_sensitivity(session.inspection)
    assert panel.curves[0].knobs_at(np.log10(3.0), 0.0)[1] == chi.n_clipped[0]


def test_what_is_cancelled_does_not_land_and_is_not_begun_again(panel, gate, settle):
    panel.follows.setChecked(True)
    panel.compute_now.click()
    assert panel.cancel.isVisible()
    panel.cancel.click()
    assert not panel.cancel.isVisible()
    gate.set()
    settle(panel.work)
    # As when nothing has changed for a while.
    panel._idle.timeout.emit()
    assert not panel.work.busy
    assert panel.maps[0].knobs_at(2.0, 0.5) is None


def test_another_knob_for_the_maps_makes_them_anew(panel, qtbot):
    compute(panel, qtbot)
    row = panel.knob.findData("max_epochs_slope")
    panel.knob.setCurrentIndex(row)
    panel.knob.activated.emit(row)
    qtbot.waitUntil(lambda: "max_epochs_slope" in panel.maps[0].knobs_at(0.1, 0.5)[0])


def test_what_cannot_be_computed_is_said_in_one_line(panel, session, qtbot, monkeypatch):
    def refuse(*_):
        raise ValueError("no such knob\nand more")

    monkeypatch.setattr(sensitivity_panel, "make_sheet", refuse)
    with qtbot.waitSignal(session.message) as said:
        panel.compute_now.click()
    assert said.args == ["sensitivity: no such knob"]
    assert panel.compute_now.isVisible()


def test_a_hidden_panel_gives_up_its_work(panel, gate, settle):
    panel.compute_now.click()
    panel.hide()
    gate.set()
    settle(panel.work)
    panel.show()
    assert panel.state.text() == "not computed yet"


def test_without_a_session_the_sheet_is_empty(panel, qtbot):
    compute(panel, qtbot)
    panel.set_session(None)
    assert panel.maps[0].knobs_at(2.0, 0.5) is None
    assert panel.state.text() == ""


def test_a_window_that_is_closed_at_work_leaves_nothing(make_napari_viewer_proxy, qtbot, gate):
    viewer = make_napari_viewer_proxy()
    session = Session(viewer, cw.Inspection(stack()))
    panel = SensitivityPanel()
    viewer.window.add_dock_widget(panel, name="sensitivity")
    panel.set_session(session)
    panel.compute()
    viewer.close()
    qtbot.waitUntil(lambda: not isalive(panel))
    gate.set()
    session.close()


@pytest.mark.parametrize(
    ("width", "height", "rows"), [(1400, 300, 1), (1000, 560, 2), (420, 800, 3)]
)
def test_maps_and_curves_find_room_in_any_shape(panel, qtbot, width, height, rows):
    panel.resize(width, height)
    qtbot.waitUntil(lambda: len({plot.y() for plot in (*panel.maps, *panel.curves)}) == rows)
