"""From files to a stack of warps: the one entry for everything that can be read."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..algorithm.epoch_id import check_epoch_id, check_epoch_ids
from ..algorithm.flux_scale import scaled_unit
from ..algorithm.mask_planes import LSST_PLANES, OUTPUT_PLANES, add_planes
from ..algorithm.psf_kernels import PSF_WIDTH, is_psf_width
from ..algorithm.sky_grid import check_wcs
from ..algorithm.unit_text import check_unit
from ..algorithm.warps import EpochId, InputFile, WarpStack
from ..errors import StackError, working_on
from .agreement import check_agreement, check_present, common_unit
from .assumptions import Assumptions
from .butler import butler_query
from .cropping import crop_to_matched
from .dialects.registry import NotAnExposure
from .exposure import Exposure
from .limits import memory_there, size_in_words
from .saying import collecting, gathered, say
from .scan import scan_exposure
from .source import Source
from .sources import StackSource, find_sources
from .spool import check_scratch_space, parse_memory
from .stack_pixels import allocate, read_all, say_copies
from .treatment import common_scale, same_visits, treat

__all__ = ["read_stack"]

#: A stack that takes more than this part of the memory is kept on disk: the
#: engine's own arrays and one exposure that is being read need the rest.
SPOOL_FRACTION = 0.6

#: What astropy makes of bytes of a unit that no header may have: µ is two, or one.
_NO_ASCII = re.compile(r"\?\?|\?\w")


def read_stack(
    source: StackSource,
    psf_sigma: float | None = None,
    memory: int | str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    assume: Assumptions | Mapping[str, Any] | None = None,
    *,
    where: str | None = None,
    collections: str | Iterable[str] | None = None,
    dataset_types: str | Iterable[str] | None = None,
) -> WarpStack:
    """Read a stack of warps from FITS files.

    All headers are checked against each other before any pixel is read. The
    warps of a folder are in the order of their visit ids, those of a list or
    a manifest in the order given. Without PSF-matched warps, the direct warps
    are compared with themselves. Where direct warps are larger than the matched
    ones, they are cropped to them.

    Parameters
    ----------
    source : path or iterable of paths
        A folder, FITS files, or a manifest; see `find_sources` in
        `napari_comparewarp.io.sources`.
    psf_sigma : float, optional
        Gaussian sigma of the matched PSF in pixels, > 0, for files that do not
        say.
    memory : int or str, optional
        Memory that the whole work may take, bytes or text such as ``"2GB"``.
        A stack that takes more than 60 % of it is kept in scratch files in the
        temporary folder. By default there is no limit.
    progress : callable, optional
        Called as ``progress("reading", done, total)`` after each file.
    assume : Assumptions or mapping, optional
        What the files do not say, or say wrongly: ``{"sky": "keep"}``; see
        `napari_comparewarp.io.assumptions`.
    where, collections, dataset_types : optional
        Which warps of a Butler repository, with `source` ``butler:REPO``; see
        `napari_comparewarp.io.butler.ButlerQuery`.

    Returns
    -------
    WarpStack
        Planes in native float32 and int32, masks in one numbering, and the
        PSFs of the direct warps as far as their files tell them.

    Raises
    ------
    StackError
        If a file cannot be read, or the files do not make one stack.
    ConfigError
        If `memory` is no size.

    Warns
    -----
    CompareWarpWarning
        For what is left out or ignored: a visit that has only one of its two
        warps, a file that is no warp, mask bits without a name.
    """
    with collecting() as said:
        told = Assumptions.of(assume)
        found = butler_query(source, where, collections, dataset_types)
        stack = _read(found, psf_sigma, memory, progress, told)
    return replace(stack, notes=tuple(said))


def _read(
    source: StackSource,
    psf_sigma: float | None,
    memory: int | str | None,
    progress: Callable[[str, int, int], None] | None,
    assume: Assumptions,
) -> WarpStack:
    """Read a stack; see `read_stack`."""
    limit = None if memory is None else parse_memory(memory)
    if psf_sigma is not None and not is_psf_width(psf_sigma):
        raise StackError(f"psf_sigma = {psf_sigma}; it must be {PSF_WIDTH}")
    sources = find_sources(source)
    exposures = same_visits(_scan_all(sources, assume))
    check_present(exposures)
    exposures, treated = treat(exposures, exposures[0].assume)
    exposures = crop_to_matched(exposures)
    said = [(exposure.path, note) for exposure in exposures for note in exposure.notes]
    for text in gathered([*said, *treated]):
        say(text)
    check_agreement(exposures)
    exposures, scale = common_scale(exposures)
    _check_writable(exposures)
    direct, matched = _pair(exposures, by_visit=not sources[0].named)
    compared = matched or direct
    sigmas = _psf_sigmas(compared, psf_sigma)
    mask_planes = _common_planes(exposures)
    silent = [exposure for exposure in direct if exposure.time is None]
    if 0 < len(silent) < len(direct):
        say(
            f"{silent[0].path}: no DATE-OBS ({len(silent)} of {len(direct)} files have none): the "
            "coadd carries no dates"
        )

    told = {source.path: source.told() for source in sources}
    shape = exposures[0].shape
    nbytes = len(direct + matched) * shape[0] * shape[1] * 12
    spooled = limit is not None and nbytes > SPOOL_FRACTION * limit
    if spooled:
        check_scratch_space(nbytes)
    elif nbytes > memory_there():
        raise StackError(
            f"{sources[0].path} and others: together they take {size_in_words(nbytes)} of memory, "
            f"of which there is {size_in_words(memory_there())}; give --memory, as 8GB, to keep "
            "them in scratch files"
        )
    direct_warps = allocate(len(direct), shape, spooled)
    matched_warps = allocate(len(matched), shape, spooled) if matched else direct_warps
    targets = [(exposure, direct_warps, row) for row, exposure in enumerate(direct)]
    targets += [(exposure, matched_warps, row) for row, exposure in enumerate(matched)]
    checksums, psfs = read_all(targets, mask_planes, progress)
    _check_room(exposures, mask_planes)
    say_copies(direct, checksums)
    say_copies(matched, checksums[len(direct) :])
    return WarpStack(
        direct=direct_warps,
        matched=matched_warps,
        epochs=tuple(exposure.visit for exposure in direct),
        matched_epochs=tuple(exposure.visit for exposure in compared),
        mask_planes=mask_planes,
        psf_sigma=sigmas,
        origin=next((e.origin for e in exposures if e.origin is not None), (0, 0)),
        wcs=next((e.wcs for e in exposures if e.wcs is not None), None),
        unit=scaled_unit(common_unit(exposures), scale),
        flux_scale=scale,
        inputs=tuple(
            InputFile(
                str(path),
                _role(exposure, path),
                exposure.visit,
                checksum,
                told.get(exposure.path, {}),
            )
            for exposure, of_files in zip(direct + matched, checksums, strict=True)
            for path, checksum in of_files.items()
        ),
        psf=tuple(psfs[: len(direct)]),
        times=tuple(exposure.time for exposure in direct),
        assumptions=assume.told(),
    )


def _scan_all(sources: Sequence[Source], assume: Assumptions) -> list[Exposure]:
    """Read the headers of all exposures.

    Files that hold other planes of an exposure belong to it. What else merely
    lies in a folder and is no warp is left out, with a warning.
    """
    exposures: list[Exposure] = []
    others: list[tuple[Source, NotAnExposure]] = []
    glanced: set[tuple[str, str | None]] = set()
    try:
        for source in sources:
            try:
                exposures.append(_scan(source, assume, glanced))
            except NotAnExposure as error:
                others.append((source, error))
    except StackError:
        _leave_out(others, exposures)
        raise
    _leave_out(others, exposures)
    return _of_one_kind(exposures, sources)


def _of_one_kind(exposures: list[Exposure], sources: Sequence[Source]) -> list[Exposure]:
    """Leave plain images out of a folder in which others bring their variance."""
    named = {source.path for source in sources if source.named}
    plain = [e for e in exposures if e.layout.spread == "none" and e.path not in named]
    if len(plain) == len(exposures):
        return exposures
    for exposure in plain:
        say(f"{exposure.path}: an image without a variance, as others have: left out")
    return [exposure for exposure in exposures if exposure not in plain]


def _leave_out(
    others: Sequence[tuple[Source, NotAnExposure]], exposures: Sequence[Exposure]
) -> None:
    """Refuse or warn of files that are no exposure and belong to none."""
    taken = {path for exposure in exposures for path in exposure.layout.files}
    for source, reason in others:
        if source.path in taken:
            continue
        if source.named:
            raise reason
        say(f"{reason}: left out")


def _scan(source: Source, assume: Assumptions, glanced: set[tuple[str, str | None]]) -> Exposure:
    """Read one file's headers; a manifest takes precedence over them."""
    if source.assume:
        # What is said of the whole rules over the manifest.
        assume = Assumptions.of({**source.assume, **assume.told()})
    with working_on(source.path):
        exposure = scan_exposure(source.path, assume, source.planes, glanced)
    zero_point = exposure.zero_point
    if source.zero_point is not None:
        zero_point = "the manifest", 10 ** (-0.4 * source.zero_point)
    if exposure.is_coadd:
        raise NotAnExposure(f"{source.path}: it has an HDU named NIMAGE, so it is a coadd")
    return replace(
        exposure,
        visit=exposure.visit if source.visit is None else source.visit,
        visits=exposure.visits if source.visit is None else {"VISIT": source.visit},
        kind=source.kind or exposure.kind or "direct",
        psf_sigma=source.psf_sigma or exposure.psf_sigma,
        zero_point=zero_point,
    )


def _check_writable(exposures: Sequence[Exposure]) -> None:
    """Refuse ids, units and grids that could not be written, before any pixel is read."""
    # All have one grid, as was checked.
    gridded = next((exposure for exposure in exposures if exposure.wcs is not None), None)
    for exposure in exposures:
        try:
            check_epoch_id(exposure.visit)
            check_unit(exposure.unit or "")
            if _NO_ASCII.search(exposure.unit or ""):
                raise StackError(
                    f"unit {exposure.unit!r}: letters that are no ASCII are read as ?; mend BUNIT, "
                    "as to uJy"
                )
            if exposure is gridded:
                check_wcs(exposure.wcs)
        except StackError as error:
            raise StackError(f"{exposure.path}: {error}") from error
    try:
        check_epoch_ids("visits", tuple(dict.fromkeys(exposure.visit for exposure in exposures)))
    except StackError as error:
        raise StackError(f"{exposures[0].path} and others: {error}") from error


def _role(exposure: Exposure, path: Path) -> str:
    """Return what a file of an exposure was read as."""
    kind = exposure.kind or "direct"
    if path == exposure.path:
        return kind
    names = [plane.name for plane in exposure.layout.planes if plane.path == path]
    return f"{kind} {', '.join(names)}"


def _pair(exposures: Sequence[Exposure], by_visit: bool) -> tuple[list[Exposure], list[Exposure]]:
    """Return the direct warps in their order, and the matched ones in the same order."""
    direct = [exposure for exposure in exposures if exposure.kind == "direct"]
    matched = {exposure.visit: exposure for exposure in exposures if exposure.kind == "matched"}
    if by_visit:
        direct.sort(key=lambda exposure: _sort_key(exposure.visit))
        matched = {visit: matched[visit] for visit in sorted(matched, key=_sort_key)}
    if not direct:
        raise StackError(
            f"no direct warps among {len(matched)} PSF-matched ones (the first is "
            f"{next(iter(matched.values())).path}); nothing could be stacked"
        )
    if not matched:
        return direct, []
    visits = [exposure.visit for exposure in direct]
    for visit in visits:
        if visit not in matched:
            say(f"visit {visit} has no PSF-matched warp: it adds nothing to the coadd")
    alone = [visit for visit in matched if visit not in visits]
    for visit in alone:
        say(f"visit {visit} has no direct warp: it helps to make the template, and nothing else")
    order = [visit for visit in visits if visit in matched] + alone
    return direct, [matched[visit] for visit in order]


def _sort_key(visit: EpochId) -> tuple[bool, int, str]:
    """Order numbers as numbers, before names."""
    return (True, 0, visit) if isinstance(visit, str) else (False, visit, "")


def _psf_sigmas(compared: Sequence[Exposure], given: float | None) -> np.ndarray:
    """Return the PSF width of each warp that is compared."""
    silent = [exposure for exposure in compared if exposure.psf_sigma is None]
    if silent and given is None:
        raise StackError(
            f"{silent[0].path}: no PSF width ({len(silent)} of {len(compared)} files have neither "
            "PSFSIGMA nor a FWHM in pixels); give --psf-sigma PIXELS"
        )
    return np.array([exposure.psf_sigma or given for exposure in compared], dtype=np.float64)


def _common_planes(exposures: Sequence[Exposure]) -> dict[str, int]:
    """Return one numbering for the mask planes of all files."""
    planes = dict(LSST_PLANES)
    for exposure in exposures:
        mask = exposure.layout.mask
        if mask is None or not exposure.flags.declared:
            continue
        try:
            # In the file's order: what follows the LSST planes keeps its number.
            by_bit = sorted(exposure.flags.names.items())
            planes = add_planes(planes, [name for _, names in by_bit for name in names])
        except ValueError as error:
            raise StackError(f"{mask.path}, HDU {mask.name}: {error}") from error
    _check_room(exposures, planes)
    return planes


def _check_room(exposures: Sequence[Exposure], planes: dict[str, int]) -> None:
    """Refuse masks that leave no room for what the coadd adds."""
    try:
        add_planes(planes, OUTPUT_PLANES)
    except ValueError as error:
        raise StackError(
            f"{exposures[0].path}, HDU MASK: with those of the other files {len(planes)} mask "
            f"planes; the coadd needs {', '.join(OUTPUT_PLANES)} too: {error}"
        ) from error
