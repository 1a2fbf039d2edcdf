"""The section that compares: blink, what clipping removed, pinned settings."""

from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QPushButton, QWidget

from ..layers.views import COMPARISONS
from ..session import Session
from .blink import PAIRS, Blinker

__all__ = ["CompareSection"]


class CompareSection(QWidget):
    """Blink between two pictures, or show how they differ."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self.blinker: Blinker | None = None
        self.pair = QComboBox()
        self.pair.addItems(list(PAIRS))
        self.pair.activated.connect(self._stop)
        self.blink = QPushButton("Blink")
        self.blink.setCheckable(True)
        self.blink.setToolTip("Show the two in turn; the key g shows the other one")
        self.blink.toggled.connect(self._blink)
        self.flip = QPushButton("Other one (g)")
        self.flip.clicked.connect(self.show_other)
        self.comparison = QComboBox()
        for key, text in COMPARISONS.items():
            self.comparison.addItem(text, key)
        self.comparison.setToolTip("What the lowest layer shows")
        self.comparison.activated.connect(self._compare)
        self.pin = QPushButton("Pin settings")
        self.pin.setToolTip("Keep the present coadd, to compare later settings with it")
        self.pin.clicked.connect(self._pin)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pair, 0, 0, 1, 2)
        layout.addWidget(self.blink, 1, 0)
        layout.addWidget(self.flip, 1, 1)
        layout.addWidget(QLabel("Lowest layer shows"), 2, 0, 1, 2)
        layout.addWidget(self.comparison, 3, 0)
        layout.addWidget(self.pin, 3, 1)
        layout.setColumnStretch(0, 1)
        self.set_session(None)

    def set_session(self, session: Session | None) -> None:
        """Compare another session's pictures, or none."""
        if self.blinker is not None:
            self.blinker.stop()
            self.blinker.deleteLater()
        self._session = session
        self.blinker = None if session is None else Blinker(session, self)
        self.setEnabled(session is not None)
        self._allow_pinned()

    def show_other(self) -> None:
        """Show the other picture of the pair."""
        if self.blinker is not None:
            if self.blinker.pair is None:
                self.blinker.begin(PAIRS[self.pair.currentText()])
            self.blinker.flip()

    def _blink(self, on: bool) -> None:
        if self.blinker is None:
            return
        if on:
            self.blinker.run(PAIRS[self.pair.currentText()])
        else:
            self.blinker.stop()

    def _stop(self) -> None:
        self.blink.setChecked(False)
        if self.blinker is not None:
            self.blinker.stop()

    def _compare(self) -> None:
        if self._session is not None:
            self._session.layers.set_comparison(self.comparison.currentData())
            self._session.show_base("compared")

    def _pin(self) -> None:
        if self._session is not None:
            self._session.pin()
            self._allow_pinned()

    def _allow_pinned(self) -> None:
        """Offer the pinned coadd once there is one."""
        pinned = self._session is not None and self._session.layers.views.pinned is not None
        row = list(COMPARISONS).index("pinned")
        self.comparison.model().item(row).setEnabled(pinned)
