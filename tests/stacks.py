"""Small stacks of warps made in memory, with a trail in one epoch."""

import numpy as np
from scipy import ndimage

from napari_comparewarp import WarpStack

PSF_SIGMA = 2.0


def sky(shape, rng, n_stars=6):
    """Return some stars, nJy."""
    points = np.zeros(shape)
    for _ in range(n_stars):
        y, x = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        points[y, x] += rng.uniform(1e3, 2e4)
    return ndimage.gaussian_filter(points, PSF_SIGMA)


def planes(n_epochs=6, shape=(60, 70), seed=0, sigma=3.0, trail_epoch=1, stars=True):
    """Return image, variance and mask cubes; `trail_epoch` None: nothing but noise and stars."""
    rng = np.random.default_rng(seed)
    image = rng.normal(0, sigma, (n_epochs, *shape))
    if stars:
        image += sky(shape, rng)
    if trail_epoch is not None:
        image[trail_epoch, shape[0] // 2 : shape[0] // 2 + 4] += 40 * sigma
    variance = np.full(image.shape, sigma**2) * rng.uniform(0.9, 1.1, (n_epochs, 1, 1))
    mask = np.zeros(image.shape, np.int32)
    image[:, :3, :] = np.nan
    mask[:, :3, :] = 1 << 8
    mask[0, :, 10] = 1 << 0
    mask[2 % n_epochs, 40:44, 20:30] = 1 << 1
    mask[3 % n_epochs, 5, :] = 1 << 4
    return image.astype(np.float32), variance.astype(np.float32), mask


def stack(*args, **kwargs):
    """Return `planes` as a stack that is compared with itself."""
    return WarpStack.from_arrays(*planes(*args, **kwargs), psf_sigma=PSF_SIGMA)
