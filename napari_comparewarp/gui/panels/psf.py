"""How much clipping changes the size of the coadd's PSF: a map, and the stars that it cuts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...algorithm.parallel import Progress
from ...review.psf_map import PsfMap, map_psf_size
from ..layers.schemes import Scheme
from ..widgets.plots import ThemedPlot
from ..widgets.turning_splitter import TurningSplitter
from .panel import Panel

if TYPE_CHECKING:
    from astropy.table import Row, Table

__all__ = ["PsfPanel"]

#: The map is reduced to a picture with sides of at most so many pixels.
SIDE = 800

#: Range of the colours about 1: at least, and the part of the changed pixels that is in it.
LEAST_RANGE, INSIDE = 0.01, 0.98

#: Work that is done sooner shows no progress, milliseconds.
PATIENCE = 300

#: Part of the panel that the map has, to begin with.
MAP_SHARE = 0.6

#: Colour of the circles.
STARS = "#ffffff"

EMPTY = "Open a stack to see how clipping changes the size of the coadd's PSF."
COLUMNS = ("x", "y", "change of σ, %", "visits cut there")


@dataclass(frozen=True)
class _Picture:
    """A map, its stars with those first that are changed most, and the picture of it."""

    psf_map: PsfMap
    stars: "Table"
    pixels: npt.NDArray[np.float32]
    reach: float


class PsfPanel(Panel):
    """The map of how much clipping changes the PSF size, and the stars crossed by an edge.

    Parameters
    ----------
    parent : QWidget, optional

    Attributes
    ----------
    psf_map : PsfMap or None
        What is shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: _Picture | None = None
        self.summary = QLabel(EMPTY)
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.map = _MapView()
        self.stars = QTableWidget(0, len(COLUMNS))
        self.stars.setHorizontalHeaderLabels(COLUMNS)
        self.stars.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.stars.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.stars.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.stars.verticalHeader().hide()
        self.stars.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        header = self.stars.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.stars.setToolTip("Stars cut by the edge of a clipped region; a row goes there")
        self._bar = QProgressBar()
        self._bar.hide()
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE)
        self._patience.timeout.connect(self._bar.show)
        self._split = TurningSplitter(self.map, self.stars, MAP_SHARE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.summary)
        layout.addWidget(self._split, 1)
        layout.addWidget(self._bar)
        self.map.clicked.connect(self._go)
        self.stars.currentCellChanged.connect(self._go_to_star)
        self.refuse(EMPTY)

    @property
    def psf_map(self) -> PsfMap | None:
        """The map that is shown."""
        return None if self._picture is None else self._picture.psf_map

    def reset(self) -> None:
        """Show no map."""
        self.refuse(EMPTY if self._session is None else "")

    def refresh(self) -> None:
        """Make the map; the old one stays until the new one is there."""
        if self._session is None:
            return
        result = self._session.inspection.result
        self._patience.start()

        def work(progress: Progress) -> _Picture:
            psf_map = map_psf_size(result, progress=progress)
            ratio = psf_map.ratio
            return _Picture(psf_map, _sorted(psf_map.sources), _reduced(ratio), _reach_of(ratio))

        self.work.start(work)

    # --- what happens ----------------------------------------------------------------------

    def show_progress(self, stage: str, done: int, total: int) -> None:
        """Show how far the map is."""
        self._bar.setRange(0, max(total, 1))
        self._bar.setValue(done)
        self._bar.setFormat(f"{stage} {done}/{total}")

    def land(self, picture: _Picture) -> None:
        """Show a map."""
        assert self._session is not None
        self._stop_waiting()
        self._picture = picture
        self.summary.setText(_words(picture.psf_map))
        self.map.show_map(picture, self._session.layers.views.scheme)
        self.stars.blockSignals(True)
        self.stars.setRowCount(len(picture.stars))
        for row, star in enumerate(picture.stars):
            for column, text in enumerate(_cells(star)):
                self.stars.setItem(row, column, QTableWidgetItem(text))
        self.stars.setCurrentCell(-1, -1)
        self.stars.blockSignals(False)
        self._split.show()
        self.stars.setVisible(len(picture.stars) > 0)

    def refuse(self, words: str) -> None:
        """Say why there is no map."""
        self._stop_waiting()
        self._picture = None
        self.summary.setText(words)
        self._split.hide()

    def _stop_waiting(self) -> None:
        self._patience.stop()
        self._bar.hide()

    def _go(self, x: float, y: float) -> None:
        """Go to a place on the map, if it is in the patch."""
        if self._picture is None or self._session is None:
            return
        row, column = round(y), round(x)
        height, width = self._picture.psf_map.ratio.shape
        if 0 <= row < height and 0 <= column < width:
            self._session.go_to_pixel(row, column)

    def _go_to_star(self, row: int, *_: Any) -> None:
        if self._picture is not None and row >= 0:
            star = self._picture.stars[row]
            self._go(star["x"], star["y"])


class _MapView(ThemedPlot):
    """A map with y up, a bar of its colours, and circles around the stars that are cut."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._bar = pg.ColorBarItem(interactive=False, width=14, label="σ with / without clipping")
        super().__init__(parent=parent)
        self.setMinimumSize(260, 200)
        self._ratio = np.empty((0, 0), np.float32)
        self._image = pg.ImageItem(axisOrder="row-major")
        self._stars = pg.ScatterPlotItem(size=11, brush=None, pen=pg.mkPen(STARS))
        self.addItem(self._image)
        self.addItem(self._stars)
        plot = self.getPlotItem()
        plot.setAspectLocked(True)
        plot.hideAxis("left")
        plot.hideAxis("bottom")
        self._bar.setImageItem(self._image, insert_in=plot)

    def show_map(self, picture: _Picture, scheme: Scheme) -> None:
        """Show a map, with colours from 1 to both sides."""
        is_new = self._ratio.shape != picture.psf_map.ratio.shape
        self._ratio = picture.psf_map.ratio
        height, width = self._ratio.shape
        colours = scheme.difference_colormap()
        places = np.linspace(0, 1, 256)
        self._image.setImage(picture.pixels, autoLevels=False)
        step = -(-height // picture.pixels.shape[0])
        self._image.setRect(
            -0.5, -0.5, picture.pixels.shape[1] * step, picture.pixels.shape[0] * step
        )
        self._bar.setColorMap(
            pg.ColorMap(places, np.rint(255 * colours.map(places)).astype(np.uint8))
        )
        self._bar.setLevels((1 - picture.reach, 1 + picture.reach))
        self._stars.setData(np.asarray(picture.stars["x"]), np.asarray(picture.stars["y"]))
        if is_new:
            self.setRange(xRange=(-0.5, width - 0.5), yRange=(-0.5, height - 0.5), padding=0)

    def use_colour(self, colour: QColor) -> None:
        """Draw the bar's numbers in a colour."""
        super().use_colour(colour)
        self._bar.axis.setPen(colour)
        self._bar.axis.setTextPen(colour)

    def text_at(self, x: float, y: float) -> str:
        """Return what the map has under the mouse."""
        row, column = round(y), round(x)
        if not (0 <= row < self._ratio.shape[0] and 0 <= column < self._ratio.shape[1]):
            return ""
        ratio = float(self._ratio[row, column])
        words = f"{ratio:.4f}" if np.isfinite(ratio) else "not known"
        return f"x {column}  y {row}\nσ with / without clipping: {words}"


def _words(psf_map: PsfMap) -> str:
    """Say how many stars are crossed, what is changed most, and what is not known."""
    crossed, n = len(psf_map.sources), psf_map.n_sources
    lines = [
        f"{crossed:,} of {n:,} sources {'is' if crossed == 1 else 'are'} crossed by the edge of "
        "a clipped region (circles): no single PSF is exact there."
    ]
    known = psf_map.ratio[np.isfinite(psf_map.ratio)]
    if known.size:
        low, high = float(known.min()), float(known.max())
        if low == high == 1:
            lines.append("Clipping does not change the size of the PSF.")
        else:
            lines.append(
                f"Clipping changes the size of the PSF by {_percent(low)} to {_percent(high)} %."
            )
    return "\n".join([*lines, *psf_map.messages])


def _sorted(sources: "Table") -> "Table":
    """Return the stars by the largest change in their footprints; those that are not known last."""
    changes = [np.abs(np.asarray(sources[name]) - 1) for name in ("least_ratio", "greatest_ratio")]
    return sources[np.argsort(-np.max(changes, axis=0), kind="stable")]


def _cells(source: "Row") -> tuple[str, ...]:
    """Return the words for a star, in the order of `COLUMNS`."""
    change = [_percent(float(source[name])) for name in ("least_ratio", "greatest_ratio")]
    words = (
        " to ".join(dict.fromkeys(change)) if np.isfinite(source["least_ratio"]) else "not known"
    )
    return str(source["x"]), str(source["y"]), words, str(source["visits"])


def _percent(ratio: float) -> str:
    """Return a ratio as a change."""
    return f"{100 * (ratio - 1):+.2f}"


def _reduced(ratio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a smaller map: of each square, the value that is furthest from 1; NaN where none."""
    step = -(-max(ratio.shape) // SIDE)
    rows, columns = (-(-length // step) for length in ratio.shape)
    padded = np.full((rows * step, columns * step), np.nan, np.float32)
    padded[: ratio.shape[0], : ratio.shape[1]] = ratio
    squares = padded.reshape(rows, step, columns, step).swapaxes(1, 2).reshape(rows, columns, -1)
    change = np.where(np.isnan(squares), -1, np.abs(squares - 1))
    which = change.argmax(axis=2)
    return np.take_along_axis(squares, which[..., np.newaxis], axis=2)[..., 0]


def _reach_of(ratio: npt.NDArray[np.float32]) -> float:
    """Return how far from 1 the colours go."""
    change = np.abs(ratio[np.isfinite(ratio)] - 1)
    change = change[change > 0]
    return max(float(np.quantile(change, INSIDE)), LEAST_RANGE) if change.size else LEAST_RANGE
