"""Regions of pixels as runs along rows: joining, growing, grouping and painting them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .warps import Cube

__all__ = ["Spans", "connected_groups", "diamond_half_widths", "disc_half_widths", "gather"]

IntArray = npt.NDArray[np.int32]


def disc_half_widths(radius: int) -> IntArray:
    """Return the half-widths of a disc in rows ``-radius`` to ``radius``: int(sqrt(r² - dy²))."""
    dy = np.arange(-radius, radius + 1)
    return np.sqrt(radius**2 - dy**2).astype(np.int32)


def diamond_half_widths(radius: int) -> IntArray:
    """Return the half-widths of a diamond in rows ``-radius`` to ``radius``: ``r - |dy|``."""
    return (radius - np.abs(np.arange(-radius, radius + 1))).astype(np.int32)


@dataclass(frozen=True)
class Spans:
    """Pixels of one image, as runs ``[y, x0:x1]``.

    The runs are ordered by row, then column; runs of one row neither overlap
    nor touch.

    Attributes
    ----------
    y, x0, x1 : ndarray of int32
        ``(run,)`` row, first column and end column.
    """

    y: IntArray
    x0: IntArray
    x1: IntArray

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, which: slice | npt.NDArray) -> "Spans":
        """Return some of the runs, given in ascending order."""
        return Spans(self.y[which], self.x0[which], self.x1[which])

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int((self.x1 - self.x0).sum())

    def coordinates(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return y and x of the pixels of the region, row by row."""
        length = (self.x1 - self.x0).astype(np.intp)
        before = np.cumsum(length) - length
        x = np.arange(length.sum()) + np.repeat(self.x0 - before, length)
        return np.repeat(self.y.astype(np.intp), length), x

    def pieces(self, pixels: int) -> list["Spans"]:
        """Return the region cut between runs into parts of about some number of pixels."""
        part = np.cumsum(self.x1 - self.x0) // pixels
        cuts = np.flatnonzero(np.diff(part)) + 1
        ends = [0, *cuts.tolist(), len(self)]
        return [self[start:stop] for start, stop in itertools.pairwise(ends) if stop > start]

    @classmethod
    def empty(cls) -> "Spans":
        """Return a region of no pixels."""
        none = np.empty(0, np.int32)
        return cls(none, none, none)

    @classmethod
    def of_pixels(cls, index: npt.NDArray[np.integer], width: int) -> "Spans":
        """Return the runs of ascending flat indices into an image of some width."""
        y, x = np.divmod(index, width)
        ends = np.flatnonzero((np.diff(index) != 1) | (np.diff(y) != 0))
        first = np.concatenate([[0], ends + 1])[: len(index)]
        last = np.concatenate([ends, [len(index) - 1]])[: len(index)]
        return cls(
            y[first].astype(np.int32), x[first].astype(np.int32), x[last].astype(np.int32) + 1
        )

    @classmethod
    def of_mask(cls, mask: npt.NDArray[np.bool_]) -> "Spans":
        """Return the runs of a ``(y, x)`` bool image."""
        return cls.of_pixels(np.flatnonzero(mask), mask.shape[1])

    @classmethod
    def joined(cls, y: npt.NDArray, x0: npt.NDArray, x1: npt.NDArray) -> "Spans":
        """Return the union of any runs, in any order and overlapping."""
        # A stable sort is quick where ordered regions stand one after the other.
        order = np.argsort((y.astype(np.int64) << 32) + x0, kind="stable")
        return cls(*_join(y[order], x0[order], x1[order]))

    def union(self, other: "Spans") -> "Spans":
        """Return the pixels that lie in either region."""
        return Spans.union_of([self, other])

    @classmethod
    def union_of(cls, regions: Sequence["Spans"]) -> "Spans":
        """Return the pixels that lie in any of some regions."""
        if not regions:
            return cls.empty()
        return cls.joined(
            np.concatenate([region.y for region in regions]),
            np.concatenate([region.x0 for region in regions]),
            np.concatenate([region.x1 for region in regions]),
        )

    def symmetric_difference(self, other: "Spans") -> "Spans":
        """Return the pixels that lie in just one of two regions."""
        width = 1 + max(int(self.x1.max(initial=0)), int(other.x1.max(initial=0)))
        # Of the ends that lie in just one of the regions, in order, each second
        # one closes what the one before it opened.
        ends = _in_just_one(self._ends(width), other._ends(width))
        y, x = np.divmod(ends, width)
        return Spans(y[::2].astype(np.int32), x[::2].astype(np.int32), x[1::2].astype(np.int32))

    def _ends(self, width: int) -> npt.NDArray[np.int64]:
        """Return both ends of each run, ascending, as flat indices into rows of some width."""
        return (self.y * np.int64(width) + np.stack([self.x0, self.x1])).T.ravel()

    def grown(self, half_widths: IntArray, shape: tuple[int, int]) -> "Spans":
        """Return the region grown by a stencil and cut at the borders of the image.

        Parameters
        ----------
        half_widths : ndarray of int
            Half-widths of the stencil in its rows, as from `disc_half_widths`.
        shape : tuple of int
            Shape ``(y, x)`` of the image.
        """
        radius = len(half_widths) // 2
        if radius == 0:
            return self
        dy = np.arange(-radius, radius + 1, dtype=np.int32)
        y = (self.y + dy[:, np.newaxis]).ravel()
        x0 = (self.x0 - half_widths[:, np.newaxis]).ravel()
        x1 = (self.x1 + half_widths[:, np.newaxis]).ravel()
        inside = (y >= 0) & (y < shape[0])
        return Spans.joined(
            y[inside],
            np.maximum(x0[inside], 0).astype(np.int32),
            np.minimum(x1[inside], shape[1]).astype(np.int32),
        )

    def mask(self, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
        """Return the region as a bool image."""
        result = np.zeros(shape, np.bool_)
        paint(self.y, self.x0, self.x1, np.ones(len(self), np.bool_), result)
        return result


def connected_groups(spans: Spans, diagonal: bool = True) -> tuple[IntArray, int]:
    """Return which connected group each run belongs to, and the number of groups.

    Parameters
    ----------
    spans : Spans
    diagonal : bool
        Whether pixels that share a corner are connected (8-connected), or
        only those that share a side (4-connected).

    Returns
    -------
    group : ndarray of int32
        ``(run,)``; groups are numbered from 0 in the order of their first run.
    count : int
    """
    return _groups(spans.y, spans.x0, spans.x1, 1 if diagonal else 0)


def gather(cube: Cube, where: Spans) -> npt.NDArray:
    """Return some pixels of all epochs, one after the other.

    Parameters
    ----------
    cube : Cube
        ``(epoch, y, x)``.
    where : Spans

    Returns
    -------
    ndarray
        ``(epoch, 1, pixel)``, the pixels row by row.
    """
    out = np.empty((cube.shape[0], 1, where.area), cube.dtype)
    if isinstance(cube, np.ndarray):
        _gather_runs(cube, where.y, where.x0, where.x1, out)
        return out
    start = 0
    for y in np.unique(where.y):
        runs = where[slice(*np.searchsorted(where.y, (y, y + 1)))]
        zero = np.zeros(len(runs), np.int32)
        _gather_runs(cube[:, y : y + 1], zero, runs.x0, runs.x1, out[:, :, start:])
        start += runs.area
    return out


def group_areas(spans: Spans, group: IntArray, count: int) -> npt.NDArray[np.int64]:
    """Return the number of pixels of each group."""
    return np.bincount(group, weights=spans.x1 - spans.x0, minlength=count).astype(np.int64)


def drop_small_groups(spans: Spans, min_pixels: int) -> Spans:
    """Return the 8-connected groups of at least some number of pixels."""
    if min_pixels <= 1 or len(spans) == 0:
        return spans
    group, count = connected_groups(spans)
    return spans[(group_areas(spans, group, count) >= min_pixels)[group]]


@kernel
def _gather_runs(cube, y, x0, x1, out):  # type: ignore[no-untyped-def]
    """Copy the pixels of some runs of each epoch."""
    for e in range(cube.shape[0]):
        start = 0
        for i in range(y.size):
            # Most runs are short: a loop costs less than an assignment of slices.
            n = x1[i] - x0[i]
            row = cube[e, y[i], x0[i] : x1[i]]
            values = out[e, 0, start : start + n]
            for k in range(n):
                values[k] = row[k]
            start += n


@kernel
def _in_just_one(first, second):  # type: ignore[no-untyped-def]
    """Merge two ascending arrays and leave out the values that both have."""
    out = np.empty(first.size + second.size, np.int64)
    i = j = n = 0
    while i < first.size or j < second.size:
        if j == second.size or (i < first.size and first[i] < second[j]):
            out[n] = first[i]
            i += 1
            n += 1
        elif i == first.size or second[j] < first[i]:
            out[n] = second[j]
            j += 1
            n += 1
        else:
            i += 1
            j += 1
    return out[:n].copy()


@kernel
def _join(y, x0, x1):  # type: ignore[no-untyped-def]
    """Merge ordered runs that overlap or touch."""
    out_y = np.empty(y.size, np.int32)
    out_x0 = np.empty(y.size, np.int32)
    out_x1 = np.empty(y.size, np.int32)
    n = 0
    for i in range(y.size):
        if n > 0 and out_y[n - 1] == y[i] and x0[i] <= out_x1[n - 1]:
            out_x1[n - 1] = max(out_x1[n - 1], x1[i])
        else:
            out_y[n] = y[i]
            out_x0[n] = x0[i]
            out_x1[n] = x1[i]
            n += 1
    return out_y[:n].copy(), out_x0[:n].copy(), out_x1[:n].copy()


@kernel
def _groups(y, x0, x1, reach):  # type: ignore[no-untyped-def]
    """Group runs of neighbouring rows with union and find; `reach` 1 connects corners."""
    n = y.size
    parent = np.arange(n)
    above = 0
    for i in range(n):
        while above < i and (
            y[above] < y[i] - 1 or (y[above] == y[i] - 1 and x1[above] + reach <= x0[i])
        ):
            above += 1
        j = above
        while j < i and y[j] == y[i] - 1 and x0[j] < x1[i] + reach:
            a, b = _root(parent, i), _root(parent, j)
            # The smaller index is the root: groups keep the order of their first run.
            if a < b:
                parent[b] = a
            else:
                parent[a] = b
            j += 1
    group = np.empty(n, np.int32)
    count = 0
    for i in range(n):
        root = _root(parent, i)
        if root == i:
            group[i] = count
            count += 1
        else:
            group[i] = group[root]
    return group, count


@kernel
def _root(parent, i):  # type: ignore[no-untyped-def]
    """Find the root of a run, halving the path to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def paint(y, x0, x1, values, image):  # type: ignore[no-untyped-def]
    """Write one value a run into a ``(y, x)`` image."""
    for i in range(y.size):
        image[y[i], x0[i] : x1[i]] = values[i]
