"""The tuning plot: how many frames a second it draws while a line is dragged."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import napari_comparewarp as cw

#: Frames that are drawn on the way of one line.
FRAMES = 120

#: Where each line is dragged to and fro, in the units of its plot's axis.
ROUTES = {
    "spatial_threshold": (0.05, 0.95),
    "temporal_threshold": (0.5, 8.0),
    "max_epochs": (0.5, 8.0),
    "chi_threshold": (np.log10(4.0), np.log10(12.0)),
}


@dataclass
class Drag:
    """What dragging one line gave.

    Attributes
    ----------
    knob : str
    frames : list of float
        From each move of the mouse to the repainted plot, seconds.
    busy : list of float
        Of these, the time that the main thread itself worked.
    landed : int
        Results that came meanwhile.
    """

    knob: str
    frames: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    landed: int = 0

    @property
    def rate(self) -> float:
        """Frames a second."""
        return len(self.frames) / sum(self.frames)

    @property
    def undisturbed_rate(self) -> float:
        """Frames a second, were the main thread never kept waiting by other programs."""
        return len(self.busy) / sum(self.busy)


def measure_drags(stack: cw.WarpStack, docked: bool = True) -> list[Drag]:
    """Drag each threshold in a real window, as a mouse does.

    To be called in a process of its own, on a display.

    Parameters
    ----------
    stack : WarpStack
    docked : bool
        Whether the plot is in the viewer's window, all of which is put together
        again for each frame, or in one of its own.
    """
    import napari
    import pyqtgraph
    from qtpy.QtWidgets import QApplication

    from napari_comparewarp.gui.panels.tuning.panel import TuningPlot
    from napari_comparewarp.gui.session import Session

    # Else moves that follow each other in less than 10 ms are left out, and no frame comes.
    pyqtgraph.setConfigOption("mouseRateLimit", -1)
    viewer = napari.Viewer()
    viewer.window.resize(1400, 880)
    session = Session(viewer, cw.Inspection(stack))
    plot = TuningPlot()
    if docked:
        viewer.window.add_dock_widget(plot, name="tuning plot", area="bottom")
    else:
        plot.resize(1380, 320)
        plot.show()
    plot.set_session(session)
    application = QApplication.instance()

    def wait(until: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not until():
            application.processEvents()
            if time.monotonic() > end:
                raise RuntimeError("the tuning plot does not answer")

    def rest(seconds: float) -> None:
        end = time.monotonic() + seconds
        wait(lambda: time.monotonic() > end and not session.busy)

    rest(1.0)
    drags = []
    for knob in ROUTES:
        drags.append(_drag(plot, session, knob, wait))
        rest(0.5)
        session.set_config(cw.CompareWarpConfig())
        rest(0.5)
    plot.set_session(None)
    session.close()
    plot.close()
    viewer.close()
    return drags


def _drag(plot: Any, session: Any, knob: str, wait: Callable[[Callable[[], bool]], None]) -> Drag:
    """Take one line with the mouse and lead it along its route."""
    from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    line = plot.lines[knob]
    cloud = plot.peaks if knob == "chi_threshold" else plot.fractions
    surface, box = cloud.viewport(), cloud.getPlotItem().getViewBox()
    drag = Drag(knob)
    painted = [0]

    class Painted(QObject):
        def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802
            painted[0] += event.type() == QEvent.Type.Paint
            return False

    watcher = Painted()
    surface.installEventFilter(watcher)

    def place(value: float) -> QPoint:
        (x0, x1), (y0, y1) = box.viewRange()
        across = (x0 + 0.9 * (x1 - x0), y0 + 0.3 * (y1 - y0))
        x, y = (across[0], value) if line.angle == 0 else (value, across[1])
        return cloud.mapFromScene(box.mapViewToScene(QPointF(x, y)))

    def send(kind: Any, where: QPoint, button: Any, held: Any) -> None:
        far = QPointF(surface.mapToGlobal(where))
        event = QMouseEvent(kind, QPointF(where), far, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(surface, event)

    def count(*_: Any) -> None:
        drag.landed += 1

    session.result_changed.connect(count)
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    here = place(line.value())
    send(QEvent.Type.MouseMove, here, none, none)
    send(QEvent.Type.MouseButtonPress, here, left, left)
    # The first move begins a drag, and is not followed.
    route = list(_route(*ROUTES[knob]))
    send(QEvent.Type.MouseMove, place(route[0]), none, left)
    for value in route[1:]:
        before, start, worked = painted[0], time.perf_counter(), time.thread_time()
        send(QEvent.Type.MouseMove, place(value), none, left)
        wait(lambda before=before: painted[0] > before)
        drag.frames.append(time.perf_counter() - start)
        drag.busy.append(time.thread_time() - worked)
    if not line.moving:
        raise RuntimeError(f"the line of {knob} was not taken by the mouse")
    send(QEvent.Type.MouseButtonRelease, place(line.value()), left, none)
    session.result_changed.disconnect(count)
    surface.removeEventFilter(watcher)
    return drag


def _route(low: float, high: float) -> Iterator[float]:
    """Return places there and back again, no two in a row the same."""
    half = np.linspace(low, high, FRAMES // 2)
    yield from half
    yield from half[-2:0:-1]


def main() -> None:
    """Measure on arrays that `inputs.make_inputs` has stored in a folder."""
    from inputs import load_stack

    stack = load_stack(Path(sys.argv[1]))
    for docked in (True, False):
        print("in the viewer's window" if docked else "in a window of its own")
        for drag in measure_drags(stack, docked):
            slow = 1e3 * np.percentile(drag.frames, 95)
            print(
                f"{drag.knob}: {drag.rate:.0f} frames a second ({drag.undisturbed_rate:.0f} "
                f"undisturbed), 95 % within {slow:.0f} ms; {drag.landed} results on the way"
            )


if __name__ == "__main__":
    main()
