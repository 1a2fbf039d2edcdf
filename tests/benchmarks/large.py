"""A stack larger than the memory it may use: from compressed files, beside reading them once."""

import time
from pathlib import Path

import numpy as np
from astropy.io import fits
from measure import peak_memory
from scipy import ndimage

import napari_comparewarp as cw
from napari_comparewarp.algorithm.mask_planes import LSST_PLANES
from napari_comparewarp.io.pixels import read_pixels
from napari_comparewarp.io.scan import scan_exposure
from napari_comparewarp.io.sources import find_sources

EPOCHS, SIZE, MEMORY = 33, 4200, "4GB"


def write_large_stack(folder: Path, n_epochs: int = EPOCHS, size: int = SIZE) -> None:
    """Write direct and matched warps, one at a time: stars, noise, a trail and hits an epoch."""
    rng = np.random.default_rng(5)
    points = np.zeros((size, size), np.float32)
    places = rng.integers(0, size, (size * size // 3000, 2))
    np.add.at(points, tuple(places.T), (10 ** rng.uniform(2, 5.5, len(places))).astype(np.float32))
    sky = ndimage.gaussian_filter(points, 2.4)
    variance = (16 + 0.05 * np.maximum(sky, 0)).astype(np.float32)
    for epoch in range(n_epochs):
        image = rng.standard_normal((size, size), dtype=np.float32) * 4 + sky
        row = (200 + 100 * epoch) % (size - 7)
        image[row : row + 7] += 30
        for y, x in rng.integers(0, size - 12, (150, 2)):
            image[y : y + 3, x : x + 10] += 80
        mask = np.where(sky > 60, np.int32(1 << 5), np.int32(0))
        image[:12], mask[:12] = np.nan, 1 << 8
        for kind in ("direct", "matched"):
            _write(folder / kind / f"{kind}_warp_{epoch}.fits.fz", epoch, image, mask, variance)


def _write(
    path: Path, epoch: int, image: np.ndarray, mask: np.ndarray, variance: np.ndarray
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    primary = fits.PrimaryHDU()
    primary.header["VISIT"], primary.header["PSFSIGMA"] = epoch, 2.4
    tiles = {"compression_type": "GZIP_2", "tile_shape": (64, image.shape[1])}
    hdus = [
        primary,
        fits.CompImageHDU(image, name="IMAGE", quantize_level=4, quantize_method=1, **tiles),
        fits.CompImageHDU(mask, name="MASK", **tiles),
        fits.CompImageHDU(variance, name="VARIANCE", quantize_level=-0.16, **tiles),
    ]
    for name, bit in {"BAD": 0, "SAT": 1, "DETECTED": 5, "NO_DATA": 8}.items():
        hdus[2].header[f"HIERARCH MP_{name}"] = bit
    fits.HDUList(hdus).writeto(path, overwrite=True)


def seconds_of_reading(folder: Path) -> float:
    """Return how long it takes to read and decompress all planes once, and forget them."""
    start = time.perf_counter()
    for found in find_sources(folder):
        read_pixels(scan_exposure(found.path), dict(LSST_PLANES))
    return time.perf_counter() - start


def run_in_little_memory(folder: Path, memory: str = MEMORY) -> tuple[float, int, int]:
    """Return seconds from files to coadd, size of the planes, and resident peak, bytes.

    To be called in a process of its own.
    """
    start = time.perf_counter()
    stack = cw.read_stack(folder, memory=memory)
    cw.run(stack)
    return time.perf_counter() - start, stack.nbytes, peak_memory()
