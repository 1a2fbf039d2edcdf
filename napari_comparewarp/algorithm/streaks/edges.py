"""Straight pieces of the outlines of detections."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from skimage.measure import approximate_polygon, find_contours

__all__ = ["Edge", "far_from_saturation", "straight_edges"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Edge:
    """A straight piece of an outline.

    Attributes
    ----------
    ends : ndarray
        ``(2, 2)`` x, y of its first and its last point, pixels.
    """

    ends: FloatArray

    @property
    def length(self) -> float:
        """Distance between its ends, pixels."""
        return float(np.hypot(*(self.ends[1] - self.ends[0])))

    @property
    def theta(self) -> float:
        """Direction of its normal, degrees from the x axis to the y axis, 0 ≤ theta < 180."""
        dx, dy = self.ends[1] - self.ends[0]
        return float(np.rad2deg(np.arctan2(-dx, dy)) % 180.0)

    @property
    def n_pixels(self) -> int:
        """Number of pixels of an 8-connected line between its ends."""
        return int(np.abs(self.ends[1] - self.ends[0]).max()) + 1


def straight_edges(
    detected: BoolArray, blocked: BoolArray, min_edge_pixels: int, max_deviation: float
) -> Iterator[Edge]:
    """Cut the outlines of detections into straight pieces and yield the long ones.

    Parameters
    ----------
    detected : ndarray of bool
        ``(y, x)`` detected pixels; the border of the image is no outline.
    blocked : ndarray of bool
        ``(y, x)`` pixels that cannot be trusted: outlines end 1 pixel before them.
    min_edge_pixels : int
        Shortest piece that counts.
    max_deviation : float
        How far a piece may stray from straight, pixels.

    Notes
    -----
    The outlines are those of the detections as they are, which show a thin
    trail best, and of the detections smoothed by a Gaussian of sigma
    `max_deviation`, which straightens the ragged outline of a wide, faint one.
    The cut into pieces is that of Douglas and Peucker (1973, Cartographica 10,
    112).
    """
    smoothed = gaussian_filter(detected.astype(np.float32), max_deviation, mode="nearest")
    outlines = [(outline, 1) for outline in find_contours(detected, 0.5, fully_connected="high")]
    # A smoothed outline may have moved away from the blocked pixels that cause it.
    moved = 1 + int(np.ceil(max_deviation))
    outlines += [(outline, moved) for outline in find_contours(smoothed, 0.5)]
    for outline, margin in outlines:
        if np.ptp(outline, axis=0).max() + 1 < min_edge_pixels:
            continue
        closed = np.array_equal(outline[0], outline[-1])
        if closed:
            # A closed outline may begin anywhere: let it be at a corner, or
            # the piece that the beginning lies on would be cut in two.
            outline = outline[:-1]
            corner = np.hypot(*(outline - outline.mean(axis=0)).T).argmax()
            outline = np.roll(outline, -corner, axis=0)
        for run in _runs(outline, ~_near(blocked, outline, margin)):
            if len(run) < min_edge_pixels:
                continue
            corners = approximate_polygon(run, max_deviation)[:, ::-1]
            for ends in pairwise(corners):
                edge = Edge(np.array(ends))
                if edge.n_pixels >= min_edge_pixels:
                    yield edge


def far_from_saturation(
    edges: Iterable[Edge], saturated: BoolArray, distance: float, min_edge_pixels: int
) -> list[Edge]:
    """Cut away what lies near saturated pixels and return the long pieces left.

    Parameters
    ----------
    edges : iterable of Edge
        Straight pieces of outlines.
    saturated : ndarray of bool
        ``(y, x)`` saturated pixels.
    distance : float
        What is nearer than this is cut away, pixels.
    min_edge_pixels : int
        Shortest piece that counts.
    """
    edges = list(edges)
    # Only where a saturated area begins can be the nearest to a place outside.
    y, x = np.nonzero(saturated & ~_surrounded(saturated)) if edges else ((), ())
    if len(x) == 0:
        return edges
    tree = cKDTree(np.column_stack([x, y]))
    kept = []
    for edge in edges:
        points = np.linspace(edge.ends[0], edge.ends[1], edge.n_pixels)
        far = np.isinf(tree.query(points, distance_upper_bound=distance)[0])
        pieces = (Edge(run[[0, -1]]) for run in _runs(points, far))
        kept += [piece for piece in pieces if piece.n_pixels >= min_edge_pixels]
    return kept


def _near(blocked: BoolArray, points: FloatArray, margin: int) -> BoolArray:
    """Return which points (y, x) of an outline lie within some pixels of a blocked one."""
    near = np.zeros(len(points), dtype=bool)
    # An outline runs between two pixels: the neighbours of both are looked at.
    for side in (np.floor(points).astype(np.intp), np.ceil(points).astype(np.intp)):
        for dy in range(-margin, margin + 1):
            for dx in range(-margin, margin + 1):
                y = np.clip(side[:, 0] + dy, 0, blocked.shape[0] - 1)
                x = np.clip(side[:, 1] + dx, 0, blocked.shape[1] - 1)
                near |= blocked[y, x]
    return near


def _runs(points: FloatArray, keep: BoolArray) -> list[FloatArray]:
    """Return the unbroken runs of points that are kept."""
    kept = np.flatnonzero(keep)
    if kept.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(kept) > 1) + 1
    return [points[part[0] : part[-1] + 1] for part in np.split(kept, breaks)]


def _surrounded(mask: BoolArray) -> BoolArray:
    """Return the pixels of a mask whose four neighbours are in it too."""
    inner = np.zeros_like(mask)
    inner[1:-1, 1:-1] = mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    return inner
