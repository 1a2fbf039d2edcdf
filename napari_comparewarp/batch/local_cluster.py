"""A cluster on this machine that no other account of it can use or look into."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..algorithm.parallel import THREADS_VARIABLE, n_threads
from ..errors import one_line
from .plan import PlanError

if TYPE_CHECKING:
    from distributed import LocalCluster

__all__ = ["MOST_DEATHS", "local_cluster"]

#: Deaths of workers after which the patch that they worked on counts as failed.
MOST_DEATHS = 3

#: How long patches wait while there is no worker at all; a worker begins in a few seconds.
LONGEST_WAIT = "60s"

#: What the names of scratch folders begin with, and the file in each that its owner locks.
SCRATCH_PREFIX = "comparewarp-batch-"
LOCK_NAME = "in-use.lock"


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

    with scratch_folder() as scratch, dask.config.set(_settings(scratch)):
        # Made under these settings: those of the user may weaken it.
        security = Security.temporary()
        with LocalCluster(
            n_workers=n_workers,
            # One patch at a time in each process, which keeps its share of the cores busy.
            threads_per_worker=1,
            env={THREADS_VARIABLE: str(max(1, n_threads() // n_workers))},
            # The plan says what a patch may take. An equal share of the machine is a guess, and
            # a worker that exceeds it would be killed.
            memory_limit=None,
            security=security,
            protocol="tls",
            host="127.0.0.1",
            dashboard_address=None,
            # Without an address, its web server takes a fixed port.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
        ) as cluster:
            yield cluster


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


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder that only this account can enter, and remove it in the end.

    Dask imports modules from its scratch folder before all others. Its own is a
    fixed name in a folder where everybody may write. What a batch left that was
    killed is removed, too.

    Yields
    ------
    Path

    Raises
    ------
    PlanError
        If it cannot be made.
    """
    import dask

    base = Path(dask.config.get("temporary-directory", None) or tempfile.gettempdir())
    try:
        base.mkdir(parents=True, exist_ok=True)
        folder, lock = _locked_folder(base)
    except OSError as error:
        raise PlanError(
            f"{base}: no scratch files can be written there ({one_line(error)}); set TMPDIR to a "
            "folder that can be written"
        ) from error
    try:
        _remove_leftovers(folder)
        yield folder
    finally:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def _locked_folder(base: Path) -> tuple[Path, ExitStack]:
    """Make a folder, and hold its lock until the stack that is returned is closed."""
    import locket

    while True:
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX, dir=base))
        held = ExitStack()
        try:
            held.enter_context(locket.lock_file(str(folder / LOCK_NAME)))
        except OSError:
            # A file system without locks. Or another batch took it for left over, and removed it,
            # before it was locked.
            if not folder.exists():
                continue
        return folder, held


def _remove_leftovers(own: Path) -> None:
    """Remove the scratch folders beside `own` that are of this account and not in use."""
    import locket

    account = own.stat().st_uid
    for folder in own.parent.glob(f"{SCRATCH_PREFIX}*"):
        try:
            # Not through links: they may point to anything.
            if folder == own or folder.is_symlink() or folder.stat().st_uid != account:
                continue
            with locket.lock_file(str(folder / LOCK_NAME), timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
            # Where a locked file cannot be removed.
            shutil.rmtree(folder, ignore_errors=True)
        except (OSError, locket.LockError):
            continue
