"""Point-spread functions of single visits, and that of their coadd.

Every model here is a sum of fixed images whose factors depend on the position.
Sums and second moments of such a model are the same sums of those of its
images, so that the width of a coadd's PSF costs no kernel.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..errors import PsfError
from .psf_kernels import PSF_WIDTH, REACH, is_psf_width, raw_moments

__all__ = [
    "FixedPsf",
    "GriddedPsf",
    "PolynomialPsf",
    "PsfModel",
    "as_psf",
    "gaussian_psf",
    "missing_psf",
]

FloatArray = npt.NDArray[np.float64]

#: Pixels for which a coordinate of a polynomial grows by 1: its powers have to stay numbers.
_SMALLEST_SCALE = 1e-3

#: Visits that a message names before it only counts the rest.
_MOST_NAMED = 8


class PsfModel(ABC):
    """The PSF of one visit at every position of its warp.

    Attributes
    ----------
    basis : ndarray
        ``(term, y, x)`` images whose sum is the PSF, centred, an odd number of
        pixels on each side.
    kind : str
        What the model is, in words.
    """

    basis: FloatArray
    kind: ClassVar[str]

    @abstractmethod
    def coefficients(self, y: npt.ArrayLike, x: npt.ArrayLike) -> FloatArray:
        """Return the factors of the images at some positions.

        Parameters
        ----------
        y, x : array_like
            Array coordinates, pixels, of any one shape.

        Returns
        -------
        ndarray
            ``(term, ...)``.
        """

    def kernel(self, y: float, x: float) -> FloatArray:
        """Return the PSF at one position as an image that sums to 1.

        Raises
        ------
        PsfError
            If the model has no light there.
        """
        image = np.tensordot(self.coefficients(y, x), self.basis, 1)
        total = image.sum()
        if not total > 0:
            raise PsfError(f"the PSF model sums to {total:.3g} at y={y}, x={x}; it must be above 0")
        return image / total

    def moments(self, y: npt.ArrayLike, x: npt.ArrayLike) -> FloatArray:
        """Return the moments of the PSF at some positions.

        Parameters
        ----------
        y, x : array_like
            Array coordinates, pixels, of any one shape.

        Returns
        -------
        ndarray
            ``(6, ...)`` means of 1, y, x, y², xy and x² over the kernel, about
            its central pixel; NaN where the model has no light.
        """
        moments = np.tensordot(self._basis_moments, self.coefficients(y, x), 1)
        return moments / np.where(moments[0] > 0, moments[0], np.nan)

    @cached_property
    def _basis_moments(self) -> FloatArray:
        """``(6, term)`` sums of each image times 1, y, x, y², xy and x²."""
        return raw_moments(self.basis)


@dataclass(frozen=True, eq=False)
class FixedPsf(PsfModel):
    """A PSF that is the same everywhere.

    Parameters
    ----------
    image : ndarray
        ``(y, x)`` kernel, centred, an odd number of pixels on each side; any
        normalisation.

    Raises
    ------
    PsfError
        If the image is no kernel.
    """

    image: npt.NDArray
    kind: ClassVar[str] = "one kernel"

    def __post_init__(self) -> None:
        if self.image.ndim != 2:
            raise PsfError(f"shape {self.image.shape}; a kernel image has two axes")
        object.__setattr__(self, "basis", _checked(self.image[np.newaxis]))
        if not self.basis.sum() > 0:
            raise PsfError(f"the kernel sums to {self.basis.sum():.3g}; it must be above 0")

    def coefficients(self, y: npt.ArrayLike, x: npt.ArrayLike) -> FloatArray:
        """Return 1 for the only image; see `PsfModel.coefficients`."""
        return np.ones((1, *np.shape(y)))


@dataclass(frozen=True, eq=False)
class PolynomialPsf(PsfModel):
    """Images times the terms of a polynomial in x and y, as PSFEx makes them.

    With u = (x - `zero_x`) / `scale_x`, and v alike, the terms are u^i v^j with
    i + j <= `degree`: first those of j = 0 with rising i, then those of j = 1, …
    (E. Bertin 2011, ADASS XX, ASP Conf. 442, 435).

    Parameters
    ----------
    images : ndarray
        ``(term, y, x)``, (degree + 1)(degree + 2) / 2 of them.
    degree : int
        Highest i + j, >= 0.
    zero_y, zero_x : float
        Array coordinates at which u and v are 0, pixels.
    scale_y, scale_x : float
        Pixels for which u and v grow by 1, not 0.

    Raises
    ------
    PsfError
        If the images are no kernels, or not as many as there are terms.
    """

    images: npt.NDArray
    degree: int
    zero_y: float
    zero_x: float
    scale_y: float
    scale_x: float
    kind: ClassVar[str] = "a polynomial in x and y"

    def __post_init__(self) -> None:
        object.__setattr__(self, "basis", _checked(self.images))
        n_terms = (self.degree + 1) * (self.degree + 2) // 2
        if len(self.basis) != n_terms:
            raise PsfError(
                f"{len(self.basis)} images for a polynomial of degree {self.degree}, which has "
                f"{n_terms} terms"
            )
        scales = np.array([self.scale_y, self.scale_x])
        if not (np.isfinite([self.zero_y, self.zero_x]).all() and np.isfinite(scales).all()):
            raise PsfError("zero points and scales must be finite numbers of pixels")
        if not (np.abs(scales) >= _SMALLEST_SCALE).all():
            raise PsfError(
                f"a scale of the polynomial is {min(scales, key=abs):g} pixels; it is at least "
                f"{_SMALLEST_SCALE:g}"
            )

    def coefficients(self, y: npt.ArrayLike, x: npt.ArrayLike) -> FloatArray:
        """Return the terms of the polynomial; see `PsfModel.coefficients`."""
        u = (np.asarray(x, np.float64) - self.zero_x) / self.scale_x
        v = (np.asarray(y, np.float64) - self.zero_y) / self.scale_y
        powers = [(i, j) for j in range(self.degree + 1) for i in range(self.degree + 1 - j)]
        return np.stack([u**i * v**j for i, j in powers])


@dataclass(frozen=True, eq=False)
class GriddedPsf(PsfModel):
    """Kernels on a rectangular grid of positions, with bilinear interpolation between.

    Beyond the outermost positions the PSF is that of the border.

    Parameters
    ----------
    images : ndarray
        ``(node_y, node_x, y, x)`` kernels; each is normalised.
    node_y, node_x : ndarray
        Array coordinates of the rows and columns of the grid, pixels, rising.

    Raises
    ------
    PsfError
        If an image is no kernel, or they do not stand on such a grid.
    """

    images: npt.NDArray
    node_y: FloatArray
    node_x: FloatArray
    kind: ClassVar[str] = "kernels on a grid"

    def __post_init__(self) -> None:
        nodes = (len(self.node_y), len(self.node_x))
        if self.images.shape[:2] != nodes:
            raise PsfError(f"{self.images.shape[:2]} kernels for a grid of {nodes} positions")
        for node in (self.node_y, self.node_x):
            if not (np.isfinite(node).all() and (np.diff(node) > 0).all()):
                raise PsfError("the positions of the grid must be finite and rise")
        basis = _checked(self.images.reshape(-1, *self.images.shape[2:]))
        totals = basis.sum(axis=(1, 2))
        if not (totals > 0).all():
            which = int(np.flatnonzero(~(totals > 0))[0])
            raise PsfError(f"kernel {which} sums to {totals[which]:.3g}; it must be above 0")
        object.__setattr__(self, "basis", basis / totals[:, np.newaxis, np.newaxis])

    def coefficients(self, y: npt.ArrayLike, x: npt.ArrayLike) -> FloatArray:
        """Return the bilinear weights of the kernels; see `PsfModel.coefficients`."""
        along_y, along_x = (
            np.stack([np.interp(np.asarray(place), node, hat) for hat in np.eye(len(node))])
            for place, node in ((y, self.node_y), (x, self.node_x))
        )
        weights = along_y[:, np.newaxis] * along_x
        return weights.reshape(-1, *np.shape(y))


def gaussian_psf(sigma: float) -> FixedPsf:
    """Return a round Gaussian PSF.

    Parameters
    ----------
    sigma : float
        Pixels, above 0 and at most `WIDEST_SIGMA`.

    Raises
    ------
    PsfError
        If the width is out of range.
    """
    if not is_psf_width(sigma):
        raise PsfError(f"a Gaussian PSF of sigma {sigma:g}; it must be {PSF_WIDTH}")
    half = int(np.ceil(REACH * sigma))
    axis = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return FixedPsf(np.outer(axis, axis))


def as_psf(value: Any) -> PsfModel:
    """Return a PSF model of what stands for one.

    Parameters
    ----------
    value : PsfModel, float or array_like
        A model; a Gaussian sigma, pixels; or a ``(y, x)`` kernel image.

    Raises
    ------
    PsfError
        If it is none of these, or out of range.
    """
    if isinstance(value, PsfModel):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise PsfError(f"{value!r} is no PSF; it is a sigma in pixels, a kernel image or a model")
    return gaussian_psf(float(array)) if array.ndim == 0 else FixedPsf(array)


def missing_psf(epochs: Sequence[int | str]) -> str:
    """Say which visits have no PSF, as the beginning of a sentence."""
    names = ", ".join(map(str, epochs[:_MOST_NAMED]))
    if len(epochs) > _MOST_NAMED:
        names += f" and {len(epochs) - _MOST_NAMED} more"
    return f"visit {names} has no PSF" if len(epochs) == 1 else f"visits {names} have no PSF"


def _checked(images: npt.NDArray) -> FloatArray:
    """Return images of a model in double precision, refusing what is no kernel."""
    if images.ndim != 3:
        raise PsfError(f"shape {images.shape}; kernel images have two axes")
    if 0 in images.shape or images.shape[1] % 2 == 0 or images.shape[2] % 2 == 0:
        raise PsfError(
            f"a kernel of {images.shape[1]} x {images.shape[2]} pixels; it needs an odd number on "
            "each side, so that one is its centre"
        )
    if not np.isfinite(images).all():
        raise PsfError("the kernel has values that are not finite")
    return np.ascontiguousarray(images, np.float64)
