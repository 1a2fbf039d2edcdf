"""A plot of candidates: a point for each in the colour of its state, to be picked."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from ....result.footprints import State
from ...widgets.plots import ThemedPlot

__all__ = ["PointCloud"]

#: More points than these are thinned out while something moves.
LIVE_POINTS = 10_000

#: Diameters of points, pixels, and how they grow with the fourth root of the area.
SMALLEST, LARGEST, GROWTH = 5, 20, 2.0

#: A click takes what is at most so far from the cursor, pixels.
REACH = 6.0

#: What hides what: the states in the order in which they are drawn.
ORDER = (
    State.PREFILTERED, State.PROTECTED, State.PERSISTENT, State.CLIPPED,
    State.KEPT_MANUALLY, State.CLIPPED_MANUALLY,
)  # fmt: skip

#: Opacity of a point, 0 to 255, so that piles are seen as such.
OPACITY = 190

#: Opacity of the squares, of which there may be many.
FAINT = 140


class PointCloud(ThemedPlot):
    """Candidates as points.

    Parameters
    ----------
    describe : callable
        Returns what to say of a point, by its index.
    axes, parent
        See `ThemedPlot`.

    Attributes
    ----------
    picked : Signal
        Sent with the index of the point that is clicked on. Where points hide
        each other, clicks take them in turn.
    """

    picked = Signal(int)

    def __init__(
        self,
        describe: Callable[[int], str],
        axes: dict[str, pg.AxisItem] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(axes, parent)
        self._describe = describe
        self._x = self._y = np.empty(0)
        self._size = np.empty(0)
        self._picked: int | None = None
        self._colours: Mapping[State, str] | None = None
        self._groups = {state: pg.ScatterPlotItem(pen=None) for state in ORDER}
        self._changed = pg.ScatterPlotItem(symbol="s", brush=None)
        self._edges = pg.ScatterPlotItem(symbol="o", brush=None)
        self._selected = pg.ScatterPlotItem(symbol="o", brush=None)
        for item in (*self._groups.values(), self._changed, self._edges, self._selected):
            self.addItem(item)
        self._marks: dict[pg.ScatterPlotItem, npt.NDArray[np.intp]] = {}
        self.clicked.connect(self._pick)

    def show_points(
        self,
        x: npt.NDArray[np.float64],
        y: npt.NDArray[np.float64],
        area: npt.NDArray[np.int64],
        state: npt.NDArray[np.uint8],
        live: bool = False,
    ) -> None:
        """Show points.

        Parameters
        ----------
        x, y : ndarray
            ``(point,)`` places.
        area : ndarray of int
            ``(point,)`` pixels, for the size.
        state : ndarray of uint8
            ``(point,)`` values of `State`.
        live : bool
            Whether they move: of very many, only a part is drawn then.
        """
        self._x, self._y = x, y
        self._size = np.clip(np.rint(GROWTH * area**0.25), SMALLEST, LARGEST)
        every = -(-len(x) // LIVE_POINTS) if live else 1
        for kind, item in self._groups.items():
            self._place(item, np.flatnonzero(state == kind)[::every], 0)
        for item, which in list(self._marks.items()):
            self._mark(item, which[which < len(x)])

    def set_colours(self, colours: Mapping[State, str]) -> None:
        """Use other colours of the states."""
        if colours is self._colours:
            return
        self._colours = colours
        for state, item in self._groups.items():
            colour = QColor(colours[state])
            colour.setAlpha(OPACITY)
            item.setBrush(pg.mkBrush(colour))

    def mark_selected(self, index: int | None) -> None:
        """Mark the selected point, or none."""
        self._picked = index
        self._mark(self._selected, np.array([] if index is None else [index], np.intp))

    def mark_edges(self, which: npt.NDArray[np.intp]) -> None:
        """Draw a ring around some points."""
        self._mark(self._edges, which)

    def mark_changed(self, which: npt.NDArray[np.intp]) -> None:
        """Draw a square around some points."""
        self._mark(self._changed, which)

    def use_colour(self, colour: QColor) -> None:
        """Draw axes and marks in a colour."""
        super().use_colour(colour)
        self._edges.setPen(pg.mkPen(colour, width=1))
        faint = QColor(colour)
        faint.setAlpha(FAINT)
        self._changed.setPen(pg.mkPen(faint, width=1))
        self._selected.setPen(pg.mkPen(colour, width=3))

    def points_at(self, x: float, y: float) -> npt.NDArray[np.intp]:
        """Return the indices of the points at a place, the smallest first."""
        if not len(self._x):
            return np.empty(0, np.intp)
        width, height = self.getPlotItem().getViewBox().viewPixelSize()
        away = np.hypot((self._x - x) / width, (self._y - y) / height)
        near = np.flatnonzero(away <= np.maximum(self._size / 2, REACH))
        return near[np.argsort(self._size[near], kind="stable")]

    def text_at(self, x: float, y: float) -> str:
        """Describe the point that a click would take, and say how many more there are."""
        near = self.points_at(x, y)
        if not len(near):
            return ""
        more = f"\n{len(near)} here: click again for the next" if len(near) > 1 else ""
        return self._describe(self._next_of(near)) + more

    def _pick(self, x: float, y: float) -> None:
        near = self.points_at(x, y)
        if len(near):
            self.picked.emit(self._next_of(near))

    def _next_of(self, near: npt.NDArray[np.intp]) -> int:
        here = np.flatnonzero(near == self._picked)
        return int(near[(here[0] + 1) % len(near)] if len(here) else near[0])

    def _mark(self, item: pg.ScatterPlotItem, which: npt.NDArray[np.intp]) -> None:
        self._marks[item] = which
        self._place(item, which, 10 if item is self._selected else 5)

    def _place(self, item: pg.ScatterPlotItem, which: npt.NDArray[np.intp], room: int) -> None:
        """Let an item draw some points, unless it does already: placing costs more than looking."""
        wanted = {"x": self._x[which], "y": self._y[which], "size": self._size[which] + room}
        if not all(np.array_equal(item.data[name], values) for name, values in wanted.items()):
            item.setData(**wanted)
