"""Thresholds as lines to drag."""

import time
from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtGui import QColor

from ....config.knobs import CompareWarpConfig
from ...session import Session

__all__ = ["ThresholdLine", "Tuner"]

#: A pause is so many times as long as an answer has taken, but at most so many milliseconds.
PAUSES, LONGEST_PAUSE = 3, 300


class Tuner(QObject):
    """Sends knobs to a session as fast as it answers, and no faster.

    A change that is still being computed is overtaken by the next one, so that
    a line that moves faster than results come would never be followed. And a
    result is drawn in the thread in which the line moves: between two results
    there is a pause, so that the line is not held up.

    Parameters
    ----------
    session : Session
    parent : QObject, optional
    """

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._waiting: dict[str, Any] = {}
        self._sent = 0.0
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self.flush)
        session.finished.connect(self._answered)

    @property
    def config(self) -> CompareWarpConfig:
        """The settings as last asked for, whether the session knows of them or not."""
        return self._session.config.replace(**self._waiting)

    def tune(self, **knobs: Any) -> None:
        """Change some knobs now, or as soon as the session has answered."""
        self._waiting.update(knobs)
        if not self._pause.isActive():
            self.flush()

    def flush(self) -> None:
        """Send what waits, unless the session is at work: then once it has answered."""
        if self._waiting and not self._session.busy:
            self._pause.stop()
            knobs, self._waiting = self._waiting, {}
            self._sent = time.monotonic()
            self._session.tune(**knobs)

    def close(self) -> None:
        """Send nothing any more."""
        self._waiting.clear()
        self._pause.stop()
        self._session.finished.disconnect(self._answered)
        self.deleteLater()

    def _answered(self) -> None:
        took = 1000 * (time.monotonic() - self._sent)
        self._pause.start(int(min(PAUSES * took, LONGEST_PAUSE)))


class ThresholdLine(pg.InfiniteLine):
    """One knob as a line across a plot.

    Parameters
    ----------
    knob : str
        A field of `CompareWarpConfig`.
    angle : {0, 90}
        0 for a horizontal line.
    value_of : callable
        Returns the value of the knob, as the config takes it, at a position.
    label_place : float
        Where along the line its label stands, 0 to 1.

    Attributes
    ----------
    dragged : Signal
        Sent with knob and value while a person drags the line.
    """

    dragged = Signal(str, object)

    def __init__(
        self, knob: str, angle: int, value_of: Callable[[float], Any], label_place: float
    ) -> None:
        super().__init__(
            angle=angle, movable=True, label="",
            labelOpts={"position": label_place, "movable": False, "anchors": _anchors(angle)},
        )  # fmt: skip
        self.knob = knob
        self._value_of = value_of
        self._shown: Any = None
        self._text = ""
        self._look: tuple[int, bool] | None = None
        self.setZValue(10)
        self.sigDragged.connect(self._notify)

    def show_value(self, value: Any, position: float, text: str) -> None:
        """Stand at a position, unless it is being dragged."""
        self._shown = value
        if not self.moving:
            self.setValue(position)
        if text != self._text:
            self._text = text
            self.label.setText(text)

    def set_look(self, colour: Any, decides: bool) -> None:
        """Be drawn in a colour: whole where the line decides, else dashed."""
        look = (QColor(colour).rgba(), decides)
        if look == self._look:
            return
        self._look = look
        style = Qt.PenStyle.SolidLine if decides else Qt.PenStyle.DashLine
        self.setPen(pg.mkPen(colour, width=2 if decides else 1, style=style))
        self.setHoverPen(pg.mkPen(colour, width=4))
        self.label.setColor(colour)

    def _notify(self) -> None:
        value = self._value_of(self.value())
        if value != self._shown:
            self._shown = value
            self.dragged.emit(self.knob, value)


def _anchors(angle: int) -> list[tuple[float, float]]:
    """Return the corners of a label that stand on the line, so that it stays beside it."""
    return [(0.5, 1.0), (0.5, 0.0)] if angle == 0 else [(1.0, 0.5), (0.0, 0.5)]
