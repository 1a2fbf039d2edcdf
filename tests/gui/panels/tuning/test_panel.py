"""The tuning plot: candidates, thresholds as lines to drag, knife edges, pinned settings."""

import threading

import numpy as np
import pytest
from qtpy.compat import isalive
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest

import napari_comparewarp as cw
from napari_comparewarp.gui.panels.tuning.candidate_points import CandidatePoints
from napari_comparewarp.gui.panels.tuning.panel import TuningPlot
from napari_comparewarp.gui.session import Session
from napari_comparewarp.result.footprints import State
from napari_comparewarp.review.doubtful import knife_edges
from napari_comparewarp.simulation import simulate_night


@pytest.fixture(scope="module")
def night():
    """Return a stack with artifacts, variable sources and noise."""
    return simulate_night(8, (256, 256), seed=35).stack()


@pytest.fixture
def inspection(night):
    return cw.Inspection(night)


@pytest.fixture
def plot(show_panel):
    return show_panel(TuningPlot(), (1300, 320))


def until_idle(session, qtbot):
    qtbot.waitUntil(lambda: not session.busy, timeout=20_000)


def drag(line, knob_value):
    """Move a line as a mouse does, and let go."""
    line.moving = True
    for value in np.atleast_1d(knob_value):
        line.setValue(float(value))
        line.sigDragged.emit(line)
    line.moving = False
    line.sigPositionChangeFinished.emit(line)


def candidates(result):
    """Return the table without streaks."""
    table = result.footprints
    return table[table["verdict"] != "streak"]


def drawn(cloud):
    """Return how many points of each state are drawn."""
    return {state: len(item.data) for state, item in cloud._groups.items() if len(item.data)}


def until_found(plot, qtbot):
    qtbot.waitUntil(lambda: plot._findings is not None, timeout=20_000)


def test_a_stack_without_candidates_has_an_empty_plot(plot, session, qtbot):
    session.tune(chi_threshold=1000)
    until_idle(session, qtbot)
    qtbot.waitUntil(lambda: "of 0 candidates" in plot.summary.text())
    assert not drawn(plot.fractions)
    plot.fractions.clicked.emit(1.0, 1.0)
    assert session.selected_number is None


# --- thresholds ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("knob", "position", "value"),
    [("spatial_threshold", 0.704, 0.7), ("chi_threshold", np.log10(5.02), 5.0)],
)
def test_dragging_a_line_sets_its_knob(plot, session, qtbot, knob, position, value):
    drag(plot.lines[knob], position)
    qtbot.waitUntil(lambda: getattr(session.inspection.config, knob) == value, timeout=20_000)


def test_the_vertical_lines_are_limits_at_the_usual_depth(plot, session, qtbot):
    depth = float(np.median(candidates(session.inspection.result)["n_mean"]))
    drag(plot.lines["temporal_threshold"], 0.25 * depth)
    qtbot.waitUntil(lambda: session.inspection.config.temporal_threshold == 0.25)
    drag(plot.lines["max_epochs"], 3.1)
    qtbot.waitUntil(lambda: session.inspection.config.max_epochs == 3)
    assert plot.lines["temporal_threshold"].value() == pytest.approx(0.25 * depth)
    assert plot.lines["max_epochs"].value() == pytest.approx(3 + 0.03 * depth)


def test_the_line_that_decides_is_whole_and_the_other_is_dashed(plot, session, qtbot):
    styles = [plot.lines[name].pen.style() for name in ("max_epochs", "temporal_threshold")]
    assert styles == [Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine]
    session.tune(temporal_threshold=0.1)
    until_idle(session, qtbot)
    styles = [plot.lines[name].pen.style() for name in ("max_epochs", "temporal_threshold")]
    assert styles == [Qt.PenStyle.DashLine, Qt.PenStyle.SolidLine]


def test_a_rule_that_is_not_used_has_no_line(plot, session, qtbot):
    session.tune(max_epochs=None)
    until_idle(session, qtbot)
    assert not plot.lines["max_epochs"].isVisible()
    assert plot.lines["temporal_threshold"].pen.style() == Qt.PenStyle.SolidLine


def test_points_take_their_new_colours_before_the_result_is_there(plot, session, monkeypatch):
    gate, compute = threading.Event(), session.inspection._compute
    monkeypatch.setattr(session.inspection, "_compute", lambda *a: gate.wait(20) and compute(*a))
    line = plot.lines["spatial_threshold"]
    line.moving = True
    line.setValue(1.0)
    line.sigDragged.emit(line)
    # The session still has the old result.
    assert session.inspection.config.spatial_threshold == 0.5
    assert State.CLIPPED not in drawn(plot.fractions)
    assert plot.summary.text().startswith("<b>0</b> of")
    gate.set()
    line.moving = False


def test_the_last_place_of_a_quick_drag_is_what_holds(plot, session, qtbot):
    drag(plot.lines["spatial_threshold"], np.linspace(0.5, 0.9, 41))
    qtbot.waitUntil(lambda: session.inspection.config.spatial_threshold == 0.9, timeout=20_000)
    until_idle(session, qtbot)
    _, state = CandidatePoints.of(session.inspection.result).at(session.inspection.config)
    assert drawn(plot.fractions).get(State.CLIPPED, 0) == (state == State.CLIPPED).sum()


def test_a_slider_elsewhere_moves_the_line(plot, session, qtbot):
    session.tune(spatial_threshold=0.25)
    until_idle(session, qtbot)
    assert plot.lines["spatial_threshold"].value() == 0.25


def test_a_real_mouse_drags_a_line(plot, session, qtbot):
    line, cloud = plot.lines["spatial_threshold"], plot.fractions
    box = cloud.getPlotItem().getViewBox()

    def place(y):
        (low, high), _ = box.viewRange()
        return cloud.mapFromScene(box.mapViewToScene(QPointF(low + 0.9 * (high - low), y)))

    surface = cloud.viewport()
    QTest.mouseMove(surface, place(0.5))
    QTest.mousePress(surface, Qt.MouseButton.LeftButton, pos=place(0.5))
    for y in (0.55, 0.6, 0.7, 0.8):
        QTest.mouseMove(surface, place(y))
        qtbot.wait(20)
    QTest.mouseRelease(surface, Qt.MouseButton.LeftButton, pos=place(0.8))
    until_idle(session, qtbot)
    assert line.value() == pytest.approx(session.inspection.config.spatial_threshold)
    assert session.inspection.config.spatial_threshold == pytest.approx(0.8, abs=0.05)


# --- selection ---------------------------------------------------------------


def test_a_click_on_a_point_selects_its_footprint_and_goes_there(plot, session):
    table = candidates(session.inspection.result)
    kept = table[(table["verdict"] == "persistent") & (table["epoch_index"] > 0)]
    row = kept[np.argmax(kept["peak_chi"])]
    plot.peaks.clicked.emit(np.log10(row["peak_chi"]), np.log10(row["area"]))
    assert session.selected_number == row["id"]
    assert session.epoch_index == row["epoch_index"]


def test_clicks_on_a_pile_take_its_points_in_turn(plot, session):
    points = CandidatePoints.of(session.inspection.result)
    fraction, _ = points.at(session.config)
    pile = (points.mean_epochs == 1) & (fraction == 1)
    assert pile.sum() > 2
    seen = []
    for _ in range(len(plot.fractions.points_at(1.0, 1.0))):
        plot.fractions.clicked.emit(1.0, 1.0)
        seen.append(session.selected_number)
    assert len(set(seen)) == len(seen)
    assert set(points.pool.id[pile]) <= set(seen)


def test_a_footprint_that_is_selected_elsewhere_is_marked_in_both_plots(plot, session):
    row = candidates(session.inspection.result)[3]
    session.select(session.inspection.key_of(int(row["id"])))
    mark = plot.peaks._selected.data
    assert (mark["x"], mark["y"]) == (np.log10(row["peak_chi"]), np.log10(row["area"]))
    assert len(plot.fractions._selected.data) == 1
    session.select(None)
    assert len(plot.fractions._selected.data) == 0


def test_a_point_under_the_cursor_is_described(plot, session):
    row = candidates(session.inspection.result)[0]
    text = plot.peaks.text_at(np.log10(row["peak_chi"]), np.log10(row["area"]))
    assert text.startswith(f"footprint {row['id']}, epoch {row['epoch']}\n")
    assert plot.peaks.text_at(-5.0, -5.0) == ""


# --- knife edges and pinned settings -------------------------------------------------------------


def test_knife_edges_are_counted_ringed_and_gone_through_in_turn(plot, session, qtbot):
    session.tune(spatial_threshold=0.95)
    until_idle(session, qtbot)
    edges = knife_edges(session.inspection.result)
    assert len(edges) > 1
    qtbot.waitUntil(lambda: plot.next_edge.text() == f"Next of {len(edges)} on the knife edge")
    assert len(plot.fractions._edges.data) == len(edges)
    for footprint in (*edges, edges[0]):
        plot.next_edge.click()
        assert session.selected_number == footprint


def test_knife_edges_are_listed_with_what_flips_them(plot, session, qtbot):
    session.tune(spatial_threshold=0.95)
    until_idle(session, qtbot)
    edges = knife_edges(session.inspection.result)
    menu = plot.edges.menu()
    key = session.inspection.key_of(int(edges[1]))

    def lists_them():
        # Those of the settings before may still be there.
        menu.aboutToShow.emit()
        begins = f"{edges[1]}: epoch {key.epoch}, x {key.x}, y {key.y}: flips"
        return len(menu.actions()) > 1 and menu.actions()[1].text().startswith(begins)

    qtbot.waitUntil(lists_them, timeout=20_000)
    entry = menu.actions()[1]
    entry.trigger()
    assert session.selected_number == edges[1]


def test_what_differs_from_the_pinned_settings_is_told_and_marked(plot, session, qtbot):
    before = candidates(session.inspection.result)
    session.pin()
    session.tune(max_epochs=1)
    until_idle(session, qtbot)
    after = candidates(session.inspection.result)
    was, now = before["verdict"] == "clipped", after["verdict"] == "clipped"
    gone, new = (was & ~now).sum(), (now & ~was).sum()
    assert gone
    qtbot.waitUntil(
        lambda: plot.against_pinned.text().startswith(
            f"against pinned: +{new} clipped, −{gone} no longer"
        ),
        timeout=20_000,
    )
    assert len(plot.fractions._changed.data) == gone + new
    session.tune(max_epochs=2)
    until_idle(session, qtbot)
    qtbot.waitUntil(lambda: not len(plot.fractions._changed.data), timeout=20_000)


# --- the panel ---------------------------------------------------------------


def test_a_hidden_plot_rests_and_catches_up_when_it_is_seen(plot, session, qtbot):
    until_found(plot, qtbot)
    text = plot.summary.text()
    plot.hide()
    session.tune(max_epochs=0, max_epochs_slope=0)
    until_idle(session, qtbot)
    assert plot.summary.text() == text
    plot.show()
    assert plot.summary.text().startswith("<b>0</b> of")


def test_without_a_session_the_plot_is_empty_and_listens_to_nobody(plot, session, qtbot):
    plot.set_session(None)
    assert not drawn(plot.fractions)
    assert not plot.next_edge.isEnabled()
    session.tune(spatial_threshold=0.9)
    until_idle(session, qtbot)
    assert not drawn(plot.fractions)


def test_a_window_that_is_closed_at_work_leaves_nothing(make_napari_viewer_proxy, night, qtbot):
    viewer = make_napari_viewer_proxy(show=True)
    session = Session(viewer, cw.Inspection(night))
    plot = TuningPlot()
    viewer.window.add_dock_widget(plot, name="tuning plot", area="bottom")
    plot.set_session(session)
    qtbot.waitUntil(lambda: plot._pause.isActive())
    drag(plot.lines["spatial_threshold"], np.linspace(0.5, 0.9, 10))
    viewer.close()
    qtbot.waitUntil(lambda: not isalive(plot))
    session.close()
