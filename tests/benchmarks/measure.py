"""Taking times in turns, and measuring memory in processes of their own."""

import multiprocessing
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass
class Times:
    """Wall and CPU time of the repeats of one piece of work, seconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The shortest wall time: the one that other programs disturbed least."""
        return min(self.wall)

    @property
    def cores(self) -> float:
        """Cores that were busy on average, in the best repeat."""
        return max(cpu / wall for cpu, wall in zip(self.cpu, self.wall, strict=True))

    def __str__(self) -> str:
        if len(self.wall) == 1:
            return f"{self.best:.3g} s"
        return f"{self.best:.3g} s (median {median(self.wall):.3g})"


def take_turns(
    works: Mapping[str, Callable[[], Any]], turns: Mapping[str, int]
) -> dict[str, Times]:
    """Time some pieces of work that take turns, so that a busy machine slows all of them.

    Parameters
    ----------
    works : mapping of str to callable
        The work, by name.
    turns : mapping of str to int
        How often each is done; one with fewer turns drops out early.
    """
    times = {name: Times() for name in works}
    for turn in range(max(turns.values())):
        for name, work in works.items():
            if turn < turns[name]:
                wall, cpu = time.perf_counter(), _cpu_time()
                work()
                times[name].wall.append(time.perf_counter() - wall)
                times[name].cpu.append(_cpu_time() - cpu)
    return times


def _cpu_time() -> float:
    """Return the CPU time of this process and of those it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def alone(function: Callable[..., Any], *args: Any) -> Any:
    """Return ``function(*args)``, called in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def peak_memory() -> int:
    """Return the largest resident set that this process has had so far, bytes."""
    # The kernel's other count, ru_maxrss, begins with that of the parent.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not say how much memory a process has used")


def run_command(command: Sequence[str | Path], folder: Path) -> None:
    """Run a program in a folder; what it prints is shown only if it fails."""
    done = subprocess.run(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed with {done.returncode}: {done.stdout.strip()}")
