"""What follows a session, and rests while nobody sees it."""

from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget

from ..session import Session

__all__ = ["LivePanel"]


class LivePanel(QWidget):
    """A panel that shows the result of a session, once it is seen.

    What changes while it is hidden is shown when it is seen again.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._stale = False
        self.setEnabled(False)

    def set_session(self, session: Session | None) -> None:
        """Follow another session, or none."""
        if self._session is not None:
            for signal, slot in self.links(self._session):
                signal.disconnect(slot)
        self._session = session
        self.setEnabled(session is not None)
        if session is not None:
            for signal, slot in self.links(session):
                signal.connect(slot)
        self.follow()

    def links(self, session: Session) -> list[tuple[Any, Any]]:
        """Return the signals of a session that the panel listens to, and its slots."""
        return [(session.result_changed, self.follow)]

    def follow(self) -> None:
        """Show the present state now, or when the panel is seen."""
        self._stale = not self.isVisible()
        if not self._stale:
            self.refresh()

    def refresh(self) -> None:
        """Show the present state of the session, or nothing without one."""
        raise NotImplementedError

    def changeEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._session is not None:
            self.follow()

    def showEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().showEvent(event)
        if self._stale:
            self.follow()
