"""The sensitivity sheet: what other thresholds would clip, and what depth that costs."""

from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ....algorithm.overrides import Decision, FootprintKey
from ....algorithm.parallel import Progress
from ....config.knobs import CompareWarpConfig
from ....inspection.inspection import Inspection
from ....result.result import CompareWarpResult
from ....review.sensitivity import EPOCH_KNOBS, Sensitivity, chi_sensitivity, verdict_sensitivity
from ...session import Session
from ..panel import Panel
from .plots import QUANTITIES, SensitivityCurve, SensitivityMap, title_of

__all__ = ["SensitivityPanel"]

#: The sheet is made again once nothing has changed for so long, milliseconds.
IDLE = 800

#: Wider than so many times its height, the sheet is one row; narrower, two or three.
ONE_ROW, TWO_ROWS = 3.0, 0.9


@dataclass(frozen=True)
class Sheet:
    """A whole sheet, and what it is of.

    Attributes
    ----------
    config : CompareWarpConfig
    overrides : dict
    plane, curve : Sensitivity
        Over an epoch threshold and the spatial one, and along chi.
    """

    config: CompareWarpConfig
    overrides: dict[FootprintKey, Decision]
    plane: Sensitivity
    curve: Sensitivity

    def stale_parts(
        self, config: CompareWarpConfig, overrides: dict[FootprintKey, Decision]
    ) -> list[str]:
        """Return the parts that do not belong to some settings any more."""
        changed = set(self.config.differences(config))
        parts = {"maps": changed - {*self.plane.knobs}, "curves": changed - {"chi_threshold"}}
        if overrides != self.overrides:
            return list(parts)
        return [name for name, changes in parts.items() if changes]


class SensitivityPanel(Panel):
    """Maps over an epoch threshold and the spatial one, and curves along chi.

    A click on a map or a curve sets the knobs.

    Attributes
    ----------
    maps : list of SensitivityMap
    curves : list of SensitivityCurve
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sheet: Sheet | None = None
        self._refused: tuple[Any, ...] | None = None
        self.knob = QComboBox()
        for name in EPOCH_KNOBS:
            self.knob.addItem(title_of(name), name)
        self.knob.setToolTip("The epoch threshold of the maps")
        self.knob.activated.connect(self.compute)
        self.compute_now = QPushButton("Compute")
        self.compute_now.clicked.connect(self.compute)
        self.follows = QCheckBox("keep up to date")
        self.follows.setChecked(True)
        self.follows.setToolTip("Make the sheet again once nothing has changed for a moment")
        self.follows.toggled.connect(self.follow)
        self.state = QLabel()
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self._cancel)
        self.maps = [SensitivityMap(quantity) for quantity in QUANTITIES]
        self.curves = [SensitivityCurve(quantity) for quantity in QUANTITIES]
        for plot in (*self.maps, *self.curves):
            plot.chosen.connect(self._tune)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE)
        self._idle.timeout.connect(self._compute_when_idle)
        self._lay_out()
        self._show_work(False)

    def reset(self) -> None:
        """Show no sheet."""
        self._idle.stop()
        self._give_up()
        self._sheet = self._refused = None
        if self._session is not None:
            deciding = _deciding_knob(self._session.inspection.result)
            self.knob.setCurrentIndex(self.knob.findData(deciding))

    def compute(self) -> None:
        """Make the sheet of the present settings, beside the window."""
        session = self._session
        if session is None:
            return
        self._idle.stop()
        self._refused = None
        inspection, knob = session.inspection, self.knob.currentData()
        self._show_work(True)
        self.progress.setRange(0, 0)
        self.work.start(lambda progress: make_sheet(inspection, knob, progress))

    def refresh(self) -> None:
        """Mark the present setting, and what is out of date."""
        session, sheet = self._session, self._sheet
        stale = ["maps", "curves"]
        if session is not None and sheet is not None:
            config = session.inspection.config
            stale = sheet.stale_parts(config, session.inspection.overrides)
            for plots, part in ((self.maps, "maps"), (self.curves, "curves")):
                for plot in plots:
                    plot.mark(config)
                    plot.set_stale(part in stale)
        elif sheet is None:
            for plot in (*self.maps, *self.curves):
                plot.show_sensitivity(None)
        if session is None:
            self.state.setText("")
        elif sheet is None:
            self.state.setText("not computed yet")
        elif stale:
            self.state.setText(f"<b>out of date: {' and '.join(stale)}</b>")
        else:
            self.state.setText("up to date")
        if session is not None and stale and self.follows.isChecked():
            self._idle.start()

    def hideEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().hideEvent(event)
        # Cancel hidden work: the cores are for what is looked at.
        self._give_up()
        self._stale = True

    def resizeEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().resizeEvent(event)
        self._arrange()

    # --- work ----------------------------------------------------------------------------

    def _compute_when_idle(self) -> None:
        session = self._session
        if session is None or not self.isVisible() or not self.follows.isChecked():
            return
        if session.busy:
            self._idle.start()
        elif self._refused != self._asked(session):
            self.compute()

    def _asked(self, session: Session) -> tuple[Any, ...]:
        """Return what a sheet would be of."""
        return session.inspection.config, session.inspection.overrides, self.knob.currentData()

    def land(self, sheet: Sheet) -> None:
        """Show a sheet."""
        self._show_work(False)
        self._sheet = sheet
        for maps, curve in zip(self.maps, self.curves, strict=True):
            maps.show_sensitivity(sheet.plane)
            curve.show_sensitivity(sheet.curve)
        self.refresh()

    def refuse(self, line: str) -> None:
        """Say why there is no sheet."""
        self._refuse()
        super().refuse(f"sensitivity: {line}")

    def _cancel(self) -> None:
        self.work.cancel()
        self._refuse()

    def _refuse(self) -> None:
        """Do not begin again by itself what a person gave up, or what cannot be done."""
        self._show_work(False)
        if self._session is not None:
            self._refused = self._asked(self._session)

    def _give_up(self) -> None:
        self.work.cancel()
        self._show_work(False)

    def show_progress(self, stage: str, done: int, total: int) -> None:
        """Show how far the sheet is."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.state.setText(stage)

    def _show_work(self, works: bool) -> None:
        self.progress.setVisible(works)
        self.cancel.setVisible(works)
        self.compute_now.setVisible(not works)

    # --- what a person does --------------------------------------------------------------

    def _tune(self, knobs: dict[str, Any]) -> None:
        if self._session is not None:
            self._session.tune(**knobs)

    # --- how it is laid out ----------------------------------------------------------------

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(QLabel("Maps over"))
        for widget in (self.knob, self.compute_now, self.follows, self.state):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.progress)
        head.addWidget(self.cancel)
        self._grid = QGridLayout()
        self._rows = 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(head)
        layout.addLayout(self._grid, 1)
        self._arrange()

    def _arrange(self) -> None:
        """Put maps and curves into one, two or three rows, as the panel's shape has room."""
        shape = self.width() / max(self.height(), 1)
        rows = 1 if shape > ONE_ROW else 2 if shape > TWO_ROWS else 3
        if rows == self._rows:
            return
        self._rows = rows
        for index, (maps, curve) in enumerate(zip(self.maps, self.curves, strict=True)):
            place = {
                1: ((0, index), (0, index + 3)),
                2: ((0, index), (1, index)),
                3: ((index, 0), (index, 1)),
            }[rows]
            self._grid.addWidget(maps, *place[0])
            self._grid.addWidget(curve, *place[1])
        for row in range(3):
            self._grid.setRowStretch(row, 0)
        for row in range(rows):
            self._grid.setRowStretch(row, 3 if rows == 2 and row == 0 else 2)


def make_sheet(inspection: Inspection, knob: str, progress: Progress) -> Sheet:
    """Compute maps and curves for the present settings of an inspection."""
    config, overrides = inspection.config, inspection.overrides
    plane = verdict_sensitivity(inspection, knob, progress=progress)
    curve = chi_sensitivity(inspection, progress=progress)
    return Sheet(config, overrides, plane, curve)


def _deciding_knob(result: CompareWarpResult) -> str:
    """Return the epoch threshold that decides where all epochs overlap."""
    config, n = result.config, result.products.compared.sum()
    if config.max_epochs is None:
        return "temporal_threshold"
    second = config.max_epochs + config.max_epochs_slope * n
    return "max_epochs" if second < config.temporal_threshold * n else "temporal_threshold"
