"""The sample: two clicks from the menu to a tuned view, without files or a frozen window."""

import time

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QTimer

from napari_comparewarp.gui.plugin import sample
from napari_comparewarp.gui.plugin.commands import dock_of
from napari_comparewarp.gui.session import Session


@pytest.fixture
def small(monkeypatch):
    """Make the sample a patch that is there at once."""
    monkeypatch.setattr(sample, "_SHAPE", (96, 96))


def test_the_sample_is_a_night_with_artifacts_that_are_clipped(small):
    inspection = sample.simulated_night()
    assert inspection.stack.n_epochs == 10
    verdicts = np.unique(inspection.result.footprints["verdict"]).tolist()
    assert "clipped" in verdicts and "persistent" in verdicts


def test_two_clicks_in_the_menu_end_in_a_tuned_view(small, plugin, make_napari_viewer_proxy, qtbot):
    viewer = make_napari_viewer_proxy()
    (offered,) = plugin.contributions.sample_data
    assert offered.display_name == "CompareWarp: simulated night"
    assert viewer.open_sample(plugin.name, offered.key) == []
    dock = dock_of(viewer)
    qtbot.waitUntil(lambda: dock.session is not None and len(viewer.layers) == 8, timeout=30_000)
    assert Session.of(viewer) is dock.session


def test_a_viewer_without_a_window_gets_the_same_layers(small, plugin):
    viewer = ViewerModel()
    viewer.open_sample(plugin.name, "simulated_night")
    assert len(viewer.layers) == 8


def test_the_window_answers_while_the_night_is_made(
    plugin, make_napari_viewer_proxy, qtbot, monkeypatch
):
    make = sample.simulated_night

    def slowly(progress):
        time.sleep(0.5)
        return make(progress)

    monkeypatch.setattr(sample, "_SHAPE", (96, 96))
    monkeypatch.setattr("napari_comparewarp.gui.plugin.readers.simulated_night", slowly)
    viewer = make_napari_viewer_proxy()
    dock = dock_of(viewer)
    beats = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(dock.session is None))
    timer.start(20)
    viewer.open_sample(plugin.name, "simulated_night")
    qtbot.waitUntil(lambda: dock.session is not None, timeout=30_000)
    timer.stop()
    assert sum(beats) >= 10
