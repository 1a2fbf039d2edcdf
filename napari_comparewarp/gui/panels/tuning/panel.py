"""The tuning plot: all candidates against the thresholds, which are lines to drag."""

from typing import Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ....algorithm.overrides import FootprintKey
from ....config.knobs import CompareWarpConfig
from ....result.footprints import State
from ....result.result import CompareWarpResult
from ....review.doubtful import KNIFE_EDGE
from ...session import Session
from ...widgets.knobs import SLIDER_RANGES, bounds_of
from ...widgets.plots import LogAxis
from ...widgets.turning_splitter import TurningSplitter
from ..panel import Panel
from .candidate_points import CandidatePoints
from .epoch_bars import EpochBars
from .findings import Findings, find
from .point_cloud import ORDER, PointCloud
from .threshold_line import ThresholdLine, Tuner

__all__ = ["TuningPlot"]

#: What takes longer than a redraw is worked out once nothing has moved for so long, milliseconds.
PAUSE = 150

#: Entries of the list of knife-edge candidates.
LISTED = 25

#: Part of the room that the plot of fractions has.
SHARE = 0.5

TOOLTIP = (
    "A point for each candidate; its size grows with its area. A click selects it, goes there "
    "and zooms. Drag a line to set its threshold: the whole line is the limit that decides. "
    "It is drawn for the usual number of usable epochs, N; where fewer overlap, the limit is lower."
)


class TuningPlot(Panel):
    """Candidates, thresholds, and what these clip in each epoch.

    The left plot has the fraction of a candidate's area that deviates in few
    enough epochs, against the mean epoch count of its pixels. The other one has
    area against peak chi. Beside them are the bars of each epoch.

    Attributes
    ----------
    fractions, peaks : PointCloud
        The two plots.
    lines : dict of str to ThresholdLine
        The thresholds, by the names of their knobs.
    bars : EpochBars
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: CandidatePoints | None = None
        self._of: CompareWarpResult | None = None
        self._shown: CompareWarpConfig | None = None
        self._tuner: Tuner | None = None
        self._findings: Findings | None = None
        self.summary = QLabel()
        self.against_pinned = QLabel()
        self.legend = QLabel()
        self.next_edge = QPushButton()
        self.next_edge.setToolTip(
            f"Candidates that a change of one threshold by {100 * KNIFE_EDGE:g} % or less would "
            "flip; the closest first"
        )
        self.edges = QPushButton("List")
        self.edges.setMenu(QMenu(self.edges))
        self.edges.menu().aboutToShow.connect(self._list_edges)
        self.next_edge.clicked.connect(self.go_to_next_edge)
        self.fractions = PointCloud(self._describe)
        self.fractions.setLabel("left", "fraction below limit")
        self.fractions.setMinimumSize(260, 160)
        self.peaks = PointCloud(
            self._describe, {"bottom": LogAxis("bottom"), "left": LogAxis("left")}
        )
        self.peaks.setLabel("left", "area (pixels)")
        self.peaks.setLabel("bottom", "peak χ (σ)")
        self.peaks.setMinimumSize(180, 120)
        self.bars = EpochBars()
        self.lines = self._make_lines()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE)
        self._pause.timeout.connect(self._find)
        for cloud in (self.fractions, self.peaks):
            cloud.setToolTip(TOOLTIP)
            cloud.picked.connect(self._pick)
        self._lay_out()

    def set_session(self, session: Session | None) -> None:
        """Follow another session, or none."""
        if self._tuner is not None:
            self._tuner.close()
        self._tuner = None if session is None else Tuner(session, self)
        self._pause.stop()
        self._findings = self._points = self._of = self._shown = None
        self.bars.set_session(session)
        super().set_session(session)

    def links(self, session: Session) -> list[tuple[Any, Any]]:
        """Return the signals that the plot listens to, and their slots."""
        return [
            *super().links(session),
            (session.finished, self._settle),
            (session.pinned_changed, self.follow),
            (session.selection_changed, self._mark_selected),
        ]

    def refresh(self) -> None:
        """Show the present candidates and thresholds."""
        session = self._session
        if session is None or self._tuner is None:
            self._clear()
            return
        result = session.inspection.result
        before = self._of
        same = before is not None and before.products.candidates is result.products.candidates
        if same and self._is_dragged:
            # The same candidates at the line's own place are drawn already.
            return
        if before is not result:
            self._of = result
            self._points = CandidatePoints.of(result)
            self.fractions.setLabel(
                "bottom",
                f"mean epoch count of its pixels (lines: N = {self._points.depth:.3g})",
            )
            if before is None:
                self._set_ranges(result)
            if not same:
                # Ids of another detection mean other candidates.
                self._findings = None
                self._mark_findings()
        states = session.layers.views.scheme.states
        for cloud in (self.fractions, self.peaks):
            cloud.set_colours(states)
        self.legend.setText(
            " &nbsp;".join(
                f'<span style="color:{states[state]}">●</span> '
                f"{state.name.lower().replace('_', ' ')}"
                for state in ORDER
            )
            + " &nbsp;○ knife edge &nbsp;□ other than pinned"
        )
        self._show(self._tuner.config)
        self._mark_selected(session.selected)
        self._pause.start()

    def go_to_next_edge(self) -> None:
        """Select the next knife-edge candidate: that behind the selected one in the list."""
        session, findings = self._session, self._findings
        if session is None or findings is None or not len(findings.edges):
            return
        footprints, key = findings.result.footprint_set, session.selected
        number = None if key is None else footprints.number(key)
        here = np.flatnonzero(findings.edges == number)
        place = (here[0] + 1) % len(findings.edges) if len(here) else 0
        session.select(footprints.key(int(findings.edges[place])), go=True)

    @property
    def _is_dragged(self) -> bool:
        return any(line.moving for line in self.lines.values())

    # --- what is drawn -------------------------------------------------------------------

    def _show(self, config: CompareWarpConfig) -> None:
        """Draw candidates and lines as they are at some thresholds."""
        points = self._points
        if points is None:
            return
        fraction, state = points.at(config)
        found = points.pool.candidates
        moving = self._is_dragged
        self.fractions.show_points(points.mean_epochs, fraction, found.area, state, moving)
        self.peaks.show_points(
            np.log10(found.peak_chi), np.log10(found.area), found.area, state, moving
        )
        clipped = np.isin(state, (State.CLIPPED, State.CLIPPED_MANUALLY)).sum()
        self.summary.setText(f"<b>{clipped}</b> of {len(state)} candidates clipped")
        self._place_lines(config)
        self._shown = config

    def _place_lines(self, config: CompareWarpConfig) -> None:
        points = self._points
        assert points is not None
        n = points.depth
        temporal = config.temporal_threshold * n
        self.lines["spatial_threshold"].show_value(
            config.spatial_threshold, config.spatial_threshold,
            f"clipped above {config.spatial_threshold:g}",
        )  # fmt: skip
        self.lines["temporal_threshold"].show_value(
            config.temporal_threshold, temporal, f"{config.temporal_threshold:g} · N"
        )
        self.lines["chi_threshold"].show_value(
            config.chi_threshold, np.log10(config.chi_threshold), f"{config.chi_threshold:g} σ"
        )
        line = self.lines["max_epochs"]
        line.setVisible(config.max_epochs is not None)
        if config.max_epochs is not None:
            text = f"{config.max_epochs} + {config.max_epochs_slope:g} · N"
            line.show_value(
                config.max_epochs, config.max_epochs + config.max_epochs_slope * n, text
            )
        colour = self.fractions.text_colour
        decides = points.limit(config)
        for name, line in self.lines.items():
            binds = line.angle != 90 or name == "chi_threshold" or line.value() <= decides + 1e-9
            line.set_look(colour, bool(binds))

    def _set_ranges(self, result: CompareWarpResult) -> None:
        """Show all that there can be: ranges do not move under a line that is dragged."""
        self.fractions.setXRange(0, result.stack.n_epochs, padding=0.03)
        self.fractions.setYRange(0, 1, padding=0.06)
        assert self._points is not None
        found = self._points.pool.candidates
        low = SLIDER_RANGES["chi_threshold"][0]
        self.peaks.setXRange(
            np.log10(low), np.log10(1.3 * max(100.0, found.peak_chi.max(initial=0))), padding=0.05
        )
        self.peaks.setYRange(
            np.log10(max(found.area.min(initial=10), 1)),
            np.log10(2 * max(1000, found.area.max(initial=0))), padding=0.05,
        )  # fmt: skip

    def _mark_selected(self, key: FootprintKey | None) -> None:
        if self._points is None or self._of is None or not self.isVisible():
            return
        number = None if key is None else self._of.footprint_set.number(key)
        index = self._points.index_of(number)
        for cloud in (self.fractions, self.peaks):
            cloud.mark_selected(index)

    def _clear(self) -> None:
        nothing = np.empty(0)
        for cloud in (self.fractions, self.peaks):
            cloud.mark_selected(None)
            cloud.show_points(nothing, nothing, nothing.astype(int), nothing.astype(np.uint8))
        self.summary.setText("")
        self._mark_findings()

    # --- what takes longer ---------------------------------------------------------------

    def _find(self) -> None:
        """Look for knife edges, and for what differs from the pinned settings."""
        session = self._session
        if session is None or not self.isVisible():
            return
        if self._is_dragged or session.busy:
            self._pause.start()
            return
        result, pinned = session.inspection.result, session.layers.views.pinned
        if self.work.busy:
            self.work.cancel()
        self.work.start(lambda progress: find(result, pinned, progress))

    def land(self, findings: Findings) -> None:
        """Show knife edges, and what differs from the pinned settings."""
        if findings.result is self._of:
            self._findings = findings
            self._mark_findings()

    def _mark_findings(self) -> None:
        findings, points = self._findings, self._points
        edges = changed = np.empty(0, np.intp)
        if findings is not None and points is not None:
            edges = np.searchsorted(points.pool.id, findings.edges)
            changed = np.flatnonzero(np.isin(points.pool.id, findings.changed))
        for cloud in (self.fractions, self.peaks):
            cloud.mark_edges(edges)
            cloud.mark_changed(changed)
        self.next_edge.setText(f"Next of {len(edges)} on the knife edge")
        for button in (self.next_edge, self.edges):
            button.setEnabled(len(edges) > 0)
        self.against_pinned.setText("" if findings is None else findings.against_pinned)

    def _list_edges(self) -> None:
        menu, session, findings = self.edges.menu(), self._session, self._findings
        menu.clear()
        if session is None or findings is None:
            return
        for footprint, closeness in zip(
            findings.edges[:LISTED].tolist(), findings.closeness[:LISTED].tolist(), strict=True
        ):
            key = findings.result.footprint_set.key(footprint)
            action = menu.addAction(
                f"{footprint}: epoch {key.epoch}, x {key.x}, y {key.y}: "
                f"flips at {100 * closeness:.2g} %"
            )
            action.triggered.connect(lambda _=False, key=key: session.select(key, go=True))
        if len(findings.edges) > LISTED:
            menu.addAction(f"… and {len(findings.edges) - LISTED} more").setEnabled(False)

    def _settle(self) -> None:
        """Go back to the settings that hold where a change was refused or given up."""
        if self._tuner is not None and self._tuner.config != self._shown:
            self.follow()

    # --- what a person does --------------------------------------------------------------

    def _drag(self, knob: str, value: Any) -> None:
        if self._tuner is not None:
            self._tuner.tune(**{knob: value})
            self._show(self._tuner.config)

    def _drop(self) -> None:
        """Let a line stand where its value is, and draw what was left out meanwhile."""
        if self._tuner is not None:
            self._tuner.flush()
            self.follow()

    def _pick(self, index: int) -> None:
        if self._session is not None and self._points is not None and self._of is not None:
            key = self._of.footprint_set.key(int(self._points.pool.id[index]))
            self._session.select(key, go=True)

    def _describe(self, index: int) -> str:
        points, session = self._points, self._session
        if points is None or session is None:
            return ""
        pool = points.pool
        found = pool.candidates
        epoch = session.inspection.stack.epochs[pool.epoch_index[index]]
        return (
            f"footprint {pool.id[index]}, epoch {epoch}\n"
            f"appears in {points.mean_epochs[index]:.2g} of {pool.counts.n_mean[0][index]:.3g} "
            f"epochs\n{found.area[index]:,} pixels, peak χ {found.peak_chi[index]:.3g} σ"
        )

    # --- how it is made --------------------------------------------------------------------

    def _make_lines(self) -> dict[str, ThresholdLine]:
        lines = [
            ThresholdLine("spatial_threshold", 0, lambda y: _in_steps(y, 0.01), 0.75),
            ThresholdLine("temporal_threshold", 90, self._temporal_at, 0.62),
            ThresholdLine("max_epochs", 90, self._max_epochs_at, 0.38),
            ThresholdLine("chi_threshold", 90, lambda x: _in_steps(10**x, 0.1), 0.85),
        ]
        lines[0].setBounds(bounds_of("spatial_threshold"))
        lines[1].setBounds((0, None))
        lines[2].setBounds((0, None))
        low = SLIDER_RANGES["chi_threshold"][0]
        lines[3].setBounds((np.log10(low), np.log10(bounds_of("chi_threshold")[1] or 1e3)))
        for line in lines:
            line.dragged.connect(self._drag)
            line.sigPositionChangeFinished.connect(self._drop)
            (self.peaks if line.knob == "chi_threshold" else self.fractions).addItem(line)
        return {line.knob: line for line in lines}

    def _temporal_at(self, x: float) -> float:
        depth = 0 if self._points is None else self._points.depth
        return _in_steps(min(x / depth, 1.0), 0.01) if depth else 0.0

    def _max_epochs_at(self, x: float) -> int:
        if self._points is None or self._tuner is None:
            return 0
        slope = self._tuner.config.max_epochs_slope
        return max(0, round(x - slope * self._points.depth))

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.summary)
        head.addWidget(self.against_pinned, 1)
        head.addWidget(self.next_edge)
        head.addWidget(self.edges)
        self.legend.setWordWrap(True)
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(head)
        small = TurningSplitter(self.peaks, self.bars, SHARE)
        layout.addWidget(TurningSplitter(self.fractions, small, SHARE), 1)
        layout.addWidget(self.legend)


def _in_steps(value: float, step: float) -> float:
    """Return a value as the sliders have it: a multiple of a step."""
    return round(round(value / step) * step, 6)
