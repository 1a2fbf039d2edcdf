"""Real FITS files of every layout that is read."""

import gzip

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from napari_comparewarp.io.pixels import read_pixels
from napari_comparewarp.io.scan import scan_exposure

PLANES = {"BAD": 0, "SAT": 1, "DETECTED": 5, "NO_DATA": 8}
SHAPE = (20, 30)


def tan_wcs(shift=0.0):
    """Return a tangential WCS, shifted by some pixels."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = 150.0, 2.0
    wcs.wcs.crpix = 15 + shift, 10
    wcs.wcs.cdelt = -5e-5, 5e-5
    return wcs


def make_planes(seed=0, shape=SHAPE):
    """Return image, mask and variance of one exposure."""
    rng = np.random.default_rng(seed)
    image = rng.normal(10, 3, shape).astype(np.float32)
    image[0, :4] = np.nan
    mask = np.zeros(shape, np.int32)
    mask[0, :4] = 1 << PLANES["NO_DATA"]
    mask[5, 5] = 1 << PLANES["SAT"]
    variance = rng.uniform(8, 10, shape).astype(np.float32)
    return image, mask, variance


def read_planes(path, numbers=PLANES):
    """Return image, variance and mask of an exposure."""
    pixels = read_pixels(scan_exposure(path), numbers)
    return pixels.image, pixels.variance, pixels.mask


def gzipped(path):
    """Compress a file as a whole; return the path of the copy."""
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    return target


def write_lsst(
    path, planes=None, *, visit=None, kind=None, unit="nJy", wcs=None, origin=None, sigma=2.0,
    mask_planes=PLANES, names=True, dtype=None, compressed=False, cards=None,
):  # fmt: skip
    """Write an exposure as IMAGE, MASK and VARIANCE; return the path."""
    image, mask, variance = make_planes() if planes is None else planes
    primary = fits.PrimaryHDU()
    header = fits.Header() if wcs is None else wcs.to_header()
    for name, value in {"VISIT": visit, "WARPTYPE": kind, "PSFSIGMA": sigma}.items():
        if value is not None:
            primary.header[name] = value
    if origin is not None:
        header["LTV1"], header["LTV2"] = -origin[0], -origin[1]
    header.update(cards or {})
    hdus = [primary]
    for name, plane in (("IMAGE", image), ("MASK", mask), ("VARIANCE", variance)):
        data = plane if dtype is None or name == "MASK" else plane.astype(dtype)
        make = fits.CompImageHDU if compressed else fits.ImageHDU
        options = {"compression_type": "GZIP_2", "quantize_level": 0.0} if compressed else {}
        hdu = make(data, header, name=name if names else "", **options)
        if name == "IMAGE" and unit:
            hdu.header["BUNIT"] = unit
        if name == "MASK":
            for plane_name, bit in mask_planes.items():
                hdu.header[f"HIERARCH MP_{plane_name}"] = bit
        hdus.append(hdu)
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def write_plain(path, spread_name, spread, *, image=None, dq=None, cards=None):
    """Write an exposure as SCI with ERR or WHT, and DQ."""
    image = make_planes()[0] if image is None else image
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(image, name="SCI")]
    hdus.append(fits.ImageHDU(spread, name=spread_name))
    if dq is not None:
        hdus.append(fits.ImageHDU(dq, name="DQ"))
        hdus[-1].header.update(cards or {})
    hdus[0].header["PSFSIGMA"] = 2.0
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def write_stack(folder, visits=(1, 2, 3), **options):
    """Write direct and matched warps of some visits."""
    for number, visit in enumerate(visits):
        for kind, name in (("direct", "direct_warp"), ("matched", "psf_matched_warp")):
            planes = make_planes(10 * number + (kind == "matched"))
            write_lsst(folder / kind / f"{name}_{visit}.fits", planes, visit=visit, **options)
    return folder
