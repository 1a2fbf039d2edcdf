"""Plots in the colours of the window, and their axes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QEvent, QPoint, Qt, Signal
from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QToolTip, QWidget

from .plain_text import as_plain, elided

__all__ = ["EpochAxis", "LogAxis", "ThemedPlot"]

#: Room for one digit of an axis, pixels.
DIGIT = 8

#: Room around the axes: left, top, right and bottom, pixels.
MARGINS = (4, 4, 6, 6)


class ThemedPlot(pg.PlotWidget):
    """A plot that takes its colours from the window's theme, and reports where it is clicked.

    Parameters
    ----------
    axes : dict of str to pyqtgraph.AxisItem, optional
        Axes other than plain ones, by where they stand.
    parent : QWidget, optional

    Attributes
    ----------
    clicked : Signal
        Sent with x and y, in the units of the axes, of a click inside them.
    """

    clicked = Signal(float, float)

    def __init__(
        self, axes: dict[str, pg.AxisItem] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, axisItems=axes or {}, background=None)
        self.hideButtons()
        self.setMenuEnabled(False)
        self.setMouseEnabled(x=False, y=False)
        # A label stands a little out of its axis.
        self.getPlotItem().layout.setContentsMargins(*MARGINS)
        self.scene().sigMouseClicked.connect(self._notify_click)
        self.scene().sigMouseMoved.connect(self._hover)

    @property
    def text_colour(self) -> QColor:
        """The colour of text on this plot."""
        return self.palette().color(QPalette.ColorRole.WindowText)

    def use_colour(self, colour: QColor) -> None:
        """Draw axes, and what else is neither data nor background, in a colour."""
        for place in ("left", "bottom"):
            axis = self.getAxis(place)
            axis.setPen(colour)
            axis.setTextPen(colour)

    def text_at(self, x: float, y: float) -> str:
        """Return the text for a place under the cursor."""
        return ""

    def changeEvent(self, event: QEvent) -> None:  # noqa: D102, N802
        super().changeEvent(event)
        is_new = event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange)
        # Qt reports a change of style while the plot is still being made.
        if is_new and self.isVisible():
            self.use_colour(self.text_colour)

    def showEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().showEvent(event)
        self.use_colour(self.text_colour)

    def place_of(self, position: Any) -> tuple[float, float] | None:
        """Return x and y of a place of the scene, None outside the axes."""
        box = self.getPlotItem().getViewBox()
        if not box.sceneBoundingRect().contains(position):
            return None
        place = box.mapSceneToView(position)
        return float(place.x()), float(place.y())

    def _notify_click(self, event: Any) -> None:
        place = self.place_of(event.scenePos())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*place)

    def _hover(self, position: Any) -> None:
        place = self.place_of(position)
        text = "" if place is None else self.text_at(*place)
        if text:
            corner = self.mapToGlobal(self.mapFromScene(position)) + QPoint(14, 14)
            QToolTip.showText(corner, as_plain(text), self)
        elif QToolTip.isVisible():
            QToolTip.hideText()


class EpochAxis(pg.AxisItem):
    """An axis of whole epochs, counted from 0 and labelled with their ids."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self._names: list[str] = []

    def set_epochs(self, epochs: Sequence[int | str]) -> None:
        """Label other epochs."""
        self._names = [elided(str(epoch)) for epoch in epochs]
        self.picture = None
        self.update()

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[int]]]:  # noqa: N802
        """Return as many epochs as have room for their ids."""
        first, last = max(0, int(np.ceil(low))), min(len(self._names) - 1, int(high))
        longest = max((len(name) for name in self._names), default=1)
        room = max(1, int(size / (DIGIT * longest + 12)))
        step = max(1, -(-(last - first + 1) // room))
        return [(step, list(range(first, last + 1, step)))]

    def tickStrings(self, values: Sequence[int], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Return the ids."""
        return [self._names[int(value)] for value in values]


class LogAxis(pg.AxisItem):
    """An axis of decadic logarithms, labelled with the numbers themselves."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802
        """Return the powers of ten, and 2 and 5 times these where there is room."""
        decades = np.arange(np.floor(low), np.ceil(high) + 1)
        crowded = size / max(high - low, 1e-9) < 12 * DIGIT
        parts = [0.0] if crowded else np.log10([1, 2, 5])
        ticks = (decades[:, np.newaxis] + parts).ravel()
        return [(1.0, [float(tick) for tick in ticks if low <= tick <= high])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Return the numbers."""
        return [f"{10**value:.6g}" for value in values]
