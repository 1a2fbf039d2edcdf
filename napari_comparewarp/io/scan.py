"""What the headers of exposures say, and what a few of their rows tell."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from astropy.io import fits

from ..algorithm.array_planes import has_no_data
from ..algorithm.psf_kernels import adaptive_sigma
from ..errors import PsfError, StackError, plain_reason
from .archive_psf import archive_psf, archive_psf_class
from .assumptions import Assumptions
from .dialects.dialect import Dialect, Layout, Plane, Spread
from .dialects.registry import NotAnExposure, layout_of_places, recognise
from .exposure import Exposure
from .flags import UNNAMED
from .headers import (
    kind_in_header,
    kind_in_words,
    origin_in_header,
    psf_sigma_in_header,
    text_in_header,
    visit_in_name,
    visits_in_header,
)
from .open_fits import OpenFiles, image_shape
from .pixel_values import Treatment
from .pixels import plane_reader, values_of
from .place import reading_places
from .sample import UNKNOWN, bands_of, measure
from .sky import read_grid
from .source import PlaneKey, PlanePlace
from .times import exposure_seconds, exposure_time

__all__ = ["scan_exposure", "scan_exposures"]

#: Cards with the filter; where there are several, all together are it.
_FILTER_CARDS = (
    ("LSST BUTLER DATAID PHYSICAL_FILTER",), ("LSST BUTLER DATAID BAND",), ("FILTER",),
    ("FILTER1", "FILTER2"), ("FILTNAM",), ("BAND",), ("INSFILTE",),
)  # fmt: skip


#: What the user's words for the plane with the variance mean.
_SPREAD_OF_WORD: dict[str, Spread] = {
    "variance": "variance",
    "error": "error",
    "inverse-variance": "inverse variance",
    "relative": "relative weight",
}


def scan_exposure(
    path: Path, assume: Assumptions | None = None,
    planes: Mapping[PlaneKey, PlanePlace] | None = None,
    glanced: set[tuple[str, str | None]] | None = None,
) -> Exposure:  # fmt: skip
    """Read what the headers of the one exposure in a file say.

    Parameters
    ----------
    path : Path
        The file with the image.
    assume : Assumptions, optional
        What the user says of it.
    planes : mapping of str to PlanePlace, optional
        Where its planes lie; by default its dialect finds them.
    glanced : set, optional
        Dialects and kinds of warps of which one was looked at: of those of the
        pipelines, which are all alike, the others are not. It is added to.

    Raises
    ------
    NotAnExposure
        If the file holds no image.
    StackError
        If it cannot be read, has no variance, says what cannot be, or holds
        several images of which none is asked for.
    """
    assume = assume or Assumptions()
    if planes:
        with OpenFiles() as files:
            dialect, layout = layout_of_places(path, files, planes, assume.dialect)
            return _scan(layout.image.path, dialect, layout, files, assume, glanced)
    exposures = scan_exposures(path, assume, glanced)
    if len(exposures) > 1:
        names = ", ".join(exposure.layout.detector for exposure in exposures)
        raise StackError(
            f"{path}: it holds {len(exposures)} images, as of several detectors ({names}); say "
            f"which with --assume detector={exposures[0].layout.detector.replace('HDU ', '')}"
        )
    return exposures[0]


def scan_exposures(
    path: Path, assume: Assumptions | None = None,
    glanced: set[tuple[str, str | None]] | None = None,
) -> tuple[Exposure, ...]:  # fmt: skip
    """Read what the headers of all exposures in a file say, and measure a few of their rows.

    Parameters
    ----------
    path : Path
        The file with the images.
    assume : Assumptions, optional
        What the user says of it.
    glanced : set, optional
        See `scan_exposure`.

    Returns
    -------
    tuple of Exposure
        One for each detector, or that which is asked for.

    Raises
    ------
    NotAnExposure, StackError
        As for `scan_exposure`.
    """
    assume = assume or Assumptions()
    with reading_places(path), OpenFiles() as files:
        dialect, layouts = recognise(path, files, assume.dialect)
        return tuple(
            _scan(path, dialect, layout, files, assume, glanced)
            for layout in _of_detector(path, layouts, assume.detector)
        )


def _of_detector(path: Path, layouts: tuple[Layout, ...], wanted: str | None) -> tuple[Layout, ...]:
    """Return the layout of the detector that is asked for, or all."""
    if wanted is None or (len(layouts) == 1 and not layouts[0].detector):
        return layouts
    chosen = [
        layout
        for layout in layouts
        if wanted.upper() in (layout.detector, str(layout.image.hdu), layout.image.name)
        or layout.detector == f"HDU {wanted}"
    ]
    if len(chosen) != 1:
        names = ", ".join(layout.detector for layout in layouts)
        raise StackError(f"{path}: no one image {wanted!r}; it holds {names}")
    return tuple(chosen)


def _scan(
    path: Path,
    dialect: Dialect,
    layout: Layout,
    files: OpenFiles,
    assume: Assumptions,
    glanced: set[tuple[str, str | None]] | None = None,
) -> Exposure:
    """Read what the headers of one exposure say."""
    shape = _check_shapes(layout, files)
    hdus = files[path]
    headers = [hdus[layout.image.hdu].header, hdus[0].header]
    with _cards_of(path):
        visits = visits_in_header(headers, dialect.visit_cards)
        kind = (
            kind_in_header(headers)
            or kind_in_words(path.absolute().parent.name)
            or kind_in_words(path.name)
        )
        psf_sigma, psf_notes = _psf_sigma(path, headers, hdus)
        unit = dialect.unit(headers)
        zero_point = dialect.zero_point(headers)
        origin = origin_in_header(headers)
        grid = read_grid(headers, hdus)
        time, time_notes = exposure_time(headers)
    flags = UNNAMED
    if layout.mask is not None:
        with _cards_of(layout.mask.path):
            flags = dialect.flags(_hdu(files, layout.mask).header, headers)
    spread_unit = None
    if layout.variance is not None:
        spread_unit = text_in_header([_hdu(files, layout.variance).header], "BUNIT")
    if assume.variance is not None and layout.variance is not None:
        layout = _with_spread(layout, assume.variance)
    treatment, spread_notes = Treatment.of(layout, headers, assume, unit)
    if layout.spread == "none" and not treatment.has_variance and assume.variance != "sky":
        _refuse_without_variance(path, dialect, layout, hdus)
    not_read: tuple[str, ...] = ()
    if layout.ignored and "NIMAGE" not in hdus:
        not_read = (f"not read: {', '.join(layout.ignored)}",)
    exposure = Exposure(
        path=path,
        dialect=dialect,
        layout=layout,
        shape=shape,
        visit=next(iter(visits.values()), visit_in_name(path)),
        visits=visits,
        kind=kind,
        psf_sigma=psf_sigma,
        unit=unit,
        spread_unit=spread_unit,
        zero_point=zero_point,
        filter_name=_filter_name(headers),
        seconds=exposure_seconds(headers),
        origin=origin,
        wcs=grid.wcs,
        flags=flags,
        is_coadd="NIMAGE" in hdus,
        time=time,
        notes=(
            *dialect.assumptions(layout, flags),
            *not_read,
            *grid.notes,
            *time_notes,
            *spread_notes,
            *psf_notes,
        ),
        treatment=treatment,
        assume=assume,
    )
    if glanced is not None and dialect.sky == "subtracted" and assume.sky == "auto":
        if (dialect.name, kind) in glanced:
            return replace(exposure, sample=UNKNOWN)
        glanced.add((dialect.name, kind))
    return _sampled(exposure, files)


def _refuse_without_variance(
    path: Path, dialect: Dialect, layout: Layout, hdus: fits.HDUList
) -> None:
    """Refuse an image of which nothing tells the variance.

    One without even a name is of another kind, and may lie among exposures.
    """
    what = "images, as of several detectors," if layout.detector else "an image"
    message = (
        f"{path}: {what} without {'their' if layout.detector else 'its'} variance; an HDU named "
        "VARIANCE, ERR or WHT is needed, or --assume gain=… and read_noise=…, or variance=sky"
    )
    is_named = dialect.name != "named" or (
        layout.image.name in ("SCI", "IMAGE") and "EXTNAME" in hdus[layout.image.hdu].header
    )
    raise StackError(message) if is_named else NotAnExposure(message)


def _with_spread(layout: Layout, word: str) -> Layout:
    """Return a layout in which the plane of the variance is what the user says."""
    if word == "sky":
        return replace(layout, variance=None, spread="none")
    return replace(layout, spread=_SPREAD_OF_WORD[word])


def _psf_sigma(
    path: Path, headers: list[fits.Header], hdus: fits.HDUList
) -> tuple[float | None, tuple[str, ...]]:
    """Return the width of the PSF by cards, else of that in an LSST archive."""
    told = psf_sigma_in_header(headers)
    if told is not None:
        return told, ()
    try:
        kernel = archive_psf(hdus)
        if kernel is not None:
            return adaptive_sigma(kernel), ()
    except PsfError as error:
        raise StackError(f"{path}: {error}") from error
    name = archive_psf_class(hdus)
    if name is None:
        return None, ()
    return None, (f"its PSF is a {name}, which only the LSST pipelines can compute: not read",)


def _filter_name(headers: list[fits.Header]) -> str | None:
    """Return the name of the filter."""
    for cards in _FILTER_CARDS:
        values = [text_in_header(headers, card) for card in cards]
        if any(values):
            return " ".join(value for value in values if value)
    return None


def _sampled(exposure: Exposure, files: OpenFiles) -> Exposure:
    """Return an exposure with what some of its rows tell."""
    bands = []
    for rows in bands_of(exposure.shape[0]):
        image, variance, missing = values_of(exposure, plane_reader(files, exposure, rows))
        without = has_no_data(variance)
        missing = without if missing is None else missing | without
        flags = None
        if exposure.layout.mask is not None and not exposure.flags.is_named:
            flags = plane_reader(files, exposure, rows)(exposure.layout.mask).values
        bands.append((image, variance, missing, flags))
    return replace(exposure, sample=measure(bands, exposure.treatment.is_whole_numbers))


@contextmanager
def _cards_of(path: Path) -> Iterator[None]:
    """Name the file whose cards cannot be meant."""
    try:
        yield
    except ValueError as error:
        raise StackError(f"{path}: {plain_reason(error)}") from error


def _hdu(files: OpenFiles, plane: Plane) -> fits.ImageHDU:
    return files[plane.path][plane.hdu]


def _check_shapes(layout: Layout, files: OpenFiles) -> tuple[int, int]:
    """Return the common shape of the planes, refusing those that are no images of it."""
    image = layout.image
    expected = image_shape(_hdu(files, image))
    if len(expected) != 2 or 0 in expected:
        raise StackError(f"{image.path}, HDU {image.name}: shape {expected}; an image has two axes")
    for plane in layout.planes:
        hdu, where = _hdu(files, plane), f"{plane.path}, HDU {plane.name}"
        if image_shape(hdu) != expected:
            other = image.name if plane.path == image.path else f"{image.path}, HDU {image.name},"
            raise StackError(f"{where}: shape {image_shape(hdu)} where {other} has {expected}")
        if plane.role == "mask" and hdu.header["BITPIX"] < 0 and hdu.header["NAXIS"]:
            raise StackError(f"{where}: real numbers; a mask is made of integers")
    return expected
