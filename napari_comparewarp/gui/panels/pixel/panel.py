"""The pixel inspector: everything that is known of one pixel, epoch by epoch."""

from typing import Any

from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ....algorithm.parallel import Progress
from ....review.pixel import PixelReport, inspect_pixel
from ...session import Session
from ...widgets.turning_splitter import TurningSplitter
from ..panel import Panel
from .table import PixelTable, pixel_lines, pixel_text

__all__ = ["PixelPanel"]

#: Part of the panel that the lines on the coadd have, to begin with.
HEAD_SHARE = 0.33

EMPTY = "Click on a pixel of the picture, or give its x and y."


class PixelPanel(Panel):
    """Values of every epoch at a pixel, which went into the coadd, and the PSF there.

    The pixel stays, under a cross, while epochs and settings change.

    Parameters
    ----------
    parent : QWidget, optional

    Attributes
    ----------
    report : PixelReport or None
        What is shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.report: PixelReport | None = None
        self._pixel: tuple[int, int] | None = None
        self.x_box, self.y_box = QSpinBox(), QSpinBox()
        for box in (self.x_box, self.y_box):
            box.setKeyboardTracking(False)
            box.valueChanged.connect(self._use_boxes)
        self.fixed = QCheckBox("Fixed")
        self.fixed.setToolTip("Clicks on the picture leave the cross where it is")
        self.go = QPushButton("Go there")
        self.go.clicked.connect(self._go)
        self.copy = QPushButton("Copy")
        self.copy.setToolTip("Copy everything as text; the table has tabs")
        self.copy.clicked.connect(self.copy_text)
        self.words = QLabel(EMPTY)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self._lines: dict[str, QLabel] = {}
        self._head = QWidget()
        self._form = QFormLayout(self._head)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(1)
        self.model = PixelTable(self)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.table.setToolTip("A click on a row goes to its epoch")
        # Widths are those of the rows that can be seen: there may be many epochs.
        self.table.horizontalHeader().setResizeContentsPrecision(0)
        self.table.clicked.connect(self._go_to_epoch)
        self._split = TurningSplitter(self._head, self.table, HEAD_SHARE)
        row = QHBoxLayout()
        for widget in (QLabel("x"), self.x_box, QLabel("y"), self.y_box, self.fixed):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.go)
        row.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.words)
        layout.addWidget(self._split, 1)
        self.refuse(EMPTY)

    def set_session(self, session: Session | None) -> None:
        """Inspect pixels of another session, or of none."""
        self._pixel = None
        self._draw_cross()
        super().set_session(session)

    def links(self, session: Session) -> list[tuple[Any, Any]]:
        """Return the signals that the panel listens to, and its slots."""
        return [
            *super().links(session),
            (session.epoch_changed, self._mark_epoch),
            (session.pixel_clicked, self.show_pixel),
        ]

    def reset(self) -> None:
        """Show no pixel."""
        if self._session is not None:
            height, width = self._session.inspection.stack.shape
            for box, stop in ((self.y_box, height), (self.x_box, width)):
                box.blockSignals(True)
                box.setRange(0, stop - 1)
                box.blockSignals(False)
        self.refuse(EMPTY)

    def refresh(self) -> None:
        """Read the pixel."""
        session = self._session
        if session is None or self._pixel is None:
            return
        result, (y, x) = session.inspection.result, self._pixel

        def work(progress: Progress) -> PixelReport:
            return inspect_pixel(result, y, x)

        self.work.start(work)

    def show_pixel(self, y: int, x: int) -> None:
        """Show a pixel that was clicked on, unless the cross is fixed.

        Parameters
        ----------
        y, x : int
            Array indices; outside the patch nothing happens.
        """
        if not (self.fixed.isChecked() and self._pixel is not None):
            self._set_pixel(y, x)

    def copy_text(self) -> None:
        """Copy all that is shown to the clipboard."""
        if self.report is not None and self._session is not None:
            clipboard = QApplication.clipboard()
            clipboard.setText(pixel_text(self.report, self._session.inspection.stack.unit))

    def showEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().showEvent(event)
        self._draw_cross()

    def hideEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().hideEvent(event)
        self._draw_cross()

    # --- what happens ----------------------------------------------------------------------

    def _set_pixel(self, y: int, x: int) -> None:
        session = self._session
        if session is None:
            return
        height, width = session.inspection.stack.shape
        if not (0 <= y < height and 0 <= x < width):
            return
        self._pixel = (y, x)
        for box, value in ((self.y_box, y), (self.x_box, x)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self._draw_cross()
        self.follow()

    def _use_boxes(self) -> None:
        self._set_pixel(self.y_box.value(), self.x_box.value())

    def _draw_cross(self) -> None:
        """Draw the cross while the panel can be seen."""
        session = self._session
        if session is None:
            return
        cross = self._pixel if self.isVisible() else None
        if session.layers.views.cross != cross:
            session.layers.views.cross = cross
            session.refresh("states")

    def land(self, report: PixelReport) -> None:
        """Show a pixel."""
        assert self._session is not None
        self.report = report
        for heading, words in pixel_lines(report, self._session.inspection.stack.unit).items():
            if heading not in self._lines:
                label = QLabel()
                label.setTextFormat(Qt.TextFormat.PlainText)
                label.setWordWrap(True)
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                self._lines[heading] = label
                self._form.addRow(heading, label)
            self._lines[heading].setText(words)
        self.model.set_epochs(report.epochs)
        self.table.resizeColumnsToContents()
        self._mark_epoch(self._session.epoch_index)
        self._set_full(True)

    def refuse(self, words: str) -> None:
        """Say why there is nothing to see."""
        self.report = None
        self.words.setText(words)
        self.model.set_epochs(())
        self._set_full(False)

    def _set_full(self, is_full: bool) -> None:
        self.words.setVisible(not is_full)
        self._split.setVisible(is_full)
        self.go.setEnabled(is_full)
        self.copy.setEnabled(is_full)

    def _mark_epoch(self, epoch_index: int) -> None:
        self.table.selectRow(epoch_index)

    def _go_to_epoch(self, index: QModelIndex) -> None:
        if self._session is not None:
            self._session.epoch_index = index.row()

    def _go(self) -> None:
        if self._session is not None and self._pixel is not None:
            self._session.go_to_pixel(*self._pixel)
