"""Measure time and memory, and write what `docs/performance.md` shows.

Everything is a ratio of times that were taken in turns in one run; of each the best,
which other programs on the machine disturbed least.
"""

import argparse
import os
import platform
import statistics
import tempfile
from pathlib import Path

import growth
import inspecting
import large
import others
import window
from engine import (
    memory_of_a_run,
    run_of_files,
    seconds_of_a_first_run,
    seconds_of_the_import,
    time_stages,
)
from inputs import load_stack, make_inputs
from measure import alone, take_turns
from reading import reader_of

import napari_comparewarp as cw

DOCS = Path(__file__).parents[2] / "docs"
SAMPLE = DOCS.parent / "sample_data"


def main() -> None:
    """Measure what is asked for, and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--large", type=Path, help="folder of a large stack, made if it is empty")
    parser.add_argument("--growth", action="store_true", help="also how time and memory grow")
    options = parser.parse_args()
    lines = [
        f"Measured on {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, with {options.epochs} epochs of {options.size}² pixels, "
        "direct and matched.",
        "",
    ]
    with tempfile.TemporaryDirectory() as folder:
        lines += against_others(Path(folder), options)
    if options.large is not None:
        lines += against_reading(options.large)
    if options.growth:
        lines += ["", "### Growth", "", *growth.plot(DOCS / "images" / "growth.svg"), ""]
        lines += ["![Growth of time and memory](images/growth.svg)", ""]
    (DOCS / "performance_table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def against_others(folder: Path, options: argparse.Namespace) -> list[str]:
    """Measure a run, its stages and the inspection, beside a pass and other programs."""
    make_inputs(folder, options.epochs, options.size)
    stack = load_stack(folder)
    cw.run(stack)  # compiles
    works = {
        "run": lambda: cw.run(stack),
        "pass": reader_of(stack),
        "ccdproc": others.ccdproc_combine(stack),
        "files": others.files_to_file(folder),
    }
    turns = {"run": options.turns, "pass": options.turns, "ccdproc": 1, "files": 3}
    if others.SWARP:
        works["swarp"], turns["swarp"] = others.swarp_combine(folder), 3
    times = take_turns(works, turns)
    run, one_pass = times["run"].best, times["pass"].best
    ccdproc = times["ccdproc"].best
    size, before, after = alone(memory_of_a_run, folder)
    in_memory, _ = alone(run_of_files, folder, None)
    limited, peak = alone(run_of_files, folder, size // 2)
    lines = [
        "| what | measured | ratio |",
        "| --- | --- | --- |",
        f"| `cw.run` in memory | {times['run']} on {times['run'].cores:.1f} cores | |",
        f"| one pass that reads the same arrays ({size / one_pass / 1e9:.0f} GB/s) "
        f"| {times['pass']} | run = {run / one_pass:.1f} × pass |",
        f"| ccdproc, direct warps alone | {times['ccdproc']} | {ccdproc / run:.1f} × run |",
        f"| from files to file | {times['files']} | |",
    ]
    if others.SWARP:
        swarp = times["swarp"].best
        lines.append(
            f"| SWarp CLIPPED, direct warps alone, files to file | {times['swarp']} "
            f"| {swarp / times['files'].best:.2f} × from files to file |"
        )
    lines += [
        f"| resident peak of a run, on top of the inputs | {(after - before) / 1e9:.2f} GB "
        f"| {100 * (after - before) / size:.0f} % of the inputs |",
        f"| the same files with a memory limit of {size / 2e9:.2f} GB: resident peak "
        f"| {peak / 1e9:.2f} GB | equal to the bit: {'yes' if limited == in_memory else 'NO'} |",
        f"| first run, kernels not yet compiled | {seconds_of_a_first_run():.0f} s | |",
        f"| `import napari_comparewarp` | {1000 * seconds_of_the_import():.0f} ms | |",
        "",
        "### Stages",
        "",
        *_stage_table(stack, size / one_pass / 1e9),
        "",
        "### Inspection",
        "",
        *_step_table(stack, run),
        "",
    ]
    if os.environ.get("DISPLAY"):
        lines += ["### The window", "", *window.rows(folder / "warps", SAMPLE), ""]
    return lines


def _stage_table(stack: cw.WarpStack, bandwidth: float) -> list[str]:
    """Return what each stage takes beside the time to move its bytes."""
    repeats = [time_stages(stack) for _ in range(3)]
    lines = [
        "| stage | time | cores busy | bytes that must move | bound by memory |",
        "| --- | --- | --- | --- | --- |",
    ]
    whole, whole_moved = 0.0, 0.0
    for stage in zip(*repeats, strict=True):
        seconds = min(repeat.seconds for repeat in stage)
        moved = stage[0].gigabytes
        whole, whole_moved = whole + seconds, whole_moved + moved
        if seconds < 0.002:
            continue
        cores = max(repeat.cores for repeat in stage)
        bound = f"{1000 * moved / bandwidth:.0f} ms" if moved else ""
        size = f"{moved:.2f} GB" if moved else "lists"
        lines.append(
            f"| {stage[0].name} | {1000 * seconds:.0f} ms | {cores:.1f} | {size} | {bound} |"
        )
    lines.append(
        f"| all | {1000 * whole:.0f} ms | | {whole_moved:.2f} GB "
        f"| {1000 * whole_moved / bandwidth:.0f} ms |"
    )
    return lines


def _step_table(stack: cw.WarpStack, run: float) -> list[str]:
    """Return what a step of each slider takes beside a run from scratch."""
    lines = [
        "| slider | what is clipped (95 %) | then the coadd (95 %) | whole step (median) "
        "| from scratch |",
        "| --- | --- | --- | --- | --- |",
    ]
    for steps in inspecting.measure_steps(stack):
        whole = statistics.median(steps.whole)
        lines.append(
            f"| {steps.knob} | {1000 * steps.tail(steps.decided):.1f} ms "
            f"| {1000 * steps.tail(steps.stacked):.1f} ms | {1000 * whole:.1f} ms "
            f"| {run / whole:.0f} × longer |"
        )
    return lines


def against_reading(folder: Path) -> list[str]:
    """Measure a stack larger than its memory beside reading the same files once."""
    if not any(folder.glob("direct/*")):
        large.write_large_stack(folder)
    reading = alone(large.seconds_of_reading, folder)
    seconds, size, peak = alone(large.run_in_little_memory, folder)
    return [
        "### Larger than memory",
        "",
        "| what | measured | ratio |",
        "| --- | --- | --- |",
        f"| {size / 1e9:.1f} GB of planes read and decompressed once | {reading:.0f} s | |",
        f'| the same files to a coadd, `memory="{large.MEMORY}"` | {seconds:.0f} s '
        f"| {seconds / reading:.2f} × reading |",
        f"| its resident peak | {peak / 1e9:.2f} GB | {100 * peak / size:.0f} % of the planes |",
    ]


if __name__ == "__main__":
    main()
