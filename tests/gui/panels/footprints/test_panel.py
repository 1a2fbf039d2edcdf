"""The footprint table in a real window: find one, read why, decide, go on."""

import pytest
from many_verdicts import ARTIFACT, STREAKS, TRAIL, VARIABLE, footprint_at, many_verdicts
from napari.components import ViewerModel
from qtpy.QtCore import Qt

import napari_comparewarp as cw
from napari_comparewarp.gui.panels.footprints.keys import FOOTPRINT_KEYS
from napari_comparewarp.gui.panels.footprints.panel import FootprintPanel
from napari_comparewarp.gui.panels.footprints.rows import COLUMNS
from napari_comparewarp.gui.session import Session
from napari_comparewarp.result.footprints import State
from napari_comparewarp.review.explain import explain

NAMES = list(COLUMNS)


@pytest.fixture(scope="module")
def stack():
    return many_verdicts()


@pytest.fixture
def open_session(stack):
    """Open a session in a viewer."""
    opened = []

    def open_it(viewer):
        opened.append(Session(viewer, cw.Inspection(stack, cw.CompareWarpConfig(**STREAKS))))
        return opened[-1]

    yield open_it
    for session in opened:
        session.close()


@pytest.fixture
def session(open_session):
    """Return a session whose viewer has no window, which is quicker."""
    return open_session(ViewerModel())


@pytest.fixture
def panel(session, qtbot):
    made = FootprintPanel()
    qtbot.addWidget(made)
    made.resize(1000, 400)
    with qtbot.waitExposed(made):
        made.show()
    made.set_session(session)
    yield made
    made.set_session(None)


def shown_ids(panel):
    return [int(panel.order.index(row, 0).data()) for row in range(panel.order.rowCount())]


def current_id(panel):
    rows = panel.table.selectionModel().selectedRows()
    return int(rows[0].data()) if rows else None


def cell(panel, footprint, name):
    row = shown_ids(panel).index(footprint)
    return panel.order.index(row, NAMES.index(name)).data()


def press(panel, qtbot, key):
    qtbot.keyClicks(panel.table, key)
    settle(qtbot)


def settle(qtbot):
    qtbot.wait(5)


def click(panel, qtbot, footprint):
    place = shown_ids(panel).index(footprint)
    panel.table.scrollTo(panel.order.index(place, 0))
    spot = panel.table.visualRect(panel.order.index(place, 1)).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    settle(qtbot)


def test_the_table_has_a_row_for_every_footprint(panel, session):
    assert shown_ids(panel) == list(session.inspection.result.footprints["id"])


def test_a_row_goes_there_in_the_right_epoch(panel, session, qtbot):
    footprint = footprint_at(session.inspection.result, *ARTIFACT)
    session.epoch_index = 0
    click(panel, qtbot, footprint)
    assert session.selected_number == footprint
    assert session.epoch_index == ARTIFACT[0]
    _, y, x = session.viewer.scene.camera.center
    assert abs(y - ARTIFACT[1]) < 8
    assert abs(x - ARTIFACT[2]) < 8
    assert panel.sentence.text().endswith(explain(session.inspection.result, footprint))


def test_a_click_in_the_picture_selects_the_row(open_session, make_napari_viewer_proxy, qtbot):
    viewer = make_napari_viewer_proxy(show=True)
    session, panel = open_session(viewer), FootprintPanel()
    viewer.window.add_dock_widget(panel, name="Footprints")
    panel.set_session(session)
    session.epoch_index = ARTIFACT[0]
    session.click(*ARTIFACT[1:])
    artifact = footprint_at(session.inspection.result, *ARTIFACT)
    qtbot.waitUntil(lambda: current_id(panel) == artifact)
    centre = viewer.scene.camera.center
    panel.next.click()
    qtbot.waitUntil(lambda: viewer.scene.camera.center != centre)
    assert session.selected_number == current_id(panel) == artifact + 1


def test_a_selection_made_elsewhere_is_followed_without_going_there(panel, session, qtbot):
    footprint = footprint_at(session.inspection.result, *VARIABLE)
    session.epoch_index = 0
    centre = session.viewer.scene.camera.center
    session.select(session.inspection.key_of(footprint))
    settle(qtbot)
    assert current_id(panel) == footprint
    visible = panel.table.viewport().rect()
    assert visible.intersects(panel.table.visualRect(panel.table.currentIndex()))
    assert session.epoch_index == 0
    assert session.viewer.scene.camera.center == centre


def test_a_selection_that_the_filter_hides_is_shown_all_the_same(panel, session):
    panel.filters.verdict.setCurrentText("protected")
    hidden = footprint_at(session.inspection.result, *ARTIFACT)
    assert hidden not in shown_ids(panel)
    session.select(session.inspection.key_of(hidden))
    assert current_id(panel) == hidden


def test_keys_step_through_the_rows_that_are_shown(panel, session, qtbot):
    panel.table.sortByColumn(NAMES.index("area"), Qt.SortOrder.DescendingOrder)
    panel.filters.verdict.setCurrentText("clipped")
    ids = shown_ids(panel)
    assert len(ids) > 3
    panel.table.setFocus()
    for key, expected in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        press(panel, qtbot, key)
        assert session.selected_number == ids[expected]
    assert sorted(key.key for key in FOOTPRINT_KEYS) == ["j", "k", "n", "q", "u", "w"]


def test_rows_that_are_passed_quickly_are_not_all_gone_to(panel, session, qtbot):
    went = []
    session.selection_changed.connect(went.append)
    for _ in range(5):
        panel.next.click()
    settle(qtbot)
    assert went == [session.inspection.key_of(5)]


def test_next_undecided_leaves_out_what_was_decided_or_looked_at(panel, session, qtbot):
    inspection = session.inspection
    inspection.look_at(inspection.key_of(1))
    inspection.override(2, "keep")
    qtbot.waitUntil(lambda: cell(panel, 2, "decided_by") == "hand")
    panel.next_undecided.click()
    settle(qtbot)
    assert session.selected_number == 3
    press(panel, qtbot, "n")
    assert session.selected_number == 4
    for footprint in range(1, len(panel.model.rows) + 1):
        inspection.look_at(inspection.key_of(footprint))
    panel.model.seen[:] = True
    panel.next_undecided.click()
    assert session.selected_number == 4
    assert "decided or looked at" in panel.notice.text()


def test_progress_counts_what_was_looked_at_and_is_kept_by_the_inspection(panel, session, qtbot):
    n = len(panel.model.rows)
    for _ in range(3):
        panel.next.click()
        settle(qtbot)
    assert panel.progress.text() == f"3 of {n} looked at"
    assert session.inspection.looked_at == {session.inspection.key_of(i) for i in (1, 2, 3)}
    assert cell(panel, 2, "seen") == "✓"


def test_a_decision_is_made_and_taken_back_with_keys_and_buttons(panel, session, qtbot):
    footprint = footprint_at(session.inspection.result, *ARTIFACT)
    click(panel, qtbot, footprint)
    key = session.inspection.key_of(footprint)
    press(panel, qtbot, "w")
    qtbot.waitUntil(lambda: cell(panel, footprint, "decided_by") == "hand")
    assert session.inspection.overrides == {key: "keep"}
    assert cell(panel, footprint, "verdict") == "persistent"
    assert "Kept manually; the rules would clip it" in panel.sentence.text()
    assert panel.decisions.text() == "1 decided manually"
    panel.undo.click()
    qtbot.waitUntil(lambda: cell(panel, footprint, "decided_by") == "rule")
    panel.redo.click()
    qtbot.waitUntil(lambda: cell(panel, footprint, "decided_by") == "hand")
    press(panel, qtbot, "u")
    qtbot.waitUntil(lambda: session.inspection.overrides == {})
    assert current_id(panel) == session.selected_number == footprint


def test_a_streak_is_decided_on_as_a_streak(panel, session, qtbot):
    panel.filters.verdict.setCurrentText("streak")
    panel.next.click()
    settle(qtbot)
    (streak,) = (i for i in shown_ids(panel) if i == session.selected_number)
    clipped = session.inspection.result.clipped(TRAIL[0]).sum()
    panel.keep.click()
    qtbot.waitUntil(lambda: cell(panel, streak, "verdict") == "persistent")
    assert [key.streak for key in session.inspection.overrides] == [True]
    assert "Kept manually" in panel.sentence.text()
    assert session.inspection.result.clipped(TRAIL[0]).sum() < clipped
    # A candidate lies on the same pixels: the selection stays with the streak.
    assert session.selected_number == current_id(panel) == streak


def test_decisions_are_not_offered_without_a_footprint(panel, session):
    assert not panel.clip.isEnabled()
    assert "No footprint is selected" in panel.sentence.text()
    session.select(session.inspection.key_of(1))
    assert panel.clip.isEnabled()
    session.select(None)
    assert not panel.clip.isEnabled()
    assert current_id(panel) is None


def test_a_selected_footprint_survives_a_new_detection(panel, session, qtbot):
    footprint = footprint_at(session.inspection.result, *ARTIFACT)
    click(panel, qtbot, footprint)
    session.tune(chi_threshold=3.0, min_pixels=1)
    qtbot.waitUntil(lambda: panel.model.rows.result.config.chi_threshold == 3.0)
    again = footprint_at(session.inspection.result, *ARTIFACT)
    assert again != footprint
    assert current_id(panel) == session.selected_number == again
    assert panel.sentence.text().endswith(explain(session.inspection.result, again))


def test_a_footprint_that_is_gone_is_said_to_be_gone_until_it_comes_back(panel, session, qtbot):
    footprint = footprint_at(session.inspection.result, *ARTIFACT)
    click(panel, qtbot, footprint)
    panel.keep.click()
    session.tune(chi_threshold=500.0)
    qtbot.waitUntil(lambda: session.selected_number is None)
    assert "is gone with the present settings" in panel.sentence.text()
    qtbot.waitUntil(lambda: "1 more for footprints that are gone" in panel.decisions.text())
    assert not panel.clip.isEnabled()
    assert current_id(panel) is None
    session.tune(chi_threshold=STREAKS["chi_threshold"])
    qtbot.waitUntil(lambda: session.selected_number == footprint)
    qtbot.waitUntil(lambda: current_id(panel) == footprint)
    assert "Kept manually" in panel.sentence.text()


def test_the_choices_filter_together(panel, session):
    table = session.inspection.result.footprints
    panel.filters.verdict.setCurrentText("persistent")
    panel.filters.epoch.setCurrentText("3")
    wanted = table["id"][(table["verdict"] == "persistent") & (table["epoch"] == 3)]
    assert shown_ids(panel) == list(wanted)
    panel.filters.text.setText("area>26")
    assert shown_ids(panel) == [row["id"] for row in table[wanted - 1] if row["area"] > 26]


def test_this_epoch_only_follows_the_screen(panel, session, qtbot):
    table = session.inspection.result.footprints
    panel.filters.this_epoch.setChecked(True)
    for epoch in (2, 5):
        session.epoch_index = epoch
        assert shown_ids(panel) == list(table["id"][table["epoch_index"] == epoch])
    assert not panel.filters.epoch.isEnabled()
    panel.filters.this_epoch.setChecked(False)
    assert shown_ids(panel) == list(table["id"])


def test_a_filter_with_a_mistake_says_so_and_the_table_stays(panel):
    panel.filters.text.setText("area>20")
    shown = shown_ids(panel)
    panel.filters.text.setText("aera>20")
    assert "no such column" in panel.notice.text()
    assert shown_ids(panel) == shown
    panel.filters.text.setText("")
    assert panel.notice.text() == ""


def test_a_hidden_table_is_not_filled_until_it_is_seen(panel, session, qtbot):
    panel.hide()
    shown = panel.model.rows.result
    session.decide(session.inspection.key_of(1), "keep")
    with qtbot.waitSignal(session.result_changed):
        session.tune(chi_threshold=5.0)
    # As when the knob has stopped.
    panel._pausing.timeout.emit()
    assert panel.model.rows.result is shown
    panel.show()
    assert panel.model.rows.result is session.inspection.result


def test_what_is_selected_while_the_table_is_hidden_is_selected_when_it_is_seen(panel, session):
    panel.hide()
    session.select(session.inspection.key_of(4))
    panel.show()
    assert current_id(panel) == 4
    assert cell(panel, 4, "seen") == "✓"


def test_keys_work_while_the_table_is_hidden(panel, session, qtbot):
    panel.hide()
    acts = {key.key: key.act for key in FOOTPRINT_KEYS}
    acts["j"](panel)
    settle(qtbot)
    assert session.selected_number == 1
    acts["q"](panel)
    qtbot.waitUntil(lambda: list(session.inspection.overrides.values()) == ["clip"])


def test_a_decision_is_on_what_is_selected_even_if_a_result_has_renumbered_it(
    panel, session, qtbot
):
    footprint = footprint_at(session.inspection.result, *VARIABLE)
    key = session.inspection.key_of(footprint)
    session.select(key)
    # It lands in the inspection's own thread; the panel has not heard of it.
    session.inspection.set(chi_threshold=12.0)
    renumbered = session.inspection.result.footprint_set.number(key)
    assert renumbered not in (None, footprint)
    panel.decide("clip")
    qtbot.waitUntil(lambda: bool(session.inspection.overrides))
    (decided,) = session.inspection.overrides
    footprints = session.inspection.result.footprint_set
    assert footprints.number(decided) == footprints.number(key)
    assert footprints.state(footprints.number(key)) == State.CLIPPED_MANUALLY


def test_the_verdict_has_the_colour_of_the_picture(panel, session):
    artifact = footprint_at(session.inspection.result, *ARTIFACT)
    place = shown_ids(panel).index(artifact)
    swatch = panel.order.index(place, NAMES.index("verdict")).data(Qt.ItemDataRole.DecorationRole)
    states = session.layers.views.scheme.states
    assert swatch.name() == next(c for s, c in states.items() if s.name == "CLIPPED").lower()


def test_without_a_wcs_there_are_no_columns_of_the_sky(panel):
    assert panel.table.isColumnHidden(NAMES.index("ra"))
    assert not panel.table.isColumnHidden(NAMES.index("x"))


def test_what_the_table_decides_changes_a_run_without_a_window(panel, session, qtbot):
    footprint = footprint_at(session.inspection.result, *ARTIFACT)
    before = session.inspection.result.coadd.image.tobytes()
    click(panel, qtbot, footprint)
    with qtbot.waitSignal(session.result_changed):
        panel.keep.click()
    inspection = session.inspection
    headless = cw.run(inspection.stack, inspection.config, overrides=inspection.overrides)
    assert headless.coadd.image.tobytes() == inspection.result.coadd.image.tobytes() != before


def test_a_closed_session_leaves_an_empty_table(panel, session):
    panel.set_session(None)
    assert panel.order.rowCount() == 0
    assert not panel.isEnabled()
    session.select(session.inspection.key_of(1))
    assert current_id(panel) is None
