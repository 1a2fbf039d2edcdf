"""The stack that everything is measured on: as arrays, as FITS files, and as SWarp takes it."""

from pathlib import Path

import numpy as np
from astropy.io import fits

import napari_comparewarp as cw
from napari_comparewarp.algorithm.mask_planes import bits
from napari_comparewarp.simulation import Night, simulate_night

SEED = 35
PLANES = ("image", "variance", "mask", "matched_image", "matched_variance", "matched_mask")

#: Planes whose pixels no program may use.
BAD_PLANES = ("NO_DATA", "BAD", "SAT")

#: Electrons per nJy: SWarp's clip needs to know how noise grows with flux.
GAIN = 1.0


def make_inputs(folder: Path, n_epochs: int, size: int) -> None:
    """Simulate a night and store it in all the forms that are measured.

    ``arrays/`` has the planes, ``warps/`` uncompressed FITS exposures, direct
    and matched, and ``plain/`` the direct images with weight maps.
    """
    night = simulate_night(n_epochs, (size, size), seed=SEED)
    for name in ("arrays", "warps/direct", "warps/matched", "plain"):
        (folder / name).mkdir(parents=True)
    for name in PLANES:
        np.save(folder / "arrays" / f"{name}.npy", getattr(night, name))
    np.save(folder / "arrays" / "psf_sigma.npy", night.matched_psf_sigma)
    for index, visit in enumerate(night.visits):
        for kind, prefix in (("direct", ""), ("matched", "matched_")):
            path = folder / "warps" / kind / f"warp_{visit}.fits"
            _write_exposure(night, prefix, index, path)
        _write_plain(night, index, folder / "plain" / f"warp_{visit}.fits")


def load_stack(folder: Path) -> cw.WarpStack:
    """Return the stack as arrays in memory."""
    planes = {name: np.load(folder / "arrays" / f"{name}.npy") for name in PLANES}
    return cw.WarpStack.from_arrays(
        **planes, psf_sigma=np.load(folder / "arrays" / "psf_sigma.npy")
    )


def small_stack() -> cw.WarpStack:
    """Return a stack that takes no time, to have the kernels compiled or loaded."""
    return simulate_night(6, (128, 128), seed=SEED).stack()


def _write_exposure(night: Night, prefix: str, index: int, path: Path) -> None:
    """Write one warp as an exposure of three planes."""
    grid = night.wcs.to_header()
    image, variance, mask = (
        fits.ImageHDU(getattr(night, prefix + name)[index], grid, name=name.upper())
        for name in ("image", "variance", "mask")
    )
    image.header["BUNIT"] = "nJy"
    for name, bit in night.mask_planes.items():
        mask.header[f"HIERARCH MP_{name}"] = bit
    primary = fits.PrimaryHDU()
    primary.header["VISIT"] = night.visits[index]
    primary.header["PSFSIGMA"] = float(night.matched_psf_sigma[index])
    fits.HDUList([primary, image, mask, variance]).writeto(path)


def _write_plain(night: Night, index: int, path: Path) -> None:
    """Write one direct warp as an image and a weight map: 0 where it must not be used."""
    image, variance = night.image[index], night.variance[index]
    bad = (night.mask[index] & bits(night.mask_planes, BAD_PLANES)) != 0
    bad |= ~np.isfinite(image) | ~(variance > 0)
    header = night.wcs.to_header()
    header["GAIN"] = GAIN
    fits.writeto(path, np.where(bad, np.float32(0), image), header)
    weight = np.divide(np.float32(1), variance, out=np.zeros_like(variance), where=~bad)
    fits.writeto(path.with_suffix(".weight.fits"), weight, header)
