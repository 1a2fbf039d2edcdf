"""From what the HDUs of an exposure hold to image and variance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io.fits import Header

from .assumptions import Assumptions
from .dialects.dialect import Dialect, Layout, PlaneData, Spread
from .headers import number_in_header

__all__ = ["Treatment", "planes_of"]

#: Cards with the gain, electrons a unit, and with the read noise, electrons.
_GAIN_CARDS = ("GAIN", "EGAIN", "GAINA", "CCDGAIN")
_NOISE_CARDS = ("RDNOISE", "READNOI", "READNOIS", "ENOISE", "RON")

#: A magnitude in the asinh scale of Pan-STARRS: a = 2.5 lg e.
_POGSON = 2.5 / np.log(10)


@dataclass(frozen=True)
class Treatment:
    """What is done to the numbers of an exposure; by default nothing.

    Attributes
    ----------
    sky : float
        Taken away from the image, in the unit of the file.
    factor : float
        What the image is multiplied by then, and the variance with its square.
    spread_factor : float
        What the variance is multiplied by besides.
    gain, read_noise : float or None
        Electrons a unit, and electrons, where the variance is made from them.
    noise : float or None
        The variance is that of this noise, in the unit of the file.
    saturation : float or None
        Values from here on are SAT.
    window : tuple of int or None
        ``(y0, y1, x0, x1)`` of the part that is read.
    mask_is_good : bool
        A value that is not 0 means a good pixel.
    ignores_mask : bool
        The mask is not read.
    is_whole_numbers : bool
        The file holds whole numbers, so that small noise cannot be measured.
    """

    sky: float = 0.0
    factor: float = 1.0
    spread_factor: float = 1.0
    gain: float | None = None
    read_noise: float | None = None
    noise: float | None = None
    saturation: float | None = None
    window: tuple[int, int, int, int] | None = None
    mask_is_good: bool = False
    ignores_mask: bool = False
    is_whole_numbers: bool = False

    @classmethod
    def of(
        cls, layout: Layout, headers: Sequence[Header], assume: Assumptions, unit: str | None
    ) -> "tuple[Treatment, tuple[str, ...]]":
        """Return what the headers and the user ask for, and what is to be said of it."""
        words = {
            "mask_is_good": assume.mask == "good",
            "ignores_mask": assume.mask == "ignore",
            "is_whole_numbers": headers[0]["BITPIX"] > 0,
        }
        if layout.variance is not None or assume.variance == "sky":
            return cls(**words), ()
        gain = assume.gain or next(
            (g for card in _GAIN_CARDS if (g := number_in_header(headers, card))), None
        )
        noise = assume.read_noise
        if noise is None:
            noise = next(
                (n for card in _NOISE_CARDS if (n := number_in_header(headers, card)) is not None),
                None,
            )
        if gain is None or gain <= 0 or noise is None or noise < 0:
            return cls(**words), ()
        if unit is not None and unit.lower().startswith(("electron", "e-")):
            gain = 1.0
        saturation = number_in_header(headers, "SATURATE")
        note = (
            f"no variance: made from gain {gain:g} and read noise {noise:g} electrons (--assume "
            "gain=, read_noise=, variance=sky)"
        )
        return cls(**words, gain=gain, read_noise=noise, saturation=saturation), (note,)

    @property
    def has_variance(self) -> bool:
        """Whether it makes a variance for an image without one."""
        return self.gain is not None or self.noise is not None


#: A pixel beyond all range becomes infinite, or none, and thereby one without data.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def planes_of(
    dialect: Dialect, spread: Spread, image: PlaneData, variance: PlaneData | None,
    treatment: Treatment,
) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray[np.bool_] | None]:  # fmt: skip
    """Return image and variance as the engine takes them, and where there is no data.

    Parameters
    ----------
    dialect : Dialect
    spread : Spread
        What `variance` holds.
    image, variance : PlaneData
        What the HDUs hold.
    treatment : Treatment
    """
    image = _linear(image)
    values, other, no_data = dialect.translate(
        image, None if variance is None else _linear(variance)
    )
    is_scaled = treatment.factor != 1 or treatment.spread_factor != 1
    if is_scaled:
        # Single precision would lose squares of tiny numbers before they are scaled.
        values = np.asarray(values, np.float64)
        other = None if other is None else np.asarray(other, np.float64)
    result = _variance(spread, values, other, treatment)
    if treatment.sky:
        values = (
            values - values.dtype.type(treatment.sky)
            if values.dtype.kind == "f"
            else (values - np.float64(treatment.sky))
        )
    if is_scaled:
        values = values * treatment.factor
        result = result * (treatment.spread_factor * treatment.factor**2)
    if spread in ("inverse variance", "relative weight") and other is not None:
        unusable = ~((other > 0) & np.isfinite(other))
        if unusable.any():
            values = np.where(unusable, np.float32(np.nan), values)
    return values, result, no_data


def _linear(plane: PlaneData) -> PlaneData:
    """Return a plane in linear numbers where it is stored on the asinh scale.

    Lupton et al. 1999, AJ 118, 1406; cards BOFFSET and BSOFTEN as Pan-STARRS
    writes them: value = BOFFSET + 2 BSOFTEN sinh(stored / a).
    """
    softening, offset = (number_in_header([plane.header], c) for c in ("BSOFTEN", "BOFFSET"))
    if softening is None or offset is None or plane.values.dtype.kind != "f":
        return plane
    values = offset + 2 * softening * np.sinh(np.asarray(plane.values, np.float64) / _POGSON)
    return PlaneData(values, plane.header, plane.blank)


def _variance(spread: Spread, values: npt.NDArray, other: Any, treatment: Treatment) -> npt.NDArray:
    """Return the variance from what a plane holds, or from gain and read noise."""
    if spread == "variance":
        return other
    if spread == "error":
        # Small integers would overflow. A negative error stays one.
        error = other.astype(np.result_type(other, np.float32), copy=False)
        return error * np.abs(error)
    if spread in ("inverse variance", "relative weight"):
        usable = (other > 0) & np.isfinite(other)
        dtype = np.float64 if other.dtype == np.float64 and treatment.factor != 1 else np.float32
        inverse = np.full(other.shape, np.nan, dtype)
        # A tiny weight is an infinite variance.
        np.divide(1.0, other, out=inverse, where=usable, casting="same_kind")
        return inverse
    if treatment.noise is not None:
        return np.full(
            values.shape, treatment.noise**2, np.float32 if treatment.factor == 1 else np.float64
        )
    if treatment.gain is not None and treatment.read_noise is not None:
        electrons = np.maximum(values, 0) / treatment.gain
        return electrons + (treatment.read_noise / treatment.gain) ** 2
    # Nothing tells it yet: `napari_comparewarp.io.treatment` measures it or refuses.
    return np.ones(values.shape, np.float32)
