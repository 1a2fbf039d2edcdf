"""Make the pictures of the window: a real one, driven as a person would.

Needs a display, or `xvfb-run`; see `make screenshots`.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_comparewarp.gui.dock import CompareWarpDock
from napari_comparewarp.gui.plugin.commands import dock_of
from napari_comparewarp.gui.widgets.fold import Fold

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"

#: Size of the window, pixels: that of a small laptop's screen.
SIZE = (1400, 880)


class Stage:
    """A window with a stack in it, and a camera."""

    def __init__(self, source: Path) -> None:
        self.viewer = napari.Viewer()
        self.viewer.window.resize(*SIZE)
        self.dock: CompareWarpDock = dock_of(self.viewer)
        self.dock.open(source)
        self.wait(lambda: self.dock.session is not None)
        assert self.dock.session is not None
        self.session = self.dock.session
        self.rest()

    def wait(self, until: Callable[[], bool], at_most: float = 120.0) -> None:
        """Let the window work until something is true."""
        end = time.monotonic() + at_most
        while not until():
            QApplication.processEvents()
            time.sleep(0.005)
            if time.monotonic() > end:
                raise RuntimeError("the window does not answer")

    def rest(self, seconds: float = 1.0) -> None:
        """Let the window finish what it does."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end and not self.session.busy)

    def fold(self, *titles: str) -> None:
        """Open some sections of the dock, and close the others."""
        for fold in self.dock.findChildren(Fold):
            fold.header.setChecked(fold.header.text() in titles)

    def shoot(self, name: str) -> None:
        """Save a picture of the whole window."""
        self.rest()
        picture = self.viewer.screenshot(canvas_only=False, flash=False)
        path = IMAGES / f"{name}.jpg"
        Image.fromarray(picture).convert("RGB").save(path, quality=90, subsampling=0)
        print(path)


def main() -> None:
    """Drive the window through its pictures."""
    stage = Stage(ROOT / "sample_data")
    dock, session = stage.dock, stage.session
    session.tune(chi_threshold=5.0)
    session.epoch_index = 3
    stage.fold("Stack", "Tune", "Look", "Compare", "Review")
    stage.shoot("window_tune")

    dock.compare_section.comparison.setCurrentIndex(1)
    dock.compare_section.comparison.activated.emit(1)
    stage.shoot("window_compare")
    dock.compare_section.comparison.setCurrentIndex(0)
    dock.compare_section.comparison.activated.emit(0)

    dock.look_section.bases["coadd"].click()
    stage.fold("Export")
    # Not what a user of this machine has chosen before.
    dock.export_section.folder.setText(".")
    stage.shoot("window_export")

    stage.fold("Tune", "Look")
    dock.look_section.bases["difference"].click()
    dock.review_section.open("footprints")
    dock.review_section.open("evidence")
    table = session.inspection.result.footprints
    rows = table[(table["verdict"] == "clipped") & (table["epoch_index"] == 2)]
    session.select(session.inspection.key_of(int(rows["id"][np.argmax(rows["area"])])), go=True)
    stage.rest(3)
    stage.shoot("window_review")

    dock.review_section.open("plot")
    stage.rest(3)
    stage.shoot("window_plot")
    dock.review_section.open("sensitivity")
    stage.rest(8)
    stage.shoot("window_sensitivity")
    dock.review_section.open("psf")
    stage.rest(4)
    stage.shoot("window_psf")
    stage.viewer.close()


if __name__ == "__main__":
    sys.exit(main())
