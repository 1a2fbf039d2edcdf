"""Folders of warps in every layout that is read, as the bytes of their files."""

import functools
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path

import fits_files
import look_alikes
import numpy as np
from astropy.io import fits

#: Of every look-alike, as few visits as make a stack that can be compared.
VISITS = 3

#: What some layouts need to be read.
WORDS = {
    "two_sci": ["--assume", "detector=1"],
    "mask_good_is_one": ["--assume", "mask=good"],
    "filters": ["--assume", "filters=any"],
    "unnamed_chips": ["--assume", "detector=1", "--assume", "gain=4", "--assume", "read_noise=5"],
    "lsst": [],
}

#: Bad compressed tiles are made from each of these.
_COMPRESSED = {
    "rice": {"compression_type": "RICE_1", "quantize_level": 16, "quantize_method": 1,
             "dither_seed": 5},
    "rice_dither_2": {"compression_type": "RICE_1", "quantize_level": 4, "quantize_method": 2,
                      "dither_seed": 9999},
    "gzip_1": {"compression_type": "GZIP_1", "quantize_level": 8, "quantize_method": -1},
    "gzip_2": {"compression_type": "GZIP_2", "quantize_level": 0.0},
    "hcompress": {"compression_type": "HCOMPRESS_1", "quantize_level": 16, "tile_shape": (20, 30)},
}  # fmt: skip


@functools.cache
def files_of(layout):
    """Return the files of a layout, paths to bytes."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        LAYOUTS[layout](folder)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def words_of(layout):
    """Return what has to be said beside the folder."""
    return WORDS.get(layout, ["--psf-sigma", "1.6"])


def _like(name):
    def write(folder):
        with _few_visits():
            look_alikes.make(name, folder)

    return write


@contextmanager
def _few_visits():
    before = look_alikes.NVISIT
    look_alikes.NVISIT = VISITS
    try:
        yield
    finally:
        look_alikes.NVISIT = before


def _lsst(folder):
    fits_files.write_stack(folder, wcs=fits_files.tan_wcs(), origin=(100, 200))


def _lsst_signed(folder):
    """Write warps with CHECKSUM and DATASUM."""
    _lsst(folder)
    for path in folder.rglob("*.fits"):
        with fits.open(path) as hdus:
            hdus = fits.HDUList([hdu.copy() for hdu in hdus])
        hdus.writeto(path, overwrite=True, checksum=True)


def _lsst_gzip(folder):
    _lsst(folder)
    for path in list(folder.rglob("*.fits")):
        fits_files.gzipped(path)
        path.unlink()


def _lsst_in_one_folder(folder):
    """Write direct warps alone, which are compared with themselves."""
    for visit in range(VISITS):
        fits_files.write_lsst(folder / f"warp_{visit}.fits", fits_files.make_planes(visit),
                              visit=visit, wcs=fits_files.tan_wcs())  # fmt: skip


def _compressed(name):
    def write(folder):
        rng = np.random.default_rng(1)
        for visit in range(VISITS):
            image, mask, variance = fits_files.make_planes(visit, (40, 60))
            image = np.nan_to_num(image) + rng.normal(0, 1, image.shape).astype("f4")
            primary = fits.PrimaryHDU()
            primary.header.update({"VISIT": visit, "PSFSIGMA": 2.0})
            options = _COMPRESSED[name]
            hdus = [primary, fits.CompImageHDU(image, name="IMAGE", **options)]
            hdus.append(fits.CompImageHDU(mask, name="MASK", compression_type="PLIO_1"))
            hdus[-1].header["MP_BAD"] = 0
            hdus[-1].header["MP_NO_DATA"] = 8
            hdus.append(fits.CompImageHDU(variance, name="VARIANCE", **options))
            fits.HDUList(hdus).writeto(folder / f"warp_{visit}.fits", checksum=True)

    return write


def _with_psf(make_hdu):
    def write(folder):
        _lsst_in_one_folder(folder)
        for path in folder.iterdir():
            hdu = make_hdu()
            fits.append(path, hdu.data, hdu.header)

    return write


def _gaussian(size, sigma):
    axis = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return np.outer(axis, axis) / axis.sum() ** 2


def _kernel():
    return fits.ImageHDU(_gaussian(11, 2.0), name="PSF")


def _grid():
    places = [(2, 5), (2, 25), (15, 5), (15, 25)]
    hdu = fits.ImageHDU(np.array([_gaussian(21, 4 + k) for k in range(4)]), name="PSF")
    hdu.header.update({f"DET_YX{k}": str((float(y), float(x))) for k, (y, x) in enumerate(places)})
    hdu.header["OVERSAMP"] = 2
    return hdu


def _psfex():
    images = np.array([_gaussian(15, 2.0), *[0.01 * _gaussian(15, 3.0)] * 2], np.float32)
    column = fits.Column("PSF_MASK", f"{images.size}E", dim="(15,15,3)", array=images[np.newaxis])
    hdu = fits.BinTableHDU.from_columns([column], name="PSF_DATA")
    hdu.header.update(
        {
            "POLNAXIS": 2, "POLNGRP": 1, "POLDEG1": 1, "PSF_SAMP": 1.0,
            "POLNAME1": "X_IMAGE", "POLZERO1": 11.0, "POLSCAL1": 20.0,
            "POLNAME2": "Y_IMAGE", "POLZERO2": 6.0, "POLSCAL2": 10.0,
        }
    )  # fmt: skip
    return hdu


def _rubin(folder):
    """Write warps as Rubin's pipelines do: compressed, with an archive of their PSF."""
    import rubin_repo

    before = rubin_repo.OUTER, rubin_repo.BORDER
    rubin_repo.OUTER, rubin_repo.BORDER = (12000, 12000, 32, 32), 8
    rng = np.random.default_rng(3)
    try:
        for index in range(VISITS):
            names = ("direct_warp", "psf_matched_warp")
            rubin_repo.make_visit(folder, 2025050100123 + index, index, rng, names)
    finally:
        rubin_repo.OUTER, rubin_repo.BORDER = before


def _has_butler():
    try:
        import rubin_repo  # noqa: F401
    except ImportError:
        return False
    return True


LAYOUTS = {
    "lsst": _lsst,
    "lsst_signed": _lsst_signed,
    "lsst_gzip": _lsst_gzip,
    "lsst_direct": _lsst_in_one_folder,
    **{f"packed_{name}": _compressed(name) for name in _COMPRESSED},
    "psf_kernel": _with_psf(_kernel),
    "psf_grid": _with_psf(_grid),
    "psf_psfex": _with_psf(_psfex),
    **({"rubin": _rubin} if _has_butler() else {}),
    **{name: _like(name) for name in look_alikes.CASES if name != "err_only"},
}

#: Those whose planes all have a DATASUM.
SIGNED = ("lsst_signed",)
