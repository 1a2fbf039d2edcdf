"""Which candidates are clipped, and why (section 7 of the method's description)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from .counts import Counts
from .footprints import Candidates
from .margins import epoch_limit

__all__ = ["Verdict", "Verdicts", "decide", "effective_maximum"]


class Verdict(IntEnum):
    """What becomes of a candidate."""

    PERSISTENT = 0
    CLIPPED = 1
    PROTECTED = 2
    PREFILTERED = 3
    STREAK = 4


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on the candidates of one epoch.

    Attributes
    ----------
    verdict : ndarray of uint8
        ``(candidate,)`` values of `Verdict`.
    max_epochs : ndarray of int
        ``(candidate,)`` effective maximum number of epochs.
    fraction : ndarray of float
        ``(candidate,)`` fraction of its area that deviates in at most so many.
    by_hand : ndarray of bool
        ``(candidate,)`` decided manually, not by the rule.
    """

    verdict: npt.NDArray[np.uint8]
    max_epochs: npt.NDArray[np.int64]
    fraction: npt.NDArray[np.float64]
    by_hand: npt.NDArray[np.bool_]


def effective_maximum(
    n_mean: npt.ArrayLike,
    *,
    temporal_threshold: float,
    max_epochs: int | None,
    max_epochs_slope: float,
) -> npt.NDArray[np.int64]:
    """Return in how many epochs an artifact may appear.

    Parameters
    ----------
    n_mean : array_like
        Mean number of usable epochs over a candidate, N.
    temporal_threshold, max_epochs, max_epochs_slope
        The rule: int(min(temporal_threshold · N, max_epochs + max_epochs_slope · N)).
        Without `max_epochs` the first term alone.
    """
    limit = epoch_limit(
        np.asarray(n_mean, np.float64), temporal_threshold=temporal_threshold,
        max_epochs=max_epochs, max_epochs_slope=max_epochs_slope,
    )  # fmt: skip
    return np.asarray(limit).astype(np.int64)


def decide(
    candidates: Sequence[Candidates],
    counts: Counts,
    inside_source: Sequence[npt.NDArray[np.bool_]],
    *,
    temporal_threshold: float,
    max_epochs: int | None,
    max_epochs_slope: float,
    spatial_threshold: float,
) -> tuple[Verdicts, ...]:
    """Decide on every candidate.

    Parameters
    ----------
    candidates : sequence of Candidates
        One for each epoch.
    counts : Counts
    inside_source : sequence of ndarray of bool
        For each epoch ``(candidate,)``: lies wholly inside a bright source.
    temporal_threshold, max_epochs, max_epochs_slope
        See `effective_maximum`.
    spatial_threshold : float
        Clip where `fraction` is strictly greater.
    """
    result = []
    for found, n_mean, cumulative, inside in zip(
        candidates, counts.n_mean, counts.cumulative, inside_source, strict=True
    ):
        maximum = effective_maximum(
            n_mean, temporal_threshold=temporal_threshold, max_epochs=max_epochs,
            max_epochs_slope=max_epochs_slope,
        )  # fmt: skip
        column = np.minimum(maximum, cumulative.shape[1] - 1)
        few = cumulative[np.arange(len(found)), column]
        fraction = few / found.area
        verdict = np.where(fraction > spatial_threshold, Verdict.CLIPPED, Verdict.PERSISTENT)
        verdict[(verdict == Verdict.CLIPPED) & inside] = Verdict.PROTECTED
        verdict[~found.stays] = Verdict.PREFILTERED
        result.append(
            Verdicts(verdict.astype(np.uint8), maximum, fraction, np.zeros(len(found), np.bool_))
        )
    return tuple(result)
