"""The section that opens the panels of a review: each in a dock of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QGridLayout, QMainWindow, QPushButton, QWidget

from ..keys import Key
from ..session import Session
from ..widgets.column import Column, Filling

__all__ = ["PANELS", "PanelKind", "ReviewSection"]


@dataclass(frozen=True)
class PanelKind:
    """A panel that can be opened.

    Attributes
    ----------
    title : str
    tip : str
        What it shows.
    where : str
        Its module, and the class in it.
    beside : str
        The panels with the same word share one place, as tabs.
    """

    title: str
    tip: str
    where: str
    beside: str = "evidence"


PANELS: Mapping[str, PanelKind] = {
    "footprints": PanelKind(
        "Footprints", "Every footprint, why it was clipped or kept, and what you decide",
        "footprints.panel:FootprintPanel", "table",
    ),
    "evidence": PanelKind(
        "Evidence", "What every epoch shows around the selected footprint",
        "evidence.panel:EvidencePanel",
    ),
    "plot": PanelKind(
        "Tuning plot", "All footprints against the thresholds, which can be dragged",
        "tuning.panel:TuningPlot",
    ),
    "sensitivity": PanelKind(
        "Sensitivity", "What other thresholds would clip, and what depth that costs",
        "sensitivity.panel:SensitivityPanel",
    ),
    "learning": PanelKind(
        "Learn", "Thresholds that agree with your decisions", "learning:LearningPanel",
    ),
    "pixel": PanelKind(
        "Pixel", "One pixel in every epoch, and in the coadd", "pixel.panel:PixelPanel",
    ),
    "psf": PanelKind(
        "PSF", "How much clipping changes the size of the coadd's PSF", "psf:PsfPanel",
    ),
}  # fmt: skip


class ReviewSection(QWidget):
    """Buttons that open the panels; a panel is made when it is first wanted.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    parent : QWidget, optional
    """

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._session: Session | None = None
        self._docks: dict[str, QDockWidget] = {}
        self._panels: dict[str, QWidget] = {}
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        self.buttons: dict[str, QPushButton] = {}
        for index, (name, kind) in enumerate(PANELS.items()):
            button = QPushButton(kind.title)
            button.setToolTip(kind.tip)
            button.clicked.connect(lambda _=False, name=name: self.open(name))
            layout.addWidget(button, index // 3, index % 3)
            self.buttons[name] = button
        self.set_session(None)

    def set_session(self, session: Session | None) -> None:
        """Let the panels follow another session, or none."""
        if self._session is not None:
            self._session.pixel_clicked.disconnect(self._show_pixel)
        self._session = session
        self.setEnabled(session is not None)
        if session is not None:
            session.pixel_clicked.connect(self._show_pixel)
        for panel in self._panels.values():
            if isalive(panel):
                panel.set_session(session)  # type: ignore[attr-defined]

    def open(self, name: str) -> QWidget:
        """Show one of `PANELS`, made if it is not there.

        Returns
        -------
        QWidget
            The panel.
        """
        if name not in self._panels or not isalive(self._panels[name]):
            self._make(name)
        dock = self._docks[name]
        dock.show()
        dock.raise_()
        return self._panels[name]

    def keys(self) -> dict[str, Key]:
        """Return the keys of the footprint table; it is opened when one is pressed."""

        def act(key: str) -> Callable[[], object]:
            return lambda: self.open("footprints").keys()[key].act()  # type: ignore[attr-defined]

        texts = {
            "j": "next footprint",
            "k": "footprint before",
            "n": "next undecided footprint",
            "q": "clip the footprint",
            "w": "keep the footprint",
            "u": "let the rule decide on the footprint",
        }
        return {key: Key(key, text, act(key)) for key, text in texts.items()}

    def _make(self, name: str) -> None:
        kind = PANELS[name]
        module, _, class_name = kind.where.partition(":")
        panel = getattr(import_module(f"...panels.{module}", __name__), class_name)()
        panel.set_session(self._session)
        dock = self._viewer.window.add_dock_widget(
            Column(Filling(panel)), name=kind.title, area="bottom", add_vertical_stretch=False
        )
        self._docks[name], self._panels[name] = dock, panel
        window = dock.parent()
        if not isinstance(window, QMainWindow):
            return
        others = [
            other for key, other in self._docks.items()
            if key != name and PANELS[key].beside == kind.beside and isalive(other)
        ]  # fmt: skip
        if others:
            window.tabifyDockWidget(others[0], dock)
        else:
            # What is beside each other shares the width, and leaves most of the height.
            docks = [one for one in self._docks.values() if isalive(one)]
            window.resizeDocks(docks, [window.width() // 2] * len(docks), Qt.Orientation.Horizontal)
            window.resizeDocks([dock], [2 * window.height() // 5], Qt.Orientation.Vertical)

    def _show_pixel(self, y: int, x: int) -> None:
        panel = self._panels.get("pixel")
        if panel is not None and isalive(panel):
            panel.show_pixel(y, x)  # type: ignore[attr-defined]
