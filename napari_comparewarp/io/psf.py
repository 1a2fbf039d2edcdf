"""The PSF that a warp's file carries: a kernel image, kernels on a grid, or a PSFEx model."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from ..algorithm.psf import FixedPsf, GriddedPsf, PolynomialPsf, PsfModel, gaussian_psf
from ..algorithm.psf_kernels import resample
from ..config.text_file import worded
from ..errors import PsfError, StackError
from .archive_psf import archive_psf

__all__ = ["PSF_HDUS", "read_psf"]

#: Names of the HDU; the second is what PSFEx calls its table.
PSF_HDUS = ("PSF", "PSF_DATA")

#: Numbers of pixels and of samples, and degrees of polynomials, that are meant.
_LARGEST, _HIGHEST_DEGREE = 1e9, 20

#: A pair of numbers, as the cards of a grid give its positions.
_PAIR = re.compile(r"\(\s*([^\s,()]+)\s*,\s*([^\s,()]+)\s*\)")


def read_psf(path: Path, hdus: fits.HDUList, sigma: float | None) -> PsfModel | None:
    """Return the PSF of a warp at each of its pixels.

    The HDU ``PSF`` or ``PSF_DATA`` takes precedence over a width. It is one of these:

    - an image of two axes: the kernel, one value a pixel;
    - an image of three axes with cards ``DET_YX0``, ``DET_YX1``, … (the y and x
      of each kernel, array coordinates) and ``OVERSAMP`` (samples a pixel):
      kernels on a rectangular grid, as STPSF writes and photutils reads them;
    - a table of one row with a column ``PSF_MASK`` and the cards of PSFEx.

    So does a PSF of Gaussians in the archive of an LSST exposure.

    Parameters
    ----------
    path : Path
        The file, for messages.
    hdus : HDUList
        The file, open.
    sigma : float or None
        Gaussian sigma for a file without such an HDU, pixels.

    Returns
    -------
    PsfModel or None
        None where nothing is said.

    Raises
    ------
    StackError
        If there is a PSF that cannot be meant.
    """
    name = next((name for name in PSF_HDUS if name in hdus), None)
    try:
        kernel = archive_psf(hdus) if name is None else None
        if kernel is not None:
            return FixedPsf(kernel)
        if name is None and sigma is None:
            return None
        if name is None:
            assert sigma is not None
            return gaussian_psf(sigma)
        hdu = hdus[name]
        if not hdu.is_image:
            return _psfex_model(hdu)
        if hdu.data is None:
            raise PsfError("it is empty; a PSF is a kernel image, a grid of them or a table")
        return FixedPsf(hdu.data) if hdu.data.ndim == 2 else _grid(hdu.data, hdu.header)
    except PsfError as error:
        where = str(path) if name is None else f"{path}, HDU {name}"
        raise StackError(f"{where}: {error}") from error


def _grid(data: npt.NDArray, header: fits.Header) -> GriddedPsf:
    """Return the model of kernels on a grid."""
    if data.ndim != 3:
        raise PsfError(f"shape {data.shape}; a PSF is one kernel image, or some of them")
    places = np.array([_position(header, number) for number in range(len(data))])
    node_y, node_x = (np.unique(places[:, axis]) for axis in (0, 1))
    order = np.lexsort((places[:, 1], places[:, 0]))
    grid = np.stack(np.meshgrid(node_y, node_x, indexing="ij"), axis=-1).reshape(-1, 2)
    if not np.array_equal(places[order], grid):
        raise PsfError(
            f"the {len(data)} positions in its DET_YX cards do not make a rectangular grid"
        )
    oversampling = _number(header, "OVERSAMP")
    if not oversampling > 0:
        raise PsfError(f"OVERSAMP = {oversampling:g}; it is the number of samples a pixel, above 0")
    kernels = resample(data[order], 1 / oversampling)
    return GriddedPsf(kernels.reshape(len(node_y), len(node_x), *kernels.shape[1:]), node_y, node_x)


def _position(header: fits.Header, number: int) -> tuple[float, float]:
    """Return the y and x of one kernel of a grid."""
    text = str(header.get(f"DET_YX{number}", ""))
    found = _PAIR.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError(text)
        y, x = float(found[1]), float(found[2])
        if not max(abs(y), abs(x)) <= _LARGEST:
            raise ValueError(text)
        return y, x
    except ValueError:
        raise PsfError(
            f"DET_YX{number} = {text!r}; each kernel has a card with its position, such as "
            "'(100.0, 250.0)' for y and x"
        ) from None


def _psfex_model(hdu: Any) -> PsfModel:
    """Return the model in a table of PSFEx.

    Layout: E. Bertin, PSFEx User's Manual. Positions are FITS pixels, counted
    from 1; the centre of an image of n samples is sample n // 2.
    """
    is_table = isinstance(hdu, fits.BinTableHDU) and hdu.data is not None
    if not is_table or "PSF_MASK" not in hdu.columns.names or len(hdu.data) != 1:
        raise PsfError("no PSFEx model; its table has one row with a column PSF_MASK")
    header = hdu.header
    images = np.asarray(hdu.data["PSF_MASK"][0], np.float64)
    images = images[np.newaxis] if images.ndim == 2 else images
    if images.ndim != 3:
        raise PsfError(f"PSF_MASK has shape {images.shape}; it holds images, one a term")
    centre = images.shape[1] // 2, images.shape[2] // 2
    images = resample(images, _number(header, "PSF_SAMP"), centre)
    axes = header.get("POLNAXIS")
    if axes == 0:
        return FixedPsf(images[0])
    names = [str(header.get(f"POLNAME{axis}", "")).strip().upper() for axis in (1, 2)]
    of_position = [
        name.startswith(letter) and name.endswith("IMAGE")
        for name, letter in zip(names, "XY", strict=True)
    ]
    if axes != 2 or not all(of_position) or header.get("POLNGRP", 1) != 1:
        raise PsfError(
            f"its PSF depends on {', '.join(filter(None, names)) or 'nothing named'} (POLNAXIS = "
            f"{_told(axes)}); only a polynomial in X_IMAGE and Y_IMAGE, or a constant, can be read"
        )
    degree = _number(header, "POLDEG1")
    if degree not in range(_HIGHEST_DEGREE + 1):
        raise PsfError(f"POLDEG1 = {degree:g}; it is a whole number from 0 to {_HIGHEST_DEGREE}")
    return PolynomialPsf(
        images,
        degree=int(degree),
        zero_y=_number(header, "POLZERO2") - 1,
        zero_x=_number(header, "POLZERO1") - 1,
        scale_y=_number(header, "POLSCAL2"),
        scale_x=_number(header, "POLSCAL1"),
    )


def _number(header: fits.Header, name: str) -> float:
    """Return the value of a card that has to be a number."""
    value = header.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PsfError(f"{name} = {_told(value)}; the card must be there and hold a number")
    if abs(value) > _LARGEST:
        raise PsfError(f"{name} = {value:g}; it is at most {_LARGEST:g}")
    return float(value)


def _told(value: object) -> str:
    """Return the value of a card for a message."""
    return "None" if isinstance(value, fits.card.Undefined) else worded(str(value))
