"""Work beside the window, of which only the latest that was asked for counts."""

from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from threading import Lock
from typing import Any

from qtpy.QtCore import QObject, Signal

from ...algorithm.parallel import Progress
from ...errors import one_line
from .destroyed import on_destroyed

__all__ = ["Latest"]


class _Turn:
    """Which piece of work counts; outlives the Qt object that the window destroys."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.number = 0
        #: Guards emitting against the destruction of the Qt object.
        self.lock = Lock()
        self._pool = pool

    def leave(self) -> None:
        """Let nothing come back, and let the thread end."""
        with self.lock:
            self.number += 1
        self._pool.shutdown(wait=False, cancel_futures=True)


class Latest(QObject):
    """Does one piece of work at a time in a thread; a later one overtakes an earlier one.

    Nothing of what is overtaken, cancelled, or under way when the window is
    closed comes back.

    Attributes
    ----------
    done : Signal
        Sent in the main thread with what the work has returned.
    failed : Signal
        Sent with one line.
    progressed : Signal
        Sent with stage, steps done and steps in all.
    """

    done = Signal(object)
    failed = Signal(str)
    progressed = Signal(str, int, int)
    _landed = Signal(int, object)
    _fell = Signal(int, str)
    _moved = Signal(int, str, int, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="panel")
        self._turn = _Turn(self._pool)
        self._busy = False
        self._landed.connect(self._land)
        self._fell.connect(self._fall)
        self._moved.connect(self._move)
        on_destroyed(self, self._turn.leave)

    @property
    def busy(self) -> bool:
        """Whether something that counts is being done."""
        return self._busy

    def start(self, work: Callable[[Progress], Any]) -> None:
        """Do some work, in the place of what is being done.

        Parameters
        ----------
        work : callable
            Called in a thread with a report of progress, which stops the work
            once it is overtaken.
        """
        self._turn.number += 1
        self._busy = True
        self._pool.submit(self._work, self._turn.number, work)

    def cancel(self) -> None:
        """Give up what is being done."""
        self._turn.number += 1
        self._busy = False

    def close(self) -> None:
        """Let nothing come back, and let the thread end."""
        self._busy = False
        self._turn.leave()

    def _work(self, turn: int, work: Callable[[Progress], Any]) -> None:
        # The Qt object may be destroyed at any moment: signals are emitted only under the lock.
        state = self._turn

        def report(stage: str, done: int, total: int) -> None:
            with state.lock:
                if turn != state.number:
                    raise CancelledError
                self._moved.emit(turn, stage, done, total)

        if turn != state.number:
            return
        try:
            value = work(report)
        except CancelledError:
            return
        except Exception as error:
            line = one_line(error)
            with state.lock:
                if turn == state.number:
                    self._fell.emit(turn, line)
            return
        with state.lock:
            if turn == state.number:
                self._landed.emit(turn, value)

    def _land(self, turn: int, value: Any) -> None:
        if turn == self._turn.number:
            self._busy = False
            self.done.emit(value)

    def _fall(self, turn: int, line: str) -> None:
        if turn == self._turn.number:
            self._busy = False
            self.failed.emit(line)

    def _move(self, turn: int, stage: str, done: int, total: int) -> None:
        if turn == self._turn.number:
            self.progressed.emit(stage, done, total)
