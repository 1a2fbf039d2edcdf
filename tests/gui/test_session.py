"""One inspection in one real window."""

import numpy as np
import pytest
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.gui.layers.layer_set import NAMES
from napari_comparewarp.gui.session import Session
from napari_comparewarp.result.footprint_states import OUTLINE, SELECTED
from napari_comparewarp.result.footprints import State

EPOCH = 1
CLIP_NOTHING = {"max_epochs": 0, "temporal_threshold": 0.0, "max_epochs_slope": 0.0}


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def session(viewer):
    made = Session(viewer, cw.Inspection(stack()))
    yield made
    made.close()


def on_screen(session, role):
    return session.layers.by_role[role]._slice.image.raw


def clipped_row(session):
    table = session.inspection.result.footprints
    return table[table["verdict"] == "clipped"][0]


def test_the_window_has_eight_layers_and_y_goes_up(session, viewer):
    assert [layer.name for layer in viewer.layers] == list(NAMES.values())
    assert viewer.scene.camera.orientation2d == ("up", "right")
    assert viewer.dims.axis_labels == ("epoch", "y", "x")


def test_a_knob_changes_what_is_on_the_screen(session, qtbot):
    session.epoch_index = EPOCH
    assert (on_screen(session, "states") % OUTLINE == State.CLIPPED).any()
    with qtbot.waitSignal(session.result_changed):
        session.tune(**CLIP_NOTHING)
    assert not (on_screen(session, "states") % OUTLINE == State.CLIPPED).any()


def test_the_result_on_the_screen_is_that_of_the_last_of_many_changes(session, qtbot):
    for threshold in np.linspace(4, 12, 30):
        session.tune(chi_threshold=float(threshold))
    qtbot.waitUntil(lambda: not session.busy)
    assert session.inspection.config.chi_threshold == 12
    expected = cw.run(session.inspection.stack, session.config)
    np.testing.assert_array_equal(session.inspection.result.coadd.image, expected.coadd.image)


def test_a_drag_is_one_step_for_undo(session, qtbot):
    session.tune(spatial_threshold=0.3)
    qtbot.waitUntil(lambda: not session.busy)
    for threshold in (5.0, 6.0, 7.0):
        session.tune(chi_threshold=threshold)
        qtbot.waitUntil(lambda: not session.busy)
    session.undo()
    qtbot.waitUntil(lambda: not session.busy)
    assert session.inspection.config == cw.CompareWarpConfig(spatial_threshold=0.3)


def test_two_knobs_that_are_moved_at_once_both_hold(session, qtbot):
    session.tune(chi_threshold=6.0)
    session.tune(spatial_threshold=0.8)
    qtbot.waitUntil(lambda: not session.busy)
    config = session.inspection.config
    assert (config.chi_threshold, config.spatial_threshold) == (6.0, 0.8)


def test_a_value_out_of_range_is_said_and_changes_nothing(session, qtbot):
    before = session.config
    with qtbot.waitSignal(session.message) as said:
        session.tune(spatial_threshold=7.0)
    assert "spatial_threshold = 7.0" in said.args[0]
    assert session.config == before


def test_limits_visibility_and_camera_are_kept(session, viewer, qtbot):
    layer = session.layers.by_role["warp"]
    layer.visible = True
    layer.contrast_limits = (1.0, 2.0)
    viewer.scene.camera.zoom = 3.5
    with qtbot.waitSignal(session.result_changed):
        session.tune(chi_threshold=5.0)
    assert layer in viewer.layers
    assert layer.visible
    assert tuple(layer.contrast_limits) == (1.0, 2.0)
    assert viewer.scene.camera.zoom == 3.5


def test_selecting_a_footprint_goes_to_its_epoch_and_draws_a_ring(session, viewer, qtbot):
    row = clipped_row(session)
    with qtbot.waitSignal(session.selection_changed) as selected:
        session.select(session.inspection.key_of(int(row["id"])), go=True)
    assert selected.args == [session.inspection.key_of(int(row["id"]))]
    assert session.epoch_index == row["epoch_index"]
    assert (on_screen(session, "states") == SELECTED).any()
    centre = viewer.scene.camera.center
    assert row["y0"] - 1 <= centre[-2] <= row["y1"]
    assert row["x0"] - 1 <= centre[-1] <= row["x1"]


def test_the_selection_follows_its_footprint_into_a_new_detection(session, qtbot):
    row = clipped_row(session)
    session.select(session.inspection.key_of(int(row["id"])))
    with qtbot.waitSignal(session.result_changed):
        session.tune(chi_threshold=5.0)
    again = session.inspection.result.footprints[session.selected_number - 1]
    assert again["epoch"] == row["epoch"]
    assert again["y0"] <= row["y0"] < row["y1"] <= again["y1"]


def test_a_selected_footprint_that_is_gone_is_selected_again_when_it_comes_back(session, qtbot):
    key = session.inspection.key_of(int(clipped_row(session)["id"]))
    session.select(key)
    with qtbot.waitSignal(session.selection_changed):
        session.tune(chi_threshold=900.0)
    assert session.selected_number is None
    assert not (on_screen(session, "states") == SELECTED).any()
    with qtbot.waitSignal(session.selection_changed):
        session.undo()
    assert session.inspection.key_of(session.selected_number) == session.selected == key


def test_settings_last_asked_for_are_those_of_the_inspection(session, qtbot):
    session.tune(chi_threshold=6.0)
    assert session.config == session.inspection.submitted_config
    assert session.config.chi_threshold == 6.0
    session.cancel()
    assert session.config == session.inspection.config == cw.CompareWarpConfig()
    qtbot.waitUntil(lambda: not session.busy)


def test_a_click_selects_what_is_there(session):
    row = clipped_row(session)
    session.epoch_index = int(row["epoch_index"])
    ys, xs = np.nonzero(session.inspection.result.labels(session.epoch_index) == row["id"])
    session.click(int(ys[0]), int(xs[0]))
    assert session.selected_number == row["id"]
    session.click(-5, 0)
    assert session.selected_number is None


def test_a_decision_by_hand_is_on_the_screen_and_can_be_taken_back(session, qtbot):
    row = clipped_row(session)
    session.epoch_index = int(row["epoch_index"])
    with qtbot.waitSignal(session.result_changed):
        session.decide(session.inspection.key_of(int(row["id"])), "keep")
    assert (on_screen(session, "states") % OUTLINE == State.KEPT_MANUALLY).any()
    with qtbot.waitSignal(session.result_changed):
        session.undo()
    assert not (on_screen(session, "states") % OUTLINE == State.KEPT_MANUALLY).any()


def test_a_layer_that_the_user_deleted_comes_back_in_its_place_when_it_is_wanted(
    session, viewer, qtbot
):
    viewer.layers.remove("coadd")
    with qtbot.waitSignal(session.result_changed):
        session.tune(chi_threshold=5.0)
    assert "coadd" not in viewer.layers
    session.show_base("coadd")
    assert [layer.name for layer in viewer.layers] == list(NAMES.values())


def test_a_layer_that_the_user_renamed_and_moved_is_still_ours(session, qtbot):
    layer = session.layers.by_role["states"]
    layer.name, layer.translate = "mine", (0, 10, 10)
    session.epoch_index = EPOCH
    with qtbot.waitSignal(session.result_changed):
        session.tune(**CLIP_NOTHING)
    assert layer.name == "mine"
    assert tuple(layer.translate) == (0, 10, 10)
    assert not (on_screen(session, "states") % OUTLINE == State.CLIPPED).any()


def test_three_dimensions_hide_the_epochs_and_two_show_them_again(session, viewer, qtbot):
    with qtbot.waitSignal(session.message):
        viewer.dims.ndisplay = 3
    assert not session.layers.by_role["difference"].visible
    with qtbot.waitSignal(session.result_changed):
        session.tune(chi_threshold=5.0)
    viewer.dims.ndisplay = 2
    qtbot.waitUntil(lambda: session.layers.by_role["difference"].visible)
    assert session.layers.by_role["states"].visible


def test_a_layer_of_the_users_own_is_left_alone(viewer, qtbot):
    mine = viewer.add_image(np.zeros((4, 60, 70)), name="coadd")
    session = Session(viewer, cw.Inspection(stack()))
    with qtbot.waitSignal(session.result_changed):
        session.tune(chi_threshold=5.0)
    assert np.all(mine.data == 0)
    assert session.layers.by_role["coadd"] is not mine
    session.close()


def test_a_closed_session_answers_to_nothing(session, viewer):
    assert Session.of(viewer) is session
    session.close()
    assert Session.of(viewer) is None
    session.inspection.set(chi_threshold=5.0)
    viewer.dims.set_current_step(0, 2)
    assert session._on_mouse not in viewer.mouse_drag_callbacks
