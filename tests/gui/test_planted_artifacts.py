"""Each artifact that was planted in the sample is found from the table, with a true sentence."""

from pathlib import Path

import numpy as np
import pytest

import napari_comparewarp as cw
from napari_comparewarp.gui.dock import CompareWarpDock
from napari_comparewarp.gui.review_section import ReviewSection
from napari_comparewarp.simulation import read_truth

SAMPLE = Path(__file__).parents[2] / "sample_data"

#: Sigma of the sky: fainter light is not there to be found.
BRIGHT = 5.0


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


def test_two_clicks_lead_to_every_planted_artifact_and_its_reason(panel, inspection, qtbot):
    truth, result = read_truth(SAMPLE / "truth"), inspection.result
    noise = dict(zip(truth.visits["visit"].tolist(), truth.visits["sky_sigma"].tolist(), strict=True))
    table = result.footprints
    found = 0
    for artifact in truth.artifacts:
        bright = artifact.signal > BRIGHT * noise[artifact.visit]
        index = inspection.stack.epochs.index(artifact.visit)
        ids = result.labels(index)[artifact.y[bright], artifact.x[bright]]
        if not ids.any():
            # What the matched warp does not see there, or sees as too faint.
            assert not (np.abs(result.chi(index)[artifact.y[bright], artifact.x[bright]]) > 20).any()
            continue
        found += 1
        footprint = int(np.bincount(ids[ids > 0]).argmax())
        # The first click: only this visit's clipped footprints; the second: its row.
        panel.filters.text.setText(f"id={footprint}")
        panel.step(1)
        session = panel.dock.session
        qtbot.waitUntil(lambda footprint=footprint: session.selected == footprint)
        assert session.epoch_index == index
        row = table[footprint - 1]
        words = "Clipped: " if row["verdict"] == "clipped" else "Kept: "
        assert words in panel.sentence.text(), (artifact.kind, panel.sentence.text())
        percent = f"{100 * row['fraction']:.0f} %"
        assert percent in panel.sentence.text() or row["verdict"] != "clipped"
    assert found > 0.9 * len(truth.artifacts)
