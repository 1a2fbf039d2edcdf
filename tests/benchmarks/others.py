"""Other programs on the same frames: ccdproc's Combiner, and SWarp's CLIPPED combine."""

import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from inputs import BAD_PLANES
from measure import run_command

import napari_comparewarp as cw
from napari_comparewarp.algorithm.mask_planes import bits

#: SWarp's name differs between systems.
SWARP = shutil.which("SWarp") or shutil.which("swarp")


def ccdproc_combine(stack: cw.WarpStack) -> Callable[[], None]:
    """Return a function that sigma-clips and averages the direct warps, unweighted.

    Weighted, ccdproc up to 2.5.1 divides by the wrong sum. All rows are combined:
    its arrays of a few would fit the cache, and a pixel would cost much less.
    """
    import astropy.units as u
    from astropy.nddata import CCDData
    from ccdproc import Combiner

    bad = bits(stack.mask_planes, BAD_PLANES)
    direct = stack.direct
    frames = [
        CCDData(
            np.nan_to_num(direct.image[epoch]),
            unit=u.nJy,
            mask=(direct.mask[epoch] & bad != 0) | np.isnan(direct.image[epoch]),
        )
        for epoch in range(stack.n_epochs)
    ]

    def combine() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            combiner = Combiner(frames)
            combiner.sigma_clipping(low_thresh=3, high_thresh=3, func=np.ma.median)
            combiner.average_combine()

    return combine


def swarp_combine(folder: Path) -> Callable[[], None]:
    """Return a function that has SWarp combine the frames of ``plain/``, files to file.

    The frames are on one grid: nothing is resampled. Their headers give GAIN,
    without which SWarp clips nothing.
    """
    frames = sorted(
        path.name for path in (folder / "plain").glob("*.fits") if "weight" not in path.name
    )
    options = {
        "RESAMPLE": "N", "COMBINE": "Y", "COMBINE_TYPE": "CLIPPED", "CLIP_SIGMA": "4.0",
        "WEIGHT_TYPE": "MAP_WEIGHT", "WEIGHT_SUFFIX": ".weight.fits", "SUBTRACT_BACK": "N",
        "IMAGEOUT_NAME": "swarp.fits", "WEIGHTOUT_NAME": "swarp.weight.fits",
        "VERBOSE_TYPE": "QUIET", "WRITE_XML": "N", "NTHREADS": "2", "DELETE_TMPFILES": "Y",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"-{name}", value)]
    return lambda: run_command([SWARP, *frames, *words], folder / "plain")


def files_to_file(folder: Path) -> Callable[[], None]:
    """Return a function that does the same work from files to a file, in a program of its own."""
    program = "from napari_comparewarp.cli import main; main()"
    words = ["run", "warps", "-o", "coadd.fits", "--overwrite", "--quiet"]
    return lambda: run_command([sys.executable, "-c", program, *words], folder)
