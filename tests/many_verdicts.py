"""A stack in which candidates meet every verdict, streaks and partly masked ones among them."""

import numpy as np
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw

SHAPE = (110, 150)
N_EPOCHS = 9

#: Epoch and pixel of some of what is planted.
ARTIFACT = (2, 20, 30)
MASKED = (4, 21, 60)
VARIABLE = (1, 45, 20)
PROTECTED = (5, 20, 120)
TRAIL = (3, 70, 100)

#: Settings at which streaks are found too.
STREAKS = {"filter_streaks": True, "chi_threshold": 6.0}


def many_verdicts(seed=0):
    """Return the stack."""
    image, variance, mask = planes(N_EPOCHS, SHAPE, seed, trail_epoch=None, stars=False)
    rng = np.random.default_rng(seed + 1)
    for epoch, y, x in [ARTIFACT, MASKED]:
        image[epoch, y : y + 6, x : x + 6] += 60
    mask[MASKED[0], 18:28, 55:70] = 1 << 0  # BAD
    mask[ARTIFACT[0], 20:23, 30:36] = 1 << 1  # SAT: not stacked anyway
    # In 1, 2, 3 … epochs, pieces of different sizes beside one another.
    for number, n_in in enumerate([2, 2, 3, 3, 4, 5]):
        epochs = rng.choice(N_EPOCHS, n_in, replace=False)
        x = 20 + 20 * number
        image[epochs, 90:95, x : x + 5] += rng.uniform(50, 70, (n_in, 1, 1))
        image[epochs[0], 90:95, x + 5 : x + 5 + number] += 60
    image[VARIABLE[0] :: 2, 45:49, 20:24] += 70
    image[:, 16:26, 116:128] += 9000
    image[PROTECTED[0], 19:22, 119:122] += 4000
    y, x = np.indices(SHAPE)
    across = (y - 55 - 0.15 * x) / np.hypot(1, 0.15)
    image[TRAIL[0]] += 60 * np.exp(-0.5 * (across / 1.8) ** 2)
    return cw.WarpStack.from_arrays(image.astype(np.float32), variance, mask, psf_sigma=PSF_SIGMA)


def footprint_at(result, epoch, y, x):
    """Return the id of the footprint at a pixel."""
    return int(result.labels(epoch)[y, x])
