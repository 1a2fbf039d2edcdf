"""The plots of the sensitivity sheet: maps over two thresholds, and curves along one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from ....config.knobs import CompareWarpConfig
from ....review.sensitivity import Sensitivity
from ...widgets.plots import LogAxis, ThemedPlot

__all__ = ["QUANTITIES", "Quantity", "SensitivityCurve", "SensitivityMap", "title_of"]

COLOURS = "viridis"

#: Colour of what marks the present setting.
HERE = "#d62728"

#: Opacity of what is out of date.
STALE = 0.35

#: Room for the numbers of the colours, pixels.
NUMBERS = 38


@dataclass(frozen=True)
class Quantity:
    """One measure of a sheet.

    Attributes
    ----------
    title : str
    of : callable
        Returns its value at each setting.
    text : str
        How a value is written.
    """

    title: str
    of: Callable[[Sensitivity], npt.NDArray[np.float64]]
    text: str


QUANTITIES = (
    Quantity("clipped footprints", lambda s: s.n_clipped.astype(float), "{:.0f} footprints"),
    Quantity(
        "clipped area (kpix)",
        lambda s: s.clipped_area.sum(axis=-1) / 1e3,
        "{:.4g} kpix",
    ),
    Quantity("lost depth (mmag)", lambda s: -1e3 * s.depth_change, "{:.3g} mmag"),
)


class SensitivityPlot(ThemedPlot):
    """One quantity of a sheet.

    Attributes
    ----------
    chosen : Signal
        Sent with the knobs, by name, of a place that is clicked on.
    """

    chosen = Signal(object)

    def __init__(
        self,
        quantity: Quantity,
        axes: dict[str, pg.AxisItem] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(axes, parent)
        self._quantity = quantity
        self._sheet: Sensitivity | None = None
        self._values: npt.NDArray[np.float64] = np.empty(0)
        self.setMinimumSize(150, 110)
        self.clicked.connect(self._choose)

    def show_sensitivity(self, sensitivity: Sensitivity | None) -> None:
        """Show a sheet, or nothing."""
        self._sheet = sensitivity
        self._values = np.empty(0) if sensitivity is None else self._quantity.of(sensitivity)

    def set_stale(self, is_stale: bool) -> None:
        """Show whether the sheet belongs to other settings than the present ones."""
        for item in self.data_items():
            item.setOpacity(STALE if is_stale else 1.0)

    def data_items(self) -> list[Any]:
        """Return what shows the sheet."""
        raise NotImplementedError

    def use_colour(self, colour: QColor) -> None:
        """Draw axes and title in a colour."""
        super().use_colour(colour)
        self.setTitle(self._quantity.title, size="9pt", color=colour)
        # Else a long title would push the numbers of the colours out of a narrow plot.
        self.getPlotItem().titleLabel.setMinimumWidth(0)

    def knobs_at(self, x: float, y: float) -> tuple[dict[str, float | int], float] | None:
        """Return the nearest setting of the sheet to a place, and the quantity there."""
        sheet = self._sheet
        if sheet is None:
            return None
        place = tuple(
            int(np.abs(axis - where).argmin())
            for axis, where in zip(sheet.values, self.values_at(x, y), strict=True)
        )
        knobs = {
            knob: int(axis[i]) if knob == "max_epochs" else float(axis[i])
            for knob, axis, i in zip(sheet.knobs, sheet.values, place, strict=True)
        }
        return knobs, float(self._values[place])

    def values_at(self, x: float, y: float) -> tuple[float, ...]:
        """Return the values of the knobs at a place."""
        raise NotImplementedError

    def text_at(self, x: float, y: float) -> str:
        """Say what is clipped at the setting under the cursor."""
        found = self.knobs_at(x, y)
        if found is None:
            return ""
        knobs, value = found
        setting = "\n".join(f"{title_of(knob)} {number:g}" for knob, number in knobs.items())
        return f"{self._quantity.text.format(value)}\n{setting}\nA click sets this."

    def _choose(self, x: float, y: float) -> None:
        found = self.knobs_at(x, y)
        if found is not None:
            self.chosen.emit(found[0])


class SensitivityMap(SensitivityPlot):
    """One quantity over an epoch threshold and the spatial one."""

    def __init__(self, quantity: Quantity, parent: QWidget | None = None) -> None:
        super().__init__(quantity, parent=parent)
        self._colours = pg.colormap.get(COLOURS)
        self._mesh: pg.PColorMeshItem | None = None
        self._bar = pg.ColorBarItem(
            colorMap=self._colours, interactive=False, width=10, values=(0, 1)
        )
        self._bar.setImageItem([], insert_in=self.getPlotItem())
        self._bar.getAxis("right").setWidth(NUMBERS)
        self._here = pg.ScatterPlotItem(
            symbol="o", size=11, pen=pg.mkPen("w", width=2), brush=pg.mkBrush(HERE)
        )
        self._here.setZValue(5)
        self.addItem(self._here)
        self.setLabel("left", "spatial threshold")

    def show_sensitivity(self, sensitivity: Sensitivity | None) -> None:
        """Show a map, or nothing."""
        super().show_sensitivity(sensitivity)
        self._here.setData([], [])
        if self._mesh is not None:
            self.removeItem(self._mesh)
            self._mesh = None
        if sensitivity is None:
            return
        x, y = (_edges(values) for values in sensitivity.values)
        limits = _limits(self._values)
        self._mesh = pg.PColorMeshItem(
            *np.meshgrid(x, y, indexing="ij"), self._values, colorMap=self._colours,
            levels=limits, enableAutoLevels=False,
        )  # fmt: skip
        self._mesh.setZValue(-5)
        self.addItem(self._mesh)
        self._bar.setLevels(limits)
        self.setLabel("bottom", title_of(sensitivity.knobs[0]))
        self.setXRange(x[0], x[-1], padding=0)
        self.setYRange(y[0], y[-1], padding=0)

    def mark(self, config: CompareWarpConfig) -> None:
        """Mark the present setting, where it is a place of the map."""
        if self._sheet is not None:
            x, y = (getattr(config, knob) for knob in self._sheet.knobs)
            self._here.setData(*(([], []) if x is None else ([x], [y])))

    def data_items(self) -> list[Any]:
        """Return what shows the map."""
        return [] if self._mesh is None else [self._mesh]

    def use_colour(self, colour: QColor) -> None:
        """Draw axes, title and the numbers of the colours in a colour."""
        super().use_colour(colour)
        axis = self._bar.getAxis("right")
        axis.setPen(colour)
        axis.setTextPen(colour)

    def values_at(self, x: float, y: float) -> tuple[float, ...]:
        """Return the values of the two knobs at a place."""
        return x, y


class SensitivityCurve(SensitivityPlot):
    """One quantity along the chi threshold."""

    def __init__(self, quantity: Quantity, parent: QWidget | None = None) -> None:
        super().__init__(quantity, {"bottom": LogAxis("bottom")}, parent)
        self._curve = pg.PlotDataItem(symbol="o", symbolSize=5)
        self._here = pg.InfiniteLine(angle=90, movable=False, pen=pg.mkPen(HERE, width=2))
        for item in (self._curve, self._here):
            self.addItem(item)
        self._here.hide()
        self.setLabel("bottom", "chi threshold (σ)")

    def show_sensitivity(self, sensitivity: Sensitivity | None) -> None:
        """Show a curve, or nothing."""
        super().show_sensitivity(sensitivity)
        self._here.hide()
        if sensitivity is None:
            self._curve.setData([], [])
            return
        x = np.log10(sensitivity.values[0])
        self._curve.setData(x, self._values)
        self.setXRange(x[0], x[-1], padding=0.04)
        self.setYRange(*_limits(self._values), padding=0.06)

    def mark(self, config: CompareWarpConfig) -> None:
        """Mark the present setting."""
        self._here.setVisible(self._sheet is not None)
        self._here.setValue(np.log10(config.chi_threshold))

    def data_items(self) -> list[Any]:
        """Return what shows the curve."""
        return [self._curve]

    def use_colour(self, colour: QColor) -> None:
        """Draw axes, title and curve in a colour."""
        super().use_colour(colour)
        self._curve.setPen(pg.mkPen(colour))
        self._curve.setSymbolPen(pg.mkPen(colour))
        self._curve.setSymbolBrush(pg.mkBrush(colour))

    def values_at(self, x: float, y: float) -> tuple[float, ...]:
        """Return the threshold at a place."""
        return (float(10**x),)


def title_of(knob: str) -> str:
    """Return what a knob is called in forms."""
    return str(CompareWarpConfig.model_fields[knob].title)


def _edges(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the borders of cells around some values: half-way to the next ones."""
    if len(values) == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    middle = (values[:-1] + values[1:]) / 2
    return np.array([values[0] - (middle[0] - values[0]), *middle, 2 * values[-1] - middle[-1]])


def _limits(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return where the colours begin and end."""
    top = float(values[np.isfinite(values)].max(initial=0))
    return 0.0, top or 1.0
