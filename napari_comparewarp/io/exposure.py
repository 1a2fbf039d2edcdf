"""One exposure: what its headers say, and its pixels as image, variance and mask."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from ..algorithm.array_planes import has_no_data
from ..algorithm.psf import PsfModel
from ..algorithm.warps import EpochId, ExposureTime
from ..errors import StackError, one_line
from .dialects.dialect import Dialect, Layout, Plane, PlaneData
from .dialects.registry import recognise
from .headers import (
    Kind,
    kind_in_header,
    kind_in_words,
    origin_in_header,
    psf_sigma_in_header,
    visit_in_header,
    visit_in_name,
)
from .open_fits import OpenFiles, image_values, reading
from .psf import read_psf
from .sky import read_grid
from .times import exposure_time

__all__ = ["Exposure", "Pixels", "read_pixels", "scan_exposure"]


@dataclass(frozen=True)
class Exposure:
    """What the headers of an exposure say about its warp; None where they do not.

    Attributes
    ----------
    path : Path
        The file with the image.
    dialect : Dialect
        What reads it.
    layout : Layout
        Where its planes lie.
    shape : tuple of int
        ``(y, x)``.
    visit : int or str
        Visit id, from the header or else from the file's name.
    kind : {"direct", "matched"} or None
        From the header, the name of the folder or the name of the file.
    psf_sigma : float or None
        Gaussian sigma of the PSF, pixels.
    unit : str or None
        That of the image.
    origin : tuple of int or None
        x, y of the lower-left pixel in the parent grid.
    wcs : astropy.wcs.WCS or None
        Sky coordinates of array pixels.
    mask_planes : dict of str to int or None
        Bit number of each named plane of the mask; None: no plane is named.
    is_coadd : bool
        Whether it counts its inputs (an HDU named NIMAGE), so that it is no warp.
    time : ExposureTime or None
        When it was taken.
    notes : tuple of str
        What was assumed, mended or ignored of its headers, a clause each.
    """

    path: Path
    dialect: Dialect
    layout: Layout
    shape: tuple[int, int]
    visit: EpochId
    kind: Kind | None
    psf_sigma: float | None
    unit: str | None
    origin: tuple[int, int] | None
    wcs: WCS | None
    mask_planes: Mapping[str, int] | None
    is_coadd: bool
    time: ExposureTime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pixels:
    """The planes of one exposure, ``(y, x)``.

    Attributes
    ----------
    image, variance : ndarray
        Floating point, in the byte order of the file.
    mask : ndarray
        int32, in the numbering that was asked for.
    assumptions : tuple of str
        What the file does not say and was assumed, or was ignored; a line each.
    psf : PsfModel or None
        What the file says of the PSF; None for a PSF-matched warp.
    """

    image: np.ndarray
    variance: np.ndarray
    mask: np.ndarray
    assumptions: tuple[str, ...]
    psf: PsfModel | None


def scan_exposure(path: Path) -> Exposure:
    """Read what the headers of an exposure say; no pixel is read.

    Parameters
    ----------
    path : Path
        The file with the image.

    Raises
    ------
    NotAnExposure
        If the file holds no image.
    StackError
        If it cannot be read, has no variance, or says what cannot be.
    """
    with OpenFiles() as files:
        dialect, layout = recognise(path, files)
        shape = _check_shapes(layout, files)
        hdus = files[path]
        headers = [hdus[layout.image.hdu].header, hdus[0].header]
        with _cards_of(path):
            visit = visit_in_header(headers)
            kind = (
                kind_in_header(headers)
                or kind_in_words(path.absolute().parent.name)
                or kind_in_words(path.name)
            )
            psf_sigma = psf_sigma_in_header(headers)
            unit = dialect.unit(headers)
            origin = origin_in_header(headers)
            grid = read_grid(headers, hdus)
            time, time_notes = exposure_time(headers)
        mask_planes = None
        if layout.mask is not None:
            with _cards_of(layout.mask.path):
                mask_planes = dialect.mask_planes(_hdu(files, layout.mask).header)
        return Exposure(
            path=path,
            dialect=dialect,
            layout=layout,
            shape=shape,
            # Visit 0 is a visit, so `or` will not do.
            visit=visit_in_name(path) if visit is None else visit,
            kind=kind,
            psf_sigma=psf_sigma,
            unit=unit,
            origin=origin,
            wcs=grid.wcs,
            mask_planes=mask_planes,
            is_coadd="NIMAGE" in hdus,
            time=time,
            notes=grid.notes + time_notes,
        )


@contextmanager
def _cards_of(path: Path) -> Iterator[None]:
    """Name the file whose cards cannot be meant."""
    try:
        yield
    except ValueError as error:
        raise StackError(f"{path}: {one_line(error)}") from error


def _hdu(files: OpenFiles, plane: Plane) -> fits.ImageHDU:
    return files[plane.path][plane.hdu]


def _check_shapes(layout: Layout, files: OpenFiles) -> tuple[int, int]:
    """Return the common shape of the planes, refusing those that are no images of it."""
    image = layout.image
    expected = _hdu(files, image).shape
    if len(expected) != 2 or 0 in expected:
        raise StackError(f"{image.path}, HDU {image.name}: shape {expected}; an image has two axes")
    for plane in layout.planes:
        hdu, where = _hdu(files, plane), f"{plane.path}, HDU {plane.name}"
        if hdu.shape != expected:
            other = image.name if plane.path == image.path else f"{image.path}, HDU {image.name},"
            raise StackError(f"{where}: shape {hdu.shape} where {other} has {expected}")
        if plane.role == "mask" and hdu.header["BITPIX"] < 0:
            raise StackError(f"{where}: real numbers; a mask is made of integers")
    return expected


def read_pixels(exposure: Exposure, mask_planes: Mapping[str, int]) -> Pixels:
    """Read the planes of an exposure, and the PSF of a direct one.

    Where its dialect, a BLANK card, a variance that is none, or a weight of 0 says
    that a pixel has no data, NO_DATA is set in the mask.

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
        If a file is corrupt or has changed since it was scanned.
    """
    layout, dialect = exposure.layout, exposure.dialect
    with OpenFiles(verify=True) as files:

        def read(plane: Plane) -> PlaneData:
            hdus = files[plane.path]
            with reading(plane.path, plane.name):
                hdu = hdus[plane.hdu]
                values, blank = image_values(hdu)
            if values is None or values.shape != exposure.shape:
                raise StackError(f"{plane.path}, HDU {plane.name}: it changed while it was read")
            return PlaneData(values, hdu.header, blank)

        raw_image, raw_variance = read(layout.image), read(layout.variance)
        blanks = [raw_image.blank, raw_variance.blank]
        if layout.weight is not None:
            weight = read(layout.weight)
            blanks += [weight.blank, ~(weight.values > 0)]
        if layout.mask is None:
            mask, unnamed_bits = np.zeros(exposure.shape, np.int32), 0
        else:
            raw_mask = read(layout.mask)
            flags = raw_mask.values
            blanks.append(raw_mask.blank)
            if flags.dtype.kind not in "iub":
                raise StackError(
                    f"{layout.mask.path}, HDU {layout.mask.name}: scaled to real numbers by "
                    "BSCALE; a mask is made of integers"
                )
            mask, unnamed_bits = _renumber(flags, exposure.mask_planes, mask_planes)
        psf = None
        if exposure.kind != "matched":
            hdus = files[exposure.path]
            with reading(exposure.path, "PSF"):
                psf = read_psf(exposure.path, hdus, exposure.psf_sigma)
    image, variance, no_data = dialect.translate(raw_image, raw_variance)
    missing = has_no_data(variance)
    for plane in (*blanks, no_data):
        if plane is not None:
            missing |= plane
    if raw_image.blank is not None:
        image = np.where(raw_image.blank, np.float32(np.nan), image)
    if missing.any():
        mask[missing] |= 1 << mask_planes["NO_DATA"]
    said = dialect.assumptions(layout.mask, exposure.mask_planes, mask, unnamed_bits)
    return Pixels(image, variance, mask, tuple(said), psf)


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
