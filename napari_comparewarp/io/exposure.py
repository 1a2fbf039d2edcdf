"""One exposure in one FITS file: what it is, and its planes."""

import gzip
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt
from astropy import units
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS

from ..algorithm.mask_planes import LSST_PLANES
from ..algorithm.warps import EpochId, StackError

__all__ = ["ExposureHeader", "FileError", "NoExposureError", "read_header", "read_planes"]

Kind = Literal["direct", "matched"]

#: A Gaussian's full width at half maximum in units of its sigma.
FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))

_VISIT_CARDS = ("VISIT", "EXPID", "EXPNUM", "OBSID", "VISIT_ID")

#: Names of the planes in the layouts that are understood: image, variance-like, mask-like.
_LAYOUTS = {
    "LSST": ("IMAGE", "VARIANCE", "MASK"),
    "SCI/ERR": ("SCI", "ERR", "DQ"),
    "SCI/WHT": ("SCI", "WHT", "DQ"),
}


class FileError(StackError):
    """A file that cannot be used; the message is one line that names it."""


class NoExposureError(FileError):
    """A readable FITS file that holds no exposure."""


@dataclass(frozen=True)
class ExposureHeader:
    """What the headers of one exposure say.

    Attributes
    ----------
    path : Path
        The file.
    layout : {"LSST", "SCI/ERR", "SCI/WHT"}
        How variance and mask are stored.
    hdus : dict of str to int
        HDU of the image, of the variance-like and of the mask-like plane; a
        mask may be missing.
    shape : tuple of int
        Shape ``(y, x)``.
    unit : str
        Unit of the image, empty where the file does not say.
    visit : int or str
        Id of the visit.
    kind : {"direct", "matched"} or None
        None where the file does not say.
    psf_sigma : float or None
        Gaussian sigma of the PSF, pixels.
    origin : tuple of int
        x, y of the lower-left pixel in the parent grid.
    wcs : astropy.wcs.WCS or None
        Sky coordinates of array pixels.
    mask_planes : dict of str to int
        Bit number of each plane of its mask.
    """

    path: Path
    layout: str
    hdus: dict[str, int]
    shape: tuple[int, int]
    unit: str
    visit: EpochId
    kind: Kind | None
    psf_sigma: float | None
    origin: tuple[int, int]
    wcs: WCS | None
    mask_planes: dict[str, int] = field(default_factory=dict)


def read_header(path: Path) -> ExposureHeader:
    """Read the headers of one exposure.

    Raises
    ------
    FileError
        If the file is not there or is no FITS file.
    NoExposureError
        If it holds no exposure.
    """
    with _opened(path) as file:
        layout, hdus = _find_planes(path, file)
        primary, image = file[0].header, file[hdus["image"]].header
        shape = file[hdus["image"]].shape
        for role, index in hdus.items():
            if file[index].shape != shape:
                raise FileError(
                    f"{path}: HDU {index} ({role}) has shape {file[index].shape} where the image "
                    f"has {shape}"
                )
        planes = _mask_planes(path, file[hdus["mask"]].header) if "mask" in hdus else {}
        return ExposureHeader(
            path=path,
            layout=layout,
            hdus=hdus,
            shape=shape,
            unit=str(image.get("BUNIT", primary.get("BUNIT", ""))).strip(),
            visit=_visit(path, primary, image),
            kind=_kind(path, primary),
            psf_sigma=_psf_sigma(path, primary, image),
            origin=_origin(image),
            wcs=_wcs(image),
            mask_planes=planes if layout == "LSST" or planes else {"BAD": LSST_PLANES["BAD"]},
        )


def read_planes(
    header: ExposureHeader,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Read image, variance and mask of one exposure.

    Returns
    -------
    tuple of ndarray
        ``(y, x)`` image and variance, native float32, and mask, native int32,
        numbered as in `ExposureHeader.mask_planes`.

    Raises
    ------
    FileError
        If the data are damaged; the message names file and HDU.
    """
    with _opened(header.path) as file:
        planes = {role: _data(header.path, file, index) for role, index in header.hdus.items()}
    image = _native(planes["image"], np.float32)
    spread = _native(planes["variance"], np.float32)
    if "mask" in planes:
        mask = _native(planes["mask"], np.int32)
    else:
        mask = np.zeros(image.shape, np.int32)
    if header.layout == "SCI/ERR":
        spread = spread**2
    elif header.layout == "SCI/WHT":
        empty = ~(spread > 0)
        with np.errstate(divide="ignore"):
            spread = np.where(empty, np.float32(np.nan), 1 / spread).astype(np.float32)
        image = np.where(empty, np.float32(np.nan), image)
    if header.layout != "LSST" and header.mask_planes == {"BAD": LSST_PLANES["BAD"]}:
        # A data-quality word without named planes: whatever is set is bad.
        mask = (mask != 0).astype(np.int32) << LSST_PLANES["BAD"]
    return image, spread, mask


@contextmanager
def _opened(path: Path) -> Iterator[fits.HDUList]:
    """Open a FITS file, turning every complaint of the library into one line."""
    if not path.is_file():
        raise FileError(f"{path}: no such file")
    with ExitStack() as open_files:
        try:
            handle: IO[bytes] = open_files.enter_context(path.open("rb"))
            if path.name.lower().endswith(".gz"):
                # In a file that is cut short the library would find fewer HDUs, and go on.
                handle = io.BytesIO(gzip.decompress(handle.read()))
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always", AstropyWarning)
                file = fits.open(handle, memmap=False, lazy_load_hdus=False)
        except Exception as error:  # the readers of damaged files raise all kinds
            raise FileError(f"{path}: not a readable FITS file: {_first_line(error)}") from error
        for warning in said:
            text = str(warning.message)
            if "truncated" in text or "Error validating header" in text:
                raise FileError(f"{path}: cut short or damaged: {_first_line(text)}")
        yield file


def _find_planes(path: Path, file: fits.HDUList) -> tuple[str, dict[str, int]]:
    """Find the HDUs of image, variance and mask, by name or else by the LSST order."""
    names = {hdu.name.upper(): index for index, hdu in enumerate(file) if hdu.name}
    for layout, (image, spread, mask) in _LAYOUTS.items():
        if image in names and spread in names and _is_image(file[names[image]]):
            hdus = {"image": names[image], "variance": names[spread]}
            if mask in names:
                hdus["mask"] = names[mask]
            return layout, hdus
    unnamed = [index for index, hdu in enumerate(file) if index and _is_image(hdu)]
    if len(unnamed) >= 3 and not any(file[index].name for index in unnamed[:3]):
        return "LSST", dict(zip(("image", "mask", "variance"), unnamed[:3], strict=True))
    # With an image of an exposure in it the file is one, but not whole.
    kind = FileError if {"IMAGE", "SCI"} & set(names) else NoExposureError
    raise kind(
        f"{path}: holds {', '.join(sorted(names)) or 'no named HDU'}; an exposure has IMAGE, MASK "
        "and VARIANCE, or SCI with ERR or WHT"
    )


def _is_image(hdu: Any) -> bool:
    return bool(getattr(hdu, "is_image", False)) and len(hdu.shape) == 2


def _data(path: Path, file: fits.HDUList, index: int) -> npt.NDArray:
    """Return the data of one HDU."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            data = file[index].data
    except Exception as error:  # the readers of damaged files raise all kinds
        raise FileError(
            f"{path}: HDU {index} ({file[index].name}) is damaged: {_first_line(error)}"
        ) from error
    if data is None or data.shape != file[index].shape:
        raise FileError(f"{path}: HDU {index} ({file[index].name}) is cut short")
    return np.asarray(data)


def _native(data: npt.NDArray, dtype: type) -> npt.NDArray:
    return np.ascontiguousarray(data, dtype=dtype)


def _first_line(error: BaseException | str) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


def _mask_planes(path: Path, header: fits.Header) -> dict[str, int]:
    """Return the planes that the ``MP_`` cards of a mask name."""
    planes = {}
    for key, value in header.items():
        if key.startswith("MP_"):
            if not isinstance(value, int) or not 0 <= value <= 31:
                raise FileError(f"{path}: card {key} = {value!r}; a bit number is 0 to 30")
            planes[key.removeprefix("MP_")] = int(value)
    return planes


def _visit(path: Path, *headers: fits.Header) -> EpochId:
    """Return the visit id: from the header, else from the file's name."""
    for header in headers:
        for card in _VISIT_CARDS:
            if card in header:
                return as_id(header[card])
    stem = path.name.split(".fits")[0].split(".fit")[0]
    numbers = re.findall(r"\d+", stem)
    return int(max(numbers, key=len)) if numbers else stem


def as_id(value: Any) -> EpochId:
    """Return an epoch id as an int where it looks like one."""
    text = str(value).strip()
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else text


def kind_of_name(name: str) -> Kind | None:
    """Return what a file or folder is called after, if it is."""
    text = re.sub(r"[^a-z]", "", name.lower())
    if "matched" in text:
        return "matched"
    return "direct" if "direct" in text else None


def _kind(path: Path, primary: fits.Header) -> Kind | None:
    """Return whether a warp is direct or PSF-matched: by header, folder or name."""
    return (
        kind_of_name(str(primary.get("WARPTYPE", "")))
        or kind_of_name(path.parent.name)
        or kind_of_name(path.name)
    )


def _psf_sigma(path: Path, *headers: fits.Header) -> float | None:
    """Return the PSF's Gaussian sigma in pixels, where a card gives it."""
    for card, scale in (("PSFSIGMA", 1.0), ("FWHMPIX", 1.0 / FWHM_PER_SIGMA)):
        for header in headers:
            if card in header:
                value = header[card]
                if not isinstance(value, (int, float)) or not 0 < value < np.inf:
                    raise FileError(f"{path}: card {card} = {value!r}; it must be > 0 pixels")
                return float(value) * scale
    return None


def _origin(header: fits.Header) -> tuple[int, int]:
    """Return x, y of the lower-left pixel in the parent grid."""
    if "LTV1" in header and "LTV2" in header:
        return round(-float(header["LTV1"])), round(-float(header["LTV2"]))
    if "CRVAL1A" in header and "CRVAL2A" in header:
        return round(float(header["CRVAL1A"])), round(float(header["CRVAL2A"]))
    return 0, 0


def _wcs(header: fits.Header) -> WCS | None:
    """Return the celestial WCS of an image, if it has one."""
    header = header.copy()
    if not 1800 <= float(header.get("EPOCH", 2000.0)) <= 2200:
        # By an old convention EPOCH is the equinox, a year; here it counts exposures.
        header.remove("EPOCH")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            wcs = WCS(header)
        except Exception:  # a header that the library cannot make sense of has none
            return None
    return wcs if wcs.has_celestial else None


def same_unit(one: str, other: str) -> bool:
    """Tell whether two unit strings mean the same."""
    if one == other:
        return True
    try:
        return units.Unit(one) == units.Unit(other)
    except ValueError:
        return False
