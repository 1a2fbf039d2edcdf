"""The dock widget: its sections, and what runs beside them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.layers import Layer
from napari.utils.notifications import show_info, show_warning
from napari.viewer import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QHBoxLayout,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..algorithm.parallel import Progress
from ..config.knobs import CompareWarpConfig
from ..errors import OutputError, StackError
from ..inspection.inspection import Inspection
from ..io.assumptions import Assumptions
from ..io.sources import StackSource
from .keys import Key, bind_keys, unbind_keys
from .layers.layer_set import LayerSet
from .layers.screen import unwrapped
from .preferences import read_preferences, subscribe
from .sections.compare import CompareSection
from .sections.export import ExportSection
from .sections.look import LookSection
from .sections.open import OpenSection
from .sections.review import ReviewSection
from .sections.tune import TuneSection
from .session import Session
from .widgets.column import Column
from .widgets.fold import Fold
from .workers.destroyed import on_destroyed
from .workers.load import Loader

__all__ = ["CompareWarpDock"]

#: Work that is done sooner shows no progress, milliseconds.
PATIENCE = 300

#: Between two layers that are added, milliseconds: the window draws and answers.
ADDING = 20


class CompareWarpDock(QWidget):
    """The CompareWarp window: open, tune, look, compare, export.

    Parameters
    ----------
    viewer : napari.viewer.Viewer

    Attributes
    ----------
    session : Session or None
        What is open.
    """

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = unwrapped(viewer)
        self.session: Session | None = None
        self._saved_overrides: Any = {}
        self._save_to: Path | None = None
        self.loader = Loader(self)
        self.open_section = OpenSection()
        self.tune_section = TuneSection()
        self.look_section = LookSection()
        self.compare_section = CompareSection()
        self.review_section = ReviewSection(self.viewer)
        self.export_section = ExportSection()
        self.sections: dict[str, Any] = {
            "Stack": self.open_section,
            "Tune": self.tune_section,
            "Look": self.look_section,
            "Compare": self.compare_section,
            "Review": self.review_section,
            "Export": self.export_section,
        }
        self._bar = QProgressBar()
        self._bar.setTextVisible(True)
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(self.cancel)
        self._work = QWidget()
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE)
        self._patience.timeout.connect(self._work.show)
        self._lay_out()
        self._adding = QTimer(self)
        self._adding.timeout.connect(self._add_next)
        self._waiting: tuple[Inspection, LayerSet, list[Layer]] | None = None
        self.loader.loaded.connect(self._begin)
        self.loader.failed.connect(show_warning)
        self.loader.progressed.connect(self._show_progress)
        self.loader.finished.connect(self._hide_progress)
        self.open_section.chosen.connect(self.open)
        self.open_section.save_wanted.connect(self.save)
        self.export_section.inspection_saved.connect(self._remember_saved)
        self.keys = self._make_keys()
        self._end_preferences = subscribe(self.look_section.prefer)
        # A closed window destroys its widgets without a close event.
        on_destroyed(self, _closer(self))

    def open(
        self,
        source: StackSource,
        config: CompareWarpConfig | None = None,
        psf_sigma: float | None = None,
        memory: str | int | None = None,
        bright_objects: Path | None = None,
        assume: Assumptions | None = None,
    ) -> None:
        """Open a stack or an inspection in a worker, and show it when it is there.

        Parameters
        ----------
        source : path or sequence of path
            A folder, FITS files, a manifest, or an inspection file.
        config : CompareWarpConfig, optional
        psf_sigma : float, optional
            For files that do not say; by default what the section says.
        memory : str or int, optional
            By default what the section says.
        bright_objects : Path, optional
            A catalogue, whose objects are marked on the coadd.
        assume : Assumptions, optional
            What the user says of the files; by default what the section says.
        """
        section = self.open_section
        try:
            told = assume or section.assumptions()
        except StackError as error:
            show_warning(str(error))
            return
        self._patience.start()
        self.loader.open(
            source, config,
            psf_sigma or section.psf_sigma.value() or None,
            memory or section.memory.text().strip() or None,
            bright_objects, told,
        )  # fmt: skip

    def make(self, inspect: Callable[[Progress], Inspection]) -> None:
        """Make an inspection in a worker, and show it when it is there; see `Loader.make`."""
        self._patience.start()
        self.loader.make(inspect)

    def show_inspection(self, inspection: Inspection, layers: LayerSet | None = None) -> None:
        """Show an inspection that is there, in the place of the one that is open.

        Parameters
        ----------
        inspection : Inspection
        layers : LayerSet, optional
            Layers that show it, if they have been made.
        """
        if not self._may_leave():
            inspection.close()
            return
        first = self.session is None
        if self.session is not None:
            layers = self.session.layers
            self._leave()
        self.session = Session(self.viewer, inspection, layers, parent=self)
        self._saved_overrides = inspection.overrides
        self.session.message.connect(show_warning)
        self.session.progressed.connect(self._show_progress)
        self.session.finished.connect(self._hide_progress)
        self.session.finished.connect(self._save_at_last)
        for section in self.sections.values():
            section.set_session(self.session)
        if first:
            self.look_section.prefer(read_preferences())
        self._bind_keys()
        self.session.layer_made.connect(self._bind_keys)
        for message in (*inspection.stack.notes, *inspection.result.messages):
            show_warning(message)

    def save(self, path: Path) -> None:
        """Save settings and decisions; an existing file is asked about by the file dialog.

        What is still being computed is saved too, once it is done.
        """
        if self.session is None:
            return
        if self.session.busy:
            self._save_to = path
            return
        try:
            self.session.inspection.save(path, overwrite=True)
        except OutputError as error:
            show_warning(str(error))
            return
        self._saved_overrides = self.session.inspection.overrides
        show_info(f"saved {path}")

    def _remember_saved(self, overrides: Any) -> None:
        """Take note of decisions that are in a file now."""
        self._saved_overrides = overrides

    def _save_at_last(self) -> None:
        """Save what was to be saved while something was being computed."""
        path, self._save_to = self._save_to, None
        if path is not None:
            self.save(path)

    def cancel(self) -> None:
        """Give up what is being read or computed; what is on the screen stays."""
        self.loader.cancel()
        if self.session is not None:
            self.session.cancel()

    def close_session(self) -> None:
        """Close what is open; its layers stay as they are."""
        self.loader.cancel()
        self._leave()
        for section in self.sections.values():
            section.set_session(None)

    # --- the rest --------------------------------------------------------------------------

    def _begin(self, inspection: Inspection, layers: LayerSet) -> None:
        """Add layers that a worker has made, one at a time: the window stays responsive."""
        missing = [] if self.session is not None else list(layers)
        self._waiting = (inspection, layers, missing)
        self._adding.start(ADDING)

    def _add_next(self) -> None:
        if self._waiting is None:
            self._adding.stop()
            return
        inspection, layers, missing = self._waiting
        if missing:
            self.viewer.add_layer(missing.pop(0))
            return
        self._waiting = None
        self._adding.stop()
        self.show_inspection(inspection, layers)

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(6, 6, 6, 6)
        for title, section in self.sections.items():
            column.addWidget(Fold(title, section, is_open=title != "Export"))
        column.addStretch(1)
        area = Column(inner)
        row = QHBoxLayout(self._work)
        row.setContentsMargins(6, 0, 6, 6)
        row.addWidget(self._bar, 1)
        row.addWidget(self._cancel)
        self._work.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        layout.addWidget(self._work)

    def _make_keys(self) -> dict[str, Key]:
        look, compare = self.look_section, self.compare_section
        keys = [
            Key("h", "footprints: show or hide", look.footprints.toggle),
            Key("g", "the other picture of the pair", compare.show_other),
            Key(";", "next stretch", look.next_curve),
            Key("/", "list of keys", self.show_keys),
            Key("Control-Z", "undo", self.tune_section.undo.click),
            Key("Control-Shift-Z", "redo", self.tune_section.redo.click),
        ]
        return self.review_section.keys() | {key.key: key for key in keys}

    def _bind_keys(self, *_: Any) -> None:
        assert self.session is not None
        bind_keys(self.session, self.keys)

    def show_keys(self) -> None:
        """Say what each key does."""
        rows = "".join(
            f"<tr><td><b>{k.key}</b>&nbsp;&nbsp;</td><td>{k.text}</td></tr>"
            for k in self.keys.values()
        )
        show_info_box(
            self,
            f"<table>{rows}<tr><td><b>← →</b></td><td>previous and next epoch</td></tr></table>",
        )

    def _may_leave(self) -> bool:
        """Ask whether unsaved decisions may be lost."""
        session = self.session
        if session is None or session.inspection.overrides == self._saved_overrides:
            return True
        answer = QMessageBox.question(
            self, "CompareWarp",
            "Decisions on footprints are not saved. Open another stack without them?",
        )  # fmt: skip
        return answer == QMessageBox.StandardButton.Yes

    def _leave(self) -> None:
        session, self.session = self.session, None
        if session is not None:
            self.compare_section.set_session(None)
            unbind_keys(session, self.keys)
            session.close()

    def _show_progress(self, stage: str, done: int, total: int) -> None:
        self._bar.setRange(0, max(total, 1))
        self._bar.setValue(done)
        self._bar.setFormat(f"{stage} {done}/{total}")
        if not self._work.isVisible() and not self._patience.isActive():
            self._patience.start()

    def _hide_progress(self) -> None:
        if self.loader.running or (self.session is not None and self.session.busy):
            return
        self._patience.stop()
        self._work.hide()


def show_info_box(parent: QWidget, text: str) -> None:
    """Show a text in a box that does not hold up the window."""
    box = QMessageBox(parent)
    box.setWindowTitle("CompareWarp")
    box.setText(text)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def _closer(dock: CompareWarpDock) -> Callable[[], None]:
    """Return what closes a dock's session; called when Qt destroys the dock."""
    state = dock.__dict__

    def close() -> None:
        state["_end_preferences"]()
        state["loader"].close()
        session = state.get("session")
        if session is not None:
            session.close()

    return close
