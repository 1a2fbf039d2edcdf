"""Two widgets beside each other where there is width, above each other where there is height."""

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSplitter, QWidget

__all__ = ["TurningSplitter"]

#: Width over height from which the two are beside each other.
WIDE = 1.5


class TurningSplitter(QSplitter):
    """A splitter that turns with the shape of its dock.

    Parameters
    ----------
    first, second : QWidget
    share : float
        Part of the room that the first one has after a turn, 0 to 1.
    """

    def __init__(self, first: QWidget, second: QWidget, share: float) -> None:
        super().__init__()
        self._share = share
        self._is_laid_out = False
        self.setChildrenCollapsible(False)
        self.addWidget(first)
        self.addWidget(second)
        self.setStretchFactor(0, round(100 * share))
        self.setStretchFactor(1, round(100 * (1 - share)))

    def resizeEvent(self, event: Any) -> None:  # noqa: D102, N802
        is_wide = self.width() > WIDE * self.height()
        orientation = Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical
        turns = orientation != self.orientation() or not self._is_laid_out
        if turns:
            self.setOrientation(orientation)
        super().resizeEvent(event)
        if turns:
            self._is_laid_out = True
            room = self.width() if is_wide else self.height()
            self.setSizes([round(self._share * room), round((1 - self._share) * room)])
