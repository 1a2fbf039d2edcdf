"""The engine by itself: its stages, the bytes they must move, its memory, its first call."""

import hashlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from inputs import load_stack
from measure import peak_memory

import napari_comparewarp as cw
from napari_comparewarp.algorithm.products import Inputs, Job
from napari_comparewarp.algorithm.stages import STAGES, run_stages

#: Bytes that each stage must read or write for every pixel of every epoch; the
#: other stages work on lists of candidates.
BYTES_A_PIXEL = {
    "direct weights": 8,  # variance, mask
    "matched weights": 8,
    "template": 12,  # image, variance, mask
    "variance scale": 20,  # image and mask for the background; then all three
    "detections": 13,  # all three; a byte of flags
    "coadd": 21,  # all three; flags; masks written and read again
}


@dataclass(frozen=True)
class StageTime:
    """What one stage took, and what it had to move."""

    name: str
    seconds: float
    cores: float
    gigabytes: float


def time_stages(stack: cw.WarpStack) -> list[StageTime]:
    """Run all stages, one after the other, and time each."""
    given, made, result = Inputs(Job(stack)), None, []
    pixels = stack.n_epochs * stack.shape[0] * stack.shape[1]
    for stage in STAGES:
        start, cpu = time.perf_counter(), time.process_time()
        made = run_stages(given, made, [stage])
        seconds = time.perf_counter() - start
        cores = (time.process_time() - cpu) / seconds
        moved = BYTES_A_PIXEL.get(stage.name, 0) * pixels / 1e9
        result.append(StageTime(stage.name, seconds, cores, moved))
    return result


def memory_of_a_run(folder: Path) -> tuple[int, int, int]:
    """Return the size of the inputs, and the resident peak before and after a run, bytes.

    To be called in a process of its own.
    """
    stack = load_stack(folder)
    before = peak_memory()
    cw.run(stack)
    return stack.nbytes, before, peak_memory()


def run_of_files(folder: Path, memory: int | None) -> tuple[str, int]:
    """Return a checksum of all that a run from files makes, and its resident peak, bytes.

    To be called in a process of its own.
    """
    result = cw.run(cw.read_stack(folder / "warps", memory=memory))
    peak = peak_memory()
    made = [getattr(result.coadd, name) for name in ("image", "variance", "mask", "n_image")]
    made += [result.template.image, result.template.variance, result.epoch_count]
    made += [result.labels(epoch) for epoch in range(result.stack.n_epochs)]
    made += [result.direct_mask(epoch) for epoch in range(result.stack.n_epochs)]
    digest = hashlib.sha256()
    for plane in made:
        digest.update(np.ascontiguousarray(plane))
    return digest.hexdigest(), peak


def seconds_of_a_first_run() -> float:
    """Return how long a tiny run takes when no kernel has been compiled yet."""
    program = (
        "import time; import numpy as np; import napari_comparewarp as cw\n"
        "image = np.random.default_rng(0).normal(0, 3, (5, 64, 64)).astype('f4')\n"
        "stack = cw.WarpStack.from_arrays(image, np.full_like(image, 9), psf_sigma=2.0)\n"
        "start = time.perf_counter(); cw.run(stack); print(time.perf_counter() - start)\n"
    )
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={"NUMBA_CACHE_DIR": cache, "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    return float(done.stdout)


def seconds_of_the_import() -> float:
    """Return how long it takes to import the package."""
    program = (
        "import time; start = time.perf_counter(); import napari_comparewarp\n"
        "print(time.perf_counter() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout)
