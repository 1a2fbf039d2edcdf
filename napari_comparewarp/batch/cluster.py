"""Running the patches of a plan side by side on dask.distributed."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..algorithm.parallel import THREADS_VARIABLE, n_threads
from .patch_run import is_done, run_patch
from .plan import Patch, PlanError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Outcome", "run_batch"]


@dataclass(frozen=True)
class Outcome:
    """What became of a patch.

    Attributes
    ----------
    patch : Patch
    state : {"done", "skipped", "failed"}
        Skipped: it had been done before.
    summary : dict
        What `run_patch` returns, where it was done now.
    error : str
        One line, where it failed.
    """

    patch: Patch
    state: str
    summary: dict[str, Any]
    error: str = ""


def run_batch(
    patches: Sequence[Patch],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    report: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Run the patches that are not done yet.

    A patch that fails does not stop the others. A patch whose worker dies is
    given to another; after a few deaths it counts as failed.

    Parameters
    ----------
    patches : sequence of Patch
    scheduler : str, optional
        Address of a running scheduler; by default a local cluster is started
        and ended.
    workers : int, optional
        Processes of the local cluster, by default one: a patch alone keeps all
        cores busy. The cores are shared out among them.
    report : callable
        Called with the outcome of each patch as it comes.

    Returns
    -------
    list of Outcome
        In the order of the patches.
    """
    outcomes: dict[str, Outcome] = {}

    def settle(outcome: Outcome) -> None:
        outcomes[str(outcome.patch.coadd_path)] = outcome
        report(outcome)

    waiting = []
    for patch in patches:
        if is_done(patch):
            settle(Outcome(patch, "skipped", {}))
        else:
            waiting.append(patch)
    if waiting:
        with _client(scheduler, workers) as client:
            from distributed import as_completed

            # The same patch is never the same work: its files may have changed.
            futures = {client.submit(run_patch, patch, pure=False): patch for patch in waiting}
            for future in as_completed(futures, loop=client.loop):
                patch = futures[future]
                error = future.exception()
                if error is None:
                    settle(Outcome(patch, "done", future.result()))
                else:
                    settle(Outcome(patch, "failed", {}, _in_one_line(error)))
    return [outcomes[str(patch.coadd_path)] for patch in patches]


@contextmanager
def _client(scheduler: str | None, workers: int | None) -> "Iterator[Client]":
    """Connect to a scheduler, or start a cluster on this machine."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise PlanError(
            'a batch needs dask.distributed: pip install "napari-comparewarp[batch]"'
        ) from None

    if scheduler is not None:
        with Client(scheduler, set_as_default=False) as client:
            yield client
        return
    count = workers or 1
    share = max(1, n_threads() // count)
    before = os.environ.get(THREADS_VARIABLE)
    os.environ[THREADS_VARIABLE] = str(share)
    try:
        with (
            # One patch at a time in each process, which keeps its share of the cores busy.
            LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
    finally:
        if before is None:
            del os.environ[THREADS_VARIABLE]
        else:
            os.environ[THREADS_VARIABLE] = before


def _in_one_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
