"""The panels of a review, opened from the dock of a real window."""

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.gui.dock import CompareWarpDock
from napari_comparewarp.gui.panels.registry import PANELS


@pytest.fixture
def dock(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(1400, 880)
    made = CompareWarpDock(viewer)
    viewer.window.add_dock_widget(made, name="CompareWarp")
    made.show_inspection(cw.Inspection(stack()))
    return made


def press(dock, key):
    layer = dock.session.layers.by_role["difference"]
    layer.keymap[next(bound for bound in layer.keymap if str(bound) == key)](layer)


def test_every_panel_opens_in_a_dock_and_follows_another_stack(dock, qtbot):
    height = dock.window().height()
    for name, kind in PANELS.items():
        panel = dock.review_section.open(name)
        QApplication.processEvents()
        assert kind.title in dock.viewer.window.dock_widgets
        assert panel.isVisible()
        # All of it is seen, not the top of what it would like to be.
        room = dock.review_section._docks[name].widget()
        assert panel.height() <= max(room.height(), panel.minimumSizeHint().height())
        assert dock.review_section.open(name) is panel
    # A window that outgrew its screen would be of no use.
    assert dock.window().height() == height
    dock.show_inspection(cw.Inspection(stack(n_epochs=4, seed=2)))
    qtbot.waitUntil(lambda: not dock.session.busy)
    dock.close_session()


def test_a_key_opens_the_table_and_goes_to_the_first_footprint(dock, qtbot):
    press(dock, "J")
    qtbot.waitUntil(lambda: dock.session.selected_number == 1)
    assert "Footprints" in dock.viewer.window.dock_widgets


def test_a_decision_by_key_is_that_of_a_headless_run(dock, qtbot, tmp_path):
    press(dock, "J")
    qtbot.waitUntil(lambda: dock.session.selected_number is not None)
    footprint = dock.session.selected_number
    was = dock.session.inspection.result.footprints["verdict"][footprint - 1]
    with qtbot.waitSignal(dock.session.result_changed):
        press(dock, "W" if was == "clipped" else "Q")
    inspection = dock.session.inspection
    assert len(inspection.overrides) == 1
    headless = cw.run(inspection.stack, inspection.config, overrides=inspection.overrides)
    np.testing.assert_array_equal(headless.coadd.image, inspection.result.coadd.image)
    untouched = cw.run(inspection.stack, inspection.config)
    assert (headless.coadd.mask != untouched.coadd.mask).any()


def test_a_click_on_the_canvas_is_told_to_the_pixel_panel(dock, qtbot):
    panel = dock.review_section.open("pixel")
    dock.session.click(20, 30)
    qtbot.waitUntil(lambda: panel.report is not None)
    assert (panel.report.y, panel.report.x) == (20, 30)
