"""The panel of the footprint table: find one, read why, decide, go on to the next."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QFlowLayout

from ....algorithm.overrides import Decision, FootprintKey
from ....io.sky import sky_of
from ....result.footprints import State
from ....review.explain import explain
from ...session import Session
from ...widgets.plain_text import elided
from ..panel import Panel
from .filter import FilterError
from .filter_row import FilterRow
from .keys import FOOTPRINT_KEYS
from .model import FootprintModel, FootprintOrder
from .rows import FootprintRows
from .view import FootprintView

__all__ = ["FootprintPanel"]

#: The table follows a knob once it has stopped for so long, milliseconds.
PAUSE = 120


class FootprintPanel(Panel):
    """The footprints as a table, the reason for the selected one, and what to do with it.

    Parameters
    ----------
    parent : QWidget, optional

    Attributes
    ----------
    filters : FilterRow
    table : FootprintView
    model : FootprintModel
    order : FootprintOrder
        The rows that are shown.
    sentence : QLabel
        What became of the selected footprint, and why.
    notice : QLabel
        What else a person should know, empty if nothing.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        #: The row that a person has moved to, until it is selected.
        self._moved_to: FootprintKey | None = None
        self._decided = np.zeros(0, np.bool_)
        self.model = FootprintModel(self)
        self.order = FootprintOrder(self.model, self)
        self.filters = FilterRow()
        self.table = FootprintView(self.order)
        self._pausing = _timer(self, PAUSE, self._on_pause)
        # Rows that are passed over faster than they can be drawn are not gone to.
        self._going = _timer(self, 0, self._go)
        self._make_buttons()
        self.sentence, self.notice, self.decisions = QLabel(), QLabel(), QLabel()
        self.progress = QProgressBar()
        self._lay_out()
        self.filters.changed.connect(self._filter)
        self.table.moved.connect(self._on_moved)
        self.order.modelReset.connect(self._show_selected)
        self.table.acts = {key.key: partial(key.act, self) for key in FOOTPRINT_KEYS}
        self._show_reason()

    def links(self, session: Session) -> list[tuple[Any, Any]]:
        """Return the signals that the panel listens to, and its slots."""
        return [
            (session.result_changed, self._on_result),
            (session.selection_changed, self._on_selection),
        ]

    def reset(self) -> None:
        """Show no footprints."""
        session = self._session
        self._pausing.stop()
        self._going.stop()
        self._moved_to = None
        self._decided = np.zeros(0, np.bool_)
        self._notify("")
        self.model.show(None, np.zeros(0, np.bool_))
        self.filters.set_session(session)
        if session is not None:
            self.model.colour_of = self._colour_of
            self.table.show_sky(sky_of(session.inspection.stack.wcs, 0, 0) is not None)
        self._show_reason()

    def refresh(self) -> None:
        """Show the present footprints, and the selected one."""
        self._fill()
        self._show_reason()

    @property
    def undecided(self) -> npt.NDArray[np.bool_]:
        """``(row,)`` footprints that are neither decided on nor looked at."""
        return ~self._decided & ~self.model.seen

    # --- moving ----------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """Go to the row so many below the current one, and not beyond the ends."""
        self._fill()
        place, last = self.order.place_of(self._row()), len(self.order.order) - 1
        if last >= 0:
            first = 0 if by > 0 else last
            self.table.move_to(min(max(place + by, 0), last) if place >= 0 else first)

    def step_to_undecided(self) -> None:
        """Go to the next row that is undecided, from the top again after the last."""
        self._fill()
        places = np.flatnonzero(self.undecided[self.order.order])
        if not len(places):
            self._notify("All footprints of the table are decided or looked at.")
            return
        later = places[places > self.order.place_of(self._row())]
        self.table.move_to(int(later[0] if len(later) else places[0]))

    def _on_moved(self, place: int) -> None:
        """Follow a row that a person has moved to."""
        assert self.model.rows is not None
        self._moved_to = self.model.rows.key(int(self.order.order[place]))
        self._going.start()

    def _go(self) -> None:
        """Select the row that was moved to everywhere, and go to it."""
        key, self._moved_to = self._moved_to, None
        if self._session is not None and key is not None:
            self._session.select(key, go=True)
            self._look_at(key)
        self._show_reason()

    def _look_at(self, key: FootprintKey) -> None:
        """Remember that a person has looked at a footprint."""
        assert self._session is not None
        self._session.inspection.look_at(key)
        rows = self._present_rows()
        row = -1 if rows is None else rows.find(key)
        if row >= 0 and not self.model.seen[row]:
            self.model.mark_seen(row)

    # --- deciding ----------------------------------------------------------------------------

    def decide(self, decision: Decision | None) -> None:
        """Decide on the selected footprint manually, or leave it to the rule."""
        key = self._key
        if self._session is not None and key is not None:
            self._session.decide(key, decision)
            self._show_reason()

    # --- what happens ------------------------------------------------------------------------

    def _on_result(self) -> None:
        assert self._session is not None
        rows = self.model.rows
        self._show_reason()
        if rows is not None and rows.result.config == self._session.inspection.config:
            # A decision, and not a knob that moves.
            self._on_pause()
        else:
            self._pausing.start()

    def _on_pause(self) -> None:
        self.follow()

    def _on_selection(self, key: FootprintKey | None) -> None:
        """Follow a selection that was made elsewhere, without going anywhere."""
        assert self._session is not None
        if self.isVisible():
            self._fill()
        if key is not None and self._session.selected_number is not None:
            self._look_at(key)
        if self._present_rows() is not None:
            self._show_selected()
        self._show_reason()

    @property
    def _key(self) -> FootprintKey | None:
        """The footprint that a decision is about: the selected one, or the row moved to."""
        selected = None if self._session is None else self._session.selected
        return self._moved_to or selected

    # --- the table -----------------------------------------------------------------------------

    def _row(self) -> int:
        """Return the row of the selected footprint, -1 without one."""
        rows, key = self.model.rows, self._key
        return -1 if rows is None or key is None else rows.find(key)

    def _present_rows(self) -> FootprintRows | None:
        """Return the rows that are shown, None if they are of an earlier result."""
        session, rows = self._session, self.model.rows
        if session is None or rows is None or rows.result is not session.inspection.result:
            return None
        return rows

    def _fill(self) -> None:
        """Show the present result, if that is not what is shown."""
        if self._session is None or self._present_rows() is not None:
            return
        inspection = self._session.inspection
        rows = FootprintRows(inspection.result)
        self._decided = rows.flags(inspection.overrides)
        self.model.show(rows, rows.flags(inspection.looked_at))
        self._filter()

    def _filter(self) -> None:
        """Show the rows that are asked for, and always the selected one."""
        rows = self.model.rows
        if rows is None:
            return
        try:
            shown = self.filters.wanted.flags(rows, self.undecided)
        except FilterError as error:
            self._notify(str(error))
            return
        self._notify("")
        row = self._row()
        if row >= 0:
            shown[row] = True
        self.order.show_only(shown)
        self._show_counts()

    def _show_selected(self) -> None:
        """Select the row of the selected footprint, and scroll to it."""
        row = self._row()
        place = self.order.place_of(row)
        if row >= 0 and place < 0:
            # It shows the row, and comes back here.
            self._filter()
        else:
            self.table.show_row(place)

    # --- its texts ------------------------------------------------------------------------

    def _show_reason(self) -> None:
        """Say why the selected footprint has its verdict, and what can be done."""
        session, footprint = self._session, None
        if session is None:
            text = "No stack is open."
        elif self._key is None:
            text = "No footprint is selected: click on one in the picture, or on a row."
        else:
            key, result = self._key, session.inspection.result
            footprint = result.footprint_set.number(key)
            if footprint is None:
                text = (
                    f"The {'streak' if key.streak else 'footprint'} at x {key.x}, y {key.y} of "
                    f"epoch {key.epoch} is gone with the present settings."
                )
            else:
                epoch = elided(str(key.epoch))
                text = f"Footprint {footprint}, epoch {epoch}. {explain(result, footprint)}"
        self.sentence.setText(text)
        for button in (self.clip, self.keep, self.rule):
            button.setEnabled(footprint is not None)
        self.undo.setEnabled(session is not None and session.inspection.can_undo)
        self.redo.setEnabled(session is not None and session.inspection.can_redo)
        self._show_counts()

    def _show_counts(self) -> None:
        """Say how many of the rows that are shown have been looked at."""
        rows = self.order.order
        seen = int(self.model.seen[rows].sum())
        self.progress.setRange(0, max(len(rows), 1))
        self.progress.setValue(seen)
        self.progress.setFormat(f"{seen:,} of {len(rows):,} looked at")
        lost = () if self._session is None else self._session.inspection.lost_overrides
        text = f"{int(self._decided.sum()):,} decided manually"
        if lost:
            text += f"; {len(lost)} more for footprints that are gone with these settings"
        self.decisions.setText(text)

    def _notify(self, text: str) -> None:
        """Say what else a person should know."""
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def _colour_of(self, state: State) -> str:
        assert self._session is not None
        return self._session.layers.views.scheme.states[state]

    # --- its parts -----------------------------------------------------------------------------

    def _make_buttons(self) -> None:
        self.previous = _button("◀ Previous (k)", "Go to the row above", lambda: self.step(-1))
        self.next = _button("Next (j) ▶", "Go to the row below", lambda: self.step(1))
        self.next_undecided = _button(
            "Next undecided (n)", "Go to the next row that is neither decided nor looked at",
            self.step_to_undecided,
        )  # fmt: skip
        self.clip = _button(
            "Clip it (q)", "Clip this footprint, whatever the rule says",
            lambda: self.decide("clip"),
        )  # fmt: skip
        self.keep = _button(
            "Keep it (w)", "Keep this footprint, whatever the rule says",
            lambda: self.decide("keep"),
        )  # fmt: skip
        self.rule = _button(
            "Rule decides (u)", "Take back a manual decision", lambda: self.decide(None)
        )
        self.undo = _button(
            "↶", "Undo: take back the last change of a decision or a knob", self._undo
        )
        self.redo = _button("↷", "Redo: make it again", self._redo)

    def _undo(self) -> None:
        if self._session is not None:
            self._session.undo()

    def _redo(self) -> None:
        if self._session is not None:
            self._session.redo()

    def _lay_out(self) -> None:
        for label in (self.sentence, self.notice):
            # It holds text that comes from files.
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # Room for a long sentence, so that the table does not jump.
        self.sentence.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 4)
        self.progress.setFixedWidth(self.fontMetrics().horizontalAdvance("0" * 28))
        for widget in (self.progress, self.decisions):
            self.filters.layout().addWidget(widget)
        buttons = QFlowLayout()
        buttons.setHorizontalSpacing(6)
        buttons.setVerticalSpacing(4)
        for button in (self.previous, self.next, self.next_undecided, self.clip, self.keep,
                       self.rule, self.undo, self.redo):  # fmt: skip
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(4)
        column.addWidget(self.filters)
        column.addWidget(self.notice)
        column.addWidget(self.table, 1)
        column.addWidget(self.sentence)
        column.addLayout(buttons)


def _button(text: str, tip: str, act: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    button.clicked.connect(lambda _=False: act())
    return button


def _timer(parent: QWidget, milliseconds: int, act: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(act)
    return timer
