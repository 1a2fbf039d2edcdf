"""A scrolling column that is always as wide as what is in it, and what fills one."""

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

__all__ = ["Column", "Filling"]


class Column(QScrollArea):
    """Scrolls up and down only: nothing is cut off at its sides.

    Parameters
    ----------
    content : QWidget
    parent : QWidget, optional
    """

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the width of the content and of the bar beside it."""
        hint = super().minimumSizeHint()
        content = self.widget()
        if content is None:
            return hint
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(content.minimumSizeHint().width() + bar, hint.height())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Follow the content when it grows or shrinks."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))


class Filling(QWidget):
    """Gives all its room to a widget, and asks for no more than that can do with.

    In a scrolling column a widget with a text that wraps is as high as it would
    like to be; this is as high as the column, and scrolls only below its minimum.

    Parameters
    ----------
    content : QWidget
    parent : QWidget, optional
    """

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._content = content
        content.setParent(self)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least that the content can do with."""
        return self._content.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Let the content follow."""
        self._content.setGeometry(self.rect())

    def event(self, event: QEvent | None) -> bool:
        """Pass on that the content wants another size."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().event(event))
