"""The section that opens the panels of a review: each in a dock of its own."""

from functools import partial
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QGridLayout, QMainWindow, QPushButton, QWidget

from ..keys import Key, PanelKey
from ..panels.panel import Panel
from ..panels.registry import PANELS
from ..session import Session
from ..widgets.column import Column, Filling

__all__ = ["ReviewSection"]


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
        self._panels: dict[str, Panel] = {}
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
        self._session = session
        self.setEnabled(session is not None)
        for panel in self._panels.values():
            if isalive(panel):
                panel.set_session(session)

    def open(self, name: str) -> Panel:
        """Show one of `PANELS`, made if it is not there.

        Returns
        -------
        Panel
        """
        if name not in self._panels or not isalive(self._panels[name]):
            self._make(name)
        dock = self._docks[name]
        dock.show()
        dock.raise_()
        return self._panels[name]

    def keys(self) -> dict[str, Key]:
        """Return the keys of all panels; a panel is opened when one of its keys is pressed."""
        return {
            key.key: Key(key.key, key.text, partial(self._press, name, key))
            for name, kind in PANELS.items()
            for key in kind.keys
        }

    def _press(self, name: str, key: PanelKey) -> None:
        key.act(self.open(name))

    def _make(self, name: str) -> None:
        kind = PANELS[name]
        panel = kind.make()
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
