"""The list of panels: another one is a file beside this, and an entry here."""

from collections.abc import Callable
from dataclasses import dataclass

from ..keys import PanelKey
from .footprints.keys import FOOTPRINT_KEYS
from .panel import Panel

__all__ = ["PANELS", "PanelKind"]


@dataclass(frozen=True)
class PanelKind:
    """A panel that can be opened.

    Attributes
    ----------
    title : str
    tip : str
        What it shows.
    make : callable
        Returns the panel, without a session.
    beside : str
        The panels with the same word share one place, as tabs.
    keys : tuple of PanelKey
        What its keys do, in the pictures too: it is opened when one is pressed.
    """

    title: str
    tip: str
    make: Callable[[], Panel]
    beside: str = "evidence"
    keys: tuple[PanelKey, ...] = ()


# Imported when they are opened: plots and tables take time that opening the dock has not.


def _make_footprints() -> Panel:
    from .footprints.panel import FootprintPanel

    return FootprintPanel()


def _make_evidence() -> Panel:
    from .evidence.panel import EvidencePanel

    return EvidencePanel()


def _make_plot() -> Panel:
    from .tuning.panel import TuningPlot

    return TuningPlot()


def _make_sensitivity() -> Panel:
    from .sensitivity.panel import SensitivityPanel

    return SensitivityPanel()


def _make_learning() -> Panel:
    from .learning import LearningPanel

    return LearningPanel()


def _make_pixel() -> Panel:
    from .pixel.panel import PixelPanel

    return PixelPanel()


def _make_psf() -> Panel:
    from .psf import PsfPanel

    return PsfPanel()


#: By name, in the order of their buttons.
PANELS: dict[str, PanelKind] = {
    "footprints": PanelKind(
        "Footprints", "Every footprint, why it was clipped or kept, and what you decide",
        _make_footprints, "table", FOOTPRINT_KEYS,
    ),
    "evidence": PanelKind(
        "Evidence", "What every epoch shows around the selected footprint", _make_evidence
    ),
    "plot": PanelKind(
        "Tuning plot", "All candidates against the thresholds, which can be dragged", _make_plot
    ),
    "sensitivity": PanelKind(
        "Sensitivity", "What other thresholds would clip, and what depth that costs",
        _make_sensitivity,
    ),
    "learning": PanelKind("Learn", "Thresholds that agree with your decisions", _make_learning),
    "pixel": PanelKind("Pixel", "One pixel in every epoch, and in the coadd", _make_pixel),
    "psf": PanelKind("PSF", "How much clipping changes the size of the coadd's PSF", _make_psf),
}  # fmt: skip
