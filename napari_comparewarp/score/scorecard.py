"""The numbers of a score, and their presentation."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from astropy.table import Table

__all__ = ["DEPTHS", "KindScore", "MagnitudeBin", "MethodScore", "Purity", "Score", "VariableFlux"]

#: Depths, in sigma of injected signal, at which completeness is given.
DEPTHS = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class KindScore:
    """How well artifacts of one kind, or of all kinds, were removed from a coadd.

    Attributes
    ----------
    kind : str
        The kind, or "all".
    n_artifacts : int
        Number of planted artifacts. The cosmic rays of a visit count as one.
    completeness : dict of str to float or None
        For each depth in sigma: of the usable pixels with more injected signal
        than this, the fraction that was clipped. None if there are no such
        pixels.
    flux_completeness : float or None
        Fraction of the injected signal in usable pixels that was clipped.
    injected_flux, residual_flux : float
        Flux of the artifacts in a plain mean, and in this coadd, nJy.
    residual_fraction : float or None
        Residual over injected flux.
    peak_sigma : float
        Largest residual in a pixel, in sigma of the sky noise of the coadd.
    """

    kind: str
    n_artifacts: int
    completeness: dict[str, float | None]
    flux_completeness: float | None
    injected_flux: float
    residual_flux: float
    residual_fraction: float | None
    peak_sigma: float


@dataclass(frozen=True)
class Purity:
    """What was under the pixels that were clipped.

    Attributes
    ----------
    clipped : int
        Usable pixels that were clipped, in all epochs.
    on_artifacts : int
        Pixels on an artifact, or within two PSF widths of one.
    on_variables : int
        Of the other pixels, those within three PSF widths of a variable.
    elsewhere : int
        The remaining pixels: noise and stars.
    purity : float or None
        ``on_artifacts / clipped``; None if nothing was clipped.
    """

    clipped: int
    on_artifacts: int
    on_variables: int
    elsewhere: int
    purity: float | None


@dataclass(frozen=True)
class MagnitudeBin:
    """The flux bias of the stars in one range of magnitudes.

    Attributes
    ----------
    bright, faint : float
        Limits, AB mag.
    n_stars : int
        Number of stars that could be measured.
    bias : float
        Median of measured minus true magnitude, mmag; positive means too faint.
    error : float or None
        Standard error of that median, mmag; None for one star.
    """

    bright: float
    faint: float
    n_stars: int
    bias: float
    error: float | None


@dataclass(frozen=True)
class VariableFlux:
    """The flux of a variable in the coadd, compared with its mean over all epochs.

    Attributes
    ----------
    id : int
        As in the truth.
    kind : str
        "periodic" or "supernova".
    mean_flux : float
        Weighted mean over the epochs that are usable there, nJy.
    ratio : float or None
        Flux in the coadd over that mean; None if it cannot be measured.
    epochs_clipped : int
        Number of epochs in which its central pixel was clipped.
    """

    id: int
    kind: str
    mean_flux: float
    ratio: float | None
    epochs_clipped: int


@dataclass(frozen=True)
class MethodScore:
    """The score of one coadd.

    Attributes
    ----------
    name : str
        Name of the method.
    all : KindScore
        All artifacts together.
    kinds : tuple of KindScore
        Each kind that was planted.
    purity : Purity
        What was clipped.
    peak_sigma : float
        Peak print-through, measured on the coadd itself: the largest
        difference, where there are artifacts, from the same average of warps
        without artifacts, in sigma of the sky noise of the coadd.
    unexplained_fraction : float
        Fraction of the pixels without artifacts that differ from the weighted
        mean of the unclipped values: 0 for a mean, large for a median.
    stars : tuple of MagnitudeBin
        Flux bias by magnitude.
    variables : tuple of VariableFlux
        All variables.
    """

    name: str
    all: KindScore
    kinds: tuple[KindScore, ...]
    purity: Purity
    peak_sigma: float
    unexplained_fraction: float
    stars: tuple[MagnitudeBin, ...]
    variables: tuple[VariableFlux, ...]

    @property
    def trails(self) -> KindScore | None:
        """The score of the satellite trails; None if there are none."""
        return next((kind for kind in self.kinds if kind.kind == "trail"), None)


@dataclass(frozen=True)
class Score:
    """A coadd compared with the truth, together with two simpler coadds.

    Attributes
    ----------
    coadd, plain_mean, sigma_clipped : MethodScore
        All three are made from the same warps, weights and bad pixels.
    notes : tuple of str
        Notes on the numbers.
    """

    coadd: MethodScore
    plain_mean: MethodScore
    sigma_clipped: MethodScore
    notes: tuple[str, ...] = ()

    @property
    def methods(self) -> tuple[MethodScore, MethodScore, MethodScore]:
        """All three methods, the coadd first."""
        return self.coadd, self.plain_mean, self.sigma_clipped

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as a JSON-compatible dict; NaN becomes None."""
        return _without_nan(asdict(self))

    def summary(self) -> str:
        """Return the score as plain-text tables."""
        parts = [
            f"Score against the truth: {self.coadd.all.n_artifacts} artifacts",
            _render(self._overall()),
            f"By kind of artifact, in the {self.coadd.name}",
            _render(_by_kind(self.coadd)),
            "Flux bias of constant stars, mmag (positive: too faint)",
            _render(self._star_bias()),
            "Variables: flux in the coadd / mean flux of all epochs",
            _render(self._variables()),
            *self.notes,
        ]
        return "\n\n".join(parts)

    def _overall(self) -> Table:
        rows: dict[str, list[str]] = {}
        for depth in DEPTHS:
            rows[f"completeness by area, > {depth:g} sigma"] = [
                _percent(method.all.completeness[f"{depth:g}"]) for method in self.methods
            ]
        rows["completeness by flux"] = [_percent(m.all.flux_completeness) for m in self.methods]
        rows["purity by area"] = [_percent(m.purity.purity) for m in self.methods]
        rows["clipped pixels"] = [f"{m.purity.clipped}" for m in self.methods]
        rows["  of these on variables"] = [f"{m.purity.on_variables}" for m in self.methods]
        rows["  of these elsewhere"] = [f"{m.purity.elsewhere}" for m in self.methods]
        rows["trail flux left"] = [
            _percent(m.trails.residual_fraction if m.trails else None) for m in self.methods
        ]
        rows["trail flux left, nJy"] = [
            f"{m.trails.residual_flux:.0f}" if m.trails else "-" for m in self.methods
        ]
        rows["peak print-through, sigma"] = [f"{m.peak_sigma:.2f}" for m in self.methods]
        columns = {"measure": list(rows)}
        for column, method in enumerate(self.methods):
            columns[method.name] = [values[column] for values in rows.values()]
        return Table(columns)

    def _star_bias(self) -> Table:
        limits = sorted({(b.bright, b.faint) for m in self.methods for b in m.stars})
        columns: dict[str, list[str]] = {"mag": [f"{b:g}-{f:g}" for b, f in limits]}
        own = {(b.bright, b.faint): b for b in self.coadd.stars}
        columns["stars"] = [f"{own[pair].n_stars}" if pair in own else "0" for pair in limits]
        for method in self.methods:
            bins = {(b.bright, b.faint): b for b in method.stars}
            columns[method.name] = [_bias(bins.get(pair)) for pair in limits]
        return Table(columns)

    def _variables(self) -> Table:
        columns: dict[str, list[str]] = {
            "id": [f"{v.id}" for v in self.coadd.variables],
            "kind": [v.kind for v in self.coadd.variables],
            "mean flux, nJy": [f"{v.mean_flux:.0f}" for v in self.coadd.variables],
        }
        columns["epochs clipped"] = [f"{v.epochs_clipped}" for v in self.coadd.variables]
        for method in self.methods:
            columns[method.name] = [
                "-" if v.ratio is None else f"{v.ratio:.3f}" for v in method.variables
            ]
        return Table(columns)


def _by_kind(method: MethodScore) -> Table:
    kinds = (*method.kinds, method.all)
    columns: dict[str, list[str]] = {
        "kind": [k.kind for k in kinds],
        "planted": [f"{k.n_artifacts}" for k in kinds],
    }
    for depth in DEPTHS:
        columns[f"> {depth:g} sigma"] = [_percent(k.completeness[f"{depth:g}"]) for k in kinds]
    columns["by flux"] = [_percent(k.flux_completeness) for k in kinds]
    columns["flux left"] = [_percent(k.residual_fraction) for k in kinds]
    columns["peak, sigma"] = [f"{k.peak_sigma:.2f}" for k in kinds]
    return Table(columns)


def _render(table: Table) -> str:
    """Format a table of strings, with the first column left-aligned."""
    align = ["<", *[">"] * (len(table.colnames) - 1)]
    lines = table.pformat(max_lines=-1, max_width=-1, align=align, show_unit=False)
    return "\n".join(line.rstrip() for line in lines)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _bias(stars: MagnitudeBin | None) -> str:
    if stars is None:
        return "-"
    error = "" if stars.error is None else f" ± {stars.error:.1f}"
    return f"{stars.bias:+.1f}{error}"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
