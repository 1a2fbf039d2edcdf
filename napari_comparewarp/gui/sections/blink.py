"""Two pictures in turn, to see what differs between them."""

from qtpy.QtCore import QObject, QTimer

from ..layers.layer_set import NAMES
from ..session import Session

__all__ = ["PAIRS", "Blinker"]

#: What can be compared: the upper layer of each pair, and the lower one.
PAIRS = {
    "coadd: clipped against not": ("coadd", "compared"),
    "warp against template": ("warp", "template"),
}

#: Milliseconds between two pictures.
INTERVAL = 500


class Blinker(QObject):
    """Shows the layers of a pair in turn.

    Parameters
    ----------
    session : Session
    parent : QObject, optional

    Notes
    -----
    The upper layer is made transparent and opaque again, which is quicker than
    to hide it: a hidden layer is sliced again when it is shown.
    """

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self.flip)
        self._pair: tuple[str, str] | None = None
        self._before: dict[str, tuple[bool, float]] = {}

    @property
    def pair(self) -> tuple[str, str] | None:
        """The roles that are shown in turn, None if none are."""
        return self._pair

    @property
    def running(self) -> bool:
        """Whether they change by themselves."""
        return self._timer.isActive()

    @property
    def upper_shown(self) -> bool:
        """Whether the upper layer of the pair is seen."""
        return self._pair is not None and self._session.layer(self._pair[0]).opacity > 0

    def begin(self, pair: tuple[str, str]) -> None:
        """Show the upper of two layers, ready to `flip`."""
        self.stop()
        by_role = self._session.layers.by_role
        self._before = {role: (by_role[role].visible, by_role[role].opacity) for role in NAMES}
        self._pair = pair
        self._session.show_base(pair[1])
        self._session.layer(pair[0]).visible = True
        self._session.layer(pair[0]).opacity = 1.0

    def run(self, pair: tuple[str, str]) -> None:
        """Show two layers in turn until stopped."""
        self.begin(pair)
        self._timer.start()

    def flip(self) -> None:
        """Show the other of the two."""
        if self._pair is not None:
            layer = self._session.layer(self._pair[0])
            layer.opacity = 0.0 if layer.opacity > 0 else 1.0

    def stop(self) -> None:
        """Show what was on the screen before."""
        self._timer.stop()
        before, self._before, self._pair = self._before, {}, None
        for role, (visible, opacity) in before.items():
            layer = self._session.layers.by_role[role]
            if layer in self._session.viewer.layers:
                layer.opacity = opacity
                layer.visible = visible
