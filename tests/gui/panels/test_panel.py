"""The base of panels, and how one is added: a file, and an entry."""

import importlib
import sys
import threading

import pytest
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.gui.dock import CompareWarpDock
from napari_comparewarp.gui.keys import PanelKey
from napari_comparewarp.gui.panels.registry import PANELS, PanelKind

PANEL = """
from napari_comparewarp.gui.panels.panel import Panel


class DepthPanel(Panel):
    def __init__(self):
        super().__init__()
        self.refreshed, self.landed, self.pressed = [], [], 0

    def refresh(self):
        if self._session is not None:
            self.refreshed.append(self._session.inspection.config.chi_threshold)

    def land(self, product):
        self.landed.append(product)

    def press(self):
        self.pressed += 1
"""


@pytest.fixture
def dock(tmp_path, monkeypatch, make_napari_viewer_proxy, qtbot):
    """A dock with a panel of a module made for the test."""
    (tmp_path / "depth_panel.py").write_text(PANEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    module = importlib.import_module("depth_panel")
    key = PanelKey("y", "press", lambda panel: panel.press())
    monkeypatch.setitem(
        PANELS, "depth", PanelKind("Depth", "How deep it is", module.DepthPanel, keys=(key,))
    )
    viewer = make_napari_viewer_proxy(show=True)
    made = CompareWarpDock(viewer)
    viewer.window.add_dock_widget(made, name="CompareWarp")
    made.show_inspection(cw.Inspection(stack()))
    yield made
    made.close_session()
    sys.modules.pop("depth_panel")


def test_a_panel_of_the_list_has_a_button_and_follows_the_session(dock, qtbot):
    dock.review_section.buttons["depth"].click()
    panel = dock.review_section.open("depth")
    qtbot.waitUntil(lambda: panel.refreshed == [7.5])
    with qtbot.waitSignal(dock.session.result_changed):
        dock.session.tune(chi_threshold=6.0)
    assert panel.refreshed == [7.5, 6.0]


def test_what_changes_while_a_panel_is_hidden_is_shown_when_it_is_visible(dock, qtbot):
    panel = dock.review_section.open("depth")
    qtbot.waitUntil(lambda: panel.refreshed == [7.5])
    panel.hide()
    with qtbot.waitSignal(dock.session.result_changed):
        dock.session.tune(chi_threshold=6.0)
    assert panel.refreshed == [7.5]
    panel.show()
    assert panel.refreshed == [7.5, 6.0]


def test_only_the_latest_work_of_a_panel_lands(dock, qtbot):
    panel = dock.review_section.open("depth")
    go_on = threading.Event()
    panel.work.start(lambda progress: go_on.wait(10) and "first")
    panel.work.start(lambda progress: "second")
    go_on.set()
    qtbot.waitUntil(lambda: not panel.work.busy)
    assert panel.landed == ["second"]


def test_a_key_of_a_panel_opens_it_and_acts(dock):
    assert dock.keys["y"].text == "press"
    dock.keys["y"].act()
    panel = dock.review_section.open("depth")
    assert panel.pressed == 1
