"""Everything that is known of one pixel, epoch by epoch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..algorithm.mask_planes import decode
from ..algorithm.psf_kernels import psf_sigma
from ..algorithm.verdicts import effective_maximum
from ..algorithm.warps import EpochId
from ..errors import PsfError
from ..io.sky import sky_of
from ..result.result import CompareWarpResult

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

__all__ = ["EpochPixel", "PixelReport", "inspect_pixel"]


@dataclass(frozen=True)
class EpochPixel:
    """One pixel in one epoch.

    Attributes
    ----------
    epoch : int or str
        Id of the epoch.
    epoch_index : int
        Its place in the stack.
    value, sigma : float
        Value of the direct warp and its standard deviation, in the stack's unit.
    planes : tuple of str
        Mask planes of the direct warp, with CLIPPED, NO_DATA and EDGE as the
        comparison sets them.
    matched_value, matched_sigma : float
        The same of the PSF-matched warp, NaN where there is none; its variance
        is not yet multiplied by the epoch's factor.
    matched_planes : tuple of str
        Mask planes of the PSF-matched warp.
    chi : float
        Warp difference in units of its standard deviation; NaN for an epoch
        that is not compared. To the bit what `CompareWarpResult.chi` has there.
    footprint : int or None
        Id of the candidate there, or else of the streak, as in the table of
        footprints.
    verdict : str
        What became of that footprint, as in the table; "" without one.
    in_coadd : bool
        Whether the value went into the coadd.
    left_out : str
        Why it did not, in words; "" if it did.
    share : float
        Fraction of the weight of all values that went in, 0 to 1.
    """

    epoch: EpochId
    epoch_index: int
    value: float
    sigma: float
    planes: tuple[str, ...]
    matched_value: float
    matched_sigma: float
    matched_planes: tuple[str, ...]
    chi: float
    footprint: int | None
    verdict: str
    in_coadd: bool
    left_out: str
    share: float


@dataclass(frozen=True)
class PixelReport:
    """One pixel of a result.

    Attributes
    ----------
    y, x : int
        Array indices.
    epochs : tuple of EpochPixel
        In the order of the stack.
    value, sigma : float
        Of the coadd, in the stack's unit.
    planes : tuple of str
        Mask planes of the coadd.
    n_image : int
        Number of warps without a bad plane there.
    template, template_sigma : float
        Of the template; NaN in a hole of it, where the nearest value is compared.
    epoch_count : int
        In how many epochs the pixel lies in a candidate.
    n_matched : int
        Number of usable matched warps, N.
    max_epochs : int
        In how many epochs an artifact may appear where N is that of this pixel.
        A candidate is judged by the mean of N over its pixels.
    sky : SkyCoord or None
        Position of the pixel's centre; None without a WCS.
    psf_sigma : float or None
        Width of the coadd's PSF, pixels (`algorithm.psf_kernels.psf_sigma`); None
        where it is not known.
    psf_message : str
        Why it is not known; "" if it is.
    """

    y: int
    x: int
    epochs: tuple[EpochPixel, ...]
    value: float
    sigma: float
    planes: tuple[str, ...]
    n_image: int
    template: float
    template_sigma: float
    epoch_count: int
    n_matched: int
    max_epochs: int
    sky: "SkyCoord | None"
    psf_sigma: float | None
    psf_message: str


def inspect_pixel(result: CompareWarpResult, y: int, x: int) -> PixelReport:
    """Gather what is known of one pixel, reading single rows only.

    Parameters
    ----------
    result : CompareWarpResult
    y, x : int
        Array indices.

    Returns
    -------
    PixelReport

    Raises
    ------
    IndexError
        If the pixel is outside the patch.
    """
    result.stack.check_pixel(y, x)
    products, coadd, config = result.products, result.coadd, result.config
    count, n_matched = int(result.epoch_count[y, x]), int(result.n_matched[y, x])
    maximum = effective_maximum(
        n_matched, temporal_threshold=config.temporal_threshold, max_epochs=config.max_epochs,
        max_epochs_slope=config.max_epochs_slope,
    )  # fmt: skip
    width, message = None, ""
    try:
        width = psf_sigma(result.psf(y, x))
    except PsfError as error:
        message = str(error)
    return PixelReport(
        y=y,
        x=x,
        epochs=_epochs(result, y, x),
        value=float(coadd.image[y, x]),
        sigma=_root(coadd.variance[y, x]),
        planes=decode(coadd.mask_planes, coadd.mask[y, x]),
        n_image=int(coadd.n_image[y, x]),
        template=float(products.template.image[y, x]),
        template_sigma=_root(products.template.variance[y, x]),
        epoch_count=count,
        n_matched=n_matched,
        max_epochs=int(maximum),
        sky=sky_of(coadd.wcs, x, y),
        psf_sigma=width,
        psf_message=message,
    )


def _epochs(result: CompareWarpResult, y: int, x: int) -> tuple[EpochPixel, ...]:
    """Return the pixel in every epoch."""
    stack = result.stack
    planes = result.coadd.mask_planes
    direct = result.contribution.pixel(y, x)
    rows, column = slice(y, y + 1), slice(x, x + 1)
    shares = np.where(direct.used, result.weights, 0.0)
    shares = shares / (shares.sum() or 1.0)
    footprints = result.footprint_set
    matched = [cube[:, rows][:, 0, x] for cube in (stack.matched.image, stack.matched.variance)]
    matched_mask = stack.matched.mask[:, rows][:, 0, x]
    epochs = []
    for index, epoch in enumerate(stack.epochs):
        row = int(stack.partner[index])
        footprint = footprints.at(index, y, x)
        epochs.append(
            EpochPixel(
                epoch=epoch,
                epoch_index=index,
                value=float(direct.image[index]),
                sigma=_root(direct.variance[index]),
                planes=decode(planes, direct.mask[index]),
                matched_value=float(matched[0][row]) if row >= 0 else np.nan,
                matched_sigma=_root(matched[1][row]) if row >= 0 else np.nan,
                matched_planes=decode(stack.mask_planes, matched_mask[row]) if row >= 0 else (),
                chi=float(result.chi(index, rows, column)[0, 0]),
                footprint=footprint,
                verdict="" if footprint is None else footprints.verdict(footprint),
                in_coadd=bool(direct.used[index]),
                left_out=_left_out(
                    result.weights[index],
                    direct.image[index],
                    decode(planes, direct.rejected[index]),
                ),
                share=float(shares[index]),
            )
        )
    return tuple(epochs)


def _left_out(weight: float, value: np.float32, planes: tuple[str, ...]) -> str:
    """Say why a value did not go into the coadd."""
    if weight <= 0:
        return "the warp is skipped: it is NaN everywhere or has no finite, positive variance"
    reasons = [] if np.isfinite(value) else ["the value is not finite"]
    if planes:
        reasons.append(f"masked as {', '.join(planes)}")
    return "; ".join(reasons)


def _root(variance: np.float32) -> float:
    """Return a standard deviation, NaN for a negative variance."""
    return float(np.sqrt(np.float64(variance))) if variance >= 0 else np.nan
