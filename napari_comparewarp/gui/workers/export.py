"""Writing products beside the window."""

import threading
from concurrent.futures import CancelledError

from qtpy.QtCore import QObject, Signal

from ...errors import one_line
from ...inspection.inspection import Inspection
from ...outputs import Outputs, Source

__all__ = ["Export"]


class Export(QObject):
    """One export in a thread of its own; it lives as long as that.

    Parameters
    ----------
    inspection : Inspection
    outputs : Outputs
    overwrite : bool
        Existing files may be replaced.

    Attributes
    ----------
    progressed : Signal
        Sent with a product's title, products done and products in all.
    written : Signal
        Sent with the list of what was written.
    failed : Signal
        Sent with one line.
    finished : Signal
        Sent at the end in any case.
    """

    progressed = Signal(str, int, int)
    written = Signal(list)
    failed = Signal(str)
    finished = Signal()

    #: A window that closes must not take these from under their threads.
    _running: "set[Export]" = set()  # noqa: RUF012

    def __init__(self, inspection: Inspection, outputs: Outputs, overwrite: bool) -> None:
        super().__init__()
        self._inspection = inspection
        self._outputs = outputs
        self._overwrite = overwrite
        self._cancelled = False
        self.finished.connect(self._end)

    def start(self) -> None:
        """Begin to write."""
        self._running.add(self)
        threading.Thread(target=self._work, name="export").start()

    def cancel(self) -> None:
        """Write no more after the product that is being written; each is whole."""
        self._cancelled = True

    def _work(self) -> None:
        try:
            source = Source(self._inspection.result, self._inspection)
            self.written.emit(self._outputs.write(source, self._overwrite, self._report))
        except CancelledError:
            pass
        except Exception as error:
            self.failed.emit(one_line(error))
        finally:
            self.finished.emit()

    def _report(self, title: str, done: int, total: int) -> None:
        if self._cancelled:
            raise CancelledError
        self.progressed.emit(title, done, total)

    def _end(self) -> None:
        self._running.discard(self)
