"""Kernels of PSFs that tests are made from."""

import numpy as np


def gaussian(size, sigma_y, sigma_x=None, shift=(0.0, 0.0)):
    """Return a Gaussian image whose total flux is 1."""
    y, x = np.mgrid[:size, :size] - size // 2
    sigma_x = sigma_y if sigma_x is None else sigma_x
    image = np.exp(-0.5 * (((y - shift[0]) / sigma_y) ** 2 + ((x - shift[1]) / sigma_x) ** 2))
    return image / image.sum()
