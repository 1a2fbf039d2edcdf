"""Reading a stack and running it for the first time, beside the window."""

from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from ...algorithm.parallel import Progress
from ...config.knobs import CompareWarpConfig
from ...errors import one_line
from ...inspection.inspection import Inspection
from ...io.assumptions import Assumptions
from ...io.job import read_job
from ...io.sources import StackSource
from ..layers.layer_set import LayerSet

__all__ = ["Loader", "load", "make_layers"]


class Loader(QObject):
    """Opens stacks in a worker; a later one overtakes an earlier one.

    Attributes
    ----------
    loaded : Signal
        Sent with the inspection, and with layers that show it.
    failed : Signal
        Sent with one line.
    progressed : Signal
        Sent with stage, steps done and steps in all.
    finished : Signal
        Sent when the last one that was asked for is there, refused or cancelled.
    """

    loaded = Signal(object, object)
    failed = Signal(str)
    progressed = Signal(str, int, int)
    finished = Signal()

    _landed = Signal(int, object, object)
    _refused = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._turn = 0
        self._running = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="loading")
        self._landed.connect(self._land)
        self._refused.connect(self._refuse)

    @property
    def running(self) -> bool:
        """Whether something is being opened."""
        return self._running

    def open(
        self,
        source: StackSource,
        config: CompareWarpConfig | None = None,
        psf_sigma: float | None = None,
        memory: str | int | None = None,
        bright_objects: Path | None = None,
        assume: Assumptions | None = None,
    ) -> None:
        """Open a folder, FITS files, a manifest or an inspection file in the worker.

        Parameters
        ----------
        source : path or sequence of path
        config : CompareWarpConfig, optional
        psf_sigma : float, optional
            For files that do not say, see `read_stack`.
        memory : str or int, optional
            See `read_stack`.
        bright_objects : Path, optional
            A catalogue, whose objects are marked on the coadd.
        assume : Assumptions, optional
            What the user says of the files.
        """
        self.make(
            lambda report: load(source, config, psf_sigma, memory, report, bright_objects, assume)
        )

    def make(self, inspect: Callable[[Progress], Inspection]) -> None:
        """Make an inspection in the worker, with layers that show it.

        Parameters
        ----------
        inspect : callable
            Given a report of progress, which stops it once it is overtaken,
            returns the inspection.
        """
        self._turn += 1
        turn = self._turn
        self._running = True

        def report(stage: str, done: int, total: int) -> None:
            if turn != self._turn:
                raise CancelledError
            self.progressed.emit(stage, done, total)

        def work() -> None:
            try:
                inspection = inspect(report)
                report("layers", 0, 1)
                self._landed.emit(turn, inspection, make_layers(inspection))
            except CancelledError:
                return
            except Exception as error:
                # Do not report to a closed window.
                if turn == self._turn:
                    self._refused.emit(turn, one_line(error))

        self._pool.submit(work)

    def cancel(self) -> None:
        """Give up what is being opened."""
        self._turn += 1
        if self._running:
            self._running = False
            self.finished.emit()

    def close(self) -> None:
        """Give up what is being opened, and wait until nothing runs any more."""
        self._turn += 1
        self._running = False
        self._pool.shutdown()

    def _land(self, turn: int, inspection: Inspection, layers: LayerSet) -> None:
        if turn != self._turn:
            inspection.close()
            return
        self._running = False
        self.loaded.emit(inspection, layers)
        self.finished.emit()

    def _refuse(self, turn: int, message: str) -> None:
        if turn == self._turn:
            self._running = False
            self.failed.emit(message)
            self.finished.emit()


def load(
    source: StackSource,
    config: CompareWarpConfig | None,
    psf_sigma: float | None,
    memory: str | int | None,
    progress: Progress,
    bright_objects: Path | None = None,
    assume: Assumptions | None = None,
) -> Inspection:
    """Read what is named, and run it; see `Loader.open`."""
    if isinstance(source, str | Path) and Path(source).suffix.lower() == ".json":
        return Inspection.load(
            source, memory=memory, progress=progress, bright_objects=bright_objects
        )
    job = read_job(
        source, config, psf_sigma=psf_sigma, memory=memory, bright_objects=bright_objects,
        assume=assume, progress=progress,
    )  # fmt: skip
    return Inspection.of_job(job, progress)


def make_layers(inspection: Inspection) -> LayerSet:
    """Make the layers of an inspection, with all that their first look takes.

    Kernels and colour maps are compiled when they are first used: here, so that
    no window has to wait for them.
    """
    layers = LayerSet(inspection)
    for role in ("states", "mask", "difference", "warp"):
        layers.by_role[role].data[0]
    inspection.result.labels(0)
    return layers
