"""What the tuning plot marks: candidates on the knife edge, and those other than pinned."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ....algorithm.parallel import Progress
from ....result.result import CompareWarpResult
from ....review.changes import compare_results
from ....review.doubtful import knife_edges, smallest_changes

__all__ = ["Findings", "find"]


@dataclass(frozen=True)
class Findings:
    """What is worked out beside the window for one result.

    Attributes
    ----------
    result : CompareWarpResult
    edges : ndarray of int
        Ids of the knife-edge candidates, the closest first.
    closeness : ndarray
        For each of these, the relative change that flips it.
    changed : ndarray of int
        Ids of the footprints that became different from the pinned settings.
    against_pinned : str
        How many did, empty without pinned settings.
    """

    result: CompareWarpResult
    edges: npt.NDArray[np.int64]
    closeness: npt.NDArray[np.float64]
    changed: npt.NDArray[np.int64]
    against_pinned: str


def find(
    result: CompareWarpResult, pinned: CompareWarpResult | None, progress: Progress
) -> Findings:
    """Find the knife-edge candidates, and what differs from the pinned result."""
    edges = knife_edges(result)
    closeness = smallest_changes(result)[edges - 1]
    progress("knife edges", 1, 2)
    changed, text = np.empty(0, np.int64), ""
    if pinned is result:
        text = "as pinned"
    elif pinned is not None:
        changes = compare_results(pinned, result)
        table = changes.footprints
        changed = np.asarray(table["id_after"], np.int64)
        newly = np.asarray(table["change"]) == "newly clipped"
        area = int(changes.area_after.sum() - changes.area_before.sum())
        text = (
            f"against pinned: +{newly.sum()} clipped, −{(~newly).sum()} no longer; "
            f"{area:+,} pixels".replace("-", "−")
        )
    return Findings(result, edges, closeness, changed, text)
