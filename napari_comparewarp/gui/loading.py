"""Reading a stack and running it for the first time, beside the window."""

from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from ..config import CompareWarpConfig
from ..inspection import Inspection
from ..io.read import read_stack

__all__ = ["Loader"]


class Loader(QObject):
    """Opens stacks in a worker; a later one overtakes an earlier one.

    Attributes
    ----------
    loaded : Signal
        Sent with the inspection.
    failed : Signal
        Sent with one line.
    progressed : Signal
        Sent with stage, steps done and steps in all.
    finished : Signal
        Sent when the last one that was asked for is there, refused or cancelled.
    """

    loaded = Signal(object)
    failed = Signal(str)
    progressed = Signal(str, int, int)
    finished = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._turn = 0
        self._running = False

    @property
    def running(self) -> bool:
        """Whether something is being opened."""
        return self._running

    def open(
        self,
        source: str | Path | Sequence[str | Path],
        config: CompareWarpConfig | None = None,
        psf_sigma: float | None = None,
        memory: str | int | None = None,
    ) -> None:
        """Open a folder, FITS files, a manifest or an inspection file.

        Parameters
        ----------
        source : path or sequence of path
        config : CompareWarpConfig, optional
        psf_sigma : float, optional
            For files that do not say, see `read_stack`.
        memory : str or int, optional
            See `read_stack`.
        """
        self._turn += 1
        turn = self._turn
        self._running = True

        def report(stage: str, done: int, total: int) -> None:
            if turn != self._turn:
                raise CancelledError
            self.progressed.emit(stage, done, total)

        def work() -> Inspection:
            return load(source, config, psf_sigma, memory, report)

        worker = create_worker(work)
        worker.returned.connect(lambda inspection: self._land(turn, inspection))
        worker.errored.connect(lambda error: self._fail(turn, error))
        worker.start()

    def cancel(self) -> None:
        """Give up what is being opened."""
        self._turn += 1
        if self._running:
            self._running = False
            self.finished.emit()

    def _land(self, turn: int, inspection: Inspection) -> None:
        if turn != self._turn:
            inspection.close()
            return
        self._running = False
        self.loaded.emit(inspection)
        self.finished.emit()

    def _fail(self, turn: int, error: BaseException) -> None:
        if turn != self._turn:
            return
        self._running = False
        self.failed.emit(str(error).splitlines()[0] if str(error) else type(error).__name__)
        self.finished.emit()


def load(
    source: str | Path | Sequence[str | Path],
    config: CompareWarpConfig | None,
    psf_sigma: float | None,
    memory: str | int | None,
    progress: Any,
) -> Inspection:
    """Read what is named, and run it; see `Loader.open`."""
    if isinstance(source, str | Path) and Path(source).suffix.lower() == ".json":
        return Inspection.load(source, memory=memory, progress=progress)
    stack = read_stack(source, psf_sigma=psf_sigma, memory=memory, progress=progress)
    return Inspection(stack, config, progress=progress)
