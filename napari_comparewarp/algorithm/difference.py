"""Warp differences, and the pixels in them that deviate (sections 4 and 5 of the method)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .compiled import kernel
from .mask_planes import bits
from .parallel import Progress, block, for_each_band, no_progress
from .warps import WarpStack

__all__ = [
    "EDGE",
    "MASKED",
    "NO_DATA",
    "Detections",
    "DeviatingPixels",
    "DifferenceTerm",
    "chi_of_difference",
    "detect_deviations",
    "difference_of_epoch",
    "difference_rows",
    "list_deviations",
]

#: Bits of `Detections.flags`: the matched warp is NaN; has EDGE; has a prefilter plane.
NO_DATA, EDGE, MASKED = 1, 2, 4

#: The quick test for deviating pixels is by this factor too generous, against rounding.
GENEROSITY = 0.999


class DifferenceTerm(Protocol):
    """A further term of every warp difference, from an optional step."""

    def apply(
        self,
        row: int,
        y0: int,
        image: npt.NDArray[np.float32],
        variance: npt.NDArray[np.float32],
    ) -> None:
        """Change some rows of the difference of one matched warp in place.

        Parameters
        ----------
        row : int
            Row of the matched warp in the stack.
        y0 : int
            First row of the patch that is given.
        image, variance : ndarray of float32
            ``(rows, x)`` difference and its variance.
        """


@dataclass(frozen=True)
class DeviatingPixels:
    """The pixels of one epoch that deviate by at least some number of sigma.

    Attributes
    ----------
    index : ndarray of int32
        Flat indices into the patch, ascending.
    difference, variance : ndarray of float32
        Value of the warp difference there, and its variance.
    """

    index: npt.NDArray[np.int32]
    difference: npt.NDArray[np.float32]
    variance: npt.NDArray[np.float32]

    @classmethod
    def none(cls) -> "DeviatingPixels":
        """Return no pixels."""
        return cls(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.float32))

    @classmethod
    def joined(cls, parts: Sequence["DeviatingPixels"]) -> "DeviatingPixels":
        """Return the pixels of bands that follow one another."""
        return cls(
            np.concatenate([part.index for part in parts]),
            np.concatenate([part.difference for part in parts]),
            np.concatenate([part.variance for part in parts]),
        )

    def beyond(self, chi: float, sign: int) -> npt.NDArray[np.bool_]:
        """Tell which pixels reach ``sign * difference >= chi * sqrt(variance)``."""
        reach = chi * np.sqrt(self.variance.astype(np.float64))
        return sign * self.difference.astype(np.float64) >= reach


@dataclass(frozen=True)
class Detections:
    """What the differences of all epochs leave for the later stages.

    Attributes
    ----------
    floor : float
        Pixels beyond this many sigma are listed.
    pixels : tuple of DeviatingPixels
        One for each epoch of the stack; empty for an epoch that is not compared.
    compared : ndarray of bool
        ``(epoch,)`` which epochs have a difference.
    flags : ndarray of uint8
        ``(epoch, y, x)`` bits `NO_DATA`, `EDGE` and `MASKED` of the matched warps.
    n_matched : ndarray of uint16
        ``(y, x)`` number of usable matched warps: ``n_image`` of section 6.
    """

    floor: float
    pixels: tuple[DeviatingPixels, ...]
    compared: npt.NDArray[np.bool_]
    flags: npt.NDArray[np.uint8]
    n_matched: npt.NDArray[np.uint16]


def difference_rows(
    image: npt.NDArray[np.float32],
    variance: npt.NDArray[np.float32],
    template_image: npt.NDArray[np.float32],
    template_variance: npt.NDArray[np.float32],
    factor: float,
    out_image: npt.NDArray[np.float32],
    out_variance: npt.NDArray[np.float32],
) -> None:
    """Write matched warp - template and its variance, some rows of one epoch.

    Parameters
    ----------
    image, variance, template_image, template_variance : ndarray of float32
        ``(rows, x)``.
    factor : float
        What the warp's variance is multiplied by, rounded to float32 first.
    out_image, out_variance : ndarray of float32
        ``(rows, x)`` results, rounded to float32 after each step as the
        reference's are.
    """
    _difference(
        image, variance, template_image, template_variance, np.float32(factor),
        out_image, out_variance,
    )  # fmt: skip


def list_deviations(
    image: npt.NDArray[np.float32],
    variance: npt.NDArray[np.float32],
    floor: float,
    first_index: int = 0,
) -> DeviatingPixels:
    """List the pixels that deviate by at least `floor` sigma, either side of zero.

    Parameters
    ----------
    image, variance : ndarray of float32
        ``(rows, x)`` difference and its variance. A pixel that is NaN in one
        of them, or has a negative variance, is not listed.
    floor : float
        Number of sigma, > 0.
    first_index : int
        Flat index of the first pixel.
    """
    near = _count_near(image, variance, np.float64(floor))
    index = np.empty(near, np.int32)
    difference, spread = np.empty((2, near), np.float32)
    n = _list_deviations(image, variance, np.float64(floor), first_index, index, difference, spread)
    return DeviatingPixels(index[:n], difference[:n], spread[:n])


def detect_deviations(
    stack: WarpStack,
    template_image: npt.NDArray[np.float32],
    template_variance: npt.NDArray[np.float32],
    variance_scale: npt.NDArray[np.float64],
    compared: npt.NDArray[np.bool_],
    *,
    floor: float,
    bad_planes: Sequence[str],
    prefilter_planes: Sequence[str],
    terms: Sequence[DifferenceTerm] = (),
    progress: Progress = no_progress,
) -> Detections:
    """Find the pixels in which the matched warps deviate from the template.

    Parameters
    ----------
    stack : WarpStack
    template_image, template_variance : ndarray of float32
        ``(y, x)`` template, holes filled.
    variance_scale : ndarray
        ``(epoch,)`` factors of the matched warps' variances.
    compared : ndarray of bool
        ``(epoch,)`` epochs to work on. The others have NO_DATA everywhere.
    floor : float
        List pixels beyond this many sigma, either side of zero. Pixels that
        are NaN in image or variance are never listed.
    bad_planes : sequence of str
        A matched warp with one of these planes is not counted in `n_matched`.
    prefilter_planes : sequence of str
        Planes that count as masked in the prefilter.
    terms : sequence of DifferenceTerm
        Further terms, applied in order.
    progress : callable
    """
    height, width = stack.shape
    bad = bits(stack.mask_planes, bad_planes)
    masked = bits(stack.mask_planes, prefilter_planes)
    edge = bits(stack.mask_planes, ["EDGE"])
    flags = np.empty((stack.n_epochs, height, width), np.uint8)
    n_matched = np.zeros((height, width), np.uint16)
    warps = stack.matched

    def work(y0: int, y1: int) -> list[DeviatingPixels]:
        image_block, start = block(warps.image, y0, y1)
        variance_block, _ = block(warps.variance, y0, y1)
        mask_block, _ = block(warps.mask, y0, y1)
        rows = slice(start, start + y1 - y0)
        image = np.empty((y1 - y0, width), np.float32)
        variance = np.empty_like(image)
        found = []
        for epoch in range(stack.n_epochs):
            if not compared[epoch]:
                flags[epoch, y0:y1] = NO_DATA
                found.append(DeviatingPixels.none())
                continue
            row = int(stack.partner[epoch])
            warp, mask = image_block[row, rows], mask_block[row, rows]
            difference_rows(
                warp, variance_block[row, rows], template_image[y0:y1], template_variance[y0:y1],
                variance_scale[epoch], image, variance,
            )  # fmt: skip
            for term in terms:
                term.apply(row, y0, image, variance)
            _flag_and_count(
                warp, mask, image, bad, edge, masked, flags[epoch, y0:y1], n_matched[y0:y1]
            )
            found.append(list_deviations(image, variance, floor, y0 * width))
        return found

    # One epoch after the other is worked on: only its rows need to be in cache.
    bands = for_each_band(work, height, width * 24, "differences", progress)
    pixels = tuple(DeviatingPixels.joined(of_epoch) for of_epoch in zip(*bands, strict=True))
    return Detections(float(floor), pixels, compared, flags, n_matched)


@kernel
def _difference(image, variance, template, template_variance, factor, out, out_variance):  # type: ignore[no-untyped-def]
    """Subtract the template from some rows of a warp."""
    for y in range(image.shape[0]):
        # Loops over few arrays: the compiler gives up on many that might overlap.
        for x in range(image.shape[1]):
            out[y, x] = image[y, x] - template[y, x]
        for x in range(image.shape[1]):
            out_variance[y, x] = factor * variance[y, x] + template_variance[y, x]


@kernel
def _flag_and_count(warp, mask, difference, bad, edge, masked, flags, n_matched):  # type: ignore[no-untyped-def]
    """Keep of a matched warp and its mask what the later stages need."""
    bad, edge, masked = np.int32(bad), np.int32(edge), np.int32(masked)
    for y in range(warp.shape[0]):
        for x in range(warp.shape[1]):
            value = difference[y, x]
            usable = (value - value == np.float32(0)) & (mask[y, x] & bad == 0)
            n_matched[y, x] += np.uint16(1) if usable else np.uint16(0)
        for x in range(warp.shape[1]):
            bit = mask[y, x]
            flag = np.uint8(NO_DATA) if warp[y, x] != warp[y, x] else np.uint8(0)
            flag |= np.uint8(EDGE) if bit & edge != 0 else np.uint8(0)
            flag |= np.uint8(MASKED) if bit & masked != 0 else np.uint8(0)
            flags[y, x] = flag


@kernel
def _count_near(image, variance, floor):  # type: ignore[no-untyped-def]
    """Count the pixels that may deviate, by a test that is a little too generous."""
    near = np.float32(floor * floor * GENEROSITY)
    count = np.int64(0)
    for y in range(image.shape[0]):
        values, spreads = image[y], variance[y]
        hits = np.int32(0)
        for x in range(values.size):
            d = values[x]
            hits += np.int32(1) if d * d >= near * spreads[x] else np.int32(0)
        count += hits
    return count


@kernel
def _list_deviations(image, variance, floor, offset, index, difference, spread):  # type: ignore[no-untyped-def]
    """List the pixels beyond `floor` sigma; return their number."""
    n = 0
    width = image.shape[1]
    near = np.float32(floor * floor * GENEROSITY)
    for y in range(image.shape[0]):
        for x0 in range(0, width, 64):
            values, spreads = image[y, x0 : x0 + 64], variance[y, x0 : x0 + 64]
            # The generous test keeps square roots and branches to the few runs
            # of pixels in which one may deviate.
            hits = np.int32(0)
            for i in range(values.size):
                d = values[i]
                hits += np.int32(1) if d * d >= near * spreads[i] else np.int32(0)
            if hits == 0:
                continue
            for i in range(values.size):
                reach = floor * np.sqrt(np.float64(spreads[i]))
                if abs(np.float64(values[i])) >= reach:
                    index[n] = offset + y * width + x0 + i
                    difference[n] = values[i]
                    spread[n] = spreads[i]
                    n += 1
    return n


def difference_of_epoch(
    stack: WarpStack,
    epoch: int,
    template: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    factor: float,
    terms: Sequence[DifferenceTerm] = (),
    rows: slice = slice(None),
    columns: slice = slice(None),
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the warp difference of one epoch and its variance, or a part of them.

    Parameters
    ----------
    stack : WarpStack
    epoch : int
        Index of an epoch that has a matched warp.
    template : tuple of ndarray of float32
        ``(y, x)`` image and variance of the template, holes filled.
    factor : float
        Factor of the matched warp's variance.
    terms : sequence of DifferenceTerm
    rows, columns : slice
        Part of the patch, by default all of it; without a step.

    Returns
    -------
    image, variance : ndarray of float32
        ``(rows, columns)``, to the bit those of the whole difference there.
    """
    row = int(stack.partner[epoch])
    # A term may look at whole rows.
    cut = slice(None) if terms else columns
    warp, spread = (
        np.ascontiguousarray(cube[row, rows][:, cut])
        for cube in (stack.matched.image, stack.matched.variance)
    )
    sky, sky_spread = (np.ascontiguousarray(plane[rows, cut]) for plane in template)
    image, variance = np.empty_like(sky), np.empty_like(sky)
    difference_rows(warp, spread, sky, sky_spread, factor, image, variance)
    for term in terms:
        term.apply(row, rows.indices(stack.shape[0])[0], image, variance)
    return (image[:, columns], variance[:, columns]) if terms else (image, variance)


def chi_of_difference(
    image: npt.NDArray[np.float32], variance: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return a difference in units of its standard deviation; both arrays are overwritten.

    NaN where the variance is negative or NaN; infinite, or NaN, where it is 0.
    """
    # In place: fresh memory costs more than the arithmetic.
    with np.errstate(divide="ignore", invalid="ignore"):
        np.sqrt(variance, out=variance)
        np.divide(image, variance, out=image)
    return image
