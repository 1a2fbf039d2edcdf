"""Hours of use in minutes: an inspection, or a window, whose memory, handles and threads stay flat.

PYTHONPATH=tests python -m fuzz.soak inspection 2000
PYTHONPATH=tests python -m fuzz.soak window 500
"""

import gc
import os
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

#: Part of the steps after which everything that is made once has been made.
WARM = 0.25

#: What may still grow after that: bytes in all, bytes a step, handles, threads.
MOST_BYTES, MOST_BYTES_A_STEP = 25_000_000, 20_000
MOST_HANDLES, MOST_THREADS = 3, 2


@dataclass(frozen=True)
class Measured:
    """What a process holds at a moment."""

    memory: int
    handles: int
    threads: int

    @classmethod
    def now(cls):
        gc.collect()
        process = psutil.Process()
        count = process.num_fds if hasattr(process, "num_fds") else process.num_handles
        return cls(process.memory_info().rss, count(), process.num_threads())


def grown(before, after, steps):
    """Say in one line each what has grown more than it may."""
    memory = after.memory - before.memory
    if memory > MOST_BYTES + MOST_BYTES_A_STEP * steps:
        yield f"{memory / 1e6:.0f} MB more after {steps} steps"
    if after.handles - before.handles > MOST_HANDLES:
        yield f"{after.handles - before.handles} handles more after {steps} steps"
    if after.threads - before.threads > MOST_THREADS:
        yield f"{after.threads - before.threads} threads more after {steps} steps"


def soaked(step, steps):
    """Take some steps; return what has grown since the first of them."""
    warm = int(WARM * steps)
    for number in range(warm):
        step(number)
    before = Measured.now()
    for number in range(warm, steps):
        step(number)
    return list(grown(before, Measured.now(), steps - warm))


def inspection_steps(number=1):
    """Return a step of work on an inspection: a knob, a decision, back and forth, a file."""
    from stacks import stack

    import napari_comparewarp as cw

    rng = random.Random(number)
    data = stack()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-soak-"))
    open_now = [cw.Inspection(data)]

    def decide(inspection):
        ids = inspection.result.footprints["id"]
        if len(ids):
            inspection.override(int(rng.choice(ids)), rng.choice(["clip", "keep", None]))

    def look(inspection):
        ids = inspection.result.footprints["id"]
        if len(ids):
            inspection.look_at(inspection.key_of(int(rng.choice(ids))))

    def save_and_load(inspection):
        path = folder / "soak.json"
        inspection.save(path, overwrite=True)
        open_now[0] = cw.Inspection.load(path, data)
        inspection.close()

    def submit_two(inspection):
        inspection.submit(inspection.config.replace(chi_threshold=rng.uniform(3, 8)))
        inspection.submit(inspection.config.replace(min_pixels=rng.randint(1, 9))).result()

    acts = [
        lambda inspection: inspection.set(chi_threshold=rng.uniform(3, 8)),
        lambda inspection: inspection.set(spatial_threshold=rng.uniform(0.1, 0.9)),
        lambda inspection: inspection.set(filter_streaks=rng.random() < 0.5),
        lambda inspection: inspection.undo() if inspection.can_undo else None,
        lambda inspection: inspection.redo() if inspection.can_redo else None,
        decide, decide, look, save_and_load, submit_two,
    ]  # fmt: skip

    def step(_):
        rng.choice(acts)(open_now[0])

    return step


def window_steps(viewer, dock, wait, number=1):
    """Return a step of work in a window: sliders, panels, epochs, decisions, another stack.

    Parameters
    ----------
    viewer : napari.Viewer
    dock : CompareWarpDock
    wait : callable
        Waits until a condition is true, and handles what happens meanwhile.
    number : int
        Seed.
    """
    from qtpy.QtCore import QCoreApplication, QEvent
    from stacks import stack

    import napari_comparewarp as cw
    from napari_comparewarp.gui.panels.registry import PANELS

    rng = random.Random(number)
    data = [stack(seed=seed) for seed in range(2)]
    dock.show_inspection(cw.Inspection(data[0]))

    def open_other():
        dock._saved_overrides = dock.session.inspection.overrides  # nothing is asked about
        dock.show_inspection(cw.Inspection(rng.choice(data)))

    def decide():
        ids = dock.session.inspection.result.footprints["id"]
        if len(ids):
            key = dock.session.inspection.key_of(int(rng.choice(ids)))
            dock.session.select(key, go=True)
            dock.session.decide(key, rng.choice(["clip", "keep"]))

    def panel():
        name = rng.choice(list(PANELS))
        dock.review_section.open(name)
        if rng.random() < 0.5:
            dock.review_section._docks[name].hide()

    def epoch():
        count = dock.session.inspection.stack.n_epochs
        viewer.dims.set_current_step(0, rng.randrange(count))

    def click():
        shape = dock.session.inspection.stack.shape
        dock.session.click(rng.randrange(shape[0]), rng.randrange(shape[1]))

    acts = [
        lambda: dock.session.tune(chi_threshold=rng.uniform(3, 8)),
        lambda: dock.session.tune(spatial_threshold=rng.uniform(0.1, 0.9)),
        lambda: dock.session.undo(),
        lambda: dock.session.redo(),
        decide, panel, panel, epoch, click, open_other,
    ]  # fmt: skip

    def step(_):
        rng.choice(acts)()
        wait(lambda: not dock.session.busy)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()

    return step


def _soak_window(steps):
    """Open a window by itself and soak it."""
    import time

    import napari
    from qtpy.QtCore import QCoreApplication, QSettings

    from napari_comparewarp.gui.dock import CompareWarpDock

    folder = tempfile.mkdtemp(prefix="fuzz-soak-")
    for form in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(form, QSettings.Scope.UserScope, folder)

    def wait(is_done, seconds=60):
        end = time.monotonic() + seconds
        while not is_done():
            assert time.monotonic() < end, "the window hangs"
            QCoreApplication.processEvents()
            time.sleep(0.005)

    viewer = napari.Viewer(show=True)
    dock = CompareWarpDock(viewer)
    viewer.window.add_dock_widget(dock, name="CompareWarp")
    found = soaked(window_steps(viewer, dock, wait), steps)
    dock.close_session()
    viewer.close()
    return found


def main(what, steps):
    os.environ.setdefault("NAPARI_ENSURE_PLUGIN_MAIN_THREAD", "1")
    began = Measured.now()
    steps = int(steps)
    found = _soak_window(steps) if what == "window" else soaked(inspection_steps(), steps)
    ended = Measured.now()
    for line in found:
        print(f"{what}: {line}")
    print(f"{what}: {steps} steps; {began} … {ended}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
