"""The table of footprints as Qt sees it: a model of all rows, and a proxy that orders them."""

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import (
    QAbstractProxyModel,
    QAbstractTableModel,
    QModelIndex,
    QObject,
    Qt,
)
from qtpy.QtGui import QColor

from ....result.footprints import State
from .rows import COLUMNS, FootprintRows

__all__ = ["FootprintModel", "FootprintOrder"]

_NAMES = tuple(COLUMNS)
_ROLE = Qt.ItemDataRole
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class FootprintModel(QAbstractTableModel):
    """All footprints of a result, a row each in the order of their ids.

    Parameters
    ----------
    parent : QObject, optional

    Attributes
    ----------
    rows : FootprintRows or None
        What is shown.
    seen : ndarray of bool
        ``(row,)`` what a person has looked at.
    colour_of : callable
        Returns the colour of a `State`.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: FootprintRows | None = None
        self.seen = np.zeros(0, np.bool_)
        self.colour_of: Callable[[State], str] = lambda state: "#808080"
        self._texts: dict[tuple[int, int], str] = {}

    def show(self, rows: FootprintRows | None, seen: npt.NDArray[np.bool_]) -> None:
        """Show other rows, or none."""
        self.beginResetModel()
        self.rows, self.seen = rows, seen
        self._texts.clear()
        self.endResetModel()

    def mark_seen(self, row: int) -> None:
        """Show that a person has looked at a footprint."""
        self.seen[row] = True
        self._texts.pop((row, _NAMES.index("seen")), None)
        cell = self.index(row, _NAMES.index("seen"))
        self.dataChanged.emit(cell, cell)

    def sort_key(self, column: int) -> npt.NDArray[np.float64]:
        """Return ``(row,)`` numbers that order the rows by a column."""
        assert self.rows is not None
        name = _NAMES[column]
        if name == "seen":
            return self.seen.astype(np.float64)
        # Rows of one rule read alike.
        return self.rows.values["decided_by" if name == "reason" else name].astype(np.float64)

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of footprints."""
        if self.rows is None or (parent is not None and parent.isValid()):
            return 0
        return len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(_NAMES)

    def data(self, index: QModelIndex, role: int = _ROLE.DisplayRole) -> Any:
        """Return what a cell says, and how; the reason is the tooltip of the whole row."""
        if self.rows is None or not index.isValid():
            return None
        row, column = index.row(), index.column()
        if role == _ROLE.DisplayRole:
            return self._text(row, column)
        if role == _ROLE.TextAlignmentRole:
            return _RIGHT if COLUMNS[_NAMES[column]].write else _LEFT
        if role == _ROLE.DecorationRole and _NAMES[column] == "verdict":
            return QColor(self.colour_of(State(int(self.rows.state[row]))))
        if role == _ROLE.ToolTipRole:
            return f"<p>{escape(self._text(row, _NAMES.index('reason')))}</p>"
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = _ROLE.DisplayRole
    ) -> Any:
        """Return title and tooltip of a column."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(_NAMES):
            return None
        column = COLUMNS[_NAMES[section]]
        if role == _ROLE.DisplayRole:
            return column.title
        if role == _ROLE.ToolTipRole:
            return column.tooltip
        return None

    def _text(self, row: int, column: int) -> str:
        # A cell is asked again whenever the mouse moves over it.
        text = self._texts.get((row, column))
        if text is None:
            assert self.rows is not None
            name = _NAMES[column]
            if name == "seen":
                text = self.rows.words["seen"][int(self.seen[row])]
            else:
                text = self.rows.text(row, name)
            self._texts[row, column] = text
        return text


class FootprintOrder(QAbstractProxyModel):
    """The rows of a `FootprintModel` that are shown, in the order in which they are shown.

    Parameters
    ----------
    model : FootprintModel
    parent : QObject, optional

    Notes
    -----
    Order and filter are one array of rows, so that 50,000 of them are sorted and
    filtered in milliseconds; `QSortFilterProxyModel` would ask for each row.
    """

    def __init__(self, model: FootprintModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown = np.zeros(0, np.bool_)
        self._order = np.zeros(0, np.int64)
        self._place = np.zeros(0, np.int64)
        self._sorted_by: tuple[int, bool] = (0, False)
        self.setSourceModel(model)
        model.modelAboutToBeReset.connect(self.beginResetModel)
        model.modelReset.connect(self._show_all)
        model.dataChanged.connect(self._on_data_changed)
        self._show_all_rows()

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """The rows of the model that are shown, from the top."""
        return self._order

    def place_of(self, row: int) -> int:
        """Return where a row of the model is shown, -1 where it is not."""
        return int(self._place[row]) if 0 <= row < len(self._place) else -1

    def show_only(self, shown: npt.NDArray[np.bool_]) -> None:
        """Show the flagged rows, a flag for each row of the model."""
        self.beginResetModel()
        self._shown = shown
        self._arrange()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; rows without a number come last either way."""
        self.beginResetModel()
        self._sorted_by = (max(column, 0), order == Qt.SortOrder.DescendingOrder)
        self._arrange()
        self.endResetModel()

    def mapToSource(self, index: QModelIndex) -> QModelIndex:  # noqa: N802
        """Return the cell of the model that is shown in a place."""
        if not index.isValid() or index.row() >= len(self._order):
            return QModelIndex()
        return self._model.index(int(self._order[index.row()]), index.column())

    def mapFromSource(self, index: QModelIndex) -> QModelIndex:  # noqa: N802
        """Return the place of a cell of the model; none where it is not shown."""
        place = self.place_of(index.row()) if index.isValid() else -1
        return QModelIndex() if place < 0 else self.index(place, index.column())

    def index(self, row: int, column: int, parent: QModelIndex | None = None) -> QModelIndex:
        """Return the index of a place."""
        inside = 0 <= row < len(self._order) and 0 <= column < len(_NAMES)
        if not inside or (parent is not None and parent.isValid()):
            return QModelIndex()
        return self.createIndex(row, column)

    def parent(self, index: QModelIndex | None = None) -> Any:
        """Return no index: a table has no tree. Without an argument, the owner."""
        return QObject.parent(self) if index is None else QModelIndex()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of rows that are shown."""
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(_NAMES)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = _ROLE.DisplayRole
    ) -> Any:
        """Return what the model says of a column, with no row shown too."""
        return self._model.headerData(section, orientation, role)

    def _show_all(self) -> None:
        self._show_all_rows()
        self.endResetModel()

    def _show_all_rows(self) -> None:
        self._shown = np.ones(self._model.rowCount(), np.bool_)
        self._arrange()

    def _on_data_changed(self, first: QModelIndex, last: QModelIndex, *_: Any) -> None:
        first, last = self.mapFromSource(first), self.mapFromSource(last)
        if first.isValid() and last.isValid():
            self.dataChanged.emit(first, last)

    def _arrange(self) -> None:
        """Make the array of rows that are shown, and where each is."""
        rows = np.flatnonzero(self._shown)
        if len(rows):
            column, descending = self._sorted_by
            key = self._model.sort_key(column)[rows]
            # NaN is last, as numpy sorts, for it has no sign.
            rows = rows[np.argsort(-key if descending else key, kind="stable")]
        self._order = rows
        self._place = np.full(len(self._shown), -1)
        self._place[rows] = np.arange(len(rows))
