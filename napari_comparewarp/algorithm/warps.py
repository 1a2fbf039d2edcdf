"""A stack of warps: the direct ones that are stacked and the PSF-matched ones that are compared."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..config.plane_names import check_plane_name
from ..errors import ConfigError, PsfError, StackError
from .array_warps import CommonNumbers, GivenWarps
from .epoch_id import EpochId, check_epoch_ids, epoch_array
from .flux_scale import scaled_unit, unscaled_unit
from .mask_planes import LSST_PLANES
from .psf import PsfModel, as_psf
from .psf_kernels import PSF_WIDTH, is_psf_width
from .sky_grid import check_wcs
from .unit_text import check_unit

__all__ = ["Cube", "EpochId", "ExposureTime", "InputFile", "WarpStack", "Warps", "epoch_array"]


@runtime_checkable
class Cube(Protocol):
    """What a plane of a stack must offer: an array, or a file that reads like one.

    Indexing with ``[epoch]``, ``[epoch, y0:y1]`` and ``[:, y0:y1]`` returns
    native-endian, C-contiguous rows.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape ``(epoch, y, x)``."""

    @property
    def dtype(self) -> np.dtype:
        """Element type."""

    def __getitem__(self, index: Any) -> Any:
        """Return some rows as an array."""


@dataclass(frozen=True)
class InputFile:
    """Where a warp came from, for the provenance of what is made from it.

    Attributes
    ----------
    path : str
        The file, as it was named by the user.
    role : str
        What it was read as: ``direct`` or ``matched``; where the planes of a
        warp lie in several files, of those without its image ``direct MASK``
        and the like.
    epoch : int or str
        Its epoch id.
    sha256 : str
        Checksum of the whole file when it was read.
    told : mapping
        What a manifest said of it that the file does not.
    """

    path: str
    role: str
    epoch: EpochId
    sha256: str
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExposureTime:
    """When an exposure was taken.

    Attributes
    ----------
    begin, end : float
        Modified Julian dates.
    exposure : float or None
        Seconds, > 0.
    scale : str
        Time scale of the dates, such as ``utc`` or ``tai``.
    """

    begin: float
    end: float
    exposure: float | None
    scale: str


@dataclass(frozen=True)
class Warps:
    """One set of warps on a common pixel grid.

    Attributes
    ----------
    image, variance : Cube
        ``(epoch, y, x)`` float32, in the stack's unit and its square.
    mask : Cube
        ``(epoch, y, x)`` int32 bit planes.
    """

    image: Cube
    variance: Cube
    mask: Cube

    def __len__(self) -> int:
        return self.image.shape[0]


@dataclass(frozen=True)
class WarpStack:
    """Direct and PSF-matched warps of one patch of sky.

    Make one with `WarpStack.from_arrays`, or from files with
    `napari_comparewarp.read_stack`.

    Attributes
    ----------
    direct, matched : Warps
        The warps that are stacked, and those that are compared.
    epochs, matched_epochs : tuple
        Their ids, e.g. visit numbers, in the order of the arrays.
    mask_planes : dict of str to int
        Bit number of each mask plane, the same for all warps.
    psf_sigma : ndarray
        ``(matched epoch,)`` Gaussian sigma of the matched PSF, pixels.
    origin : tuple of int
        x, y of the lower-left pixel in the parent grid.
    wcs : astropy.wcs.WCS or None
        Sky coordinates of array pixels.
    unit : str
        Unit of the images. Numbers whose squares single precision cannot hold
        are kept in another unit, which then begins with a power of ten.
    flux_scale : float
        That power of ten: numbers in the files are those of the arrays times it.
    times : tuple of ExposureTime or None
        ``(epoch,)`` when the direct warps were taken, None where it is not known.
    assumptions : mapping
        What the user said of the files, see `napari_comparewarp.io.assumptions`.
    notes : tuple of str
        What was assumed or left out when the files were read, a line each.
    inputs : tuple of InputFile
        The files, empty for a stack made of arrays.
    psf : tuple of PsfModel or None
        ``(epoch,)`` PSFs of the direct warps, None where one is not known.
    """

    direct: Warps
    matched: Warps
    epochs: tuple[EpochId, ...]
    matched_epochs: tuple[EpochId, ...]
    mask_planes: Mapping[str, int]
    psf_sigma: npt.NDArray[np.float64]
    origin: tuple[int, int] = (0, 0)
    wcs: Any = None
    unit: str = "nJy"
    inputs: tuple[InputFile, ...] = ()
    psf: tuple[PsfModel | None, ...] = ()
    flux_scale: float = 1.0
    times: tuple[ExposureTime | None, ...] = ()
    assumptions: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    #: ``(epoch,)`` row of the matched warp of each direct warp, -1 where there is none.
    partner: npt.NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("epochs", "matched_epochs"):
            object.__setattr__(self, name, check_epoch_ids(name, getattr(self, name)))
        unit = check_unit(unscaled_unit(self.unit, self.flux_scale))
        object.__setattr__(self, "unit", scaled_unit(unit, self.flux_scale))
        _check_planes(self.mask_planes)
        _check_psf_sigma(self.psf_sigma, self.matched_epochs)
        row = {epoch: index for index, epoch in enumerate(self.matched_epochs)}
        partner = np.array([row.get(epoch, -1) for epoch in self.epochs], dtype=np.intp)
        object.__setattr__(self, "partner", partner)
        if not self.psf:
            object.__setattr__(self, "psf", (None,) * self.n_epochs)
        if not self.times:
            object.__setattr__(self, "times", (None,) * self.n_epochs)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape ``(y, x)`` of the patch."""
        return self.direct.image.shape[1:]  # type: ignore[return-value]

    @property
    def n_epochs(self) -> int:
        """Number of direct warps."""
        return len(self.epochs)

    @property
    def nbytes(self) -> int:
        """Size of all planes, bytes; planes that both sets share count once."""
        planes = {
            id(plane): int(np.prod(plane.shape)) * plane.dtype.itemsize
            for warps in (self.direct, self.matched)
            for plane in (warps.image, warps.variance, warps.mask)
        }
        return sum(planes.values())

    def check_pixel(self, y: int, x: int) -> None:
        """Refuse array indices that are not in the patch.

        Raises
        ------
        IndexError
        """
        height, width = self.shape
        if not (0 <= y < height and 0 <= x < width):
            raise IndexError(
                f"pixel y={y}, x={x}; the patch has y from 0 to {height - 1} and x from 0 to "
                f"{width - 1}"
            )

    @classmethod
    def from_arrays(
        cls,
        image: npt.ArrayLike,
        variance: npt.ArrayLike,
        mask: npt.ArrayLike | None = None,
        matched_image: npt.ArrayLike | None = None,
        matched_variance: npt.ArrayLike | None = None,
        matched_mask: npt.ArrayLike | None = None,
        mask_planes: Mapping[str, int] | None = None,
        psf_sigma: float | Sequence[float] | npt.NDArray | None = None,
        epochs: Sequence[EpochId] | None = None,
        matched_epochs: Sequence[EpochId] | None = None,
        origin: tuple[int, int] = (0, 0),
        wcs: Any = None,
        unit: str | None = None,
        inputs: Sequence[InputFile] = (),
        psf: Any = None,
    ) -> "WarpStack":
        """Make a stack of arrays; arrays of the right type are not copied.

        Masked arrays, quantities and lazy arrays (dask and others that are
        indexed like arrays) are taken as what they are: masked values are no
        data, units are kept and compared, lazy rows are computed when they are
        needed.

        Parameters
        ----------
        image, variance : array_like
            ``(epoch, y, x)`` direct warps and their variance, e.g. in nJy and
            nJy². NaN: no data. A variance that is NaN, infinite, 0 or negative
            says the same, and sets NO_DATA in the mask.
        mask : array_like of int, optional
            ``(epoch, y, x)`` bit planes; by default no flags.
        matched_image, matched_variance, matched_mask : array_like, optional
            The PSF-matched warps, on the same grid. All left out: the direct
            warps are compared with themselves.
        mask_planes : mapping of str to int, optional
            Bit number of each plane, by default the LSST numbers. A name is
            made of capitals, digits and ``_``.
        psf_sigma : float or sequence of float
            Gaussian sigma of the matched PSF in pixels, > 0: one number, or
            one for each of `epochs` (or of `matched_epochs`, where their
            number differs).
        epochs, matched_epochs : sequence, optional
            Ids of the direct and matched warps, by default 0, 1, 2 …
            The two are paired by id. Whole numbers of 64 bits, or printable
            texts of at most 255 letters.
        origin : tuple of int
            x, y of the lower-left pixel in the parent grid.
        wcs : astropy.wcs.WCS, optional
            Sky coordinates of array pixels.
        unit : str, optional
            Unit of the images, by default that of a quantity, else nJy. Kept
            as FITS can hold it: µJy as uJy.
        inputs : sequence of InputFile, optional
            Where the arrays came from.
        psf : float, PsfModel or sequence, optional
            PSFs of the direct warps, for the PSF of the coadd: one for all, or
            one for each of `epochs`. Each is a Gaussian sigma in pixels, a
            ``(y, x)`` kernel image, a model of `algorithm.psf`, or None where
            it is not known.

        Raises
        ------
        StackError
            If shapes, ids, units or values do not fit together.

        Warns
        -----
        CompareWarpWarning
            If the numbers are so small or large that they are kept in another unit.
        """
        check_wcs(wcs)
        planes = _check_planes(LSST_PLANES if mask_planes is None else mask_planes)
        given = GivenWarps(image, variance, mask)
        numbers = CommonNumbers.of(given, unit, planes)
        direct = Warps(*numbers.convert_warps("", given))
        n_epochs = len(direct)
        epochs = _make_ids("epochs", epochs, n_epochs)
        matched_given = [a is not None for a in (matched_image, matched_variance)]
        if not any(matched_given):
            if matched_mask is not None or matched_epochs is not None:
                raise StackError("matched_mask or matched_epochs without matched_image")
            matched, matched_ids = direct, epochs
        elif not all(matched_given):
            missing = "matched_variance" if matched_given[0] else "matched_image"
            raise StackError(
                f"{missing} is missing: give both planes of the matched warps, or none"
            )
        else:
            assert matched_image is not None and matched_variance is not None
            given = GivenWarps(matched_image, matched_variance, matched_mask)
            matched = Warps(*numbers.convert_warps("matched_", given))
            if matched.image.shape[1:] != direct.image.shape[1:]:
                raise StackError(
                    f"matched_image has shape {matched.image.shape} where image has "
                    f"{direct.image.shape}: both need the same (y, x)"
                )
            if matched_epochs is None and len(matched) != n_epochs:
                raise StackError(
                    f"{len(matched)} matched warps for {n_epochs} direct ones: matched_epochs "
                    "must say which they are"
                )
            matched_ids = _make_ids(
                "matched_epochs", epochs if matched_epochs is None else matched_epochs, len(matched)
            )
        return cls(
            direct=direct,
            matched=matched,
            epochs=epochs,
            matched_epochs=matched_ids,
            mask_planes=numbers.planes,
            psf_sigma=_make_psf_sigma(psf_sigma, epochs, matched_ids),
            origin=(int(origin[0]), int(origin[1])),
            wcs=wcs,
            unit=numbers.unit,
            inputs=tuple(inputs),
            psf=_make_psfs(psf, epochs),
            flux_scale=numbers.scale,
        )


def _make_ids(name: str, ids: Sequence[EpochId] | None, count: int) -> tuple[EpochId, ...]:
    """Return the ids of some warps, checked; by default their places."""
    if ids is None:
        return tuple(range(count))
    result = tuple(ids)
    if len(result) != count:
        raise StackError(f"{name} has {len(result)} ids for {count} warps")
    return check_epoch_ids(name, result)


def _check_planes(planes: Mapping[str, int]) -> dict[str, int]:
    """Refuse names and bit numbers that a mask cannot have, and two planes at one bit."""
    checked = {}
    for name, bit in planes.items():
        try:
            checked[check_plane_name(name)] = number = operator.index(bit)
        except TypeError:
            number = -1
        except ConfigError as error:
            raise StackError(f"mask_planes: {error}") from error
        if not 0 <= number <= 30:
            raise StackError(f"mask plane {name!r} is at bit {bit!r}; bits 0 to 30 can be used")
    if len(set(checked.values())) != len(checked):
        raise StackError("mask_planes: two planes share one bit")
    return checked


def _make_psf_sigma(
    psf_sigma: Any, epochs: tuple[EpochId, ...], matched_epochs: tuple[EpochId, ...]
) -> npt.NDArray[np.float64]:
    """Return one PSF width for each matched warp."""
    if psf_sigma is None:
        raise StackError("psf_sigma is missing: give the Gaussian sigma of the matched PSF, pixels")
    sigma = np.asarray(psf_sigma, dtype=np.float64)
    if sigma.ndim == 0:
        sigma = np.full(len(matched_epochs), float(sigma))
    elif sigma.shape == (len(epochs),):
        by_id = dict(zip(epochs, sigma, strict=True))
        # A matched warp without a direct partner only helps to make the
        # template; what is not known of it is taken as the widest.
        sigma = np.array([by_id.get(epoch, np.nanmax(sigma)) for epoch in matched_epochs])
    elif sigma.shape != (len(matched_epochs),):
        raise StackError(
            f"psf_sigma has shape {sigma.shape}; it must be one number or one for each of the "
            f"{len(epochs)} epochs"
        )
    return sigma


def _check_psf_sigma(psf_sigma: npt.NDArray, epochs: Sequence[EpochId]) -> None:
    """Refuse widths that no PSF has."""
    bad = np.flatnonzero(~is_psf_width(np.asarray(psf_sigma, np.float64)))
    if len(bad):
        which = int(bad[0])
        raise StackError(
            f"psf_sigma of epoch {epochs[which]!r} is {psf_sigma[which]}; it must be {PSF_WIDTH}"
        )


def _make_psfs(psf: Any, epochs: tuple[EpochId, ...]) -> tuple[PsfModel | None, ...]:
    """Return one PSF for each direct warp, None where it is not known."""
    if psf is None or isinstance(psf, (int, float, str, np.generic, PsfModel)):
        psf = [psf] * len(epochs)
    if len(psf) != len(epochs):
        raise StackError(
            f"psf has {len(psf)} entries; it must be one PSF, or one for each of the "
            f"{len(epochs)} epochs"
        )
    models = []
    for epoch, value in zip(epochs, psf, strict=True):
        try:
            models.append(None if value is None else as_psf(value))
        except PsfError as error:
            raise StackError(f"psf of epoch {epoch!r}: {error}") from error
    return tuple(models)
