"""The footprint table on the screen."""

from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QTableView, QWidget

from .model import FootprintOrder
from .rows import COLUMNS

__all__ = ["FootprintView"]

_FLAG = QItemSelectionModel.SelectionFlag


class FootprintView(QTableView):
    """A table of one selected row, with the keys of the pictures while it has the focus.

    Parameters
    ----------
    order : FootprintOrder
    parent : QWidget, optional

    Attributes
    ----------
    moved : Signal
        Sent with a place when a person moves to a row, or clicks on it.
    acts : mapping of str to callable
        What each key does.
    """

    moved = Signal(int)

    def __init__(self, order: FootprintOrder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.acts: Mapping[str, Callable[[], object]] = {}
        self._quiet = False
        self.setModel(order)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setWordWrap(False)
        self.setShowGrid(False)
        rows, header = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setDefaultSectionSize(self.fontMetrics().height() + 6)
        header.setSectionsMovable(True)
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        advance = self.fontMetrics().horizontalAdvance
        for place, column in enumerate(COLUMNS.values()):
            # Room for the mark of the order beside the title.
            wide = max(column.sample, column.title + "00", key=advance)
            self.setColumnWidth(place, advance(wide) + 16)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.selectionModel().currentRowChanged.connect(self._notify)
        self.clicked.connect(self._notify)

    def show_row(self, place: int) -> None:
        """Select a row and scroll to it, or select none for -1, without emitting `moved`."""
        self._quiet = True
        if place < 0:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        else:
            self.move_to(place)
        self._quiet = False

    def move_to(self, place: int) -> None:
        """Move to a row, as a person does."""
        cell = self.model().index(place, 0)
        self.selectionModel().setCurrentIndex(cell, _FLAG.ClearAndSelect | _FLAG.Rows)
        self.scrollTo(cell)

    def show_sky(self, is_known: bool) -> None:
        """Show the columns of the position on the sky, or hide them."""
        for name in ("ra", "dec"):
            self.setColumnHidden(list(COLUMNS).index(name), not is_known)

    def keyPressEvent(self, event: Any) -> None:  # noqa: D102, N802
        act = self.acts.get(event.text())
        if act is None:
            super().keyPressEvent(event)
        else:
            act()

    def _notify(self, cell: QModelIndex, *_: Any) -> None:
        if cell.isValid() and not self._quiet:
            self.moved.emit(cell.row())
