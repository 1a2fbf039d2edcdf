"""A smooth background: clipped means on a mesh, splined (section 4 of the method's description)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import Akima1DInterpolator, CubicSpline

from .compiled import kernel
from .quantiles import (
    clip_from_quartiles,
    number_of_bins,
    quartiles,
    quartiles_in_bins,
    select_good,
)

__all__ = ["Background", "measure_background"]

#: The clip of a cell: 3 sigma, 3 passes.
CELL_SIGMA = 3.0
CELL_ITERATIONS = 3


@dataclass(frozen=True)
class Background:
    """A background that can be evaluated row by row.

    Attributes
    ----------
    edges_x : ndarray of int
        ``(piece + 1,)`` first column of each polynomial piece, and the width.
    centres_x : ndarray of float
        ``(piece,)`` column at which each polynomial begins.
    coefficients : ndarray of float
        ``(4, piece, y)`` of the cubics, the constant first.
    """

    edges_x: npt.NDArray[np.int64]
    centres_x: npt.NDArray[np.float64]
    coefficients: npt.NDArray[np.float64]

    def image(self) -> npt.NDArray[np.float32]:
        """Return the background as a ``(y, x)`` image."""
        height, width = self.coefficients.shape[2], int(self.edges_x[-1])
        result = np.empty((height, width), np.float32)
        for y, row in enumerate(result):
            evaluate_row(self.coefficients, y, self.edges_x, self.centres_x, row)
        return result


def measure_background(
    image: npt.NDArray[np.float32], mask: npt.NDArray[np.int32], bad: int, cell: int
) -> Background:
    """Measure the background of one image.

    Parameters
    ----------
    image : ndarray of float32
        ``(y, x)``; values that are not finite are left out.
    mask : ndarray of int32
        ``(y, x)`` bit planes.
    bad : int
        Pixels with one of these bits are left out.
    cell : int
        Size of a cell of the mesh, pixels; an axis is cut into
        ``ceil(size / cell)`` nearly equal cells.

    Returns
    -------
    Background
        NaN where no cell has a value. Along y, then along x, cells are joined
        by an Akima spline; where there are fewer than five by a natural
        cubic, a line or a constant. Beyond the outer centres it goes on with
        their first and second derivatives.
    """
    height, width = image.shape
    edges_y, edges_x = mesh_edges(height, cell), mesh_edges(width, cell)
    # The reference keeps its mesh in single precision.
    mesh = _mesh(image, mask, bad, edges_y, edges_x).astype(np.float32).astype(np.float64)
    rows = np.arange(height, dtype=np.float64)
    columns = np.full((height, len(edges_x) - 1), np.nan)
    # Columns of the mesh that miss the same cells are splined together.
    patterns, which = np.unique(np.isfinite(mesh), axis=1, return_inverse=True)
    for index, present in enumerate(patterns.T):
        if present.any():
            some = which == index
            pieces = _Pieces.spline(_centres(edges_y)[present], mesh[np.ix_(present, some)])
            columns[:, some] = pieces(rows)
    present = np.isfinite(columns[0])
    if not present.any():
        return Background(np.array([0, width]), np.zeros(1), np.full((4, 1, height), np.nan))
    pieces = _Pieces.spline(_centres(edges_x)[present], columns[:, present].T)
    starts = np.ceil(pieces.breaks).clip(0, width).astype(np.int64)
    return Background(
        np.concatenate([[0], starts, [width]]),
        pieces.origins,
        pieces.coefficients,
    )


def mesh_edges(size: int, cell: int) -> npt.NDArray[np.int64]:
    """Return where the cells of one axis begin, and its end."""
    n = -(-size // cell)
    return (np.arange(n + 1) * size + n // 2) // n


def _centres(edges: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the centres of cells, in pixel indices."""
    return (edges[:-1] + edges[1:]) / 2 - 0.5


@kernel
def _mesh(image, mask, bad, edges_y, edges_x):  # type: ignore[no-untyped-def]
    """Return the clipped mean of each cell."""
    n_y, n_x = edges_y.size - 1, edges_x.size - 1
    result = np.empty((n_y, n_x), np.float64)
    scratch = np.empty((edges_y[1] + 1) * (edges_x[1] + 1) * 2 + 1, np.float32)
    low, spread = 0.0, 0.0
    for i in range(n_y):
        for j in range(n_x):
            n = select_good(
                image, mask, bad, edges_y[i], edges_y[i + 1], edges_x[j], edges_x[j + 1], scratch
            )
            values = scratch[:n]
            if n == 0:
                result[i, j] = np.nan
                continue
            n_bins = number_of_bins(n)
            if spread > 0.0:
                # The last cell's quartiles tell where this one's values will be.
                begin, scale = np.float32(low - spread), np.float32(n_bins / (3.0 * spread))
                low, middle, high = quartiles_in_bins(values, n_bins, begin, scale)
            else:
                low, middle, high = quartiles(values)
            spread = high - low
            result[i, j] = clip_from_quartiles(
                values, CELL_SIGMA, CELL_ITERATIONS, low, middle, high
            )
    return result


@dataclass(frozen=True)
class _Pieces:
    """Cubic pieces along one axis, several splines side by side.

    ``breaks[i]`` parts piece i from piece i + 1; piece i is
    ``sum(coefficients[k, i] * (x - origins[i]) ** k)``.
    """

    breaks: npt.NDArray[np.float64]
    origins: npt.NDArray[np.float64]
    coefficients: npt.NDArray[np.float64]

    @classmethod
    def spline(cls, x: npt.NDArray, values: npt.NDArray) -> "_Pieces":
        """Join ``values[i]`` at ``x[i]``, going on beyond the ends."""
        if len(x) == 1:
            inner = np.zeros((4, 1, values.shape[1]))
            inner[0, 0] = values[0]
            return cls(np.empty(0), x, inner)
        if len(x) == 2:
            inner = np.zeros((4, 1, values.shape[1]))
            inner[0, 0] = values[0]
            inner[1, 0] = (values[1] - values[0]) / (x[1] - x[0])
        elif len(x) < 5:
            inner = CubicSpline(x, values, bc_type="natural").c[::-1]
        else:
            inner = Akima1DInterpolator(x, values).c[::-1]
        left, right = np.zeros_like(inner[:, :1]), np.zeros_like(inner[:, :1])
        left[:3, 0] = inner[:3, 0]
        _, c1, c2, c3 = inner[:, -1]
        h = x[-1] - x[-2]
        right[0, 0] = values[-1]
        right[1, 0] = c1 + h * (2 * c2 + h * 3 * c3)
        right[2, 0] = c2 + h * 3 * c3
        return cls(x, np.concatenate([x[:1], x]), np.concatenate([left, inner, right], axis=1))

    def __call__(self, x: npt.NDArray) -> npt.NDArray:
        """Return ``(x, spline)`` values."""
        piece = np.searchsorted(self.breaks, x, side="right")
        step = (x - self.origins[piece])[:, np.newaxis]
        c0, c1, c2, c3 = self.coefficients[:, piece]
        return c0 + step * (c1 + step * (c2 + step * c3))


@kernel
def evaluate_row(coefficients, y, edges_x, centres_x, out):  # type: ignore[no-untyped-def]
    """Write one row of a background to `out`."""
    for piece in range(centres_x.size):
        c0 = coefficients[0, piece, y]
        c1 = coefficients[1, piece, y]
        c2 = coefficients[2, piece, y]
        c3 = coefficients[3, piece, y]
        first = edges_x[piece] - centres_x[piece]
        part = out[edges_x[piece] : edges_x[piece + 1]]
        for i in range(part.size):
            # A 32-bit count is turned to a float several at a time.
            step = first + np.float64(np.int32(i))
            part[i] = c0 + step * (c1 + step * (c2 + step * c3))
