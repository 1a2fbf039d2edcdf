"""The evidence: from the selection of a footprint to its repainted stamps and canvas.

Needs a display; without one, ``xvfb-run -a -s "-screen 0 1400x900x24 -ac +extension GLX"``
in front makes one.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import napari_comparewarp as cw

#: Footprints that are selected, of all sizes.
SELECTIONS = 60

#: From the selection to the repainted evidence, seconds.
BOUND = 0.15


def measure_evidence(stack: cw.WarpStack) -> dict[str, list[tuple[float, float]]]:
    """Select footprints in a real window, and return how long their evidence takes.

    To be called in a process of its own, on a display. A footprint is selected, or selected
    and gone to: then the canvas shows its epoch and zooms too. Of each, wall time and
    CPU time of all threads in seconds: what other programs do is in the first alone.
    """
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_comparewarp.gui.panels.evidence.panel import EvidencePanel
    from napari_comparewarp.gui.session import Session

    viewer = napari.Viewer()
    viewer.window.resize(1400, 880)
    session = Session(viewer, cw.Inspection(stack))
    panel = EvidencePanel()
    viewer.window.add_dock_widget(panel, name="evidence", area="bottom")
    panel.set_session(session)
    application = QApplication.instance()
    painted = _paints_of(panel.sheet.viewport())
    landed: list[int] = []
    panel.work.done.connect(lambda _: landed.append(painted[0]))

    def wait(until: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not until():
            application.processEvents()
            time.sleep(0.0005)
            if time.monotonic() > end:
                raise RuntimeError("the evidence does not come")

    def rest(seconds: float) -> None:
        end = time.monotonic() + seconds
        wait(lambda: time.monotonic() > end)

    def seconds_of(footprint: int, go: bool) -> tuple[float, float]:
        landed.clear()
        start, work = time.perf_counter(), time.process_time()
        session.select(session.inspection.key_of(footprint), go=go)
        wait(lambda: bool(landed) and painted[0] > landed[0])
        return time.perf_counter() - start, time.process_time() - work

    rest(1.0)
    ids = np.linspace(1, len(session.inspection.result.footprints), SELECTIONS).astype(int)
    # The first of each compiles kernels, and has the font and the plot laid out.
    for footprint in ids[:2]:
        seconds_of(int(footprint), go=True)
    times: dict[str, list[tuple[float, float]]] = {
        "select: evidence repainted": [],
        "select: evidence, epoch and zoom repainted": [],
    }
    for go, seconds in zip((False, True), times.values(), strict=True):
        for footprint in ids[2:]:
            rest(0.1)
            seconds.append(seconds_of(int(footprint), go))
        session.select(None)
    panel.set_session(None)
    session.close()
    viewer.close()
    return times


def _paints_of(widget: Any) -> list[int]:
    """Return a number that grows with each repaint of a widget."""
    from qtpy.QtCore import QEvent, QObject

    count = [0]

    class Watcher(QObject):
        def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802
            count[0] += event.type() == QEvent.Type.Paint
            return False

    widget.installEventFilter(Watcher(widget))
    return count


def main() -> None:
    """Measure on a folder of warps, and say where the bound is not met."""
    print("| what | median | 95 % | CPU time, median | bound |")
    print("| --- | --- | --- | --- | --- |")
    for what, seconds in measure_evidence(cw.read_stack(sys.argv[1])).items():
        wall, work = np.array(seconds).T
        tail = float(np.percentile(wall, 95))
        print(
            f"| {what} | {1000 * np.median(wall):.0f} ms | {1000 * tail:.0f} ms "
            f"| {1000 * np.median(work):.0f} ms "
            f"| {1000 * BOUND:.0f} ms{'' if tail <= BOUND else ', NOT MET'} |"
        )


if __name__ == "__main__":
    main()
