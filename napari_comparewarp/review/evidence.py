"""The evidence for one footprint: small pictures of every epoch around it, and its deviations."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..algorithm.coadd import make_coadd
from ..algorithm.spans import Spans, paint
from ..algorithm.steps import coadd_settings
from ..algorithm.warps import Cube, Warps
from ..result.result import CompareWarpResult

__all__ = ["Evidence", "Stamp", "gather_evidence"]

#: Side of a stamp, pixels: at least, and at most.
SMALLEST, LARGEST = 64, 256

#: Pixels around the footprint.
MARGIN = 12


@dataclass(frozen=True)
class Stamp:
    """A square region of the patch, which may reach beyond its borders.

    Attributes
    ----------
    y0, x0 : int
        Array indices of its first pixel; may be negative.
    size : int
        Side, pixels.
    shape : tuple of int
        Shape ``(y, x)`` of the patch.
    """

    y0: int
    x0: int
    size: int
    shape: tuple[int, int]

    @property
    def rows(self) -> slice:
        """Rows of the patch that it shows."""
        return slice(max(self.y0, 0), min(self.y0 + self.size, self.shape[0]))

    @property
    def columns(self) -> slice:
        """Columns of the patch that it shows."""
        return slice(max(self.x0, 0), min(self.x0 + self.size, self.shape[1]))

    def padded(self, part: npt.NDArray) -> npt.NDArray:
        """Return what is shown of the patch as a whole stamp: NaN, or 0, beyond the border.

        Parameters
        ----------
        part : ndarray
            ``(..., rows, columns)``.
        """
        blank = np.nan if part.dtype.kind == "f" else 0
        whole = np.full((*part.shape[:-2], self.size, self.size), blank, part.dtype)
        y, x = self.rows.start - self.y0, self.columns.start - self.x0
        whole[..., y : y + part.shape[-2], x : x + part.shape[-1]] = part
        return whole

    def cut(self, spans: Spans) -> tuple[Spans, npt.NDArray[np.intp]]:
        """Return the part of a region that lies in the stamp, counted from its first pixel.

        Returns
        -------
        spans : Spans
        run : ndarray of int
            ``(run,)`` which run of the region each is of.
        """
        first, last = np.searchsorted(spans.y, (self.rows.start, self.rows.stop))
        run = np.arange(first, last)
        x0 = np.maximum(spans.x0[first:last], self.columns.start)
        x1 = np.minimum(spans.x1[first:last], self.columns.stop)
        inside = x1 > x0
        part = Spans(
            spans.y[first:last][inside] - np.int32(self.y0),
            (x0[inside] - self.x0).astype(np.int32),
            (x1[inside] - self.x0).astype(np.int32),
        )
        return part, run[inside]


@dataclass(frozen=True)
class Evidence:
    """What the epochs show around a footprint.

    Attributes
    ----------
    footprint_id, epoch_index : int
        The footprint, and the place of its epoch in the stack.
    stamp : Stamp
        Where the pictures are; of a long footprint, the stretch around its
        most deviating pixel. Beyond the border of the patch pictures are NaN.
    warp : ndarray of float32
        ``(epoch, y, x)`` direct warps.
    chi : ndarray of float32
        ``(epoch, y, x)`` differences in sigma; NaN for an epoch that is not
        compared.
    template, coadd, unclipped : ndarray of float32
        ``(y, x)``; the last is the coadd with nothing clipped.
    states : ndarray of uint8
        ``(epoch, y, x)`` values of `State`.
    clipped : ndarray of bool
        ``(epoch, y, x)`` pixels that are clipped from the direct warps.
    footprint : ndarray of bool
        ``(y, x)`` pixels of the footprint.
    limits : tuple of float
        The common stretch of warps, template and coadds: the zscale limits of
        all their pixels here.
    peak_chi : ndarray of float32
        ``(epoch,)`` the deviation, with its sign, that is largest among the
        footprint's pixels in the stamp; NaN where an epoch has none.
    is_clipped : ndarray of bool
        ``(epoch,)`` which epochs are clipped in at least one of those pixels.
    """

    footprint_id: int
    epoch_index: int
    stamp: Stamp
    warp: npt.NDArray[np.float32]
    chi: npt.NDArray[np.float32]
    template: npt.NDArray[np.float32]
    coadd: npt.NDArray[np.float32]
    unclipped: npt.NDArray[np.float32]
    states: npt.NDArray[np.uint8]
    clipped: npt.NDArray[np.bool_]
    footprint: npt.NDArray[np.bool_]
    limits: tuple[float, float]
    peak_chi: npt.NDArray[np.float32]
    is_clipped: npt.NDArray[np.bool_]


def gather_evidence(
    result: CompareWarpResult,
    footprint_id: int,
    *,
    margin: int = MARGIN,
    smallest: int = SMALLEST,
    largest: int = LARGEST,
) -> Evidence:
    """Return what the epochs show around a footprint; only its surroundings are read.

    Parameters
    ----------
    result : CompareWarpResult
    footprint_id : int
        As in the table of footprints.
    margin : int
        Pixels to show around it, >= 0.
    smallest, largest : int
        Bounds of the stamp's side, pixels, > 0.

    Raises
    ------
    InspectionError
        If there is no such footprint.
    """
    products, stack = result.products, result.stack
    epoch_index, spans = result.footprint_set.pixels(footprint_id)
    key = result.footprint_set.key(footprint_id)
    stamp = _place(spans, (key.y, key.x), stack.shape, margin, smallest, largest)
    rows, columns = stamp.rows, stamp.columns
    direct = Warps(
        _cut(stack.direct.image, stamp),
        _cut(stack.direct.variance, stamp),
        _cut(stack.direct.mask, stamp),
    )
    chi = stamp.padded(
        np.stack([result.chi(epoch, rows, columns) for epoch in range(stack.n_epochs)])
    )
    warp = stamp.padded(np.asarray(direct.image))
    template = stamp.padded(result.template.image[rows, columns])
    coadd = stamp.padded(result.coadd.image[rows, columns])
    unclipped = stamp.padded(_unclipped(result, stamp, direct))
    masks = products.direct_masks
    clipped = np.stack([_mask(stamp, region) for region in masks.clipped])
    footprint = _mask(stamp, spans)
    return Evidence(
        footprint_id=int(footprint_id),
        epoch_index=epoch_index,
        stamp=stamp,
        warp=warp,
        chi=chi,
        template=template,
        coadd=coadd,
        unclipped=unclipped,
        states=np.stack([_states(result, epoch, stamp) for epoch in range(stack.n_epochs)]),
        clipped=clipped,
        footprint=footprint,
        limits=_limits(warp, template, coadd, unclipped),
        peak_chi=_largest_deviations(chi[:, footprint]),
        is_clipped=np.any(clipped[:, footprint], axis=1),
    )


def _place(
    spans: Spans,
    peak: tuple[int, int],
    shape: tuple[int, int],
    margin: int,
    smallest: int,
    largest: int,
) -> Stamp:
    """Return a stamp around a footprint, or around the peak of one that is too long for it."""
    box = ((spans.y.min(), spans.y.max() + 1), (spans.x0.min(), spans.x1.max()))
    needed = max(int(stop - start) for start, stop in box) + 2 * margin
    size = min(max(needed, smallest), largest)
    middle = [
        (int(start) + int(stop)) // 2 if stop - start <= size else at
        for (start, stop), at in zip(box, peak, strict=True)
    ]
    return Stamp(middle[0] - size // 2, middle[1] - size // 2, size, shape)


def _cut(cube: Cube, stamp: Stamp) -> npt.NDArray:
    """Return a stamp of all epochs, without what is beyond the border."""
    return np.stack([cube[epoch, stamp.rows][:, stamp.columns] for epoch in range(cube.shape[0])])


def _unclipped(result: CompareWarpResult, stamp: Stamp, direct: Warps) -> npt.NDArray[np.float32]:
    """Return the coadd of a stamp with nothing clipped, ``(rows, columns)``."""
    if result.products.unclipped is not None or result.config.interpolate:
        # At hand, or filled from pixels that may lie beyond the stamp.
        return result.unclipped().image[stamp.rows, stamp.columns]
    masks = result.products.direct_masks.unclipped()
    small = replace(
        masks, stack=replace(result.stack, direct=direct),
        flags=np.ascontiguousarray(masks.flags[:, stamp.rows, stamp.columns]),
    )  # fmt: skip
    return make_coadd(small, coadd_settings(result.config)).image


def _states(result: CompareWarpResult, epoch_index: int, stamp: Stamp) -> npt.NDArray[np.uint8]:
    """Return the footprint states of an epoch in a stamp."""
    states = np.zeros((stamp.size, stamp.size), np.uint8)
    for spans, values in result.footprint_set.layers_of_states(epoch_index, stamp.rows):
        part, run = stamp.cut(spans)
        paint(part.y, part.x0, part.x1, values[run], states)
    return states


def _mask(stamp: Stamp, spans: Spans) -> npt.NDArray[np.bool_]:
    """Return a region as a picture of a stamp."""
    return stamp.cut(spans)[0].mask((stamp.size, stamp.size))


def _limits(*pictures: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return the zscale limits of some pictures together; (0, 1) where they show nothing."""
    from astropy.visualization import ZScaleInterval

    values = np.concatenate([picture[np.isfinite(picture)] for picture in pictures])
    if not values.size:
        return 0.0, 1.0
    low, high = ZScaleInterval().get_limits(values)
    return float(low), float(high)


def _largest_deviations(chi: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return of each row the value that is furthest from zero, NaN where there is none."""
    which = np.where(np.isnan(chi), -1, np.abs(chi)).argmax(axis=1)
    return chi[np.arange(len(chi)), which]
