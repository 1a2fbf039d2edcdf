"""The table of footprints: filling, sorting and filtering tens of thousands of rows.

Needs a display; without one, ``xvfb-run -a -s "-screen 0 1400x900x24 -ac +extension GLX"``
in front makes one.
"""

import time
from collections.abc import Callable, Iterator, Mapping

import napari
import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

import napari_comparewarp as cw
from napari_comparewarp.gui.panels.footprints.panel import FootprintPanel
from napari_comparewarp.gui.panels.footprints.rows import COLUMNS
from napari_comparewarp.gui.session import Session

#: Rows that the table has at least.
ROWS = 50_000

#: How often each is done, and rows that are gone to.
TURNS, STEPS = 7, 40

#: Noise alone, in which each pixel beyond three sigma is a footprint.
CONFIG = cw.CompareWarpConfig(chi_threshold=3.0, min_pixels=1, grow_sigma=0.0)

SORTS = ("peak_chi", "fraction", "epoch", "verdict")
FILTERS = ("area>1", "clipped chi=3..4", "negative fraction=0.4..1")

#: Largest time of each, seconds.
BOUNDS = {"fill": 0.5, "sort": 0.1, "filter": 0.1, "select": 0.15}


def main() -> None:
    """Measure, and say where a bound is not met."""
    times = measure()
    print("| what | median | 95 % | bound |", "| --- | --- | --- | --- |", sep="\n")
    for name, seconds in times.items():
        bound = BOUNDS[name.split()[0]]
        tail = float(np.percentile(seconds, 95))
        print(
            f"| {name} | {1000 * np.median(seconds):.1f} ms | {1000 * tail:.1f} ms "
            f"| {1000 * bound:.0f} ms{'' if tail <= bound else ', NOT MET'} |"
        )


def measure() -> Mapping[str, list[float]]:
    """Return the times of each kind of work, seconds."""
    viewer = napari.Viewer()
    session = Session(viewer, cw.Inspection(noisy_stack(), CONFIG))
    panel = FootprintPanel()
    viewer.window.add_dock_widget(panel, name="Footprints", area="bottom")
    panel.set_session(session)
    try:
        repaint(viewer, canvas=True)
        n_rows = panel.order.rowCount()
        if n_rows < ROWS:
            raise RuntimeError(f"{n_rows} footprints, fewer than {ROWS}")
        return dict(kinds(viewer, session, panel, n_rows))
    finally:
        panel.set_session(None)
        session.close()
        viewer.close()


def kinds(
    viewer: napari.Viewer, session: Session, panel: FootprintPanel, n_rows: int
) -> Iterator[tuple[str, list[float]]]:
    """Yield each kind of work, and the times that it takes."""

    def fill() -> None:
        panel.set_session(None)
        panel.set_session(session)

    def sort(column: str) -> None:
        panel.table.sortByColumn(list(COLUMNS).index(column), Qt.SortOrder.DescendingOrder)

    def timed(work: Callable[..., object], *args: str, canvas: bool = False) -> float:
        start = time.perf_counter()
        work(*args)
        repaint(viewer, canvas)
        return time.perf_counter() - start

    yield f"fill {n_rows:,} rows", [timed(fill) for _ in range(TURNS)]
    for column in SORTS:
        yield f"sort by {column}", [timed(sort, column) for _ in range(TURNS)]
    for text in FILTERS:
        texts = [text, ""] * TURNS
        yield f"filter {text!r}", [timed(panel.filters.text.setText, text) for text in texts]
    sort("peak_chi")
    yield (
        "select the next row, epoch and canvas with it",
        [timed(panel.next.click, canvas=True) for _ in range(STEPS)],
    )


def noisy_stack(n_epochs: int = 20, side: int = 1000) -> cw.WarpStack:
    """Return a stack of nothing but noise."""
    image = np.random.default_rng(35).normal(0, 3, (n_epochs, side, side)).astype(np.float32)
    return cw.WarpStack.from_arrays(image, np.full_like(image, 9), psf_sigma=2.0)


def repaint(viewer: napari.Viewer, canvas: bool) -> None:
    """Do what is due, drawing of the table included, and draw the canvas if asked."""
    QApplication.processEvents()
    if canvas:
        viewer.screenshot(canvas_only=True, flash=False)


if __name__ == "__main__":
    main()
