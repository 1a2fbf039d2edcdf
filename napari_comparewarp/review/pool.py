"""The candidates of all epochs side by side, with all that the temporal and spatial rules need."""

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from ..algorithm.counts import Counts
from ..algorithm.footprints import Candidates
from ..algorithm.spans import Spans
from ..algorithm.verdicts import Verdict, Verdicts, decide
from ..config.knobs import CompareWarpConfig
from ..result.footprints import FootprintSet

__all__ = ["Pool", "pool_candidates"]


@dataclass(frozen=True)
class Pool:
    """Some candidates of any epochs, without their pixels.

    Attributes
    ----------
    id : ndarray of int
        ``(candidate,)`` number in the table of footprints.
    epoch_index : ndarray of int
        ``(candidate,)`` place of its epoch in the stack.
    candidates : Candidates
        Without runs.
    counts : Counts
        Of one epoch, in form: ``n_mean[0]`` and ``cumulative[0]`` are of the pool.
    inside_source : ndarray of bool
        ``(candidate,)`` lies wholly inside a bright source.
    verdict : ndarray of uint8
        ``(candidate,)`` the present verdict, values of `Verdict`.
    by_hand : ndarray of bool
        ``(candidate,)`` that verdict is a manual decision.
    """

    id: npt.NDArray[np.int64]
    epoch_index: npt.NDArray[np.int64]
    candidates: Candidates
    counts: Counts
    inside_source: npt.NDArray[np.bool_]
    verdict: npt.NDArray[np.uint8]
    by_hand: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.id)

    def __getitem__(self, which: npt.NDArray[np.bool_]) -> "Pool":
        """Return the candidates of the pool that are flagged."""
        counts = replace(
            self.counts,
            n_mean=(self.counts.n_mean[0][which],),
            cumulative=(self.counts.cumulative[0][which],),
        )
        return Pool(
            self.id[which], self.epoch_index[which], _without_runs([self.candidates], which),
            counts, self.inside_source[which], self.verdict[which], self.by_hand[which],
        )  # fmt: skip

    def rule(self, config: CompareWarpConfig) -> Verdicts:
        """Return what the rules say of each candidate at some setting of the thresholds."""
        (verdicts,) = decide(
            (self.candidates,), self.counts, (self.inside_source,),
            temporal_threshold=config.temporal_threshold, max_epochs=config.max_epochs,
            max_epochs_slope=config.max_epochs_slope, spatial_threshold=config.spatial_threshold,
        )  # fmt: skip
        return verdicts

    def is_clipped(self, config: CompareWarpConfig) -> npt.NDArray[np.bool_]:
        """Tell which are clipped at some setting, manual decisions taking precedence."""
        ruled = self.rule(config).verdict
        return np.where(self.by_hand, self.verdict, ruled) == Verdict.CLIPPED


def pool_candidates(footprints: FootprintSet) -> Pool:
    """Return the candidates of all epochs of a run, in the order of their numbers."""
    products = footprints.products
    sizes = [len(found) for found in products.candidates]
    ids = [start + np.arange(size) for start, size in zip(footprints.first, sizes, strict=True)]
    counts = Counts(
        products.counts.epoch_count,
        (np.concatenate(products.counts.n_mean),),
        (np.concatenate(products.counts.cumulative),),
    )
    return Pool(
        np.concatenate(ids),
        np.repeat(np.arange(len(sizes)), sizes),
        _without_runs(products.candidates, np.ones(sum(sizes), np.bool_)),
        counts,
        np.concatenate(products.inside_source),
        np.concatenate([verdicts.verdict for verdicts in products.verdicts]),
        np.concatenate([verdicts.by_hand for verdicts in products.verdicts]),
    )


def _without_runs(
    parts: tuple[Candidates, ...] | list[Candidates], which: npt.NDArray[np.bool_]
) -> Candidates:
    """Return some of the candidates of several epochs as one, without their pixels."""
    measures = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])[which]
        for field in fields(Candidates)
        if field.name not in ("spans", "group")
    }
    return Candidates(spans=Spans.empty(), group=np.empty(0, np.int32), **measures)
