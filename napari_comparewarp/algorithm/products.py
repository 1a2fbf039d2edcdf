"""What the stages of the method read, and what they make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import numpy.typing as npt

from ..config.knobs import CompareWarpConfig
from ..errors import StackError
from .coadd import Coadd, DirectMasks
from .counts import Counts
from .difference import Detections, DifferenceTerm
from .footprints import Candidates
from .overrides import Decision, FootprintKey
from .parallel import Progress, no_progress
from .streaks.stage import StreakFootprints
from .template import Template
from .verdicts import Verdicts
from .warps import WarpStack

__all__ = ["Inputs", "Job", "Products"]

_DECISIONS = get_args(Decision)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Job:
    """All that decides on a result.

    Attributes
    ----------
    stack : WarpStack
    config : CompareWarpConfig
        By default today's LSST defaults.
    overrides : mapping of FootprintKey to {"clip", "keep"}
        Manual decisions, which take precedence over the rules.
    variance_scale : ndarray or None
        ``(epoch,)`` factors of the matched warps' variances to use instead of
        measuring them; NaN means 1.
    bright_objects : ndarray of bool or None
        ``(y, x)`` pixels of bright objects, marked on the coadd if the config
        asks for it.
    catalogue : str
        Path of the catalogue that these are from, empty if they are from none.
    """

    stack: WarpStack
    config: CompareWarpConfig = field(default_factory=CompareWarpConfig)
    overrides: Mapping[FootprintKey, Decision] = field(default_factory=dict)
    variance_scale: FloatArray | None = None
    bright_objects: npt.NDArray[np.bool_] | None = None
    catalogue: str = ""

    def __post_init__(self) -> None:
        for key, decision in self.overrides.items():
            if decision not in _DECISIONS:
                raise StackError(f"decision {decision!r}; it is 'clip' or 'keep'")
            if min(key.y, key.x) < 0:
                raise StackError(f"a decision at y {key.y}, x {key.x}, which is no pixel")
        if self.variance_scale is not None:
            _check_factors(np.asarray(self.variance_scale, np.float64), self.stack.n_epochs)


def _check_factors(factors: FloatArray, n_epochs: int) -> None:
    """Refuse factors of variances that no noise can have."""
    if factors.shape != (n_epochs,):
        raise StackError(
            f"variance_scale has shape {factors.shape}; it must be ({n_epochs},), one factor an "
            "epoch"
        )
    wrong = factors[np.isinf(factors) | (factors <= 0)]
    if len(wrong):
        raise StackError(
            f"variance_scale has the factor {wrong[0]:g}; factors are finite and above 0, or NaN "
            "for none"
        )


@dataclass(frozen=True)
class Inputs:
    """What a stage may read besides the products of the stages before it.

    Attributes
    ----------
    job : Job
    chi_floor : float or None
        List deviating pixels from this many sigma on, where it is lower than
        the threshold.
    progress : callable
    """

    job: Job
    chi_floor: float | None = None
    progress: Progress = no_progress

    @property
    def stack(self) -> WarpStack:
        """The warps."""
        return self.job.stack

    @property
    def config(self) -> CompareWarpConfig:
        """The settings."""
        return self.job.config


@dataclass
class Products:
    """What the stages have made so far; a field is there once its stage has run."""

    #: ``(epoch,)`` weights of the direct warps, 0 where one is skipped.
    weights: FloatArray = field(init=False)
    #: ``(matched epoch,)`` weights of the matched warps.
    matched_weights: FloatArray = field(init=False)
    template: Template = field(init=False)
    #: ``(y, x)`` template with its holes filled: image and variance.
    filled: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] = field(init=False)
    #: ``(epoch,)`` which epochs are compared with the template.
    compared: npt.NDArray[np.bool_] = field(init=False)
    #: ``(epoch,)`` factors of the matched warps' variances, 1 where not measured.
    variance_scale: FloatArray = field(init=False)
    #: ``(epoch,)`` where the measured factor was above the limit.
    variance_scale_failed: npt.NDArray[np.bool_] = field(init=False)
    #: ``(epoch,)`` where too few values are distinct to measure it.
    variance_scale_coarse: npt.NDArray[np.bool_] = field(init=False)
    difference_terms: tuple[DifferenceTerm, ...] = ()
    detections: Detections = field(init=False)
    #: ``(y, x)`` footprints of bright sources, or None.
    protected: npt.NDArray[np.int32] | None = field(init=False)
    candidates: tuple[Candidates, ...] = field(init=False)
    #: For each epoch ``(candidate,)``: lies wholly inside a bright source.
    inside_source: tuple[npt.NDArray[np.bool_], ...] = field(init=False)
    counts: Counts = field(init=False)
    verdicts: tuple[Verdicts, ...] = field(init=False)
    streaks: tuple[StreakFootprints, ...] = field(init=False)
    #: Manual decisions whose footprint is gone.
    lost_overrides: tuple[FootprintKey, ...] = field(init=False)
    #: The direct warps' masks with CLIPPED, NO_DATA and EDGE.
    direct_masks: DirectMasks = field(init=False)
    #: The coadd as stacked, and as finished.
    stacked: Coadd = field(init=False)
    coadd: Coadd = field(init=False)
    #: As stacked where nothing is clipped, once a later run has had use for it.
    unclipped: Coadd | None = None
