"""Running the patches of a plan side by side on dask.distributed."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from ..algorithm.parallel import THREADS_VARIABLE, n_threads
from ..errors import one_line
from .patch_run import Summary, check_outputs, finished, make_patch, sweep_outputs
from .plan import Patch, PlanError

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

__all__ = ["Outcome", "connect", "run_batch", "work_on"]

#: Deaths of workers after which the patch that they worked on counts as failed.
MOST_DEATHS = 3

#: How long patches wait while there is no worker at all; a worker begins in a few seconds.
LONGEST_WAIT = "60s"


@dataclass(frozen=True)
class Outcome:
    """What became of a patch.

    Attributes
    ----------
    patch : Patch
    state : {"done", "skipped", "failed"}
        Skipped: it had been done before.
    summary : Summary or None
        What it came to; None where it failed.
    error : str
        One line, where it failed.
    """

    patch: Patch
    state: Literal["done", "skipped", "failed"]
    summary: Summary | None
    error: str = ""


def run_batch(
    patches: Sequence[Patch],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    report: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Run the patches that are not done yet.

    A patch that fails does not stop the others. A patch whose worker dies is
    given to another; after a few deaths it counts as failed. The workers also
    find out whether a patch is done, as that means reading all its files.

    Parameters
    ----------
    patches : sequence of Patch
    scheduler : str, optional
        Address of a running scheduler; by default a local cluster is started
        and ended.
    workers : int, optional
        Processes of the local cluster, by default one: a patch alone keeps all
        cores busy. The cores are shared out among them.
    overwrite : bool
        Whether files that no batch has made may be replaced.
    report : callable
        Called with the outcome of each patch as it comes.

    Returns
    -------
    list of Outcome
        In the order of the patches.

    Raises
    ------
    OutputError
        If a file stands in the way that no batch has made, before any work.
    PlanError
        If dask.distributed is not installed, or no scheduler answers.
    """
    check_outputs(patches, overwrite)
    outcomes: dict[int, Outcome] = {}
    with _sweeping(patches), connect(scheduler, workers) as client:
        from distributed import as_completed

        # Never taken for work done before: the files may have changed since.
        futures = {
            client.submit(work_on, patch, pure=False): number
            for number, patch in enumerate(patches)
        }
        for future in as_completed(futures, loop=client.loop):
            number = futures[future]
            outcomes[number] = _outcome(patches[number], future)
            report(outcomes[number])
    return [outcomes[number] for number in range(len(patches))]


def work_on(patch: Patch) -> Outcome:
    """Make a patch, unless it is done: what a worker does.

    Parameters
    ----------
    patch : Patch

    Returns
    -------
    Outcome
        Done or skipped.

    Raises
    ------
    StackError, OutputError
        As `make_patch` does.
    """
    summary = finished(patch)
    if summary is not None:
        return Outcome(patch, "skipped", summary)
    return Outcome(patch, "done", make_patch(patch))


@contextmanager
def connect(scheduler: str | None = None, workers: int | None = None) -> "Iterator[Client]":
    """Connect to a scheduler, or start a cluster on this machine.

    Parameters
    ----------
    scheduler, workers : optional
        As for `run_batch`.

    Yields
    ------
    distributed.Client

    Raises
    ------
    PlanError
        If dask.distributed is not installed, or no scheduler answers.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
        from distributed.comm import resolve_address
        from distributed.utils import silence_logging_cmgr
    except ImportError:
        raise PlanError(
            'a batch needs dask.distributed: pip install "napari-comparewarp[batch]"'
        ) from None

    with ExitStack() as stack:
        # What a patch or a scheduler comes to is reported in one line, not in tracebacks as well.
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
        if scheduler is not None:
            try:
                client = Client(resolve_address(scheduler), set_as_default=False)
            except (OSError, ValueError) as error:
                raise PlanError(
                    f"{scheduler}: no dask scheduler answers there; give an address such as "
                    "tcp://host:8786"
                ) from error
            yield stack.enter_context(client)
            return
        settings = {
            "distributed.scheduler.allowed-failures": MOST_DEATHS - 1,
            # A worker that dies while it begins may not be replaced: the batch would wait for ever.
            "distributed.scheduler.no-workers-timeout": LONGEST_WAIT,
            # No patch waits at a busy worker: when that dies, those that wait there would be
            # blamed for it too.
            "distributed.scheduler.worker-saturation": 1.0,
        }
        stack.enter_context(dask.config.set(settings))
        n_workers = workers or 1
        start = partial(
            LocalCluster,
            n_workers=n_workers,
            # One patch at a time in each process, which keeps its share of the cores busy.
            threads_per_worker=1,
            env={THREADS_VARIABLE: str(max(1, n_threads() // n_workers))},
            # The plan says what a patch may take. An equal share of the machine is a guess, and
            # a worker that exceeds it would be killed.
            memory_limit=None,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
        cluster = stack.enter_context(_whole(start))
        yield stack.enter_context(Client(cluster, set_as_default=False))


@contextmanager
def _sweeping(patches: Sequence[Patch]) -> Iterator[None]:
    """Clear up afterwards for workers that were ended: they have no time to do it."""
    try:
        yield
    finally:
        for patch in patches:
            sweep_outputs(patch)


def _whole(start: Callable[[], "LocalCluster"]) -> "LocalCluster":
    """Start a cluster beside the main thread: half of one, at a signal, could not be closed."""
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(start)
        try:
            return starting.result()
        except BaseException:
            if starting.exception() is None:
                starting.result().close()
            raise


def _outcome(patch: Patch, future: "Future") -> Outcome:
    """Return what became of a patch whose future has come to its end."""
    if future.status == "finished":
        return future.result()
    if future.status == "error":
        return Outcome(patch, "failed", None, _cause_of_failure(future.exception()))
    return Outcome(
        patch, "failed", None, "the scheduler was lost before the patch was reported done"
    )


def _cause_of_failure(error: BaseException) -> str:
    """Return what stopped a patch, without line breaks."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        deaths = error.allowed_failures + 1
        return f"its worker process died, {deaths} times in a row; too little memory is one cause"
    return one_line(error, named=True)
