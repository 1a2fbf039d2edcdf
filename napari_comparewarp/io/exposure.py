"""One FITS exposure: what its headers tell, and its pixels as image, variance and mask."""

import gzip
import io
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS

from ..algorithm.psf import PsfModel
from ..algorithm.warps import EpochId
from ..errors import StackError, one_line
from .headers import (
    Kind,
    kind_in_header,
    kind_in_words,
    mask_planes_in_header,
    origin_in_header,
    psf_sigma_in_header,
    unit_in_header,
    visit_in_header,
    visit_in_name,
)
from .psf import read_psf

__all__ = ["Exposure", "NotAnExposure", "Pixels", "open_fits", "read_pixels", "scan_exposure"]

_IMAGE_NAMES = ("IMAGE", "SCI")
_MASK_NAMES = ("MASK", "DQ")
_VARIANCE_NAMES = ("VARIANCE", "VAR", "ERR", "WHT")
# What astropy calls a compressed image to which its writer gave no name.
#: Held by the thread that has changed the warning filters.
_WARNING_FILTERS = threading.RLock()

_NO_NAME = ("", "COMPRESSED_IMAGE")
_LSST_ORDER = {"IMAGE": 1, "MASK": 2, "VARIANCE": 3}


class NotAnExposure(StackError):  # noqa: N818
    """A FITS file that holds no image with its variance."""


@dataclass(frozen=True)
class Exposure:
    """What the headers of a file tell about its warp; None where they do not.

    Attributes
    ----------
    path : Path
        The file.
    planes : dict of str to int
        HDU number of the planes: IMAGE or SCI; VARIANCE, VAR, ERR or WHT; and
        where there is one, MASK or DQ.
    shape : tuple of int
        ``(y, x)``.
    visit : int or str
        Visit id, from the header or else from the file's name.
    kind : {"direct", "matched"} or None
        From the header, the name of the folder or the name of the file.
    psf_sigma : float or None
        Gaussian sigma of the PSF, pixels.
    unit : str or None
        BUNIT.
    origin : tuple of int or None
        x, y of the lower-left pixel in the parent grid.
    wcs : astropy.wcs.WCS or None
        Sky coordinates of array pixels.
    mask_planes : dict of str to int or None
        Bit number of each named plane of the file; None: no plane is named.
    is_coadd : bool
        Whether it counts its inputs (an HDU named NIMAGE), so that it is no warp.
    """

    path: Path
    planes: Mapping[str, int]
    shape: tuple[int, int]
    visit: EpochId
    kind: Kind | None
    psf_sigma: float | None
    unit: str | None
    origin: tuple[int, int] | None
    wcs: WCS | None
    mask_planes: Mapping[str, int] | None
    is_coadd: bool

    @property
    def variance_name(self) -> str:
        """Name of the HDU that the variance comes from."""
        return next(name for name in _VARIANCE_NAMES if name in self.planes)


@dataclass(frozen=True)
class Pixels:
    """The planes of one exposure, ``(y, x)``.

    Attributes
    ----------
    image, variance : ndarray
        Floating point, in the byte order of the file.
    mask : ndarray
        int32, in the numbering that was asked for.
    unnamed_bits : int
        Bits that were set in the file but that no card names; they are dropped.
    psf : PsfModel or None
        What the file says of the PSF; None for a PSF-matched warp.
    """

    image: np.ndarray
    variance: np.ndarray
    mask: np.ndarray
    unnamed_bits: int
    psf: PsfModel | None


@contextmanager
def open_fits(path: Path, verify: bool = False) -> Iterator[fits.HDUList]:
    """Open a FITS file whose headers are all there and whose data are not cut short.

    Files are open one at a time: astropy's warnings are held back meanwhile,
    and Python keeps its warning filters for all threads together.

    Parameters
    ----------
    path : Path
        The file; gzip is known by its content.
    verify : bool
        Compare the data with the DATASUM cards, where there are any.

    Raises
    ------
    StackError
        If the file is missing, unreadable, truncated or corrupt. It names the
        HDU. Whatever astropy raises while the file is open becomes one.
    """
    with _WARNING_FILTERS, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", "Datasum verification failed", AstropyWarning)
        with reading(path), path.open("rb") as file:
            stream: Any = file
            if file.read(2) == b"\x1f\x8b":
                file.seek(0)
                # In memory, as HDUs are read in any order and gzip only forwards.
                stream = io.BytesIO(gzip.decompress(file.read()))
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            with fits.open(stream, memmap=False, checksum=verify) as hdus:
                _check_complete(path, hdus, stream, size)
                for warning in caught:
                    reason = str(warning.message).strip().rstrip(".")
                    raise StackError(f"{path}: the data are corrupt: {reason}")
                yield hdus


@contextmanager
def reading(path: Path, hdu: str = "") -> Iterator[None]:
    """Turn whatever a damaged file makes astropy raise into one line with its name."""
    where = f"{path}, HDU {hdu}" if hdu else str(path)
    try:
        yield
    except (StackError, MemoryError):
        raise
    except OSError as error:
        reason = error.strerror or one_line(error)
        raise StackError(f"{where}: cannot be read: {reason}") from error
    except Exception as error:
        raise StackError(f"{where}: not a valid FITS file: {one_line(error)}") from error


def _check_complete(path: Path, hdus: fits.HDUList, stream: Any, size: int) -> None:
    """Refuse a file that ends before its last HDU does."""
    end = 0
    for number in range(len(hdus)):
        info = hdus.fileinfo(number)
        end = info["datLoc"] + info["datSpan"]
        if end > size:
            raise StackError(
                f"{path}, HDU {_hdu_name(hdus, number)}: the file is truncated: it has {size} "
                f"bytes and needs {end}"
            )
    # Other bytes after the end are allowed by the standard.
    stream.seek(end)
    if stream.read(8) == b"XTENSION":
        raise StackError(f"{path}, HDU {len(hdus)}: its header is truncated or corrupt")


def _hdu_name(hdus: fits.HDUList, number: int) -> str:
    name = hdus[number].name
    return str(number) if name in _NO_NAME else f"{number} ({name})"


def scan_exposure(path: Path) -> Exposure:
    """Read what the headers of an exposure tell; no pixel is read.

    Raises
    ------
    NotAnExposure
        If the file holds no image.
    StackError
        If it cannot be read, has no variance, or says what cannot be.
    """
    with open_fits(path) as hdus:
        planes = _find_planes(path, hdus)
        image = next(planes[name] for name in _IMAGE_NAMES if name in planes)
        shape = _check_shapes(path, hdus, planes)
        headers = [hdus[image].header, hdus[0].header]
        mask = next((planes[name] for name in _MASK_NAMES if name in planes), None)
        try:
            return Exposure(
                path=path,
                planes=planes,
                shape=shape,
                visit=_first_known(visit_in_header(headers), visit_in_name(path)),
                kind=kind_in_header(headers)
                or kind_in_words(path.absolute().parent.name)
                or kind_in_words(path.name),
                psf_sigma=psf_sigma_in_header(headers),
                unit=unit_in_header(headers),
                origin=origin_in_header(headers),
                wcs=_celestial_wcs(headers, hdus),
                mask_planes=(
                    None if mask is None else mask_planes_in_header(hdus[mask].header) or None
                ),
                is_coadd="NIMAGE" in hdus,
            )
        except ValueError as error:
            raise StackError(f"{path}: {one_line(error)}") from error


def _first_known(value: EpochId | None, otherwise: EpochId) -> EpochId:
    """Visit 0 is a visit, so `or` will not do."""
    return otherwise if value is None else value


def _find_planes(path: Path, hdus: fits.HDUList) -> dict[str, int]:
    """Return the HDU number of each plane of an exposure."""
    images = {
        number: hdu for number, hdu in enumerate(hdus) if hdu.is_image and hdu.header["NAXIS"]
    }
    planes: dict[str, int] = {}
    for number, hdu in images.items():
        # EXTTYPE is what LSST files had before they had EXTNAME.
        name = str(hdu.header.get("EXTTYPE", "")) if hdu.name in _NO_NAME else hdu.name
        name = name.strip().upper()
        if name not in _IMAGE_NAMES + _MASK_NAMES + _VARIANCE_NAMES:
            continue
        if name in planes:
            raise StackError(
                f"{path}: HDUs {planes[name]} and {number} are both named {name}; a warp has one"
            )
        planes[name] = number
    if not any(name in planes for name in _IMAGE_NAMES):
        unnamed = {number for number, hdu in images.items() if hdu.name in _NO_NAME}
        if not planes and set(images) >= {1, 2, 3} <= unnamed:
            planes = dict(_LSST_ORDER)
        elif 0 in images and planes:
            planes["IMAGE"] = 0
        else:
            raise NotAnExposure(
                f"{path}: no HDU named {' or '.join(_IMAGE_NAMES)}, so it is no exposure"
            )
    if not any(name in planes for name in _VARIANCE_NAMES):
        raise StackError(
            f"{path}: an image without its variance; an HDU named VARIANCE, ERR or WHT is needed"
        )
    return planes


def _check_shapes(path: Path, hdus: fits.HDUList, planes: Mapping[str, int]) -> tuple[int, int]:
    """Return the common shape of the planes, refusing those that are no images of it."""
    shapes = {name: hdus[number].shape for name, number in planes.items()}
    first = next(name for name in _IMAGE_NAMES if name in planes)
    if len(shapes[first]) != 2 or 0 in shapes[first]:
        raise StackError(f"{path}, HDU {first}: shape {shapes[first]}; an image has two axes")
    for name, shape in shapes.items():
        if shape != shapes[first]:
            raise StackError(f"{path}, HDU {name}: shape {shape} where {first} has {shapes[first]}")
        if name in _MASK_NAMES and hdus[planes[name]].header["BITPIX"] < 0:
            raise StackError(f"{path}, HDU {name}: real numbers; a mask is made of integers")
    return shapes[first]


def _celestial_wcs(headers: list[fits.Header], hdus: fits.HDUList) -> WCS | None:
    """Return the first WCS that knows the sky."""
    for original in headers:
        header = original.copy()
        equinox = header.get("EPOCH", 2000.0)
        if not (isinstance(equinox, (int, float)) and 1800 <= equinox <= 2200):
            # By an old convention EPOCH is the equinox, a year; here it counts exposures.
            header.remove("EPOCH")
        try:
            wcs = WCS(header, fobj=hdus)
        except KeyError:  # it has no WCS but that of the parent grid
            continue
        if wcs.has_celestial:
            return wcs.celestial
    return None


def read_pixels(exposure: Exposure, mask_planes: Mapping[str, int]) -> Pixels:
    """Read the planes of an exposure, and the PSF of a direct one.

    ERR becomes variance as ``ERR·|ERR|``, so that a negative error stays one.
    WHT becomes 1/WHT; where it is not above 0 the pixel has no data: image and
    variance are NaN and NO_DATA is set.

    Parameters
    ----------
    exposure : Exposure
        What `scan_exposure` found.
    mask_planes : mapping of str to int
        The numbering to bring the mask to; it has all planes of the exposure,
        BAD and NO_DATA.

    Raises
    ------
    StackError
        If the file is corrupt or has changed since it was scanned.
    """
    with open_fits(exposure.path, verify=True) as hdus:

        def plane(name: str) -> np.ndarray:
            with reading(exposure.path, name):
                data = hdus[exposure.planes[name]].data
            if data is None or data.shape != exposure.shape:
                raise StackError(f"{exposure.path}, HDU {name}: it changed while it was read")
            return data

        image = plane(next(name for name in _IMAGE_NAMES if name in exposure.planes))
        variance_name = exposure.variance_name
        variance = plane(variance_name)
        mask_name = next((name for name in _MASK_NAMES if name in exposure.planes), None)
        if mask_name is None:
            mask, unnamed_bits = np.zeros(exposure.shape, np.int32), 0
        else:
            values = plane(mask_name)
            if values.dtype.kind not in "iub":
                raise StackError(
                    f"{exposure.path}, HDU {mask_name}: scaled to real numbers by BSCALE; a mask "
                    "is made of integers"
                )
            mask, unnamed_bits = _renumber(values, exposure.mask_planes, mask_planes)
        psf = None
        if exposure.kind != "matched":
            with reading(exposure.path, "PSF"):
                psf = read_psf(exposure.path, hdus, exposure.psf_sigma)
    if variance_name == "ERR":
        variance = _variance_of_errors(variance)
    elif variance_name == "WHT":
        variance = _variance_of_weights(variance)
        no_data = np.isnan(variance)
        image = np.where(no_data, np.float32(np.nan), image)
        mask[no_data] |= 1 << mask_planes["NO_DATA"]
    return Pixels(image, variance, mask, unnamed_bits, psf)


def _variance_of_errors(error: np.ndarray) -> np.ndarray:
    """Return signed squares, as real numbers: small integers would overflow."""
    error = error.astype(np.result_type(error, np.float32), copy=False)
    return error * np.abs(error)


def _variance_of_weights(weight: np.ndarray) -> np.ndarray:
    """Return 1/weight, NaN where the weight is not finite and above 0."""
    usable = (weight > 0) & np.isfinite(weight)
    variance = np.full(weight.shape, np.nan, np.float32)
    with np.errstate(over="ignore"):  # A tiny weight is an infinite variance.
        np.divide(1.0, weight, out=variance, where=usable, casting="same_kind")
    return variance


def _renumber(
    values: np.ndarray, planes: Mapping[str, int] | None, target: Mapping[str, int]
) -> tuple[np.ndarray, int]:
    """Return a mask in another numbering, and the bits of it that have no name."""
    if planes is None:
        return np.where(values != 0, np.int32(1 << target["BAD"]), np.int32(0)), 0
    width = 8 * values.dtype.itemsize
    present = int(np.bitwise_or.reduce(values, axis=None)) & ((1 << width) - 1)
    values = values.astype(np.int32)
    named = sum(1 << bit for bit in planes.values())
    moves = [
        (bit, target[name])
        for name, bit in planes.items()
        if present >> bit & 1 and bit != target[name]
    ]
    staying = present & named & ~sum(1 << bit for bit, _ in moves)
    mask = values & np.int32(staying)
    for bit, to in moves:
        mask |= ((values >> bit) & 1) << to
    return mask, present & ~named
