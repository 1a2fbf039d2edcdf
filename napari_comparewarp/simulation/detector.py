"""Effects of the camera: gaps, defects, saturation and noise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..algorithm.mask_planes import LSST_PLANES
from ..algorithm.spans import Spans, disc_half_widths
from .psf import blur
from .streams import Stream, stream

__all__ = [
    "GAIN",
    "SATURATION",
    "Layout",
    "correlated_noise",
    "detected",
    "dilate",
    "draw_layout",
    "plane_bits",
    "repair_columns",
    "resample",
    "saturate",
]

#: Photoelectrons per nJy.
GAIN = 2.3

#: Full well, nJy per pixel.
SATURATION = 16_000.0

#: Side of a detector and width of the gap to the next one, pixels.
_DETECTOR_SIZE = 640
_GAP = 14

#: Pixels this close to the border of a detector are flagged EDGE.
_EDGE = 6

#: Probability that a visit covers only part of the patch.
_PARTIAL = 0.25

#: Width of the effective kernel of the resampling, pixels. It correlates
#: neighbouring pixels, so that a variance plane convolved as if they were
#: independent is too small by about 30 %.
_RESAMPLING_SIGMA = 0.4

#: A source is detected where the PSF-smoothed image exceeds this many sigma.
_DETECTION = 5.0


@dataclass(frozen=True)
class Layout:
    """Where one visit's detectors lie on the patch.

    Attributes
    ----------
    no_data : ndarray of bool
        ``(y, x)``, gaps and pixels outside the camera.
    edge : ndarray of bool
        ``(y, x)``, pixels close to the border of a detector.
    gap_columns : tuple of int
        First column of each detector that begins inside the patch.
    bad_columns : tuple of slice
        Defective columns.
    """

    no_data: npt.NDArray[np.bool_]
    edge: npt.NDArray[np.bool_]
    gap_columns: tuple[int, ...]
    bad_columns: tuple[slice, ...]


def draw_layout(shape: tuple[int, int], seed: int, index: int) -> Layout:
    """Draw the dithered detector layout of one visit.

    Parameters
    ----------
    shape : tuple of int
        ``(y, x)``, pixels.
    seed : int
        Seed of the night.
    index : int
        The index of the visit in the series.
    """
    rng = stream(seed, Stream.DETECTOR, index)
    no_data = np.zeros(shape, bool)
    pitch = _DETECTOR_SIZE + _GAP
    offset_y, offset_x = (int(offset) for offset in rng.integers(0, pitch, 2))
    for start in range(offset_y - pitch, shape[0], pitch):
        no_data[max(start, 0) : max(start + _GAP, 0)] = True
    gap_columns = []
    for start in range(offset_x - pitch, shape[1], pitch):
        no_data[:, max(start, 0) : max(start + _GAP, 0)] = True
        if 0 < start + _GAP < shape[1]:
            gap_columns.append(start + _GAP)
    if rng.random() < _PARTIAL:
        _cut_border(no_data, rng)
    # Each detector has one bad column; a quarter of them are two pixels wide.
    bad_columns = []
    for start in range(offset_x - pitch, shape[1], pitch):
        column = start + _GAP + int(rng.integers(20, _DETECTOR_SIZE - 20))
        width = 1 + int(rng.random() < 0.25)
        if 0 < column < shape[1] - width:
            bad_columns.append(slice(column, column + width))
    edge = dilate(no_data, _EDGE) & ~no_data
    return Layout(no_data, edge, tuple(gap_columns), tuple(bad_columns))


def _cut_border(no_data: npt.NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Mark a slightly oblique strip along one side as outside the camera."""
    side = int(rng.integers(4))
    rotated = np.rot90(no_data, side)
    depth = rng.uniform(0.04, 0.15) * rotated.shape[0]
    slope = rng.uniform(-0.05, 0.05)
    columns = np.arange(rotated.shape[1])
    limit = depth + slope * (columns - columns.mean())
    rotated |= np.arange(rotated.shape[0])[:, None] < limit


def dilate(mask: npt.NDArray[np.bool_], radius: float) -> npt.NDArray[np.bool_]:
    """Grow a mask by a disc with a radius in pixels."""
    half_widths = disc_half_widths(int(radius + 0.5))
    return Spans.of_mask(mask).grown(half_widths, mask.shape).mask(mask.shape)


def resample(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Blur an image by the resampling of the warp only, without seeing."""
    return blur(image, _RESAMPLING_SIGMA)


def correlated_noise(shape: tuple[int, int], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return noise of unit variance, with neighbouring pixels correlated by resampling."""
    unit = np.zeros((9, 9), np.float32)
    unit[4, 4] = 1.0
    loss = np.sqrt(np.sum(resample(unit) ** 2))
    return resample(rng.standard_normal(shape, dtype=np.float32)) / loss


def saturate(image: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Limit an image to the full well, in place, and bleed the excess along the columns.

    The charge above full well fills the pixels above and below in equal parts,
    so that the length of a bleed is proportional to the excess flux.

    Returns
    -------
    ndarray of bool
        ``(y, x)``, saturated pixels and bleeds.
    """
    saturated = image >= SATURATION
    excess = np.where(saturated, image - SATURATION, 0)
    labels, _ = ndimage.label(saturated)
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        inside = labels[:, columns] == number
        charge = np.sum(excess[:, columns], axis=0, where=inside)
        reach = np.ceil(charge / SATURATION / 2).astype(int)
        for column, length in zip(range(columns.start, columns.stop), reach, strict=True):
            saturated[max(rows.start - length, 0) : rows.stop + length, column] = True
    image[saturated] = SATURATION
    return saturated


def repair_columns(image: npt.NDArray[np.float32], columns: slice) -> None:
    """Interpolate over bad columns, in place: the mean of the two neighbouring columns."""
    image[:, columns] = 0.5 * (image[:, columns.start - 1] + image[:, columns.stop])[:, None]


def detected(
    image: npt.NDArray[np.float32], sky_sigma: float, psf_sigma: float
) -> npt.NDArray[np.bool_]:
    """Return the pixels of significant sources, as flagged by the detection of a pipeline.

    Parameters
    ----------
    image : ndarray of float32
        ``(y, x)``, nJy, with no NaN.
    sky_sigma : float
        Noise of a sky pixel, nJy.
    psf_sigma : float
        Gaussian sigma of the PSF, pixels.
    """
    # A Gaussian of width s averages over 4πs² independent pixels.
    smooth_sigma = sky_sigma / np.sqrt(4 * np.pi) / psf_sigma
    significant = blur(image, psf_sigma) > _DETECTION * smooth_sigma
    return dilate(significant, 2.4 * psf_sigma)


def plane_bits(**planes: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Combine named boolean planes into one mask with the LSST numbers."""
    shape = next(iter(planes.values())).shape
    mask = np.zeros(shape, np.int32)
    for name, plane in planes.items():
        mask |= plane.astype(np.int32) << LSST_PLANES[name]
    return mask
