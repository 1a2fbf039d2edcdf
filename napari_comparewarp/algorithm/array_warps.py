"""Warps that are given as arrays: units, scale, what is masked, and what is no data."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import CompareWarpWarning, StackError
from .array_planes import GivenPlane, LazyMask, convert, given_plane, has_no_data, typical_sigma
from .flux_scale import flux_scale, scaled_unit
from .mask_planes import add_planes
from .unit_text import check_unit

__all__ = ["CommonNumbers", "GivenWarps"]


@dataclass(frozen=True)
class GivenWarps:
    """The three planes of one set of warps as the user gave them.

    Attributes
    ----------
    image, variance : array_like
        ``(epoch, y, x)``.
    mask : array_like or None
    """

    image: Any
    variance: Any
    mask: Any


@dataclass
class CommonNumbers:
    """What the planes of a stack have in common.

    Attributes
    ----------
    unit : str
        Unit of the images as they are kept.
    quantity : astropy.units.UnitBase or None
        What planes with a unit are converted to.
    scale : float
        What the images are divided by, see `flux_scale`.
    planes : dict of str to int
        Bits of the masks; NO_DATA is added where it is needed.
    """

    unit: str
    quantity: Any
    scale: float
    planes: dict[str, int]

    @classmethod
    def of(cls, direct: GivenWarps, unit: str | None, planes: dict[str, int]) -> "CommonNumbers":
        """Learn unit and scale from the direct warps.

        Raises
        ------
        StackError
            If the unit cannot be written, or is of another kind than the images'.

        Warns
        -----
        CompareWarpWarning
            If the numbers are kept in another unit.
        """
        unit = None if unit is None else check_unit(str(unit))
        quantity = given_plane("image", direct.image).unit
        if quantity is not None and unit is not None and str(quantity) != unit:
            from astropy.units import Unit

            try:
                quantity = Unit(unit)
            except ValueError as error:
                raise StackError(
                    f"unit = {unit!r} where image is in {quantity}: no unit to convert it to"
                ) from error
        variance = given_plane("variance", direct.variance)
        scale = 1.0
        if np.dtype(variance.values.dtype).kind in "iuf":
            sigma = typical_sigma(variance)
            if variance.unit is not None and quantity is not None:
                sigma *= _conversion(variance.unit, quantity**2) ** 0.5
            scale = flux_scale(sigma)
        name = unit or (check_unit(str(quantity)) if quantity is not None else "nJy")
        if scale != 1:
            warnings.warn(
                f"a noise of {sigma:.2g} {name} is beyond the squares that single precision "
                f"holds: the numbers are kept in units of {scaled_unit(name, scale)}",
                CompareWarpWarning,
                stacklevel=4,
            )
        return cls(scaled_unit(name, scale), quantity, scale, dict(planes))

    def convert_warps(self, prefix: str, given: GivenWarps) -> tuple[Any, Any, Any]:
        """Check and convert one set of warps; return image, variance and mask.

        Parameters
        ----------
        prefix : str
            What stands before ``image``, ``variance`` and ``mask`` in messages.
        given : GivenWarps

        Raises
        ------
        StackError
        """
        images = self._plane(f"{prefix}image", given.image)
        variances = self._plane(f"{prefix}variance", given.variance)
        shape = tuple(images.values.shape)
        # Untouched zeros cost address space, not memory.
        flags = np.zeros(shape, np.int32) if given.mask is None else given.mask
        masks = given_plane(f"{prefix}mask", flags)
        for plane in (variances, masks):
            if tuple(plane.values.shape) != shape:
                raise StackError(
                    f"{plane.name} has shape {tuple(plane.values.shape)} where {images.name} has "
                    f"{shape}"
                )
        square = None if self.quantity is None else self.quantity**2
        image = convert(images, np.float32, self.quantity, self.scale)
        variance = convert(variances, np.float32, square, self.scale**2)
        mask = convert(masks, np.int32, None, 1.0)
        return image, variance, self._with_no_data(mask, masks, variance, images)

    def _plane(self, name: str, values: Any) -> GivenPlane:
        """Take a plane of numbers apart; all have units, or none has."""
        plane = given_plane(name, values)
        if (plane.unit is None) != (self.quantity is None):
            with_unit, without = ("image", name) if plane.unit is None else (name, "image")
            raise StackError(
                f"{with_unit} has a unit and {without} has none; give units to all planes, or to "
                "none"
            )
        return plane

    def _with_no_data(self, mask: Any, masks: GivenPlane, variance: Any, images: GivenPlane) -> Any:
        """Mark pixels whose variance is none, or that a masked array hides, as NO_DATA."""
        if not (isinstance(variance, np.ndarray) and isinstance(mask, np.ndarray)):
            return LazyMask(mask, variance, 1 << self._no_data())
        is_own = False
        missing = np.empty(variance.shape[1:], np.bool_)
        for epoch in range(len(mask)):
            has_no_data(variance[epoch], out=missing)
            for plane in (masks, images):
                if plane.hidden is not None:
                    missing |= plane.hidden[epoch]
            if not missing.any():
                continue
            bit = np.int32(1 << self._no_data())
            if (mask[epoch][missing] & bit).all():
                continue
            if not is_own:
                mask, is_own = mask.copy(), True
            mask[epoch][missing] |= bit
        return mask

    def _no_data(self) -> int:
        """Return the bit of NO_DATA; a mask without one is given it."""
        self.planes = add_planes(self.planes, ["NO_DATA"])
        return self.planes["NO_DATA"]


def _conversion(unit: Any, to: Any) -> float:
    """Return the factor between two units; NaN where there is none, which is refused later."""
    try:
        return float(unit.to(to))
    except Exception:  # what astropy raises for units of other kinds is no class of ours
        return float(np.nan)
