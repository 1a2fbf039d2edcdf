"""A cluster on this machine that no other account of it can use or look into."""

import logging
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..algorithm.parallel import THREADS_VARIABLE, n_threads
from ..errors import one_line
from ..io.leftovers import scratch_folder
from .plan import PlanError

if TYPE_CHECKING:
    from distributed import LocalCluster

__all__ = ["MOST_DEATHS", "local_cluster"]

#: Deaths of workers after which the patch that they worked on counts as failed.
MOST_DEATHS = 3

#: How long patches wait while there is no worker at all; a worker begins in a few seconds.
LONGEST_WAIT = "60s"


@contextmanager
def local_cluster(n_workers: int) -> "Iterator[LocalCluster]":
    """Start worker processes, and end them with whatever they left on disk.

    A dask scheduler runs any code that it is sent, and every account of the
    machine reaches its ports. So both sides show a certificate that is made for
    this cluster and lives in memory, all ports are on the loopback interface,
    and the pages that dask serves besides (dashboard, metrics) are off.

    Parameters
    ----------
    n_workers : int
        Processes; the cores are shared out among them.

    Yields
    ------
    distributed.LocalCluster
    """
    import dask
    from distributed import LocalCluster, Security

    with _scratch() as scratch, dask.config.set(_settings(scratch)):
        start = partial(
            LocalCluster,
            n_workers=n_workers,
            # One patch at a time in each process, which keeps its share of the cores busy.
            threads_per_worker=1,
            env={THREADS_VARIABLE: str(max(1, n_threads() // n_workers))},
            # The plan says what a patch may take. An equal share of the machine is a guess, and
            # a worker that exceeds it would be killed.
            memory_limit=None,
            # Made under these settings: those of the user may weaken it.
            security=Security.temporary(),
            protocol="tls",
            host="127.0.0.1",
            dashboard_address=None,
            # Without an address, its web server takes a fixed port.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
        )
        with _whole(start) as cluster:
            yield cluster


@contextmanager
def _scratch() -> Iterator[Path]:
    """Make a folder that only this account can enter: dask imports modules from it."""
    import dask

    base = Path(dask.config.get("temporary-directory", None) or tempfile.gettempdir())
    with ExitStack() as stack:
        try:
            base.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(scratch_folder(base))
        except OSError as error:
            raise PlanError(
                f"{base}: no scratch files can be written there ({one_line(error)}); set TMPDIR to "
                "a folder that can be written"
            ) from error
        yield folder


def _settings(scratch: Path) -> dict[str, object]:
    """Return the settings of dask for a cluster whose scratch files lie in `scratch`.

    They replace all that files and environment say of dask.distributed, but
    for its timeouts and locks: preloaded modules, routes, addresses and ciphers are meant
    for other clusters.
    """
    import dask

    distributed = dask.config.merge(*dask.config.defaults)["distributed"]
    settings = {
        "comm": {"timeouts": dask.config.get("distributed.comm.timeouts")},
        "scheduler": {
            "allowed-failures": MOST_DEATHS - 1,
            # A worker that dies while it begins may not be replaced: the batch would wait for ever.
            "no-workers-timeout": LONGEST_WAIT,
            # No patch waits at a busy worker: when that dies, those that wait there would be
            # blamed for it too.
            "worker-saturation": 1.0,
            # These answer without a certificate.
            "http": {"routes": []},
        },
        "worker": {
            "http": {"routes": []},
            "use-file-locking": dask.config.get("distributed.worker.use-file-locking"),
        },
    }
    return {
        "distributed": dask.config.merge(distributed, settings),
        "scheduler-address": None,
        "temporary-directory": str(scratch),
    }


def _whole(start: "Callable[[], LocalCluster]") -> "LocalCluster":
    """Start a cluster beside the main thread: half of one, at a signal, could not be closed."""
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(start)
        try:
            return starting.result()
        except BaseException:
            if starting.exception() is None:
                starting.result().close()
            raise
