"""The panel that proposes thresholds from manual decisions, and applies them when asked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QFlowLayout

from ...algorithm.overrides import FootprintKey
from ...algorithm.parallel import Progress
from ...config.knobs import CompareWarpConfig
from ...inspection.inspection import Inspection
from ...result.result import CompareWarpResult
from ...review.learning import KNOBS, Agreement, Proposal, propose_thresholds
from ..session import Session
from ..widgets.column import Column
from ..widgets.plots import ThemedPlot
from ..widgets.turning_splitter import TurningSplitter
from .panel import Panel

__all__ = ["LearnedThresholds", "LearningPanel", "learn"]

#: So many footprints that disagree are named, of each kind.
NAMED = 12

#: Part of the panel that the words have, to begin with.
WORDS_SHARE = 0.6

#: Colours of the two kinds of disagreement, distinct for colour-blind eyes too.
MISSED, WRONG = "#e69f00", "#56b4e9"

#: What the colours of the plot mean.
_LEGEND = (
    f'Decisions not followed: <span style="color: {MISSED}">■</span> to clip, '
    f'<span style="color: {WRONG}">■</span> to keep; dashed: proposed.'
)

_ABOUT = (
    "Looks for the thresholds that agree best with what you have decided manually. "
    "Nothing changes until you apply them."
)


@dataclass(frozen=True)
class LearnedThresholds:
    """A proposal, and what it was made of.

    Attributes
    ----------
    result : CompareWarpResult
        With the settings and decisions at that time.
    proposal : Proposal
    missed, wrong : tuple of FootprintKey
        Footprints that the proposed settings keep, or clip, against a decision; not
        more than `NAMED`.
    """

    result: CompareWarpResult
    proposal: Proposal
    missed: tuple[FootprintKey, ...]
    wrong: tuple[FootprintKey, ...]


def learn(inspection: Inspection, knobs: list[str], progress: Progress) -> LearnedThresholds:
    """Propose thresholds; see `propose_thresholds`, which says what it raises."""
    result = inspection.result
    proposal = propose_thresholds(inspection, knobs, progress)
    missed, wrong = (
        tuple(result.footprint_set.key(int(number)) for number in ids[:NAMED])
        for ids in (proposal.missed, proposal.wrong)
    )
    return LearnedThresholds(result, proposal, missed, wrong)


class LearningPanel(Panel):
    """Thresholds proposed from decisions, how well they would do, and a button to apply them.

    Parameters
    ----------
    parent : QWidget, optional

    Attributes
    ----------
    learned : LearnedThresholds or None
        What is shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.learned: LearnedThresholds | None = None
        self._asked: CompareWarpResult | None = None
        self.about, self.words = _label(_ABOUT), _label()
        self.knobs = {name: QCheckBox(_title(name)) for name in KNOBS}
        for name, box in self.knobs.items():
            box.setChecked(True)
            box.setToolTip(f"Whether the proposal may change {name}")
        self.propose = QPushButton("Propose thresholds")
        self.propose.setToolTip("From the footprints that you have decided to clip or to keep")
        self.propose.clicked.connect(self.ask)
        self.apply = QPushButton("Apply")
        self.apply.setToolTip("Set the proposed thresholds; undo takes them back")
        self.apply.clicked.connect(self.apply_proposal)
        self.changes, self.scores, self.disagreements = _label(), _label(), _label()
        for label in (self.changes, self.scores, self.disagreements):
            label.setTextFormat(Qt.TextFormat.RichText)
        self.disagreements.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.disagreements.linkActivated.connect(self._go)
        self.knob = QComboBox()
        self.knob.setToolTip("The threshold that is varied, the others as proposed")
        self.knob.currentIndexChanged.connect(self._plot)
        self.plot = ThemedPlot()
        self.plot.setMinimumHeight(150)
        self._lay_out()
        self._forget("")

    def links(self, session: Session) -> list[tuple[Any, Any]]:
        """Return the signals that the panel listens to, and its slots."""
        return [(session.result_changed, self._on_result)]

    def reset(self) -> None:
        """Show no proposal."""
        self._forget("")

    def refresh(self) -> None:
        """Leave a proposal as it is: it is made when it is asked for."""

    def ask(self) -> None:
        """Look for a proposal, in a thread."""
        session = self._session
        if session is None:
            return
        inspection = session.inspection
        self._asked = inspection.result
        knobs = [name for name, box in self.knobs.items() if box.isChecked()]
        if not knobs:
            self._forget("No threshold may change: tick at least one.")
            return
        self.words.setText("Looking …")
        self.apply.setEnabled(False)
        self.work.start(lambda progress: learn(inspection, knobs, progress))

    def apply_proposal(self) -> None:
        """Set the proposed thresholds."""
        if self._session is not None and self.learned is not None:
            changes = self.learned.proposal.changes
            self._session.tune(**{name: new for name, (_, new) in changes.items()})

    # --- what happens ----------------------------------------------------------------------

    def _on_result(self) -> None:
        """Say that a proposal is out of date, or look again if it is being made."""
        assert self._session is not None
        result = self._session.inspection.result
        if self.work.busy:
            if self._asked is not result:
                self.ask()
        elif self.learned is not None and self.learned.result is not result:
            applied = result.config == self.learned.proposal.config
            self.apply.setEnabled(False)
            self.words.setText(
                "Applied." if applied
                else "Settings or decisions have changed since: propose again."
            )  # fmt: skip

    def land(self, learned: LearnedThresholds) -> None:
        """Show a proposal, or look again if it is out of date."""
        if self._session is None:
            return
        if learned.result is not self._session.inspection.result:
            self.ask()
            return
        self.learned = learned
        proposal = learned.proposal
        self.words.setText(_verdict_on(proposal))
        self.changes.setText(_changes_table(proposal))
        self.scores.setText(_scores_table(proposal))
        self.disagreements.setText(_links(learned, self.plot.text_colour.name()))
        varied = list(dict.fromkeys(map(str, proposal.trade_off["knob"])))
        self.knob.blockSignals(True)
        self.knob.clear()
        for name in varied:
            self.knob.addItem(_title(name), name)
        first = next((name for name in varied if name in proposal.changes), varied[0])
        self.knob.setCurrentIndex(varied.index(first))
        self.knob.blockSignals(False)
        self._plot()
        self.apply.setEnabled(bool(proposal.changes))
        self._show_details(True)

    def refuse(self, message: str) -> None:
        """Say why there is no proposal."""
        self._forget(message[:1].upper() + message[1:] + ".")

    def show_progress(self, stage: str, done: int, total: int) -> None:
        """Show how far the search is."""
        self.words.setText(f"Looking … {100 * done // max(total, 1)} %")

    def _forget(self, words: str) -> None:
        """Show no proposal, and say why."""
        self.learned = None
        self.words.setText(words)
        self.apply.setEnabled(False)
        self._show_details(False)

    def _go(self, place: str) -> None:
        """Go to a footprint that a link names."""
        if self._session is None or self.learned is None:
            return
        key = (*self.learned.missed, *self.learned.wrong)[int(place)]
        if self._session.inspection.result.footprint_set.number(key) is None:
            self.words.setText("This footprint is gone with the present settings.")
        else:
            self._session.select(key, go=True)

    def _plot(self, *_: Any) -> None:
        """Draw how many decisions of each kind are not followed along one threshold."""
        name = self.knob.currentData()
        if self.learned is None or name is None:
            return
        table = self.learned.proposal.trade_off
        table = table[(table["knob"] == name) & np.isfinite(table["value"])]
        self.plot.clear()
        values = np.asarray(table["value"])
        for column, colour, symbol in (
            ("missed_clips", MISSED, "o"), ("wrong_clips", WRONG, "s"),
        ):  # fmt: skip
            self.plot.plot(
                values, np.asarray(table[column]), pen=pg.mkPen(colour, width=2), symbol=symbol,
                symbolSize=6, symbolBrush=colour, symbolPen=None,
            )  # fmt: skip
        for value in values[np.asarray(table["proposed"], bool)]:
            self.plot.addItem(
                pg.InfiniteLine(
                    value, pen=pg.mkPen(self.plot.text_colour, style=Qt.PenStyle.DashLine)
                )
            )
        most = max(table["missed_clips"].max(), table["wrong_clips"].max(), 1)
        self.plot.setRange(xRange=(values.min(), values.max()), yRange=(0, 1.05 * most))

    def _lay_out(self) -> None:
        words, plot = QWidget(), QWidget()
        boxes, buttons = QFlowLayout(), QHBoxLayout()
        boxes.setHorizontalSpacing(10)
        boxes.setVerticalSpacing(4)
        for box in self.knobs.values():
            boxes.addWidget(box)
        buttons.addWidget(self.propose, 1)
        buttons.addWidget(self.apply, 1)
        column = QVBoxLayout(words)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.about)
        column.addLayout(boxes)
        column.addLayout(buttons)
        self._details = (self.changes, self.scores, self.disagreements, plot)
        for label in (self.words, self.changes, self.scores, self.disagreements):
            column.addWidget(label)
        column.addStretch(1)
        column = QVBoxLayout(plot)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.knob)
        column.addWidget(self.plot, 1)
        column.addWidget(_label(_LEGEND))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(TurningSplitter(Column(words), plot, WORDS_SHARE))

    def _show_details(self, are_known: bool) -> None:
        for widget in self._details:
            widget.setVisible(are_known)


def _label(text: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    return label


def _title(name: str) -> str:
    return str(CompareWarpConfig.model_fields[name].title)


def _verdict_on(proposal: Proposal) -> str:
    """Say what the proposal is worth."""
    if not proposal.changes:
        words = "No setting of these agrees better with your decisions than the present one."
    elif proposal.held_out.score <= proposal.present.score:
        words = (
            "On decisions that it had not seen, such a proposal did no better than the present "
            "settings: decide on more footprints before you trust it."
        )
    else:
        words = "On decisions that it had not seen, such a proposal did better than the present."
    if proposal.left_out:
        words += (
            f" Left out: {proposal.left_out} decisions on streaks, on prefiltered footprints or "
            "inside bright sources, which no threshold can follow."
        )
    return words


def _changes_table(proposal: Proposal) -> str:
    """Return the thresholds, present and proposed."""
    rows = [
        f"<tr><td>{_title(name)}&nbsp;&nbsp;</td><td>{_value(old)}&nbsp;→&nbsp;</td>"
        f"<td><b>{_value(new)}</b></td></tr>"
        for name, (old, new) in proposal.changes.items()
    ]
    return f"<table>{''.join(rows)}</table>"


def _scores_table(proposal: Proposal) -> str:
    """Return how well the settings agree with the decisions."""
    titles = ("to clip", "to keep", "score")
    head = "".join(f"<th align='right'>&nbsp;&nbsp;{title}</th>" for title in titles)
    parts = proposal.folds
    named = {
        "present": proposal.present,
        "proposed": proposal.proposed,
        f"held out, {parts} folds": proposal.held_out,
    }
    rows = "".join(f"<tr><td>{name}</td>{_score(agreed)}</tr>" for name, agreed in named.items())
    return f"Decisions that the rules follow:<table><tr><th></th>{head}</tr>{rows}</table>"


def _score(agreed: Agreement) -> str:
    cells = (
        f"{agreed.n_clip - agreed.missed_clips}/{agreed.n_clip}",
        f"{agreed.n_keep - agreed.wrong_clips}/{agreed.n_keep}",
        f"{100 * agreed.score:.0f} %",
    )
    return "".join(f"<td align='right'>&nbsp;&nbsp;{cell}</td>" for cell in cells)


def _links(learned: LearnedThresholds, colour: str) -> str:
    """Return links to the footprints on which the proposal and the person disagree."""
    proposal, place, lines = learned.proposal, 0, []
    for ids, text in (
        (proposal.missed, "You clip, the proposal keeps"),
        (proposal.wrong, "You keep, the proposal clips"),
    ):
        named = []
        for number in ids[:NAMED]:
            named.append(f'<a href="{place}" style="color: {colour}">{number}</a>')
            place += 1
        if named:
            more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
            lines.append(f"{text}: {', '.join(named)}{more}.")
    return "<br>".join(lines) or "It agrees with all your decisions."


def _value(value: float | None) -> str:
    return "not used" if value is None else f"{value:g}"
