"""Signals that ask the command to end: they end it as an error does, with nothing left behind."""

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

__all__ = ["Stopped", "ending_at", "stop_no_more", "stopping"]

#: The signals, where the system has them, and what each is called in the message.
_WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal is gone"}


#: Seconds after which another signal is one of its own.
_AGAIN = 2.0


class Stopped(KeyboardInterrupt):
    """A signal asked the command to end.

    It goes wherever an interrupt goes: no ``except Exception`` keeps it.

    Parameters
    ----------
    number : int
        Of the signal.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)

    @property
    def exit_code(self) -> int:
        """What a shell shows for a process that the signal has ended."""
        return 128 + self.number

    def __str__(self) -> str:
        return _WORDS.get(signal.Signals(self.number).name, "stopped")


@contextmanager
def stopping() -> Iterator[None]:
    """Raise `Stopped` in the main thread when a signal asks the command to end.

    One that follows at once, as where a key is pressed twice, does not disturb
    the clearing up. A signal that is ignored, as `nohup` has it, stays so.
    """
    last = -math.inf

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _AGAIN:
            last = now
            raise Stopped(number)

    def not_raised(unraisable: Any) -> None:
        nonlocal last
        if isinstance(unraisable.exc_value, Stopped):
            # It came while an object was being destroyed, where nothing can be raised.
            last = -math.inf
            number = unraisable.exc_value.number
            threading.Timer(0.01, _send, (number,)).start()
        else:
            hook(unraisable)

    hook = sys.unraisablehook
    sys.unraisablehook = not_raised
    try:
        with _handled_by(stop):
            yield
    finally:
        sys.unraisablehook = hook


def stop_no_more() -> None:
    """Let no signal end the interpreter while it shuts down: all is done, and its code is known.

    Handlers are of no use by then; Python would let the signal kill the process, without
    a line and with another code.
    """
    for name in _WORDS:
        with suppress(AttributeError, OSError, ValueError):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _send(number: int) -> None:
    """Send this process a signal."""
    # On Windows, `os.kill` ends a process at once; elsewhere it alone wakes the main thread.
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        os.kill(os.getpid(), number)


@contextmanager
def ending_at(end: Callable[[], Any]) -> Iterator[None]:
    """Call something at the first signal, for what must not be broken into; raise afterwards.

    Parameters
    ----------
    end : callable
        Makes what is done meanwhile come to its end.

    Raises
    ------
    Stopped
        At the end, if a signal came.
    """
    came: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            end()

    with _handled_by(stop):
        yield
    if came:
        raise Stopped(came[0])


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have signals handled, where that is possible, and as before afterwards."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name in _WORDS:
            number = getattr(signal, name, None)
            # None: a handler that is not of Python, which could not be put back.
            if number is None or signal.getsignal(number) in (signal.SIG_IGN, None):
                continue
            with suppress(OSError, ValueError):  # of an interpreter inside another program
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
