"""How many footprints, and what area, are clipped in each epoch."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from astropy.table import Table
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from ....result.footprints import State
from ....review.summary import summarise_epochs
from ...session import Session
from ...widgets.plain_text import elided
from ...widgets.plots import EpochAxis, ThemedPlot
from ..panel import Panel

__all__ = ["EpochBars"]

#: Column of the summary, factor, and label of each plot.
QUANTITIES = (
    ("n_clipped", 1.0, "footprints"),
    ("clipped_fraction", 100.0, "area (%)"),
)

#: Width of a bar, epochs.
WIDTH = 0.8


class EpochBars(Panel):
    """Bars of clipped footprints and of clipped area, one for each epoch.

    A click goes to an epoch. Hollow bars are those of the pinned settings.

    Attributes
    ----------
    plots : list of BarPlot
        Footprints, then area.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._summary: Table | None = None
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        self.plots = [BarPlot(label, self._describe) for _, _, label in QUANTITIES]
        self.plots[0].getAxis("bottom").setStyle(showValues=False)
        self.plots[0].getAxis("bottom").setHeight(6)
        self.plots[1].setLabel("bottom", "epoch")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.title)
        # The lower one has the labels of both.
        layout.addWidget(self.plots[0], 2)
        layout.addWidget(self.plots[1], 3)
        for plot in self.plots:
            plot.epoch_clicked.connect(self._go)

    def links(self, session: Session) -> list[tuple[Any, Any]]:
        """Return the signals that the bars listen to, and their slots."""
        return [
            *super().links(session),
            (session.pinned_changed, self.follow),
            (session.epoch_changed, self._mark),
        ]

    def refresh(self) -> None:
        """Show what is clipped now."""
        session = self._session
        if session is None:
            self._summary = None
            self.title.setText("")
            for plot in self.plots:
                plot.show_bars(None, [], "#000000")
            return
        result, pinned = session.inspection.result, session.layers.views.pinned
        self._summary = summarise_epochs(result)
        before = None
        if pinned is not None and pinned is not result:
            before = summarise_epochs(pinned)
        colour = session.layers.views.scheme.states[State.CLIPPED]
        for plot, (column, factor, _) in zip(self.plots, QUANTITIES, strict=True):
            plot.show_bars(
                np.asarray(self._summary[column]) * factor, list(result.stack.epochs), colour,
                None if before is None else np.asarray(before[column]) * factor,
            )  # fmt: skip
        self._mark(session.epoch_index)

    def _mark(self, epoch_index: int) -> None:
        for plot in self.plots:
            plot.mark_epoch(epoch_index)
        if self._summary is not None:
            self.title.setText(self._describe(epoch_index))

    def _describe(self, epoch_index: int) -> str:
        """Say what is clipped in an epoch."""
        if self._summary is None:
            return ""
        row = self._summary[epoch_index]
        epoch = elided(str(row["epoch"]))
        return (
            f"Epoch {epoch}: {row['n_clipped']} of {row['n_footprints']} clipped, "
            f"{100 * row['clipped_fraction']:.3f} % of its pixels"
        )

    def _go(self, epoch_index: int) -> None:
        if self._session is not None:
            self._session.epoch_index = epoch_index


class BarPlot(ThemedPlot):
    """One bar for each epoch.

    Parameters
    ----------
    label : str
        What the bars measure.
    describe : callable
        Returns what to say of an epoch, by its index.

    Attributes
    ----------
    epoch_clicked : Signal
        Sent with the index of the epoch that is clicked on.
    """

    epoch_clicked = Signal(int)

    def __init__(self, label: str, describe: Any, parent: QWidget | None = None) -> None:
        self._axis = EpochAxis()
        self._here = pg.LinearRegionItem(movable=False, pen=pg.mkPen(None))
        self._before = pg.BarGraphItem(x=[], height=[], width=WIDTH, brush=None)
        super().__init__({"bottom": self._axis}, parent)
        self._describe = describe
        self._heights = self._past = np.empty(0)
        self._bars = pg.BarGraphItem(x=[], height=[], width=WIDTH, pen=None)
        for item in (self._here, self._bars, self._before):
            self.addItem(item)
        self.setLabel("left", label)
        self.getAxis("left").setWidth(52)
        self.getAxis("left").enableAutoSIPrefix(False)
        self.setMinimumSize(140, 70)
        self.clicked.connect(self._click)

    @property
    def heights(self) -> npt.NDArray[np.float64]:
        """``(epoch,)`` what the bars show."""
        return self._heights

    @property
    def past(self) -> npt.NDArray[np.float64]:
        """``(epoch,)`` what the hollow bars show, empty without them."""
        return self._past

    def show_bars(
        self,
        heights: npt.NDArray[np.float64] | None,
        epochs: list[Any],
        colour: str,
        before: npt.NDArray[np.float64] | None = None,
    ) -> None:
        """Show a bar for each epoch, and hollow ones of what was before."""
        self._heights = np.empty(0) if heights is None else heights
        x = np.arange(len(epochs))
        self._axis.set_epochs(epochs)
        self._bars.setOpts(x=x, height=self._heights, brush=colour)
        self._past = np.empty(0) if before is None else before
        # Nothing was clipped: no line along the axis.
        shown = np.flatnonzero(self._past)
        self._before.setOpts(x=shown, height=self._past[shown])
        self.setXRange(-0.5, max(len(epochs), 1) - 0.5, padding=0.02)
        top = max(self._heights.max(initial=0), self._past.max(initial=0))
        self.setYRange(0, top or 1, padding=0.05)

    def mark_epoch(self, epoch_index: int) -> None:
        """Mark the epoch on the screen."""
        self._here.setRegion((epoch_index - 0.5, epoch_index + 0.5))

    def use_colour(self, colour: QColor) -> None:
        """Draw axes and marks in a colour."""
        super().use_colour(colour)
        faint = QColor(colour)
        faint.setAlpha(60)
        self._here.setBrush(pg.mkBrush(faint))
        self._before.setOpts(pen=pg.mkPen(colour))

    def text_at(self, x: float, y: float) -> str:
        """Describe the epoch under the cursor."""
        epoch = round(x)
        return self._describe(epoch) if 0 <= epoch < len(self._heights) else ""

    def _click(self, x: float, y: float) -> None:
        if 0 <= round(x) < len(self._heights):
            self.epoch_clicked.emit(round(x))
