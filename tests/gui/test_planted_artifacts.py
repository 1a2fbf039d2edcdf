"""Each artifact that was planted in the sample is found from the table, with a true sentence."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

import napari_comparewarp as cw
from napari_comparewarp.gui.dock import CompareWarpDock
from napari_comparewarp.gui.sections.review import ReviewSection
from napari_comparewarp.simulation import read_truth

SAMPLE = Path(__file__).parents[2] / "sample_data"

#: Sigma of the sky: fainter light is not there to be found.
BRIGHT = 5.0

#: Sigma of the difference that no detection could miss.
UNMISSABLE = 20.0


@pytest.fixture(scope="module")
def inspection():
    return cw.Inspection(cw.read_stack(SAMPLE))


@pytest.fixture
def panel(make_napari_viewer_proxy, inspection):
    dock = CompareWarpDock(make_napari_viewer_proxy(show=True))
    dock.viewer.window.add_dock_widget(dock)
    dock.show_inspection(inspection)
    assert isinstance(dock.review_section, ReviewSection)
    made = dock.review_section.open("footprints")
    made.dock = dock
    return made


def is_selected(session, footprint):
    return session.selected_number == footprint


def click(panel, footprint, qtbot):
    """Click on the row of a footprint."""
    cell = panel.order.index(panel.order.place_of(footprint - 1), 0)
    panel.table.scrollTo(cell)
    QApplication.processEvents()
    place = panel.table.visualRect(cell).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_two_clicks_lead_to_every_planted_artifact_and_its_reason(panel, inspection, qtbot):
    truth, result = read_truth(SAMPLE / "truth"), inspection.result
    visits, session = truth.visits, panel.dock.session
    noise = dict(zip(visits["visit"].tolist(), visits["sky_sigma"].tolist(), strict=True))
    found = 0
    for artifact in truth.artifacts:
        bright = artifact.signal > BRIGHT * noise[artifact.visit]
        y, x = artifact.y[bright], artifact.x[bright]
        epoch = inspection.stack.epochs.index(artifact.visit)
        ids = result.labels(epoch)[y, x]
        if not ids.any():
            # There is nothing to be found: the matched warp sees no such light.
            assert not (np.abs(result.chi(epoch)[y, x]) > UNMISSABLE).any()
            continue
        found += 1
        footprint = int(np.bincount(ids[ids > 0]).argmax())
        # The first click chooses the visit, the second the row.
        panel.filters.epoch.setCurrentIndex(1 + epoch)
        click(panel, footprint, qtbot)
        qtbot.waitUntil(partial(is_selected, session, footprint), timeout=5000)
        assert session.epoch_index == epoch
        row, words = result.footprints[footprint - 1], panel.sentence.text()
        assert ("Clipped: " if row["verdict"] == "clipped" else "Kept") in words
        if row["verdict"] == "clipped":
            assert f"{100 * row['fraction']:.0f} % of its {row['area']:,} pixels" in words
            assert f"in at most {row['max_epochs']} of" in words
    assert found > 0.9 * len(truth.artifacts)
