"""Running the patches of a plan side by side on dask.distributed."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import one_line, plain_reason
from .local_cluster import local_cluster
from .patch_run import Summary, check_outputs, finished, make_patch, sweep_outputs
from .plan import Patch, PlanError
from .running_scheduler import connect_to

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Outcome", "connect", "run_batch", "work_on"]


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
        If dask.distributed is not installed, or no scheduler answers that can
        be used.
    """
    try:
        import cryptography  # noqa: F401 - the certificates of a local cluster
        from distributed import Client
        from distributed.utils import silence_logging_cmgr
    except ImportError:
        raise PlanError(
            'a batch needs dask.distributed: pip install "napari-comparewarp[batch]"'
        ) from None
    except Exception as error:
        # It reads its configuration when it is imported.
        raise PlanError(
            "dask cannot begin, as its configuration files or DASK_… variables are wrong: "
            + plain_reason(error)
        ) from error

    with ExitStack() as stack:
        # What a patch or a scheduler comes to is reported in one line, not in tracebacks as well.
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
        if scheduler is not None:
            yield stack.enter_context(connect_to(scheduler))
        else:
            cluster = stack.enter_context(local_cluster(workers or 1))
            yield stack.enter_context(Client(cluster, set_as_default=False))


@contextmanager
def _sweeping(patches: Sequence[Patch]) -> Iterator[None]:
    """Clear up afterwards for workers that were ended: they have no time to do it."""
    try:
        yield
    finally:
        for patch in patches:
            sweep_outputs(patch)


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
