"""The deviation of a footprint in every epoch, as a curve."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from ....algorithm.warps import EpochId
from ...widgets.plots import EpochAxis, ThemedPlot

__all__ = ["ChiPlot"]

#: Where the axis turns from linear to logarithmic, sigma.
KNEE = 3.0

#: Labels of the axis, sigma.
TICKS = (0, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 100_000)

PLAIN, THRESHOLD = "#9aa5b1", "#ff6b6b"

#: Opacity of the line that marks the epoch on the screen, 0 to 255.
HERE_OPACITY = 90


class ChiPlot(ThemedPlot):
    """Peak chi against epoch, with the thresholds and the epochs that are clipped.

    Attributes
    ----------
    epoch_clicked : Signal
        Sent with the index of the epoch that is clicked on.
    """

    epoch_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._epochs = EpochAxis()
        self._here = pg.InfiniteLine(angle=90, movable=False)
        super().__init__({"bottom": self._epochs, "left": _ChiAxis("left")}, parent)
        self.setLabel("bottom", "epoch")
        self.setLabel("left", "peak χ (σ)")
        self.setMinimumSize(180, 130)
        self._thresholds = [
            pg.InfiniteLine(angle=0, pen=pg.mkPen(THRESHOLD, style=Qt.PenStyle.DashLine))
            for _ in range(2)
        ]
        self._curve = pg.PlotDataItem(connect="finite", pen=pg.mkPen(PLAIN))
        self._points = pg.ScatterPlotItem()
        for item in (self._here, *self._thresholds, self._curve, self._points):
            self.addItem(item)
        self._texts: list[str] = []
        self.clicked.connect(self._notify_epoch)

    def show_peaks(
        self,
        epochs: Sequence[EpochId],
        peak_chi: npt.NDArray[np.float32],
        colours: Sequence[str | None],
        in_part: npt.NDArray[np.bool_],
        thresholds: Sequence[float],
        own: int,
        texts: Sequence[str],
    ) -> None:
        """Show the deviations of a footprint.

        Parameters
        ----------
        epochs : sequence of int or str
            Ids of the epochs.
        peak_chi : ndarray
            ``(epoch,)`` sigma; NaN where there is none.
        colours : sequence of str or None
            Of each epoch that is clipped; None for the others.
        in_part : ndarray of bool
            ``(epoch,)`` clipped in part only: a ring in place of a dot.
        thresholds : sequence of float
            One or two lines, sigma.
        own : int
            Index of the epoch that the footprint is of: a square.
        texts : sequence of str
            What is said of each epoch under the mouse.
        """
        self._epochs.set_epochs(epochs)
        self._texts = list(texts)
        x = np.arange(len(epochs))
        y = _to_axis(np.where(np.isfinite(peak_chi), peak_chi, np.nan))
        self._curve.setData(x, y)
        known = np.flatnonzero(np.isfinite(y)).tolist()
        self._points.setData(
            x=x[known], y=y[known],
            brush=[
                None if colours[index] and in_part[index] else pg.mkBrush(colours[index] or PLAIN)
                for index in known
            ],
            pen=[pg.mkPen(colours[index] or PLAIN, width=2) for index in known],
            symbol=["s" if index == own else "o" for index in known],
            size=[10 if index == own else 7 if colours[index] else 4 for index in known],
        )  # fmt: skip
        for line, value in zip(self._thresholds, thresholds, strict=False):
            line.setValue(_to_axis(value))
        self._thresholds[1].setVisible(len(thresholds) > 1)
        # Plain numbers: pyqtgraph compares them with some that float32 does not reach.
        marks = [0.0, *_to_axis(thresholds).tolist(), *y[known].tolist()]
        self.setXRange(-0.5, len(epochs) - 0.5, padding=0.02)
        self.setYRange(min(marks), max(marks), padding=0.08)

    def clear_peaks(self) -> None:
        """Show nothing."""
        self._texts = []
        self._curve.setData([], [])
        self._points.setData([], [])

    def set_epoch(self, epoch_index: int) -> None:
        """Mark the epoch on the screen."""
        self._here.setValue(epoch_index)

    def use_colour(self, colour: QColor) -> None:
        """Draw the axes in a colour, and the mark of the epoch in a faint one."""
        super().use_colour(colour)
        faint = QColor(colour)
        faint.setAlpha(HERE_OPACITY)
        self._here.setPen(pg.mkPen(faint, width=4))

    def text_at(self, x: float, y: float) -> str:
        """Return what is known of the epoch under the mouse."""
        return self._texts[self._nearest(x)] if self._texts else ""

    def _notify_epoch(self, x: float, y: float) -> None:
        if self._texts:
            self.epoch_clicked.emit(self._nearest(x))

    def _nearest(self, x: float) -> int:
        return min(max(round(x), 0), len(self._texts) - 1)


class _ChiAxis(pg.AxisItem):
    """An axis of sigma that is linear about zero and logarithmic far from it."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802
        """Return round numbers of sigma."""
        ticks = _to_axis(np.array(sorted({*TICKS, *(-tick for tick in TICKS)})))
        return [(1.0, [float(tick) for tick in ticks if low <= tick <= high])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Return them in sigma."""
        return [f"{KNEE * np.sinh(value):.0f}" for value in values]


def _to_axis(chi: Any) -> Any:
    """Return where a deviation is on the axis: the inverse hyperbolic sine of it."""
    return np.arcsinh(np.asarray(chi) / KNEE)
