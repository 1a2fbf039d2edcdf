"""The candidates of a result as points of a plot, at the present or at other thresholds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ....algorithm.margins import epoch_limit
from ....algorithm.verdicts import Verdict
from ....config.knobs import CompareWarpConfig
from ....result.footprints import State
from ....result.result import CompareWarpResult
from ....review.pool import Pool, pool_candidates

__all__ = ["CandidatePoints"]

_STATES = np.array([State[verdict.name] for verdict in Verdict], np.uint8)


@dataclass(frozen=True)
class CandidatePoints:
    """The candidates of all epochs, and where each stands in the plots.

    Attributes
    ----------
    pool : Pool
        The candidates, in the order of their ids.
    mean_epochs : ndarray
        ``(candidate,)`` mean epoch count of the pixels that count in an epoch,
        0 where none does.
    depth : float
        Median over the candidates of the number of usable epochs, N.
    """

    pool: Pool
    mean_epochs: npt.NDArray[np.float64]
    depth: float

    @classmethod
    def of(cls, result: CompareWarpResult) -> "CandidatePoints":
        """Return the candidates of a result."""
        pool = pool_candidates(result.footprint_set)
        cumulative, n_mean = pool.counts.cumulative[0], pool.counts.n_mean[0]
        # The sum of the counts: each pixel stands in all columns but the first `count`.
        pixels = cumulative[:, -1]
        total = pixels * (cumulative.shape[1] - 1) - cumulative[:, :-1].sum(axis=1)
        depth = float(np.median(n_mean)) if len(pool) else float(result.products.compared.sum())
        return cls(pool, total / np.maximum(pixels, 1), depth)

    def at(
        self, config: CompareWarpConfig
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
        """Return what the rules make of the candidates at some thresholds.

        Parameters
        ----------
        config : CompareWarpConfig
            Only the thresholds of the verdicts are read.

        Returns
        -------
        fraction : ndarray
            ``(candidate,)`` fraction of the area that deviates in at most so
            many epochs as the thresholds allow.
        state : ndarray of uint8
            ``(candidate,)`` values of `State`; manual decisions stay.
        """
        pool = self.pool
        ruled = pool.rule(config)
        by_hand = np.where(
            pool.verdict == Verdict.CLIPPED, State.CLIPPED_MANUALLY, State.KEPT_MANUALLY
        )
        return ruled.fraction, np.where(pool.by_hand, by_hand, _STATES[ruled.verdict])

    def limit(self, config: CompareWarpConfig) -> float:
        """Return the limit on epochs at the usual depth, before it is rounded down."""
        return float(
            epoch_limit(
                np.array([self.depth]), temporal_threshold=config.temporal_threshold,
                max_epochs=config.max_epochs, max_epochs_slope=config.max_epochs_slope,
            )[0]
        )  # fmt: skip

    def index_of(self, footprint_id: int | None) -> int | None:
        """Return where a footprint stands; None for none, and for a streak."""
        if footprint_id is None:
            return None
        index = int(np.searchsorted(self.pool.id, footprint_id))
        found = index < len(self.pool) and self.pool.id[index] == footprint_id
        return index if found else None
