"""A sheet of small pictures, two above each other for each epoch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, QPointF, QRect, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter, QPainterPath, QPalette, QPen, QPixmap
from qtpy.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from ...widgets.plain_text import as_plain

__all__ = ["StampSheet", "Tile", "outline_of"]

#: Side of a picture on the screen, pixels: at least, and at most.
SMALLEST, LARGEST = 64, 160

#: Pixels between tiles, and around what is framed.
GAP, FRAME = 6, 2

#: Opacity of the line around the footprint, 0 to 255.
LINE_OPACITY = 150


@dataclass(frozen=True)
class Tile:
    """Two pictures above each other.

    Attributes
    ----------
    epoch_index : int or None
        The epoch that they are of; None for what is of all epochs.
    captions : tuple of str
        One above each picture.
    pictures : tuple of QImage
        First row at the top.
    tip : str
        What is said under the mouse.
    frame : str or None
        Colour of a frame around both.
    dashed : bool
        Whether that frame is dashed.
    strong : bool
        Whether its caption stands out.
    """

    epoch_index: int | None
    captions: tuple[str, str]
    pictures: tuple[QImage, QImage]
    tip: str
    frame: str | None = None
    dashed: bool = False
    strong: bool = False


class StampSheet(QAbstractScrollArea):
    """Tiles in rows, as large as there is room for; with many it scrolls.

    Attributes
    ----------
    clicked : Signal
        Sent with the index of the epoch whose tile is clicked on.
    """

    clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles: list[Tile] = []
        self._outline = QPainterPath()
        self._line = QColor("white")
        self._epoch: int | None = None
        self._side = SMALLEST
        self._columns = 1
        self._drawn: dict[tuple[int, int], QPixmap] = {}
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self.setMinimumWidth(2 * SMALLEST + 4 * GAP)

    @property
    def tiles(self) -> list[Tile]:
        """What is shown."""
        return self._tiles

    def set_tiles(self, tiles: list[Tile], outline: QPainterPath, line: str) -> None:
        """Show other tiles.

        Parameters
        ----------
        tiles : list of Tile
        outline : QPainterPath
            A line to draw over the lower picture of each epoch, see `outline_of`.
        line : str
            Its colour.
        """
        self._tiles, self._outline, self._line = tiles, outline, QColor(line)
        self._line.setAlpha(LINE_OPACITY)
        self._drawn.clear()
        self._lay_out()
        for index, tile in enumerate(tiles):
            if tile.strong:
                self._reveal(index)

    def set_epoch(self, epoch_index: int) -> None:
        """Mark the tile of the epoch on the screen, and scroll to it."""
        self._epoch = epoch_index
        for index, tile in enumerate(self._tiles):
            if tile.epoch_index == epoch_index:
                self._reveal(index)
        self.viewport().update()

    def rect_of(self, tile: int) -> QRect:
        """Return where a tile is in the viewport."""
        row, column = divmod(tile, self._columns)
        height = self._tile_height(self._side)
        top = row * height - self.verticalScrollBar().value()
        return QRect(column * (self._side + GAP), top, self._side + GAP, height)

    # --- what Qt calls ---------------------------------------------------------------------

    def resizeEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().resizeEvent(event)
        self._lay_out()

    def changeEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._lay_out()

    def paintEvent(self, event: Any) -> None:  # noqa: D102, N802
        painter = QPainter(self.viewport())
        for index, tile in enumerate(self._tiles):
            if self.rect_of(index).intersects(event.rect()):
                self._paint(painter, index, tile)

    def mouseReleaseEvent(self, event: Any) -> None:  # noqa: D102, N802
        tile = self._tile_at(event.pos())
        if event.button() == Qt.MouseButton.LeftButton and tile and tile.epoch_index is not None:
            self.clicked.emit(tile.epoch_index)

    def viewportEvent(self, event: Any) -> bool:  # noqa: D102, N802
        if event.type() == QEvent.Type.ToolTip:
            tile = self._tile_at(event.pos())
            QToolTip.showText(event.globalPos(), as_plain(tile.tip) if tile else "", self)
            return True
        return bool(super().viewportEvent(event))

    # --- the rest --------------------------------------------------------------------------

    def _reveal(self, index: int) -> None:
        """Scroll as little as it takes to see a tile."""
        area, bar = self.rect_of(index), self.verticalScrollBar()
        below = max(0, area.bottom() + 1 - self.viewport().height())
        bar.setValue(bar.value() + min(area.top(), below))

    def _tile_at(self, position: Any) -> Tile | None:
        for index, tile in enumerate(self._tiles):
            if self.rect_of(index).contains(position):
                return tile
        return None

    def _tile_height(self, side: int) -> int:
        return 2 * (side + self.fontMetrics().height() + FRAME) + GAP + FRAME

    def _lay_out(self) -> None:
        """Choose the largest pictures that all have room, or the smallest."""
        view = self.viewport().size()
        # A style sheet may put a border around the viewport.
        border = self.height() - view.height()
        self.setMinimumHeight(self._tile_height(SMALLEST) + border)
        n = max(len(self._tiles), 1)
        for side in range(LARGEST, SMALLEST - 1, -1):
            columns = max(1, view.width() // (side + GAP))
            height = -(-n // columns) * self._tile_height(side)
            if height <= view.height():
                break
        if side != self._side:
            self._drawn.clear()
        self._side, self._columns = side, columns
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, height - view.height()))
        bar.setPageStep(view.height())
        bar.setSingleStep(self._tile_height(side) // 4)
        self.viewport().update()

    def _paint(self, painter: QPainter, index: int, tile: Tile) -> None:
        palette = self.palette()
        area = self.rect_of(index)
        if tile.epoch_index is not None and tile.epoch_index == self._epoch:
            painter.fillRect(area, palette.color(QPalette.ColorRole.Highlight))
        text = self.fontMetrics().height()
        left, top = area.left() + GAP // 2, area.top()
        pictures = []
        for which, caption in enumerate(tile.captions):
            font = self.font()
            font.setBold(tile.strong and which == 0)
            painter.setFont(font)
            painter.setPen(palette.color(QPalette.ColorRole.WindowText))
            room = QRect(left, top, self._side, text)
            words = painter.fontMetrics().elidedText(
                caption, Qt.TextElideMode.ElideMiddle, self._side
            )
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)
            picture = QRect(left, top + text, self._side, self._side)
            painter.drawPixmap(picture, self._pixmap(index, which))
            pictures.append(picture)
            top = picture.bottom() + 1 + FRAME
        if tile.frame is not None:
            style = Qt.PenStyle.DashLine if tile.dashed else Qt.PenStyle.SolidLine
            painter.setPen(QPen(QColor(tile.frame), FRAME, style))
            for picture in pictures:
                painter.drawRect(picture)

    def _pixmap(self, index: int, which: int) -> QPixmap:
        """Return a picture as large as it is on the screen."""
        key = (index, which)
        if key not in self._drawn:
            tile, ratio = self._tiles[index], self.devicePixelRatioF()
            picture, side = tile.pictures[which], round(self._side * ratio)
            # Pixels stay squares when they are enlarged; a thin trail stays when it is reduced.
            enlarged = side >= picture.width()
            mode = (
                Qt.TransformationMode.FastTransformation
                if enlarged
                else Qt.TransformationMode.SmoothTransformation
            )
            scaled = picture.convertToFormat(QImage.Format.Format_RGB32).scaled(
                side, side, Qt.AspectRatioMode.IgnoreAspectRatio, mode
            )
            # The line is over the difference only: it would hide what is faint in the warp.
            if tile.epoch_index is not None and which == 1:
                painter = QPainter(scaled)
                painter.scale(side / picture.width(), side / picture.height())
                pen = QPen(self._line)
                pen.setCosmetic(True)
                painter.setPen(pen)
                painter.drawPath(self._outline)
                painter.end()
            pixmap = QPixmap.fromImage(scaled)
            pixmap.setDevicePixelRatio(ratio)
            self._drawn[key] = pixmap
        return self._drawn[key]


def outline_of(mask: npt.NDArray[np.bool_]) -> QPainterPath:
    """Return the line around a region.

    Parameters
    ----------
    mask : ndarray of bool
        ``(y, x)``, the first row at the top; pixel (0, 0) ends at (1, 1).
    """
    path = QPainterPath()
    padded = np.pad(mask, 1)
    for y, x in np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]):
        path.moveTo(QPointF(x, y))
        path.lineTo(QPointF(x + 1, y))
    for y, x in np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]):
        path.moveTo(QPointF(x, y))
        path.lineTo(QPointF(x, y + 1))
    return path
