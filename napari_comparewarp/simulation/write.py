"""A simulated night as a folder of FITS files."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.io.fits.hdu.compressed import (
    DITHER_SEED_CHECKSUM,
    NO_DITHER,
    SUBTRACTIVE_DITHER_1,
)

from ..errors import OutputError
from ..io.atomic import check_folder
from ..io.leftovers import scratch_folder
from .night import Night
from .truth_files import write_truth

__all__ = ["check_night_folder", "write_night"]

#: The folders of a night.
_FOLDERS = ("direct", "matched", "truth")

#: Quantisation steps of an image per sigma of its noise: rounding adds 0.5 % to the
#: variance.
_STEPS_PER_SIGMA = 4

#: Quantisation step of the variance, which has no noise, in units of the sky variance.
_VARIANCE_STEP = 0.01

#: Rows of a compressed tile.
_TILE_ROWS = 64


def write_night(night: Night, folder: str | Path, overwrite: bool = False) -> list[Path]:
    """Write a night as tile-compressed FITS files, together with the truth.

    The folder gets ``direct/direct_warp_<visit>.fits.fz``,
    ``matched/psf_matched_warp_<visit>.fits.fz`` and ``truth/``. Images and
    variances are quantised, images with dithering, in steps well below the noise,
    so they are not identical when read back. The files appear when all are
    written.

    Parameters
    ----------
    night : Night
        What to write.
    folder : path
        Created if necessary; it may contain other files.
    overwrite : bool
        Replace an existing night completely.

    Returns
    -------
    list of Path
        The warps that were written.

    Raises
    ------
    OutputError
        If there is a night already, or the folder cannot be created or written to.
    """
    folder = Path(folder)
    check_night_folder(folder, overwrite)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with scratch_folder(folder) as scratch:
            new = scratch / "new"
            for name in _FOLDERS:
                (new / name).mkdir(parents=True)
            write_truth(night.truth, new / "truth", night.wcs)
            jobs = [(night, new, kind, i) for i in range(len(night.visits)) for kind in _KINDS]
            with ThreadPoolExecutor(2) as pool:
                written = list(pool.map(_write_warp, *zip(*jobs, strict=True)))
            _move_over(new, folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot write the night: {error.strerror or error}") from error
    return [folder / path.relative_to(new) for path in written]


def _move_over(new: Path, old: Path) -> None:
    """Put a night in the place of another one, file by file.

    Whenever it ends, all files of one of them are there. The truth goes first: what has
    it may be replaced, should this be cut short.
    """
    rest = {path for name in _FOLDERS for path in (old / name).rglob("*")}
    for name in reversed(_FOLDERS):
        for path in (new / name, *sorted((new / name).rglob("*"))):
            place = old / path.relative_to(new)
            rest.discard(place)
            if path.is_dir():
                place.mkdir(exist_ok=True)
            else:
                path.replace(place)
    for path in sorted(rest, reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def check_night_folder(folder: Path, overwrite: bool) -> None:
    """Refuse a folder that cannot be written, or whose night would be replaced unasked.

    Nothing but a night is ever replaced.

    Parameters
    ----------
    folder : Path
    overwrite : bool
        As for `write_night`.

    Raises
    ------
    OutputError
    """
    check_folder(folder, parents=True, hint="a night is written to a folder")
    there = [folder / name for name in _FOLDERS if os.path.lexists(folder / name)]
    if there and not overwrite:
        raise OutputError(f"{there[0]} exists; use --overwrite to replace the night in it")
    if there and not (folder / "truth" / "visits.ecsv").is_file():
        raise OutputError(
            f"{there[0]} exists and is not part of a simulated night: it is not replaced"
        )


#: File name and WARPTYPE of each kind of warp.
_KINDS = {
    "direct": ("direct_warp_{}.fits.fz", "direct"),
    "matched": ("psf_matched_warp_{}.fits.fz", "psfMatched"),
}


def _write_warp(night: Night, folder: Path, kind: str, index: int) -> Path:
    """Write one warp: a primary header, IMAGE, MASK, VARIANCE and a direct one's PSF."""
    if kind == "direct":
        planes = night.image[index], night.variance[index], night.mask[index]
        psf_sigma = night.psf_sigma[index]
    else:
        planes = (
            night.matched_image[index],
            night.matched_variance[index],
            night.matched_mask[index],
        )
        psf_sigma = night.matched_psf_sigma[index]
    image, variance, mask = planes
    file_name, warp_type = _KINDS[kind]
    visit = night.visits[index]
    primary = fits.PrimaryHDU()
    primary.header["VISIT"] = (visit, "id of the visit")
    primary.header["WARPTYPE"] = (warp_type, "direct or psfMatched")
    primary.header["PSFSIGMA"] = (float(psf_sigma), "[pix] Gaussian sigma of the PSF")
    primary.header["MJD-OBS"] = (float(night.mjd[index]), "[d] start of the exposure")
    primary.header["BAND"] = (night.band, "filter")
    primary.header["EXPTIME"] = (night.exposure_time, "[s] exposure time")
    primary.header["SIMULATE"] = (True, "made by a simulation")
    primary.header["SEED"] = (night.seed, "of the simulation")
    grid = _grid_header(night)
    # A negative level is an absolute step.
    variance_step = _VARIANCE_STEP * float(np.nanmedian(variance))
    hdus = [
        primary,
        _compressed(
            "IMAGE",
            image,
            grid,
            "nJy",
            quantize_level=_STEPS_PER_SIGMA,
            quantize_method=SUBTRACTIVE_DITHER_1,
            dither_seed=DITHER_SEED_CHECKSUM,
        ),
        _compressed_mask(mask, grid, night),
        _compressed(
            "VARIANCE",
            variance,
            grid,
            "nJy2",
            quantize_level=-variance_step,
            quantize_method=NO_DITHER,
        ),
    ]
    if kind == "direct":
        # Level 0 is lossless.
        hdus.append(_compressed("PSF", night.psf[index], fits.Header(), quantize_level=0.0))
    path = folder / kind / file_name.format(visit)
    fits.HDUList(hdus).writeto(path, checksum=True)
    return path


def _grid_header(night: Night) -> fits.Header:
    """Return the cards for the position of the patch on the sky and in its tract."""
    header = night.wcs.to_header()
    x0, y0 = night.origin
    header["LTV1"] = (-float(x0), "tract pixel = array pixel - LTV")
    header["LTV2"] = (-float(y0), "tract pixel = array pixel - LTV")
    return header


def _compressed(
    name: str, plane: np.ndarray, grid: fits.Header, unit: str = "", **quantisation: float
) -> fits.CompImageHDU:
    """Return a plane compressed by GZIP with shuffled bytes.

    Rice compression stores the step from a number to a NaN as a jump of 2³¹, so
    that gaps between detectors would double the size of the file.
    """
    hdu = fits.CompImageHDU(
        plane,
        grid.copy(),
        name=name,
        compression_type="GZIP_2",
        tile_shape=(min(_TILE_ROWS, plane.shape[0]), plane.shape[1]),
        **quantisation,
    )
    if unit:
        hdu.header["BUNIT"] = unit
    return hdu


def _compressed_mask(mask: np.ndarray, grid: fits.Header, night: Night) -> fits.CompImageHDU:
    hdu = _compressed("MASK", mask, grid)
    for name, bit in night.mask_planes.items():
        # Names that are too long for a FITS keyword need the HIERARCH convention.
        key = f"MP_{name}"
        hdu.header[key if len(key) <= 8 else f"HIERARCH {key}"] = bit
    return hdu
