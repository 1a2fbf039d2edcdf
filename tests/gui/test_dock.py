"""The dock widget: open, tune, look, compare."""

import gc
import json
import threading
import time
import weakref

import numpy as np
import pytest
from astropy.io import fits
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication, QMessageBox
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.config.knobs import GROUPS, knob_facts
from napari_comparewarp.gui.dock import CompareWarpDock
from napari_comparewarp.gui.layers.layer_set import NAMES
from napari_comparewarp.gui.session import Session
from napari_comparewarp.result.footprint_states import OUTLINE
from napari_comparewarp.result.footprints import State
from napari_comparewarp.simulation import simulate_night, write_night

EPOCH = 1


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night") / "stack"
    write_night(simulate_night(n_epochs=5, shape=(96, 110), seed=4), folder)
    return folder


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    return make_napari_viewer_proxy()


@pytest.fixture
def dock(viewer):
    made = CompareWarpDock(viewer)
    viewer.window.add_dock_widget(made, name="CompareWarp")
    return made


@pytest.fixture
def tuned(dock):
    dock.show_inspection(cw.Inspection(stack()))
    return dock


@pytest.fixture
def said(monkeypatch):
    """Return what the window tells its user."""
    messages = []
    for name in ("show_warning", "show_info"):
        monkeypatch.setattr(f"napari_comparewarp.gui.dock.{name}", messages.append)
    return messages


def until_open(dock, qtbot):
    qtbot.waitUntil(lambda: dock.session is not None, timeout=30_000)


def press(dock, key):
    layer = dock.session.layers.by_role["difference"]
    layer.keymap[next(bound for bound in layer.keymap if str(bound) == key)](layer)


def test_a_folder_is_opened_beside_the_window_and_shown(dock, night, qtbot):
    dock.open(night)
    assert dock.session is None
    until_open(dock, qtbot)
    assert [layer.name for layer in dock.viewer.layers] == list(NAMES.values())
    assert "5 epochs of 96 × 110 pixels" in dock.open_section.about.text()


def test_what_the_reader_refuses_is_said_in_one_line(dock, tmp_path, qtbot):
    with qtbot.waitSignal(dock.loader.failed) as failed:
        dock.open(tmp_path)
    assert str(tmp_path) in failed.args[0]
    assert "\n" not in failed.args[0]
    assert dock.session is None


def test_a_later_stack_overtakes_an_earlier_one(dock, night, tmp_path, qtbot):
    dock.open(night)
    dock.open(night, config=cw.CompareWarpConfig(chi_threshold=5.0))
    until_open(dock, qtbot)
    assert dock.session.config.chi_threshold == 5.0


def test_opening_can_be_cancelled(dock, night, qtbot, settle):
    with qtbot.waitSignal(dock.loader.finished):
        dock.open(night)
        dock.cancel()
    settle(dock.loader)
    assert dock.session is None


def test_a_second_stack_takes_the_place_of_the_first_in_the_same_layers(tuned, qtbot):
    layers = list(tuned.viewer.layers)
    first = tuned.session
    tuned.show_inspection(cw.Inspection(stack(n_epochs=4, shape=(50, 80), seed=2)))
    assert list(tuned.viewer.layers) == layers
    assert layers[0].data.shape == (50, 80)
    assert tuned.session is not first
    assert Session.of(tuned.viewer) is tuned.session


def test_a_stack_that_is_no_longer_open_takes_no_memory(tuned, qtbot):
    tuned.review_section.open("footprints")
    first = weakref.ref(tuned.session.inspection)
    tuned.show_inspection(cw.Inspection(stack(seed=2)))
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qtbot.waitUntil(lambda: gc.collect() >= 0 and first() is None)


def test_unsaved_decisions_are_asked_about_before_they_are_lost(tuned, monkeypatch, qtbot):
    first = tuned.session
    first.decide(first.inspection.key_of(1), "keep")
    qtbot.waitUntil(lambda: not first.busy)
    no = QMessageBox.StandardButton.No
    monkeypatch.setattr(QMessageBox, "question", lambda *args, **kwargs: no)
    tuned.show_inspection(cw.Inspection(stack(seed=2)))
    assert tuned.session is first


def test_each_knob_is_shown_once_in_the_group_that_it_names(dock):
    shown = [name for grid in dock.tune_section.grids for name in grid.rows]
    assert sorted(shown) == sorted(cw.CompareWarpConfig.model_fields)
    for group, grid in zip(GROUPS, dock.tune_section.grids[1:], strict=True):
        assert {knob_facts(name)["group"] for name in grid.rows} == {group}


def test_exporting_the_inspection_counts_as_saving_it(tuned, monkeypatch, tmp_path, qtbot):
    first, section = tuned.session, tuned.export_section
    first.decide(first.inspection.key_of(1), "keep")
    qtbot.waitUntil(lambda: not first.busy)
    section.folder.setText(str(tmp_path))
    for name, box in section.boxes.items():
        box.setChecked(name == "inspection")
    with qtbot.waitSignal(section.written):
        section.export()
    qtbot.waitUntil(lambda: not section.busy)
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *args, **kwargs: asked.append(args))
    tuned.show_inspection(cw.Inspection(stack(seed=2)))
    assert tuned.session is not first and not asked


def test_saved_decisions_come_back_from_the_file(dock, night, tmp_path, said, qtbot):
    dock.open(night)
    until_open(dock, qtbot)
    dock.session.decide(dock.session.inspection.key_of(1), "keep")
    dock.save(tmp_path / "mine.json")
    qtbot.waitUntil(lambda: (tmp_path / "mine.json").exists())
    assert said[-1].endswith("mine.json")
    assert len(json.loads((tmp_path / "mine.json").read_text())["overrides"]) == 1
    first = dock.session
    dock.open(tmp_path / "mine.json")
    qtbot.waitUntil(lambda: dock.session is not first, timeout=30_000)
    assert list(dock.session.inspection.overrides.values()) == ["keep"]


@pytest.mark.parametrize("name", ["chi_threshold", "temporal_threshold", "spatial_threshold"])
def test_the_three_knobs_are_in_front_and_act_while_they_move(tuned, name, qtbot):
    front = tuned.tune_section.grids[0]
    assert list(front.rows) == ["chi_threshold", "temporal_threshold", "spatial_threshold"]
    with qtbot.waitSignal(tuned.session.result_changed):
        front.rows[name].editor.value = 0.9 if name != "chi_threshold" else 5.0
    assert getattr(tuned.session.inspection.config, name) == front.rows[name].value


def test_every_other_knob_is_in_one_of_the_groups(tuned):
    shown = [name for grid in tuned.tune_section.grids for name in grid.rows]
    assert sorted(shown) == sorted(cw.CompareWarpConfig.model_fields)


def test_the_summary_counts_what_is_clipped(tuned, qtbot):
    table = tuned.session.inspection.result.footprints
    clipped = int((table["verdict"] == "clipped").sum())
    assert f"<b>{clipped}</b> of {len(table)}" in tuned.tune_section.summary.text()
    tuned.session.epoch_index = EPOCH
    assert f"Epoch {EPOCH}:" in tuned.tune_section.summary.text()


def test_undo_shows_the_old_value_again(tuned, qtbot):
    row = tuned.tune_section.row("chi_threshold")
    with qtbot.waitSignal(tuned.session.finished):
        row.editor.value = 5.0
    with qtbot.waitSignal(tuned.session.result_changed):
        tuned.tune_section.undo.click()
    assert row.value == 7.5
    assert not tuned.tune_section.undo.isEnabled()
    assert tuned.tune_section.redo.isEnabled()


def test_a_preset_sets_all_its_knobs(tuned, qtbot):
    with qtbot.waitSignal(tuned.session.finished):
        tuned.tune_section.preset.textActivated.emit("dmtn-080")
    assert tuned.session.inspection.config == cw.CompareWarpConfig.preset("dmtn-080")
    assert tuned.tune_section.row("grow_sigma").value == 2.4


def test_the_buttons_show_one_picture_and_follow_the_layer_list(tuned):
    look, by_role = tuned.look_section, tuned.session.layers.by_role
    look.bases["template"].click()
    assert by_role["template"].visible
    assert not by_role["difference"].visible
    by_role["count"].visible = True
    assert look.bases["count"].isChecked()


def test_a_mask_plane_has_an_opacity_of_its_own(tuned):
    views = tuned.session.layers.views
    bad = tuned.session.inspection.stack.direct.mask[0] == 1
    bad[:3] = False  # NO_DATA as well
    assert views.mask(0)[bad][:, 3].min() > 0
    tuned.look_section._set_plane_opacity("BAD", 0.0)
    assert views.mask(0)[bad][:, 3].max() == 0


def test_keys_do_what_their_buttons_do(tuned, qtbot):
    states = tuned.session.layers.by_role["states"]
    press(tuned, "H")
    assert not states.visible
    assert not tuned.look_section.footprints.isChecked()
    press(tuned, "H")
    assert states.visible
    press(tuned, ";")
    assert tuned.session.layers.stretch.curve == "linear"


def test_a_layer_that_was_deleted_comes_back_with_its_keys_and_its_button(tuned):
    tuned.viewer.layers.remove(tuned.session.layers.by_role["difference"])
    tuned.look_section.bases["difference"].click()
    assert tuned.look_section.bases["difference"].isChecked()
    press(tuned, "H")
    assert not tuned.session.layers.by_role["states"].visible


def test_keys_are_let_go_with_the_session(tuned):
    layers = list(tuned.session.layers)
    assert all(layer.keymap for layer in layers)
    tuned.close_session()
    assert not any(layer.keymap for layer in layers)
    assert not tuned.tune_section.isEnabled()


def test_settings_can_be_pinned_and_compared_with(tuned, qtbot):
    pinned = tuned.session.inspection.result.coadd.image
    tuned.compare_section.pin.click()
    with qtbot.waitSignal(tuned.session.result_changed):
        tuned.session.tune(max_epochs=0, temporal_threshold=0.0, max_epochs_slope=0.0)
    tuned.session.layers.set_comparison("pinned")
    shown = np.asarray(tuned.session.layers.by_role["compared"].data)
    np.testing.assert_array_equal(shown, pinned)
    assert (shown != tuned.session.inspection.result.coadd.image).any()


def test_a_viewer_closed_in_the_middle_of_work_leaves_no_thread_behind(
    make_napari_viewer_proxy, night, qtbot
):
    viewer = make_napari_viewer_proxy()
    dock = CompareWarpDock(viewer)
    viewer.window.add_dock_widget(dock)
    dock.show_inspection(cw.Inspection(stack()))
    dock.session.tune(template_statistic="MEDIAN")
    dock.open(night)
    del dock
    viewer.close()

    def working():
        names = ("inspection", "loading")
        return [t for t in threading.enumerate() if t.name.startswith(names)]

    deadline = time.monotonic() + 10
    while working() and time.monotonic() < deadline:
        qtbot.wait(50)
    assert working() == []


def test_a_clipped_trail_is_seen_from_opening_to_export(dock, night, tmp_path, qtbot):
    dock.open(night)
    until_open(dock, qtbot)
    with qtbot.waitSignal(dock.session.finished):
        dock.tune_section.row("chi_threshold").editor.value = 5.0
    result = dock.session.inspection.result
    row = result.footprints[result.footprints["verdict"] == "clipped"][0]
    dock.session.select(dock.session.inspection.key_of(int(row["id"])), go=True)
    assert dock.session.epoch_index == row["epoch_index"]
    shown = dock.session.layers.by_role["states"]._slice.image.raw
    assert (shown % OUTLINE == State.CLIPPED).any()
    export = dock.export_section
    export.folder.setText(str(tmp_path))
    export.name.setText("mine")
    with qtbot.waitSignal(export.written):
        export.export()
    dock.session.inspection.result.write(tmp_path / "same.fits")
    for name in ("image", "variance", "mask"):
        np.testing.assert_array_equal(
            fits.getdata(tmp_path / "mine.fits", name), fits.getdata(tmp_path / "same.fits", name)
        )
