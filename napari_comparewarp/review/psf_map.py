"""How much clipping changes the size of the coadd's PSF, and which sources that cuts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..algorithm.parallel import Progress, for_each, no_progress
from ..algorithm.psf import FixedPsf, missing_psf
from ..algorithm.psf_kernels import sigma_of_moments
from ..algorithm.spans import Spans
from ..result.contributors import Contributors
from ..result.result import CompareWarpResult

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["PsfMap", "map_psf_size"]

#: Pixels of all epochs that are worked on together.
PIECE_PIXELS = 1 << 14

#: Radius of a source's footprint in units of the template's PSF sigma: 99 % of a Gaussian.
SOURCE_RADIUS = 3.0

#: Standard deviation of a normal distribution in units of its median absolute deviation.
MAD_TO_SIGMA = 1.482602218505602

#: Column of the table of sources, its unit and its meaning.
_COLUMNS = {
    "y": ("pix", "row of the source's peak"),
    "x": ("pix", "column of the source's peak"),
    "visits": ("", "visits that go into one part of the footprint and are clipped from another"),
    "least_ratio": (
        "",
        "smallest value of the map in the footprint; NaN where the map has gaps there",
    ),
    "greatest_ratio": (
        "",
        "largest value of the map in the footprint; NaN where the map has gaps there",
    ),
}

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PsfMap:
    """What clipping does to the PSF of a coadd.

    Attributes
    ----------
    ratio : ndarray of float32
        ``(y, x)`` sigma of the coadd's PSF with clipping, over that without;
        1 where nothing is clipped. NaN where nothing is stacked, and where a
        visit has no PSF.
    sources : astropy.table.Table
        A row for each source that is crossed by an edge: some visit goes into
        one part of its footprint and is clipped from another.
    n_sources : int
        Number of all sources that were looked at.
    messages : tuple of str
        What the map does not know, and why.
    """

    ratio: npt.NDArray[np.float32]
    sources: "Table"
    n_sources: int
    messages: tuple[str, ...]


def map_psf_size(
    result: CompareWarpResult, source_threshold: float = 10.0, progress: Progress = no_progress
) -> PsfMap:
    """Map how clipping changes the size of the PSF, and find the sources cut by it.

    The size is the determinant radius of the second moments, see
    `algorithm.psf_kernels.sigma_of_moments`. It is worked out only where something is
    clipped: elsewhere the same visits are stacked with clipping and without.

    Parameters
    ----------
    result : CompareWarpResult
    source_threshold : float
        Peaks of the smoothed template beyond this many times its scatter are
        sources, > 0. The footprint of one is a disc of 3 sigma of the
        template's PSF.
    progress : callable
        Called with the stage, the steps done and the steps in all.

    Returns
    -------
    PsfMap

    Raises
    ------
    ValueError
        If the threshold is not above 0.
    """
    if not source_threshold > 0:
        raise ValueError(f"source_threshold = {source_threshold}; it must be above 0 sigma")
    contribution = result.contribution
    clipped = _clipped_pixels(contribution)
    ratio, messages = _ratio(result, contribution, clipped, progress)
    peaks, labels = _find_sources(result, source_threshold)
    sources = _crossed(result, contribution, clipped, peaks, labels, ratio, progress)
    return PsfMap(ratio, sources, len(peaks), messages)


def _clipped_pixels(contribution: Contributors) -> Spans:
    """Return the pixels that are clipped from some warp that is not skipped."""
    masks = contribution.masks
    pairs = zip(masks.clipped, masks.weights, strict=True)
    return Spans.union_of([spans for spans, weight in pairs if weight > 0])


def _ratio(
    result: CompareWarpResult, contribution: Contributors, clipped: Spans, progress: Progress
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """Return the map of the change in size, and what it does not know."""
    stack, weights = result.stack, result.weights
    ratio = np.ones(stack.shape, np.float32)
    ratio[np.isnan(result.products.stacked.image)] = np.nan
    used = [index for index in range(stack.n_epochs) if weights[index] > 0]
    unknown = [index for index in used if stack.psf[index] is None]
    messages = []
    if unknown:
        words = missing_psf([stack.epochs[index] for index in unknown])
        messages.append(f"{words}: the map is NaN where such a visit contributes")
    if len(unknown) == len(used):
        ratio[:] = np.nan
        return ratio, tuple(messages)

    # What is the same everywhere is one product of matrices.
    fixed = np.zeros((6, stack.n_epochs))
    varying = []
    for index in used:
        model = stack.psf[index]
        if isinstance(model, FixedPsf):
            fixed[:, index] = weights[index] * model.moments(0, 0)
        elif model is not None:
            varying.append((index, model))

    def work(where: Spans) -> None:
        y, x = where.coordinates()
        counted = np.stack(contribution.at(where))
        sums = fixed @ counted
        for index, model in varying:
            moments = weights[index] * model.moments(y, x)
            sums += np.where(counted[:, np.newaxis, index], moments, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            size, size_without = (sigma_of_moments(total / total[0]) for total in sums)
            ratio[y, x] = size / size_without

    for_each(work, clipped.pieces(PIECE_PIXELS), "PSF size", progress)
    for index in unknown:
        ratio[contribution.plane(index, clipped=False)] = np.nan
    return ratio, tuple(messages)


def _find_sources(
    result: CompareWarpResult, threshold: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32]]:
    """Return the ``(source, 2)`` peaks of the template's sources and their footprints.

    The template is smoothed with a Gaussian of its PSF's width less one twice
    as wide, which takes away what is smooth: backgrounds, and the wings of
    bright stars. A source is a peak of that beyond `threshold` times its
    scatter (from the median absolute deviation, since the noise is correlated).
    Of overlapping footprints the brighter source has the pixels.
    """
    products = result.products
    labels = np.zeros(result.stack.shape, np.int32)
    in_template = products.matched_weights > 0
    if not in_template.any():
        return np.empty((0, 2), np.intp), labels
    sigma = float(result.stack.psf_sigma[in_template].max())
    template = products.filled[0]
    smoothed = ndimage.gaussian_filter(template, sigma) - ndimage.gaussian_filter(
        template, 2 * sigma
    )
    scatter = MAD_TO_SIGMA * np.median(np.abs(smoothed - np.median(smoothed)))
    found = smoothed > threshold * scatter
    found &= np.isfinite(products.template.image)
    found &= smoothed == ndimage.maximum_filter(smoothed, 2 * int(sigma) + 1)
    peaks = np.argwhere(found)
    peaks = peaks[np.argsort(smoothed[found], kind="stable")]
    radius = int(np.ceil(SOURCE_RADIUS * sigma))
    disc = np.argwhere(np.hypot(*np.ogrid[-radius : radius + 1, -radius : radius + 1]) <= radius)
    places = peaks[:, np.newaxis] + disc - radius
    inside = ((places >= 0) & (places < labels.shape)).all(axis=2)
    # Of values that are written to one pixel, the last stays.
    numbers = np.broadcast_to(np.arange(1, len(peaks) + 1)[:, np.newaxis], inside.shape)
    labels[tuple(places[inside].T)] = numbers[inside]
    return peaks, labels


def _crossed(
    result: CompareWarpResult,
    contribution: Contributors,
    clipped: Spans,
    peaks: npt.NDArray[np.intp],
    labels: npt.NDArray[np.int32],
    ratio: npt.NDArray[np.float32],
    progress: Progress,
) -> "Table":
    """Return the sources that some visit goes into in one part and is clipped from in another."""
    from astropy.table import Table

    stack = result.stack
    touched = np.zeros(len(peaks) + 1, np.bool_)
    touched[labels[clipped.coordinates()]] = True
    touched[0] = False
    where = Spans.of_mask(touched[labels])
    goes_in, is_clipped = np.zeros((2, stack.n_epochs, len(peaks) + 1), np.bool_)

    def work(part: Spans) -> None:
        source = labels[part.coordinates()]
        kept, all_of_them = contribution.at(part)
        for epoch in range(stack.n_epochs):
            goes_in[epoch, source[kept[epoch]]] = True
            is_clipped[epoch, source[all_of_them[epoch] & ~kept[epoch]]] = True

    for_each(work, where.pieces(PIECE_PIXELS), "sources", progress)
    cut = goes_in & is_clipped
    crossed = np.flatnonzero(cut.any(axis=0))
    of_pixel, values = labels[where.coordinates()], ratio[where.coordinates()]
    order = np.argsort(of_pixel, kind="stable")
    ends = np.searchsorted(of_pixel[order], (crossed, crossed + 1))
    inside = [values[order[start:stop]] for start, stop in ends.T]
    names = np.array([str(epoch) for epoch in stack.epochs])
    columns = {
        "y": peaks[crossed - 1, 0],
        "x": peaks[crossed - 1, 1],
        "visits": np.array([", ".join(names[cut[:, source]]) for source in crossed], dtype=str),
        "least_ratio": np.array([np.min(v) for v in inside], np.float32),
        "greatest_ratio": np.array([np.max(v) for v in inside], np.float32),
    }
    table = Table(columns)
    for name, (unit, description) in _COLUMNS.items():
        table[name].info.description = description
        if unit:
            table[name].info.unit = unit
    return table
