"""The base of all panels: follows a session, and works only while it is visible."""

from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget

from ..session import Session
from ..workers.latest import Latest

__all__ = ["Panel"]


class Panel(QWidget):
    """A panel that shows the result of a session.

    What changes while it is hidden is shown once it is visible. Long work is
    started with ``self.work.start(...)`` and comes back through `land`, unless
    it has been overtaken; it is cancelled when something changes while the
    panel is hidden.

    A subclass has `refresh`, and where it needs them `links`, `reset`, `land`,
    `refuse` and `show_progress`.

    Attributes
    ----------
    work : Latest
        What is being worked out for it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._stale = False
        self.work = Latest(self)
        self.work.done.connect(self.land)
        self.work.failed.connect(self.refuse)
        self.work.progressed.connect(self.show_progress)
        self.setEnabled(False)

    def set_session(self, session: Session | None) -> None:
        """Follow another session, or none."""
        if self._session is not None:
            for signal, slot in self.links(self._session):
                signal.disconnect(slot)
        self.work.cancel()
        self._session = session
        self.setEnabled(session is not None)
        self.reset()
        if session is not None:
            for signal, slot in self.links(session):
                signal.connect(slot)
        self.follow()

    def links(self, session: Session) -> list[tuple[Any, Any]]:
        """Return the signals of a session that the panel listens to, and its slots."""
        return [(session.result_changed, self.follow)]

    def follow(self, *_: Any) -> None:
        """Show the present state now, or once the panel is visible."""
        self._stale = not self.isVisible()
        if self._stale:
            self.work.cancel()
        else:
            self.refresh()

    def refresh(self) -> None:
        """Show the present state of the session, or nothing without one."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget what was shown of the last session; the next one, or None, is there."""

    def land(self, product: Any) -> None:
        """Show what the work has returned."""

    def refuse(self, line: str) -> None:
        """Say in one line why the work has failed."""
        if self._session is not None:
            self._session.message.emit(line)

    def show_progress(self, stage: str, done: int, total: int) -> None:
        """Show how far the work is."""

    def changeEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._session is not None:
            self.follow()

    def showEvent(self, event: Any) -> None:  # noqa: D102, N802
        super().showEvent(event)
        if self._stale:
            self.follow()
