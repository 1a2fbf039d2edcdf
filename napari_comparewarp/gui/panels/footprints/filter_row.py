"""The row above the footprint table: which footprints are shown."""

from html import escape
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget
from superqt import QFlowLayout

from ....algorithm.verdicts import Verdict
from ...session import Session
from ...widgets.plain_text import elided
from .filter import RowFilter
from .rows import COLUMNS

__all__ = ["FilterRow"]

_EXAMPLE = "clipped area>100 fraction=0.4..0.6"


class FilterRow(QWidget):
    """Choices of verdict and epoch, a text, and boxes to tick.

    Parameters
    ----------
    parent : QWidget, optional

    Attributes
    ----------
    changed : Signal
        Sent when other rows are asked for.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self.verdict, self.epoch, self.text = QComboBox(), QComboBox(), QLineEdit()
        self.verdict.addItem("all verdicts", None)
        for verdict in Verdict:
            self.verdict.addItem(verdict.name.lower(), verdict.name.lower())
        self.text.setPlaceholderText(_EXAMPLE)
        self.text.setClearButtonEnabled(True)
        self.text.setMinimumWidth(self.fontMetrics().horizontalAdvance(_EXAMPLE + "000000"))
        numbers = ", ".join(name for name, column in COLUMNS.items() if column.write)
        self.text.setToolTip(
            "<p>Words of verdict, rule, epoch or polarity, an id, and ranges of numbers: "
            f"{escape(_EXAMPLE)}. All must fit.</p><p>Numbers: {numbers}.</p>"
        )
        self.this_epoch = QCheckBox("this epoch only")
        self.this_epoch.setToolTip("Only footprints of the epoch on the screen")
        self.undecided = QCheckBox("undecided")
        self.undecided.setToolTip(
            "Only footprints that you have neither decided on nor looked at; the selected one stays"
        )
        self.knife_edge = QCheckBox("knife-edge")
        self.knife_edge.setToolTip(
            "Only footprints whose verdict flips if one threshold changes by a tenth"
        )
        flow = QFlowLayout(self)
        flow.setContentsMargins(0, 0, 0, 0)
        flow.setHorizontalSpacing(6)
        flow.setVerticalSpacing(4)
        for widget in (self.verdict, self.epoch, self.this_epoch, self.text, self.undecided,
                       self.knife_edge):  # fmt: skip
            flow.addWidget(widget)
        self.verdict.currentIndexChanged.connect(self._notify)
        self.epoch.currentIndexChanged.connect(self._notify)
        self.text.textChanged.connect(self._notify)
        self.this_epoch.toggled.connect(self._follow)
        self.undecided.toggled.connect(self._notify)
        self.knife_edge.toggled.connect(self._notify)

    @property
    def wanted(self) -> RowFilter:
        """What a row must have to be shown."""
        return RowFilter(
            self.verdict.currentData(), self.epoch.currentData(), self.text.text(),
            self.undecided.isChecked(), self.knife_edge.isChecked(),
        )  # fmt: skip

    def set_session(self, session: Session | None) -> None:
        """Offer the epochs of another session."""
        if self._session is not None:
            self._session.epoch_changed.disconnect(self._on_epoch)
        self._session = session
        self.epoch.blockSignals(True)
        self.epoch.clear()
        self.epoch.addItem("all epochs", None)
        if session is not None:
            session.epoch_changed.connect(self._on_epoch)
            for index, epoch in enumerate(session.inspection.stack.epochs):
                self.epoch.addItem(elided(str(epoch)), index)
        self.epoch.blockSignals(False)
        if self.this_epoch.isChecked():
            self._follow(True)

    def _on_epoch(self, *_: Any) -> None:
        if self.this_epoch.isChecked():
            self._follow(True)

    def _follow(self, on: bool) -> None:
        """Choose the epoch on the screen, or all again."""
        self.epoch.setEnabled(not on)
        index = self._session.epoch_index if on and self._session is not None else -1
        self.epoch.setCurrentIndex(1 + index)

    def _notify(self, *_: Any) -> None:
        self.changed.emit()
