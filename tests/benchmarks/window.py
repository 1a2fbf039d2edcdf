"""The window: from a slider's step to the repainted canvas, and how long it ever stands still."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

#: What each slider goes through, up and down.
SLIDERS = {
    "temporal_threshold": np.linspace(0.05, 0.6, 12),
    "spatial_threshold": np.linspace(0.05, 0.95, 12),
    "chi_threshold": np.linspace(3.5, 12.0, 12),
}

#: How often a slider goes up and down.
SWEEPS = 2

#: Between two beats of the heart, seconds.
BEAT = 0.005

#: A program that opens a window, and the same with a stack in it. They end when it is drawn.
BARE = "import napari, numpy; v = napari.Viewer(); v.add_image(numpy.eye(9)); "
VIEW = (
    "import napari; from pathlib import Path; "
    "from napari_comparewarp.gui.plugin.commands import dock_of; "
    "v = napari.Viewer(); d = dock_of(v); d.open(Path({!r})); "
)
UNTIL_DRAWN = (
    "import time; from qtpy.QtWidgets import QApplication; end = time.monotonic() + 120\n"
    "while {} and time.monotonic() < end: QApplication.processEvents(); time.sleep(0.002)\n"
    "v.screenshot(flash=False); QApplication.processEvents(); v.close()"
)


@dataclass
class WindowTimes:
    """What a window took, seconds.

    Attributes
    ----------
    steps : dict of str to list of float
        From a step of each slider, and of the epochs, to the repainted canvas.
    pauses : dict of str to list of float
        In each part of the work, the pauses of the main thread's heart.
    busy : dict of str to list of float
        The same, counting only the time that the main thread itself worked.
    """

    steps: dict[str, list[float]] = field(default_factory=dict)
    pauses: dict[str, list[float]] = field(default_factory=dict)
    busy: dict[str, list[float]] = field(default_factory=dict)


def measure_window(folder: Path) -> WindowTimes:
    """Open a folder of warps in a real window, tune it, step through it and export it.

    To be called in a process of its own, on a display.
    """
    import napari
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    from napari_comparewarp.gui.dock import CompareWarpDock

    viewer = napari.Viewer()
    viewer.window.resize(1400, 880)
    dock = CompareWarpDock(viewer)
    viewer.window.add_dock_widget(dock, name="CompareWarp")
    application = QApplication.instance()
    times = WindowTimes()
    part = "before"
    last = [time.perf_counter(), time.thread_time()]

    def beat() -> None:
        now = [time.perf_counter(), time.thread_time()]
        times.pauses.setdefault(part, []).append(now[0] - last[0])
        times.busy.setdefault(part, []).append(now[1] - last[1])
        last[:] = now

    def wait(until: Callable[[], bool], at_most: float = 120.0) -> None:
        end = time.monotonic() + at_most
        while not until():
            application.processEvents()
            time.sleep(0.0005)
            if time.monotonic() > end:
                raise RuntimeError(f"the window does not answer, while it should: {part}")

    def rest(seconds: float) -> None:
        end = time.monotonic() + seconds
        wait(lambda: time.monotonic() > end)

    drawn = [0.0]
    canvas = viewer.window._qt_viewer.canvas._scene_canvas
    canvas.events.draw.connect(lambda _: drawn.__setitem__(0, time.perf_counter()), position="last")
    rest(1.0)
    heart = QTimer()
    heart.timeout.connect(beat)
    last[:] = [time.perf_counter(), time.thread_time()]
    heart.start(int(1000 * BEAT))
    part = "load"
    dock.open(folder)
    wait(lambda: dock.session is not None)
    session = dock.session
    rest(1.0)
    part = "tune"
    for knob in SLIDERS:
        times.steps[knob] = []
        for value in _positions(knob):
            landed: list[float] = []
            session.result_changed.connect(lambda landed=landed: landed.append(time.perf_counter()))
            start = time.perf_counter()
            dock.tune_section.row(knob).editor.value = float(value)
            wait(lambda landed=landed: bool(landed) and drawn[0] > landed[0])
            times.steps[knob].append(drawn[0] - start)
            session.result_changed.disconnect()
            session.result_changed.connect(dock.tune_section.show_result)
    part = "epochs"
    times.steps["next epoch"] = []
    for epoch in [*range(1, session.inspection.stack.n_epochs), 0]:
        start = time.perf_counter()
        session.epoch_index = epoch
        wait(lambda start=start: drawn[0] > start)
        times.steps["next epoch"].append(drawn[0] - start)
        rest(0.02)
    part = "export"
    export, written = dock.export_section, []
    export.written.connect(written.append)
    with tempfile.TemporaryDirectory() as target:
        export.folder.setText(target)
        export.export()
        wait(lambda: bool(written))
        rest(0.2)
    heart.stop()
    viewer.close()
    return times


def _positions(knob: str) -> Iterator[float]:
    for _ in range(SWEEPS):
        yield from SLIDERS[knob]
        yield from SLIDERS[knob][-2:0:-1]


def seconds_to_a_window(folder: Path | None) -> float:
    """Return how long a program takes until its window is drawn, with a stack in it or bare."""
    if folder is None:
        program = BARE + UNTIL_DRAWN.format("False")
    else:
        program = VIEW.format(str(folder)) + UNTIL_DRAWN.format("d.session is None")
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def rows(folder: Path, sample: Path) -> list[str]:
    """Measure the window, its panels included, and return a table of it.

    Parameters
    ----------
    folder : Path
        Warps of the size that is measured.
    sample : Path
        The sample data, for the time to a window.
    """
    from measure import alone
    from table import measure as measure_table

    def milliseconds(values: list[float]) -> tuple[float, float]:
        return 1000 * float(np.median(values)), 1000 * float(np.percentile(values, 95))

    lines = ["| what | median | 95 % | bound |", "| --- | --- | --- | --- |"]
    times = alone(measure_window, folder)
    for name, values in times.steps.items():
        middle, tail = milliseconds(values)
        bound = 300 if name == "chi_threshold" else 100
        what = name.replace("_", " ")
        lines.append(
            f"| {what}: step to repainted canvas | {middle:.0f} ms | {tail:.0f} ms | {bound} ms |"
        )
    for what, pairs in alone(_evidence, folder).items():
        middle, tail = milliseconds([wall for wall, _ in pairs])
        lines.append(f"| {what} | {middle:.0f} ms | {tail:.0f} ms | 150 ms |")
    for what, values in alone(measure_table).items():
        middle, tail = milliseconds(values)
        bound = "500 ms" if what.startswith("fill") else "150 ms" if "select" in what else ""
        lines.append(f"| {what} | {middle:.0f} ms | {tail:.0f} ms | {bound} |")
    lines += ["", "| line that is dragged | frames a second | bound |", "| --- | --- | --- |"]
    lines += [
        f"| {drag.knob.replace('_', ' ')} | {drag.rate:.0f} | 20 |"
        for drag in alone(_drags, folder)
    ]
    lines += [
        "",
        "| main thread during | longest pause | of it at work | pauses over 100 ms |",
        "| --- | --- | --- | --- |",
    ]
    for part in ("load", "tune", "epochs", "export"):
        pauses, busy = times.pauses[part], times.busy[part]
        longest = int(np.argmax(pauses))
        lines.append(
            f"| {part} | {1000 * pauses[longest]:.0f} ms | {1000 * busy[longest]:.0f} ms "
            f"| {sum(pause > 0.1 for pause in pauses)} of {len(pauses)} |"
        )
    bare, view = (min(seconds_to_a_window(what) for _ in range(3)) for what in (None, sample))
    lines += [
        "",
        f"A bare napari window is drawn after {bare:.1f} s, one with the sample data in it and "
        f"tuned after {view:.1f} s: {view - bare:.1f} s more (bound 8 s).",
    ]
    return lines


def _drags(folder: Path) -> list[Any]:
    from plot import measure_drags

    import napari_comparewarp as cw

    return measure_drags(cw.read_stack(folder))


def _evidence(folder: Path) -> dict[str, list[tuple[float, float]]]:
    from evidence import measure_evidence

    import napari_comparewarp as cw

    return measure_evidence(cw.read_stack(folder))
