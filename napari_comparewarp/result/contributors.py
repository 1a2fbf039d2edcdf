"""What each pixel of a coadd was made of. All others ask here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..algorithm.coadd import DirectMasks
from ..algorithm.mask_planes import bits
from ..algorithm.spans import Spans, gather

if TYPE_CHECKING:
    from ..algorithm.products import Products
    from ..config.knobs import CompareWarpConfig

__all__ = ["Contributors", "PixelInputs"]

BoolArray = npt.NDArray[np.bool_]

#: Epochs that one word of the input map holds.
_WORD = 64


@dataclass(frozen=True)
class PixelInputs:
    """One pixel of the direct warps, and what of it the coadd takes.

    Attributes
    ----------
    image, variance : ndarray of float32
        ``(epoch,)`` values of the direct warps.
    mask : ndarray of int32
        ``(epoch,)`` their masks with CLIPPED, NO_DATA and EDGE set.
    rejected : ndarray of int32
        ``(epoch,)`` the bits of these masks that keep a value out.
    used : ndarray of bool
        ``(epoch,)`` whether the value goes into the coadd.
    """

    image: npt.NDArray[np.float32]
    variance: npt.NDArray[np.float32]
    mask: npt.NDArray[np.int32]
    rejected: npt.NDArray[np.int32]
    used: BoolArray


@dataclass(frozen=True)
class Contributors:
    """Which epochs go into the pixels of a coadd, with clipping and without.

    A value goes in if its warp is not skipped, it is finite, and none of the
    coadd's bad planes, CLIPPED among them, is set.

    Attributes
    ----------
    masks, unclipped : DirectMasks
        The masks of the direct warps as they are, and with nothing clipped.
    bad : int
        Mask bits that keep a value out.
    """

    masks: DirectMasks
    unclipped: DirectMasks
    bad: int

    @classmethod
    def of(cls, config: "CompareWarpConfig", products: "Products") -> "Contributors":
        """Take from the products of a run what decides on its contributors."""
        masks = products.direct_masks
        bad = bits(masks.mask_planes, (*config.bad_planes, "CLIPPED"))
        bad &= ~bits(masks.mask_planes, config.removed_planes)
        return cls(masks, masks.unclipped(), bad)

    def pixel(self, y: int, x: int) -> PixelInputs:
        """Return one pixel of all epochs; single rows are read."""
        warps = self.masks.stack.direct
        rows = slice(y, y + 1)
        image, variance = (cube[:, rows][:, 0, x] for cube in (warps.image, warps.variance))
        mask = self.masks.rows(y, y + 1, np.ascontiguousarray(warps.mask[:, rows]))[:, 0, x]
        rejected = mask & self.bad
        used = (self.masks.weights > 0) & np.isfinite(image) & (rejected == 0)
        return PixelInputs(image, variance, mask, rejected, used)

    def at(self, where: Spans) -> tuple[BoolArray, BoolArray]:
        """Return ``(epoch, pixel)`` who contributes, and who would if nothing were clipped."""
        warps = self.masks.stack.direct
        image, mask, flags = (
            gather(plane, where) for plane in (warps.image, warps.mask, self.masks.flags)
        )
        usable = np.isfinite(image[:, 0]) & (self.masks.weights > 0)[:, np.newaxis]
        with_clip, without = (
            usable & (masks.pixels(where, mask, flags)[:, 0] & self.bad == 0)
            for masks in (self.masks, self.unclipped)
        )
        return with_clip, without

    def plane(self, epoch_index: int, *, clipped: bool = True) -> BoolArray:
        """Return the ``(y, x)`` pixels that an epoch goes into.

        Parameters
        ----------
        epoch_index : int
        clipped : bool
            Whether what is clipped is left out.
        """
        masks = self.masks if clipped else self.unclipped
        if masks.weights[epoch_index] <= 0:
            return np.zeros(masks.stack.shape, np.bool_)
        image = masks.stack.direct.image[epoch_index]
        return np.isfinite(image) & (masks.epoch(epoch_index) & self.bad == 0)

    def map(self) -> npt.NDArray[np.int64]:
        """Return which epochs went into each pixel of the coadd, as bits.

        Returns
        -------
        ndarray of int64
            ``(word, y, x)``; bit k of word w stands for epoch 64 w + k.
        """
        stack = self.masks.stack
        words = np.zeros((-(-stack.n_epochs // _WORD), *stack.shape), np.uint64)
        for index in map(int, np.flatnonzero(self.masks.weights > 0)):
            words[index // _WORD][self.plane(index)] |= np.uint64(1 << (index % _WORD))
        return words.view(np.int64)
