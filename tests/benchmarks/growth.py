"""How time and memory grow with the number of epochs and with the area of the patch."""

import time
from pathlib import Path

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from measure import alone, peak_memory

import napari_comparewarp as cw
from napari_comparewarp.simulation import simulate_night

EPOCHS = (5, 10, 20, 40, 80)
SIZES = (1024, 2048, 4096)

#: What is kept while the other grows.
SIZE_OF_EPOCHS = 1024
EPOCHS_OF_SIZES = 5


def measure(n_epochs: int, size: int) -> tuple[float, float, float]:
    """Return seconds of a run, size of its inputs, and resident peak on top of them, GB.

    To be called in a process of its own.
    """
    stack = simulate_night(n_epochs, (size, size), seed=35).stack()
    # The peak of the simulation must not hide that of the run.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_memory()
    cw.run(stack)
    peak = peak_memory()
    start = time.perf_counter()
    cw.run(stack)
    return time.perf_counter() - start, stack.nbytes / 1e9, (peak - before) / 1e9


def plot(path: Path) -> list[str]:
    """Measure the growth, draw it, and return it as rows of a table."""
    by_epochs = [alone(measure, n, SIZE_OF_EPOCHS) for n in EPOCHS]
    by_size = [alone(measure, EPOCHS_OF_SIZES, size) for size in SIZES]
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, x, values, label in (
        (axes[0], EPOCHS, by_epochs, f"epochs of {SIZE_OF_EPOCHS}² pixels"),
        (axes[1], SIZES, by_size, f"side of {EPOCHS_OF_SIZES} epochs, pixels"),
    ):
        axis.loglog(x, [v[0] for v in values], "o-", color="#0072b2", label="time, s")
        axis.loglog(x, [v[1] for v in values], "s--", color="#888888", label="inputs, GB")
        axis.loglog(x, [v[2] for v in values], "^-", color="#d55e00", label="memory on top, GB")
        axis.set_xticks(x, [str(value) for value in x])
        axis.minorticks_off()
        axis.set_xlabel(label)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    FigureCanvasSVG(figure).print_svg(path)
    rows = [
        f"| {n} × {size}² | {seconds:.2f} s | {gigabytes:.2f} GB | {extra:.2f} GB |"
        for (n, size), (seconds, gigabytes, extra) in zip(
            [(n, SIZE_OF_EPOCHS) for n in EPOCHS] + [(EPOCHS_OF_SIZES, s) for s in SIZES],
            by_epochs + by_size,
            strict=True,
        )
    ]
    return ["| stack | time | inputs | memory on top |", "| --- | --- | --- | --- |", *rows]
