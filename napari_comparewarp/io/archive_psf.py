"""The PSF in the archive of an LSST exposure, where it is one that can be written down."""

from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from ..errors import PsfError

__all__ = ["archive_psf", "archive_psf_class"]

#: Classes of PSF that are sums of round Gaussians, with the columns of their tables.
_GAUSSIANS = ("DoubleGaussianPsf", "SingleGaussianPsf")

_LARGEST = 1001


def archive_psf_class(hdus: fits.HDUList) -> str | None:
    """Return the class of the PSF that a file's archive holds; None where there is none."""
    entry = _entry(hdus)
    return None if entry is None else str(entry["name"]).strip()


def archive_psf(hdus: fits.HDUList) -> npt.NDArray[np.float64] | None:
    """Return the kernel of the PSF in a file's archive.

    Parameters
    ----------
    hdus : HDUList
        An exposure of the LSST pipelines.

    Returns
    -------
    ndarray or None
        ``(y, x)``, sums to 1; None where there is no archive, or its PSF needs
        the pipelines to be computed.

    Raises
    ------
    PsfError
        If the table is damaged.
    """
    entry = _entry(hdus)
    if entry is None or str(entry["name"]).strip() not in _GAUSSIANS:
        return None
    table = next(
        (
            hdu
            for hdu in hdus
            if hdu.header.get("EXTTYPE") == "ARCHIVE_DATA"
            and hdu.header.get("AR_CATN") == entry["cat.archive"]
        ),
        None,
    )
    if table is None or table.data is None or not len(table.data) > entry["row0"]:
        raise PsfError("the table of its PSF is not in the file")
    row = table.data[int(entry["row0"])]
    try:
        width, height = (int(size) for size in row["dimensions"])
        if str(entry["name"]).strip() == "SingleGaussianPsf":
            sigmas, amplitude = (float(row["sigma"]), 1.0), 0.0
        else:
            sigmas, amplitude = (float(row["sigma1"]), float(row["sigma2"])), float(row["b"])
    except (KeyError, ValueError, TypeError) as error:
        raise PsfError(f"the table of its PSF lacks a column: {error}") from error
    is_odd = width % 2 == height % 2 == 1
    if not (is_odd and 0 < max(width, height) <= _LARGEST and sigmas[0] > 0 and amplitude >= 0):
        raise PsfError(f"a PSF of {width} x {height} pixels with sigma {sigmas[0]} cannot be meant")
    y, x = np.mgrid[:height, :width]
    square = (y - height // 2) ** 2 + (x - width // 2) ** 2
    kernel = np.exp(-square / (2 * sigmas[0] ** 2))
    if amplitude:
        kernel += amplitude * np.exp(-square / (2 * sigmas[1] ** 2))
    return kernel / kernel.sum()


def _entry(hdus: fits.HDUList) -> Any:
    """Return the row of the archive's index that tells of the PSF; None where there is none."""
    number = hdus[0].header.get("ARCHIVE_ID_PSF", hdus[0].header.get("PSF_ID"))
    index = next((hdu for hdu in hdus if hdu.header.get("EXTTYPE") == "ARCHIVE_INDEX"), None)
    if number is None or index is None or index.data is None:
        return None
    wanted = {"id", "cat.archive", "row0", "name"}
    if not wanted <= set(index.columns.names):
        return None
    return next((row for row in index.data if row["id"] == number), None)
