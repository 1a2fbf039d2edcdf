"""Point-spread functions of single visits, and that of their coadd.

Every model here is a sum of fixed images whose factors depend on the position.
Sums and second moments of such a model are the same sums of those of its
images, so that the width of a coadd's PSF costs no kernel.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..errors import PsfError

__all__ = [
    "FixedPsf",
    "GriddedPsf",
    "PolynomialPsf",
    "PsfModel",
    "adaptive_sigma",
    "as_psf",
    "combine_kernels",
    "gaussian_psf",
    "missing_psf",
    "psf_fwhm",
    "psf_sigma",
    "resample",
    "sigma_of_moments",
]

FloatArray = npt.NDArray[np.float64]

#: Full width at half maximum of a Gaussian in units of its sigma: 2 sqrt(2 ln 2).
FWHM_OF_SIGMA = 2 * np.sqrt(2 * np.log(2))

#: A Gaussian's kernel reaches this many sigma: what is cut off is 4e-9 of its flux.
_REACH = 6.0

#: Adaptive moments are settled when they change by less, pixels; after so many rounds
#: they never are.
_SETTLED = 1e-6
_MOST_ITERATIONS = 500

#: Widest Gaussian, pixels: its kernel has 1201 pixels on a side.
WIDEST_SIGMA = 100.0

#: The most that the images of a model may have, pixels: on a side, and all together.
_LARGEST_SIDE = 2 * int(_REACH * WIDEST_SIGMA) + 1
_MOST_PIXELS = 1 << 27

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
        return _raw_moments(self.basis)


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
    if not 0 < sigma <= WIDEST_SIGMA:
        raise PsfError(
            f"a Gaussian PSF of sigma {sigma:g}; it must be above 0 and at most "
            f"{WIDEST_SIGMA:g} pixels"
        )
    half = int(np.ceil(_REACH * sigma))
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


def resample(
    images: npt.NDArray, step: float, centre: tuple[float, float] | None = None
) -> FloatArray:
    """Return images with one sample a pixel, from images that are sampled otherwise.

    The samples are of the PSF as the pixels see it (an effective PSF). Values
    between them are those of the cubic spline through them.

    Parameters
    ----------
    images : ndarray
        ``(..., y, x)``.
    step : float
        Distance of neighbouring samples, pixels, > 0.
    centre : tuple of float, optional
        y, x of the PSF's centre, in samples; by default the middle.

    Returns
    -------
    ndarray
        ``(..., y, x)``, an odd number of pixels on each side: as far as the
        samples reach on both sides of the centre.

    Raises
    ------
    PsfError
        If `step` is not a finite number above 0.
    """
    if not 0 < step < np.inf:
        raise PsfError(f"a sampling step of {step} pixels; it must be above 0")
    shape = images.shape[-2:]
    middle = [(size - 1) / 2 for size in shape] if centre is None else centre
    axes = []
    for size, c in zip(shape, middle, strict=True):
        reach = min(c, size - 1 - c) * step
        if not reach <= _LARGEST_SIDE // 2:
            raise PsfError(
                f"{size} samples of {step:g} pixels; a kernel has at most {_LARGEST_SIDE} pixels "
                "on a side"
            )
        half = int(reach + 1e-9)
        if not half and size > 1:
            raise PsfError(
                f"{size} samples of {step:g} pixels; they must reach a pixel from the centre"
            )
        axes.append(c + np.arange(-half, half + 1) / step)
    pixels = math.prod(images.shape[:-2]) * math.prod(map(len, axes))
    if pixels > _MOST_PIXELS:
        raise PsfError(f"{pixels} pixels in all its images; there may be {_MOST_PIXELS}")
    places = np.meshgrid(*axes, indexing="ij")
    flat = np.asarray(images, np.float64).reshape(-1, *shape)
    resampled = [ndimage.map_coordinates(image, places, order=3, mode="mirror") for image in flat]
    return np.reshape(resampled, (*images.shape[:-2], *places[0].shape))


def combine_kernels(kernels: Sequence[FloatArray], weights: npt.ArrayLike) -> FloatArray:
    """Return the weighted mean of some kernels: the PSF of a weighted mean of images.

    Parameters
    ----------
    kernels : sequence of ndarray
        Each ``(y, x)``, centred, an odd number of pixels on each side, sum 1.
    weights : array_like
        One for each, > 0; any normalisation.

    Returns
    -------
    ndarray
        ``(y, x)``, as large as the largest kernel, sum 1.
    """
    shape = np.max([kernel.shape for kernel in kernels], axis=0)
    mean = np.zeros(shape)
    shares = np.asarray(weights, np.float64) / np.sum(weights)
    for kernel, share in zip(kernels, shares, strict=True):
        y0, x0 = (shape - kernel.shape) // 2
        mean[y0 : y0 + kernel.shape[0], x0 : x0 + kernel.shape[1]] += share * kernel
    return mean


def sigma_of_moments(moments: FloatArray) -> FloatArray:
    """Return the determinant radius, det(Q)^(1/4), of moments.

    Q is the matrix of the central second moments. For a round Gaussian the
    determinant radius is its sigma, for an elliptical one the geometric mean
    of its two.

    Parameters
    ----------
    moments : ndarray
        ``(6, ...)`` as from `PsfModel.moments`.

    Returns
    -------
    ndarray
        Pixels; NaN where the determinant is negative.
    """
    _, y, x, yy, xy, xx = moments
    determinant = (yy - y * y) * (xx - x * x) - (xy - x * y) ** 2
    return np.where(determinant >= 0, determinant, np.nan) ** 0.25


def psf_sigma(kernel: npt.NDArray) -> float:
    """Return the width of a kernel from its second moments: see `sigma_of_moments`.

    Parameters
    ----------
    kernel : ndarray
        ``(y, x)``, any normalisation.

    Returns
    -------
    float
        Pixels.
    """
    moments = _raw_moments(np.asarray(kernel, np.float64)[np.newaxis])[:, 0]
    return float(sigma_of_moments(moments / moments[0]))


def adaptive_sigma(kernel: npt.NDArray) -> float:
    """Return the width of the elliptical Gaussian that matches a kernel best.

    Adaptive moments: those of the kernel weighted with the Gaussian that has
    them (Bernstein & Jarvis 2002, AJ 123, 583, section 3.1). Wings count less
    than in `psf_sigma`. It is the width that the reference takes a PSF to have.

    Parameters
    ----------
    kernel : ndarray
        ``(y, x)``, any normalisation.

    Returns
    -------
    float
        Pixels: det(Q)^(1/4).

    Raises
    ------
    PsfError
        If the iteration does not end.
    """
    values = np.asarray(kernel, np.float64)
    y, x = (axis.ravel() for axis in np.mgrid[: values.shape[0], : values.shape[1]])
    flux = values.ravel()
    centre = np.array([(size - 1) / 2 for size in values.shape])
    matrix = np.eye(2) * max(1.0, psf_sigma(values) ** 2 / 2)
    for _ in range(_MOST_ITERATIONS):
        offset = np.stack([y - centre[0], x - centre[1]])
        weight = np.exp(-0.5 * np.einsum("ip,ij,jp->p", offset, np.linalg.inv(matrix), offset))
        total = float((flux * weight).sum())
        shift = (flux * weight * offset).sum(1) / total
        # A Gaussian weighted with itself has half its own moments.
        moments = 2 * (np.einsum("p,ip,jp->ij", flux * weight, offset, offset) / total)
        centre = centre + 2 * shift
        if np.abs(moments - matrix).max() < _SETTLED and np.abs(shift).max() < _SETTLED:
            return float(np.linalg.det(moments) ** 0.25)
        matrix = moments
        if not (np.isfinite(matrix).all() and np.linalg.det(matrix) > 0 and total > 0):
            break
    raise PsfError("its adaptive moments do not settle: it is no PSF with one peak")


def psf_fwhm(kernel: npt.NDArray) -> float:
    """Return the full width at half maximum of the Gaussian of equal `psf_sigma`, pixels."""
    return float(FWHM_OF_SIGMA * psf_sigma(kernel))


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


def _raw_moments(images: FloatArray) -> FloatArray:
    """Return the ``(6, term)`` sums of images times 1, y, x, y², xy and x² about their middle."""
    y, x = (np.arange(size) - size // 2 for size in images.shape[1:])
    rows = images.sum(axis=2)
    columns = images.sum(axis=1)
    return np.stack(
        [rows.sum(axis=1), rows @ y, columns @ x, rows @ y**2, images @ x @ y, columns @ x**2]
    )
