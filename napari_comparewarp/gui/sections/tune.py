"""The section of the knobs: three in front, the others in groups."""

from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ...algorithm.verdicts import Verdict
from ...config.knobs import GROUPS, PRESETS, CompareWarpConfig, knob_facts
from ...config.text_file import read_text
from ...errors import ConfigError
from ...result.result import CompareWarpResult
from ..session import Session
from ..widgets.fold import Fold
from ..widgets.knobs import KnobGrid
from ..widgets.plain_text import elided

__all__ = ["FRONT", "TuneSection"]

#: The knobs that stay in front.
FRONT = ("chi_threshold", "temporal_threshold", "spatial_threshold")


class TuneSection(QWidget):
    """Knobs that act while they move.

    Parameters
    ----------
    parent : QWidget, optional

    Attributes
    ----------
    grids : list of KnobGrid
        The front knobs, then each group.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self.preset = QComboBox()
        self.preset.addItems(["preset …", *PRESETS])
        self.preset.setToolTip("Published settings, and those of each release")
        self.preset.textActivated.connect(self._use_preset)
        self.open_config = QPushButton("Read LSST config …")
        self.open_config.setToolTip("Read the settings of an LSST override file")
        self.open_config.clicked.connect(self._read_config)
        self.undo = QPushButton("↶ Undo")
        self.undo.setToolTip("Take back the last change of a knob or a decision (Ctrl+Z)")
        self.redo = QPushButton("↷ Redo")
        self.redo.setToolTip("Make it again (Ctrl+Shift+Z)")
        self.undo.clicked.connect(self._undo)
        self.redo.clicked.connect(self._redo)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.grids = [KnobGrid(list(FRONT))]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.grids[0])
        layout.addWidget(self.summary)
        history = QHBoxLayout()
        for widget in (self.undo, self.redo, self.preset):
            history.addWidget(widget)
        layout.addLayout(history)
        more = QWidget()
        groups = QVBoxLayout(more)
        groups.setContentsMargins(8, 0, 0, 0)
        groups.addWidget(self.open_config)
        for title, names in _groups().items():
            grid = KnobGrid(names)
            groups.addWidget(Fold(title, grid, is_open=False))
            self.grids.append(grid)
        layout.addWidget(Fold("All settings", more, is_open=False))
        for grid in self.grids:
            grid.changed.connect(self._tune)
        self.set_session(None)

    def set_session(self, session: Session | None) -> None:
        """Drive another session, or none."""
        self._session = session
        self.setEnabled(session is not None)
        if session is not None:
            session.result_changed.connect(self.show_result)
            session.finished.connect(self.show_config)
            session.epoch_changed.connect(self._summarise)
            self.show_result()

    def show_result(self) -> None:
        """Show the present settings, and what they clip."""
        self.show_config()
        self._summarise()

    def show_config(self) -> None:
        """Show the settings as last asked for."""
        session = self._session
        if session is None:
            return
        # While a knob moves, its own value is newer than any result.
        for grid in self.grids:
            grid.show_config(session.config)
        self.undo.setEnabled(session.inspection.can_undo)
        self.redo.setEnabled(session.inspection.can_redo)

    def row(self, name: str) -> Any:
        """Return the row of a knob."""
        return next(grid.rows[name] for grid in self.grids if name in grid.rows)

    def _summarise(self, *_: Any) -> None:
        if self._session is not None:
            self.summary.setText(
                summary(self._session.inspection.result, self._session.epoch_index)
            )

    def _undo(self) -> None:
        if self._session is not None:
            self._session.undo()

    def _redo(self) -> None:
        if self._session is not None:
            self._session.redo()

    def _tune(self, name: str, value: Any) -> None:
        if self._session is not None:
            self._session.tune(**{name: value})

    def _use_preset(self, name: str) -> None:
        self.preset.setCurrentIndex(0)
        if self._session is not None and name in PRESETS:
            self._session.set_config(CompareWarpConfig.preset(name))

    def _read_config(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "LSST config", "", "LSST config (*.py)")
        if path and self._session is not None:
            try:
                text = read_text(Path(path))
                self._session.set_config(CompareWarpConfig.from_lsst(text, Path(path).parent))
            except ConfigError as error:
                self._session.message.emit(f"{path}: {error}")


def summary(result: CompareWarpResult, epoch_index: int) -> str:
    """Return what is clipped, in all and in one epoch."""
    footprints, verdicts = result.footprint_set, result.products.verdicts[epoch_index]
    area = 100 * float(result.clipped_fraction.mean())
    here = 100 * float(result.clipped_fraction[epoch_index])
    n_streaks = footprints.n_clipped_streaks
    streaks = f" and {n_streaks} streaks" if n_streaks else ""
    epoch = escape(elided(str(result.stack.epochs[epoch_index])))
    n_here = int((verdicts.verdict == Verdict.CLIPPED).sum())
    return (
        f"<b>{footprints.n_clipped}</b> of {footprints.n_candidates} candidates clipped{streaks}: "
        f"{area:.3f} % of all pixels."
        f"<br>Epoch {epoch}: {n_here} of {len(verdicts.verdict)}, "
        f"{here:.3f} % of its pixels."
    )


def _groups() -> dict[str, list[str]]:
    """Return the knobs of each group, but those in front, in the order of the config."""
    names = [name for name in CompareWarpConfig.model_fields if name not in FRONT]
    return {
        group: [name for name in names if knob_facts(name)["group"] == group] for group in GROUPS
    }
