"""Completeness and purity: how much of the planted artifacts was clipped, and what is left."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..simulation import Artifact, Truth
from ..simulation.detector import dilate
from .observed import Combined, Observed
from .scorecard import DEPTHS, KindScore, Purity

__all__ = ["NoiseModel", "print_through", "score_kinds", "score_purity"]

#: Injected signal above which a pixel belongs to an artifact, sigma.
_SUPPORT = 0.25

#: Artifacts and variables are extended by this many widths of the matched PSF.
_ARTIFACT_REACH = 2.0
_VARIABLE_REACH = 3.0

#: A coadd pixel that differs by more than this from the mean of its unclipped values is
#: not explained by the masks, sigma; rounding to float32 is far smaller.
_EXPLAINED = 0.01


@dataclass(frozen=True)
class NoiseModel:
    """Sums over the epochs that went into a coadd.

    Attributes
    ----------
    weight : ndarray
        ``(y, x)`` sum of weights.
    sigma : ndarray
        ``(y, x)`` sky noise of the coadd, nJy, from the true noise of each
        visit: σ² = Σw²σᵢ² / (Σw)².
    """

    weight: npt.NDArray[np.float64]
    sigma: npt.NDArray[np.float64]

    @classmethod
    def of(cls, observed: Observed, clipped: npt.NDArray[np.bool_], truth: Truth) -> "NoiseModel":
        """Sum over the epochs that are usable and not clipped."""
        weight = np.zeros(observed.usable.shape[1:])
        square = np.zeros_like(weight)
        for index, visit in enumerate(observed.visits):
            used = observed.usable[index] & ~clipped[index]
            weight += observed.weights[index] * used
            sky_sigma = float(truth.visit(visit)["sky_sigma"])
            square += (observed.weights[index] * sky_sigma) ** 2 * used
        with np.errstate(invalid="ignore", divide="ignore"):
            return cls(weight, np.sqrt(square) / weight)


@dataclass
class _Tally:
    """Running sums over the artifacts of one kind."""

    n_artifacts: int = 0
    open_pixels: dict[float, int] = field(default_factory=lambda: dict.fromkeys(DEPTHS, 0))
    clipped_pixels: dict[float, int] = field(default_factory=lambda: dict.fromkeys(DEPTHS, 0))
    open_signal: float = 0.0
    clipped_signal: float = 0.0
    injected: float = 0.0
    residual: float = 0.0
    peak: float = 0.0

    def finish(self, kind: str) -> KindScore:
        return KindScore(
            kind=kind,
            n_artifacts=self.n_artifacts,
            completeness={
                f"{depth:g}": _ratio(self.clipped_pixels[depth], self.open_pixels[depth])
                for depth in DEPTHS
            },
            flux_completeness=_ratio(self.clipped_signal, self.open_signal),
            injected_flux=self.injected,
            residual_flux=self.residual,
            residual_fraction=_ratio(self.residual, self.injected),
            peak_sigma=self.peak,
        )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def score_kinds(
    observed: Observed, combined: Combined, truth: Truth
) -> tuple[KindScore, tuple[KindScore, ...]]:
    """Measure, for all artifacts and for each kind, what was clipped and what is left.

    Only usable pixels are counted: pixels with a bad plane are left out of every
    coadd anyway.

    Returns
    -------
    all : KindScore
        Score of all artifacts.
    kinds : tuple of KindScore
        Score of each kind, in order of occurrence.
    """
    before = NoiseModel.of(observed, np.zeros_like(combined.clipped), truth)
    after = NoiseModel.of(observed, combined.clipped, truth)
    everything = _Tally()
    tallies: dict[str, _Tally] = {}
    for artifact in truth.artifacts:
        if artifact.visit not in observed.visits:
            continue
        tally = tallies.setdefault(artifact.kind, _Tally())
        for into in (everything, tally):
            _count(into, artifact, observed, combined, before, after, truth)
    kinds = tuple(tally.finish(kind) for kind, tally in tallies.items())
    return everything.finish("all"), kinds


def _count(
    tally: _Tally,
    artifact: Artifact,
    observed: Observed,
    combined: Combined,
    before: NoiseModel,
    after: NoiseModel,
    truth: Truth,
) -> None:
    index = observed.visits.index(artifact.visit)
    weight = observed.weights[index]
    usable = observed.usable[index, artifact.y, artifact.x] & (weight > 0)
    y, x, signal = artifact.y[usable], artifact.x[usable], artifact.signal[usable].astype(float)
    clipped = combined.clipped[index, y, x]
    significance = signal / float(truth.visit(artifact.visit)["sky_sigma"])
    tally.n_artifacts += 1
    for depth in DEPTHS:
        deep = significance > depth
        tally.open_pixels[depth] += int(deep.sum())
        tally.clipped_pixels[depth] += int((deep & clipped).sum())
    tally.open_signal += float(signal.sum())
    tally.clipped_signal += float(signal[clipped].sum())
    tally.injected += float((weight * signal / before.weight[y, x]).sum())
    left = ~clipped
    y, x = y[left], x[left]
    residual = weight * signal[left] / after.weight[y, x]
    tally.residual += float(residual.sum())
    if residual.size:
        tally.peak = max(tally.peak, float((residual / after.sigma[y, x]).max()))


def print_through(observed: Observed, combined: Combined, truth: Truth) -> tuple[float, float]:
    """Compare a coadd with the same average of warps without artifacts.

    The planted light is subtracted from each warp, and the warps, with the same
    noise, are averaged where they were not clipped. The difference between the
    coadd and this average is print-through, free of noise.

    Returns
    -------
    peak : float
        Largest absolute difference where there were artifacts, in sigma of the
        coadd's sky noise.
    unexplained : float
        Fraction of the other pixels that differ by more than rounding.
    """
    total = np.zeros(truth.shape)
    touched = np.zeros(truth.shape, bool)
    model = NoiseModel.of(observed, combined.clipped, truth)
    for index, visit in enumerate(observed.visits):
        light = truth.artifact_light(visit)
        touched |= light > 0
        used = observed.usable[index] & ~combined.clipped[index]
        total += observed.weights[index] * np.where(used, observed.image[index] - light, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = np.abs(combined.image - total / model.weight) / model.sigma
    known = np.isfinite(excess)
    on, off = excess[known & touched], excess[known & ~touched]
    peak = float(on.max()) if on.size else 0.0
    return peak, float(np.mean(off > _EXPLAINED)) if off.size else 0.0


def score_purity(observed: Observed, combineds: Sequence[Combined], truth: Truth) -> list[Purity]:
    """Count the clipped pixels of several coadds by what is under them.

    Parameters
    ----------
    observed : Observed
        The warps.
    combineds : sequence of Combined
        The coadds; artifact regions are computed once for all of them.
    truth : Truth
        The truth.

    Returns
    -------
    list of Purity
        One for each coadd.
    """
    counts = np.zeros((len(combineds), 3), dtype=np.int64)
    variables = np.zeros(truth.shape, bool)
    for index, visit in enumerate(observed.visits):
        row = truth.visit(visit)
        matched_sigma = float(row["matched_psf_sigma"])
        if index == 0:
            variables = _around_variables(truth, _VARIABLE_REACH * matched_sigma)
        signal = truth.artifact_light(visit) > _SUPPORT * float(row["sky_sigma"])
        artifact = dilate(signal, _ARTIFACT_REACH * matched_sigma)
        for number, combined in enumerate(combineds):
            clipped = combined.clipped[index] & observed.usable[index]
            counts[number] += (
                np.count_nonzero(clipped),
                np.count_nonzero(clipped & artifact),
                np.count_nonzero(clipped & ~artifact & variables),
            )
    return [
        Purity(
            clipped=clipped,
            on_artifacts=on_artifacts,
            on_variables=on_variables,
            elsewhere=clipped - on_artifacts - on_variables,
            purity=_ratio(on_artifacts, clipped),
        )
        for clipped, on_artifacts, on_variables in counts.tolist()
    ]


def _around_variables(truth: Truth, radius: float) -> npt.NDArray[np.bool_]:
    """Return the ``(y, x)`` pixels within a radius of a variable."""
    near = np.zeros(truth.shape, bool)
    y, x = (np.arange(size) for size in truth.shape)
    for row in truth.variables:
        near |= (y[:, None] - row["y"]) ** 2 + (x - row["x"]) ** 2 <= radius**2
    return near
