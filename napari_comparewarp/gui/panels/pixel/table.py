"""One pixel in words: a table of its epochs, and lines on the coadd there."""

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from ....review.pixel import EpochPixel, PixelReport
from ...widgets.plain_text import as_plain

__all__ = ["COLUMNS", "PixelTable", "pixel_lines", "pixel_text"]

#: sigma to full width at half maximum of a Gaussian.
FWHM = float(np.sqrt(8 * np.log(2)))

#: Title of each column, what it means, and its words for an epoch.
COLUMNS: dict[str, tuple[str, Callable[[EpochPixel], str]]] = {
    "epoch": ("Id of the epoch", lambda pixel: str(pixel.epoch)),
    "warp": ("Value of the direct warp", lambda pixel: _value(pixel.value)),
    "± σ": ("Its standard deviation", lambda pixel: _value(pixel.sigma)),
    "χ": (
        "PSF-matched warp minus template, in units of its standard deviation",
        lambda pixel: f"{pixel.chi:+.1f}" if np.isfinite(pixel.chi) else "–",
    ),
    "in coadd": (
        "Its share of the weight there, or why it did not go in",
        lambda pixel: f"{100 * pixel.share:.1f} %" if pixel.in_coadd else f"no: {pixel.left_out}",
    ),
    "footprint": (
        "What became of the footprint there, and its id",
        lambda pixel: "" if pixel.footprint is None else f"{pixel.verdict} ({pixel.footprint})",
    ),
    "mask planes": (
        "Planes of the direct warp, with what the comparison sets",
        lambda pixel: " ".join(pixel.planes),
    ),
    "matched": ("Value of the PSF-matched warp", lambda pixel: _value(pixel.matched_value)),
    "± σ matched": (
        "Its standard deviation, before the epoch's factor",
        lambda pixel: _value(pixel.matched_sigma),
    ),
    "matched planes": (
        "Mask planes of the PSF-matched warp",
        lambda pixel: " ".join(pixel.matched_planes),
    ),
}

_NUMBERS = {"warp", "± σ", "χ", "matched", "± σ matched"}


class PixelTable(QAbstractTableModel):
    """The epochs of a pixel, a row each."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.epochs: tuple[EpochPixel, ...] = ()

    def set_epochs(self, epochs: tuple[EpochPixel, ...]) -> None:
        """Show other epochs; with as many as before, the view stays where it is."""
        if len(epochs) == len(self.epochs):
            self.epochs = epochs
            if epochs:
                last = self.index(len(epochs) - 1, len(COLUMNS) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self.epochs = epochs
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: D102, N802
        return 0 if parent is not None and parent.isValid() else len(self.epochs)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: D102, N802
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:  # noqa: D102, N802
        if orientation != Qt.Orientation.Horizontal:
            return None
        title, (meaning, _) = list(COLUMNS.items())[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return title
        return meaning if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: QModelIndex, role: int = 0) -> Any:  # noqa: D102
        title, (_, words) = list(COLUMNS.items())[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return words(self.epochs[index.row()])
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_plain(words(self.epochs[index.row()]))
        if role == Qt.ItemDataRole.TextAlignmentRole and title in _NUMBERS:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


def pixel_lines(report: PixelReport, unit: str) -> dict[str, str]:
    """Return what is known of the coadd at a pixel: headings and words.

    Parameters
    ----------
    report : PixelReport
    unit : str
        Of the values.
    """
    place = f"x {report.x}  y {report.y}"
    if report.sky is not None:
        place += "   " + report.sky.to_string("hmsdms", sep=":", precision=2)
    planes = " ".join(report.planes) or "no flags"
    if report.psf_sigma is None:
        psf = report.psf_message
    else:
        psf = (
            f"σ {report.psf_sigma:.3f} pixels; as a Gaussian, FWHM "
            f"{FWHM * report.psf_sigma:.2f} pixels"
        )
    warps = "warp" if report.n_image == 1 else "warps"
    return {
        "pixel": place,
        "coadd": f"{_value(report.value)} ± {_value(report.sigma)} {unit}".rstrip()
        + f" of {report.n_image} {warps};  {planes}",
        "template": f"{_value(report.template)} ± {_value(report.template_sigma)} {unit}".rstrip(),
        "epoch count": f"deviates in {report.epoch_count} of {report.n_matched} epochs "
        f"(limit {report.max_epochs})",
        "coadd PSF": psf,
    }


def pixel_text(report: PixelReport, unit: str) -> str:
    """Return all that is known of a pixel as text: lines, and a table with tabs."""
    head = [f"{heading}: {words}" for heading, words in pixel_lines(report, unit).items()]
    rows = [[words(epoch) for _, words in COLUMNS.values()] for epoch in report.epochs]
    return "\n".join([*head, "", *("\t".join(row) for row in [list(COLUMNS), *rows])]) + "\n"


def _value(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else "–"
