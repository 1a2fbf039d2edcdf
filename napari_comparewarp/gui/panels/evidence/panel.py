"""The evidence for the selected footprint: what every epoch shows around it, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPainterPath
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from ....algorithm.parallel import Progress
from ....algorithm.warps import EpochId
from ....result.footprints import State
from ....result.result import CompareWarpResult
from ....review.evidence import Evidence, gather_evidence
from ....review.explain import explain
from ...layers.layer_set import CHI_LIMIT
from ...layers.schemes import Scheme
from ...layers.stretch import Stretch
from ...session import Session
from ...widgets.plain_text import elided
from ...widgets.turning_splitter import TurningSplitter
from ..panel import Panel
from .chi_plot import ChiPlot
from .stamp_sheet import StampSheet, Tile, outline_of

__all__ = ["EvidencePanel", "EvidenceView", "make_evidence_view"]

#: Colour of a pixel without a value.
NOTHING = "#3a3246"

#: Colours of a picture; one more stands for no value.
SHADES = 255

#: Part of the panel that the stamps have, to begin with.
SHEET_SHARE = 0.7

#: Where less of a footprint is clipped in an epoch, it is clipped in part.
PART = 0.5

EMPTY = "Select a footprint, in the picture or in the table, to see what each epoch shows there."
GONE = "is gone: with these settings nothing is found there."
LEGEND = (
    "Above the warps, below the differences (χ). Framed: clipped there; dashed: less than half "
    "of it. Bold: its own epoch. A click goes to an epoch."
)


@dataclass(frozen=True)
class EvidenceView:
    """The evidence for a footprint, ready to be shown.

    Attributes
    ----------
    result : CompareWarpResult
        What it is of.
    evidence : Evidence
    sentence : str
        Which rule decided, in plain words.
    tiles : list of Tile
        Template and coadds, then the epochs.
    outline : QPainterPath
        The line around the footprint.
    line : str
        Its colour.
    colours : tuple of (str or None)
        For each epoch in which pixels of the footprint are clipped, the colour
        of the state that most of these have.
    fractions : ndarray
        ``(epoch,)`` part of the footprint's pixels that is clipped, 0 to 1.
    """

    result: CompareWarpResult
    evidence: Evidence
    sentence: str
    tiles: list[Tile]
    outline: QPainterPath
    line: str
    colours: tuple[str | None, ...]
    fractions: npt.NDArray[np.float64]


class EvidencePanel(Panel):
    """Stamps of every epoch around the selected footprint, its chi as a curve, and the reason.

    Parameters
    ----------
    parent : QWidget, optional

    Attributes
    ----------
    view : EvidenceView or None
        What is shown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view: EvidenceView | None = None
        self._drawn_with: tuple[Stretch, Scheme] | None = None
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setStyleSheet("font-weight: bold;")
        self.sentence = QLabel()
        for label in (self.title, self.sentence):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sheet = StampSheet()
        self.plot = ChiPlot()
        self.legend = QLabel(LEGEND)
        self.legend.setWordWrap(True)
        self._split = TurningSplitter(self.sheet, self.plot, SHEET_SHARE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(3)
        layout.addWidget(self.title)
        layout.addWidget(self.sentence)
        layout.addWidget(self._split, 1)
        layout.addWidget(self.legend)
        self.sheet.clicked.connect(self._go_to_epoch)
        self.plot.epoch_clicked.connect(self._go_to_epoch)
        self.refuse(EMPTY)

    def links(self, session: Session) -> list[tuple[Any, Any]]:
        """Return the signals that the panel listens to, and its slots."""
        return [
            *super().links(session),
            (session.selection_changed, self.follow),
            (session.epoch_changed, self._mark_epoch),
            *((event, self._restyle) for event in _style_events(session)),
        ]

    def reset(self) -> None:
        """Show nothing."""
        self.refuse(EMPTY)

    def refresh(self) -> None:
        """Gather the evidence for the selected footprint."""
        session = self._session
        key = None if session is None else session.selected
        if session is None or key is None:
            self.work.cancel()
            self.refuse(EMPTY)
            return
        number, result = session.selected_number, session.inspection.result
        if number is None:
            self.work.cancel()
            self.refuse(f"The footprint at x {key.x}, y {key.y} of epoch {key.epoch} {GONE}")
            return
        self._mark_epoch(session.epoch_index)
        stretch, scheme = session.layers.stretch, session.layers.views.scheme
        self._drawn_with = (stretch, scheme)

        def work(progress: Progress) -> EvidenceView:
            return make_evidence_view(result, number, stretch, scheme)

        self.work.start(work)

    # --- what happens ----------------------------------------------------------------------

    def _restyle(self, *_: Any) -> None:
        """Draw again with another stretch or other colours; napari reports much else too."""
        assert self._session is not None
        layers = self._session.layers
        if self._drawn_with not in (None, (layers.stretch, layers.views.scheme)):
            self.follow()

    def land(self, view: EvidenceView) -> None:
        """Show evidence."""
        self.view = view
        evidence, config = view.evidence, view.result.config
        self.title.setText(_name_of(view))
        self.sentence.setText(view.sentence)
        self.sheet.set_tiles(view.tiles, view.outline, view.line)
        signs = {"both": (1, -1), "positive": (1,), "negative": (-1,)}[config.polarity]
        self.plot.show_peaks(
            view.result.stack.epochs, evidence.peak_chi, view.colours,
            view.fractions < PART, [sign * config.chi_threshold for sign in signs],
            evidence.epoch_index, [t.tip for t in view.tiles if t.epoch_index is not None],
        )  # fmt: skip
        self._set_full(True)

    def refuse(self, words: str) -> None:
        """Say why there is nothing to see."""
        self.view = None
        self.title.setText("")
        self.sentence.setText(words)
        self.sheet.set_tiles([], QPainterPath(), "white")
        self.plot.clear_peaks()
        self._set_full(False)

    def _set_full(self, is_full: bool) -> None:
        for widget in (self.title, self._split, self.legend):
            widget.setVisible(is_full)
        self.layout().setAlignment(
            self.sentence,
            Qt.AlignmentFlag(0) if is_full else Qt.AlignmentFlag.AlignTop,
        )

    def _mark_epoch(self, epoch_index: int) -> None:
        self.sheet.set_epoch(epoch_index)
        self.plot.set_epoch(epoch_index)

    def _go_to_epoch(self, epoch_index: int) -> None:
        if self._session is not None:
            self._session.epoch_index = epoch_index


def make_evidence_view(
    result: CompareWarpResult, footprint: int, stretch: Stretch, scheme: Scheme
) -> EvidenceView:
    """Gather the evidence for a footprint and draw it.

    Parameters
    ----------
    result : CompareWarpResult
    footprint : int
        Id in the table.
    stretch : Stretch
        How the sky is shown. Its limits are those of all the stamps together.
    scheme : Scheme

    Raises
    ------
    InspectionError
        If there is no such footprint.
    """
    evidence = gather_evidence(result, footprint)
    sentence = explain(result, footprint)
    colours = tuple(_clipped_colour(evidence, e, scheme) for e in range(len(evidence.warp)))
    fractions = evidence.clipped[:, evidence.footprint].mean(axis=1)
    size = evidence.stamp.size
    sky = np.concatenate(
        [evidence.warp.reshape(-1, size), evidence.template, evidence.coadd, evidence.unclipped]
    )
    limits = stretch.limits_of(sky)
    curve = stretch.colormap().colors[:, 0]
    greys = [(value, value, value) for value in range(SHADES)]
    shades = np.rint(255 * scheme.difference_colormap().map(np.linspace(0, 1, SHADES))).astype(int)
    signed = [tuple(colour) for colour in shades[:, :3].tolist()]

    def grey(values: npt.NDArray[np.float32]) -> QImage:
        return _picture(values, limits, curve, greys)

    def diverging(values: npt.NDArray[np.float32], limit: float) -> QImage:
        return _picture(values, (-limit, limit), np.linspace(0, 1, SHADES), signed)

    removed = evidence.unclipped - evidence.coadd
    reach = (evidence.limits[1] - evidence.limits[0]) / 2
    tiles = [
        Tile(
            None, ("template", "removed"), (grey(evidence.template), diverging(removed, reach)),
            "Above: the model of the static sky.\nBelow: coadd without clipping minus coadd.",
        ),
        Tile(
            None, ("coadd", "unclipped"), (grey(evidence.coadd), grey(evidence.unclipped)),
            "Above: the coadd.\nBelow: the coadd with nothing clipped.",
        ),
    ]  # fmt: skip
    for index, epoch in enumerate(result.stack.epochs):
        tiles.append(
            Tile(
                index,
                (str(epoch), _chi_words(evidence.peak_chi[index])),
                (grey(evidence.warp[index]), diverging(evidence.chi[index], CHI_LIMIT)),
                _tip(evidence, index, epoch, fractions[index]),
                colours[index],
                bool(fractions[index] < PART),
                index == evidence.epoch_index,
            )
        )
    return EvidenceView(
        result, evidence, sentence, tiles, outline_of(evidence.footprint[::-1]),
        scheme.selected, colours, fractions,
    )  # fmt: skip


def _picture(
    values: npt.NDArray[np.float32],
    limits: tuple[float, float],
    curve: npt.NDArray[np.floating],
    colours: Sequence[tuple[int, ...]],
) -> QImage:
    """Return an image with y up: its values between the limits, by a curve, as colours."""
    low, high = limits
    last = len(curve) - 1
    with np.errstate(invalid="ignore"):
        place = np.clip((values - low) * (last / (high - low)), 0, last)
    known = np.isfinite(place)
    shade = np.rint(curve * (SHADES - 1)).astype(np.uint8)[
        np.where(known, place, 0).astype(np.intp)
    ]
    shade[~known] = SHADES
    height, width = shade.shape
    image = QImage(shade[::-1].tobytes(), width, height, width, QImage.Format.Format_Indexed8)
    table = [0xFF000000 | red << 16 | green << 8 | blue for red, green, blue in colours]
    image.setColorTable([*table, 0xFF000000 | int(NOTHING[1:], 16)])
    # The bytes do not live as long.
    return image.copy()


def _clipped_colour(evidence: Evidence, epoch_index: int, scheme: Scheme) -> str | None:
    """Return the colour of what clips the footprint's pixels in an epoch, None where nothing."""
    if not evidence.is_clipped[epoch_index]:
        return None
    where = evidence.footprint & evidence.clipped[epoch_index]
    states = evidence.states[epoch_index][where]
    clipping = (State.CLIPPED, State.STREAK, State.CLIPPED_MANUALLY)
    return scheme.states[max(clipping, key=lambda state: np.count_nonzero(states == state))]


def _tip(evidence: Evidence, index: int, epoch: EpochId, fraction: float) -> str:
    own = " (the footprint's own)" if index == evidence.epoch_index else ""
    outcome = f"{100 * fraction:.0f} % of the footprint is clipped" if fraction else "not clipped"
    return f"Epoch {epoch}{own}\npeak χ {_chi_words(evidence.peak_chi[index])}\n{outcome}"


def _chi_words(chi: np.float32) -> str:
    return f"{chi:+.1f} σ" if np.isfinite(chi) else "no value"


def _name_of(view: EvidenceView) -> str:
    evidence = view.evidence
    epoch = view.result.stack.epochs[evidence.epoch_index]
    return f"Footprint {evidence.footprint_id} of epoch {elided(str(epoch))}"


def _style_events(session: Session) -> list[Any]:
    """Return the events of the layers that report another stretch or other colours."""
    layers = session.layers.by_role
    coadd = layers["coadd"].events
    return [coadd.colormap, coadd.contrast_limits, layers["states"].events.colormap]
