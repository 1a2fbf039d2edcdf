"""A stack of warps from FITS files: checked as a whole before a pixel is read."""

import hashlib
import itertools
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..algorithm.mask_planes import LSST_PLANES, add_planes
from ..algorithm.parallel import n_threads
from ..algorithm.warps import InputFile, WarpStack
from ..messages import CompareWarpWarning
from .exposure import (
    ExposureHeader,
    FileError,
    NoExposureError,
    read_header,
    read_planes,
    same_unit,
)
from .sources import Source, find_sources
from .spool import SpooledCube, SpoolFolder, parse_memory

__all__ = ["read_stack"]

#: Part of the memory limit that the planes of a stack may take; the rest is for the work.
STACK_SHARE = 0.6

#: How far two WCS may differ anywhere on the patch, pixels.
WCS_TOLERANCE = 0.01


def read_stack(
    source: str | Path | Sequence[str | Path | Source],
    psf_sigma: float | None = None,
    memory: str | int | None = None,
) -> WarpStack:
    """Read a stack of warps.

    Parameters
    ----------
    source : path or sequence of paths
        A folder, FITS files, or a manifest; see the file formats in the
        documentation. Direct and PSF-matched warps are paired by their visit;
        where there are no matched ones, the direct warps are compared with
        themselves.
    psf_sigma : float, optional
        Gaussian sigma of the matched PSF in pixels, for files that do not say.
    memory : str or int, optional
        Limit such as ``"4GB"``, or bytes. Planes that would take more than
        0.6 of it are kept in a temporary folder on disk (``TMPDIR``) and read
        as they are needed.

    Returns
    -------
    WarpStack
        In the order of the visits.

    Raises
    ------
    StackError
        If the files do not make a stack; the message is one line that names
        them. Nothing has been read then but headers, unless the data of a
        file are damaged.

    Warns
    -----
    CompareWarpWarning
        For a visit with just one of its two warps, and for mask bits without
        a name.
    """
    limit = None if memory is None else parse_memory(memory)
    sources = find_sources(source)
    headers = [header for found in sources if (header := _header(found)) is not None]
    if not headers:
        raise FileError(f"{source}: none of its FITS files holds an exposure")
    direct = _ordered(header for header in headers if header.kind != "matched")
    matched = _ordered(header for header in headers if header.kind == "matched")
    if not direct:
        raise FileError(
            f"{headers[0].path}: all warps are PSF-matched; the direct ones are stacked"
        )
    _check_unique(direct)
    _check_unique(matched)
    _check_alike([*direct, *matched])
    sigma = [_sigma(header, psf_sigma) for header in matched or direct]
    if matched:
        _warn_of_missing(direct, matched)
    planes = _common_planes([*direct, *matched])
    load = _Loader([*direct, *matched], planes, limit)
    direct_cubes = load.cubes("direct", direct)
    matched_cubes = load.cubes("matched", matched) if matched else (None, None, None)
    stack = WarpStack.from_arrays(
        *direct_cubes,
        matched_image=matched_cubes[0],
        matched_variance=matched_cubes[1],
        matched_mask=matched_cubes[2],
        mask_planes=planes,
        psf_sigma=1.0,
        epochs=[header.visit for header in direct],
        matched_epochs=[header.visit for header in matched] if matched else None,
        origin=direct[0].origin,
        wcs=direct[0].wcs,
        unit=next((header.unit for header in direct if header.unit), ""),
        inputs=load.inputs,
    )
    return replace(stack, psf_sigma=np.array(sigma))


def _header(found: Source) -> ExposureHeader | None:
    """Read a header and let the manifest overrule it; None for another kind of file."""
    try:
        header = read_header(found.path)
    except NoExposureError as error:
        if found.named:
            raise
        _warn(f"{error}: the file is left out")
        return None
    changes = {
        name: value
        for name in ("kind", "visit", "psf_sigma")
        if (value := getattr(found, name)) is not None
    }
    return replace(header, **changes)


def _ordered(headers: Any) -> list[ExposureHeader]:
    """Return headers in the order of their visits, numbers before names."""
    return sorted(headers, key=lambda h: (isinstance(h.visit, str), h.visit))


def _check_unique(headers: list[ExposureHeader]) -> None:
    for one, other in itertools.pairwise(headers):
        if one.visit == other.visit:
            raise FileError(
                f"{one.path} and {other.path} are both the {one.kind or 'direct'} warp of visit "
                f"{one.visit}; each may be there once"
            )


def _check_alike(headers: list[ExposureHeader]) -> None:
    """Refuse files that are not on one grid, or in one unit."""
    first = headers[0]
    for other in headers[1:]:
        both = f"{first.path} and {other.path}"
        if other.shape != first.shape:
            raise FileError(
                f"{both} have shapes {first.shape} and {other.shape} (y, x); all must be the same"
            )
        if not same_unit(first.unit, other.unit):
            raise FileError(
                f"{both} have units {first.unit or 'none'} and {other.unit or 'none'}; all must "
                "be the same"
            )
        if other.origin != first.origin:
            raise FileError(
                f"{both} have origins {first.origin} and {other.origin} (x, y); all must be the "
                "same"
            )
        apart = _wcs_distance(first, other)
        if apart > WCS_TOLERANCE:
            raise FileError(
                f"{both} differ in WCS by {apart:.3g} pixels; all must agree within "
                f"{WCS_TOLERANCE:g}: warp them to one grid first"
            )


def _wcs_distance(one: ExposureHeader, other: ExposureHeader) -> float:
    """Return how far apart two WCS put the corners and the centre, pixels."""
    if one.wcs is None or other.wcs is None:
        return 0.0
    height, width = one.shape
    x = np.array([0, width - 1, 0, width - 1, (width - 1) / 2])
    y = np.array([0, 0, height - 1, height - 1, (height - 1) / 2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back = other.wcs.world_to_pixel_values(*one.wcs.pixel_to_world_values(x, y))
    distance = np.hypot(back[0] - x, back[1] - y)
    return float(np.where(np.isfinite(distance), distance, np.inf).max())


def _sigma(header: ExposureHeader, given: float | None) -> float:
    sigma = given if header.psf_sigma is None else header.psf_sigma
    if sigma is None:
        raise FileError(
            f"{header.path}: does not say how wide its PSF is (PSFSIGMA, pixels); give psf_sigma "
            "(--psf-sigma)"
        )
    return sigma


def _warn_of_missing(direct: list[ExposureHeader], matched: list[ExposureHeader]) -> None:
    """Say what follows for visits that have only one of their two warps."""
    visits, matched_visits = ({h.visit for h in headers} for headers in (direct, matched))
    for header in direct:
        if header.visit not in matched_visits:
            _warn(
                f"{header.path}: visit {header.visit} has no PSF-matched warp: it adds nothing to "
                "the coadd"
            )
    for header in matched:
        if header.visit not in visits:
            _warn(
                f"{header.path}: visit {header.visit} has no direct warp: it helps to make the "
                "template, and nothing else"
            )


def _warn(message: str) -> None:
    warnings.warn(message, CompareWarpWarning, stacklevel=4)


def _common_planes(headers: list[ExposureHeader]) -> dict[str, int]:
    """Return one numbering for the mask planes of all files.

    It is that of the files where they agree; else planes keep the number that
    LSST gives them, or the first file, where it is free.
    """
    planes: dict[str, int] = {}
    wanted: dict[str, int] = {}
    for header in headers:
        for name, bit in header.mask_planes.items():
            wanted.setdefault(name, bit)
    agreed = all(h.mask_planes.get(n, b) == b for h in headers for n, b in wanted.items())
    if agreed and len(set(wanted.values())) == len(wanted) and max(wanted.values(), default=0) < 31:
        planes = wanted
    else:
        planes = {name: LSST_PLANES[name] for name in wanted if name in LSST_PLANES}
        for name, bit in wanted.items():
            if name not in planes and bit not in planes.values() and bit < 31:
                planes[name] = bit
        planes = add_planes(planes, wanted)
    # The method itself needs these.
    return add_planes(planes, ("NO_DATA", "BAD", "SAT"))


class _Loader:
    """Reads the planes of all warps into memory, or to disk where memory is short."""

    def __init__(
        self, headers: list[ExposureHeader], planes: dict[str, int], limit: int | None
    ) -> None:
        height, width = headers[0].shape
        needed = len(headers) * height * width * 12
        self._shape = (height, width)
        self._planes = planes
        self._folder = None
        if limit is not None and needed > STACK_SHARE * limit:
            self._folder = SpoolFolder(needed)
        self.inputs: list[InputFile] = []

    def cubes(self, role: str, headers: list[ExposureHeader]) -> tuple[Any, Any, Any]:
        """Read image, variance and mask of one set of warps."""
        shape = (len(headers), *self._shape)
        names = (("image", np.float32), ("variance", np.float32), ("mask", np.int32))
        cubes: list[Any] = [
            np.empty(shape, dtype)
            if self._folder is None
            else SpooledCube(self._folder, f"{role}_{name}", shape, dtype)
            for name, dtype in names
        ]

        def load(index: int) -> InputFile:
            header = headers[index]
            image, variance, mask = read_planes(header)
            planes = (image, variance, _renumbered(header, mask, self._planes))
            for cube, plane in zip(cubes, planes, strict=True):
                if isinstance(cube, SpooledCube):
                    cube.write(index, plane)
                else:
                    cube[index] = plane
            return InputFile(str(header.path), role, header.visit, sha256_of(header.path))

        self.inputs += _in_threads(load, range(len(headers)))
        return cubes[0], cubes[1], cubes[2]


def _in_threads(work: Callable[[int], Any], items: Sequence[int]) -> list[Any]:
    """Return ``work(item)`` for each, some at a time; the first to fail ends it."""
    with ThreadPoolExecutor(n_threads()) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _renumbered(
    header: ExposureHeader, mask: npt.NDArray[np.int32], planes: dict[str, int]
) -> npt.NDArray[np.int32]:
    """Return a mask with its planes at the common numbers."""
    named = 0
    for bit in header.mask_planes.values():
        named |= 1 << bit
    # A mask that is int32 on disk holds bit 31 as its sign.
    present = int(np.bitwise_or.reduce(mask, axis=None)) & 0xFFFFFFFF
    unnamed = [bit for bit in range(32) if (present & ~named) >> bit & 1]
    if unnamed:
        _warn(
            f"{header.path}: mask bits {', '.join(map(str, unnamed))} are set but no MP_ card "
            "names them: they are ignored"
        )
    if not unnamed and all(planes[name] == bit for name, bit in header.mask_planes.items()):
        return mask
    result = np.zeros_like(mask)
    for name, bit in header.mask_planes.items():
        result |= ((mask >> np.int32(bit)) & np.int32(1)) << np.int32(planes[name])
    return result


def sha256_of(path: Path) -> str:
    """Return the SHA-256 checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
