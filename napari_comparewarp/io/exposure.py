"""One exposure: what its headers say, and its pixels as image, variance and mask."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from ..algorithm.array_planes import has_no_data
from ..algorithm.mask_planes import LSST_PLANES, MAX_PLANES, add_planes
from ..algorithm.psf import PsfModel, adaptive_sigma
from ..algorithm.warps import EpochId, ExposureTime
from ..errors import PsfError, StackError, one_line
from .archive_psf import archive_psf, archive_psf_class
from .assumptions import Assumptions
from .dialects.dialect import Dialect, Layout, Plane, PlaneData, Spread
from .dialects.registry import NotAnExposure, layout_of_places, recognise
from .flags import UNNAMED, Flags, renumber
from .headers import (
    Kind,
    kind_in_header,
    kind_in_words,
    origin_in_header,
    psf_sigma_in_header,
    text_in_header,
    visit_in_name,
    visits_in_header,
)
from .open_fits import OpenFiles, image_shape, image_values, reading
from .pixel_values import Treatment, planes_of
from .psf import read_psf
from .sample import Sample, bands_of, measure
from .sky import read_grid
from .source import PlaneKey, PlanePlace
from .times import exposure_seconds, exposure_time

__all__ = ["Exposure", "Pixels", "read_pixels", "scan_exposure", "scan_exposures"]

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


@dataclass(frozen=True)
class Exposure:
    """What the headers of an exposure say about its warp; None where they do not.

    Attributes
    ----------
    path : Path
        The file with the image.
    dialect : Dialect
        What reads it.
    layout : Layout
        Where its planes lie.
    shape : tuple of int
        ``(y, x)`` of the part that is read.
    visit : int or str
        Visit id, from the header or else from the file's name.
    visits : dict of str to int or str
        All ids that its headers give, by card.
    kind : {"direct", "matched"} or None
        From the header, the name of the folder or the name of the file.
    psf_sigma : float or None
        Gaussian sigma of the PSF, pixels.
    unit : str or None
        That of the image.
    spread_unit : str or None
        That of the plane which the variance is made from.
    zero_point : tuple of str and float, or None
        The card that tells it, and the flux of one unit of the image.
    filter_name : str or None
        That of the camera.
    seconds : float or None
        Exposure time.
    origin : tuple of int or None
        x, y of the lower-left pixel in the parent grid.
    wcs : astropy.wcs.WCS or None
        Sky coordinates of array pixels.
    flags : Flags
        What the values of its mask mean.
    is_coadd : bool
        Whether it counts its inputs (an HDU named NIMAGE), so that it is no warp.
    sample : Sample or None
        What was measured on some of its rows.
    time : ExposureTime or None
        When it was taken.
    notes : tuple of str
        What was assumed, mended or ignored of its headers, a clause each.
    treatment : Treatment
        What is done to its numbers.
    assume : Assumptions
        What the user says of it.
    """

    path: Path
    dialect: Dialect
    layout: Layout
    shape: tuple[int, int]
    visit: EpochId
    visits: Mapping[str, EpochId]
    kind: Kind | None
    psf_sigma: float | None
    unit: str | None
    spread_unit: str | None
    zero_point: tuple[str, float] | None
    filter_name: str | None
    seconds: float | None
    origin: tuple[int, int] | None
    wcs: WCS | None
    flags: Flags
    is_coadd: bool
    sample: Sample | None = None
    time: ExposureTime | None = None
    notes: tuple[str, ...] = ()
    treatment: Treatment = field(default_factory=Treatment)
    assume: Assumptions = field(default_factory=Assumptions)

    def own_planes(self) -> dict[str, int]:
        """Return a numbering for its mask alone: that of the file, as far as it is one."""
        planes: dict[str, int] = dict(LSST_PLANES)
        if self.flags.declared:
            fitting = {bit: names for bit, names in self.flags.names.items() if bit < MAX_PLANES}
            planes = {names[0]: bit for bit, names in fitting.items()}
        return add_planes(planes, ("BAD", "NO_DATA", "SAT"))


@dataclass(frozen=True)
class Pixels:
    """The planes of one exposure, ``(y, x)``.

    Attributes
    ----------
    image, variance : ndarray
        Floating point, in the byte order of the file.
    mask : ndarray
        int32, in the numbering that was asked for.
    notes : tuple of str
        What the file does not say and was assumed, or was ignored; a clause each.
    psf : PsfModel or None
        What the file says of the PSF; None for a PSF-matched warp.
    """

    image: np.ndarray
    variance: np.ndarray
    mask: np.ndarray
    notes: tuple[str, ...]
    psf: PsfModel | None


def scan_exposure(
    path: Path, assume: Assumptions | None = None,
    planes: Mapping[PlaneKey, PlanePlace] | None = None,
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
            return _scan(layout.image.path, dialect, layout, files, assume)
    exposures = scan_exposures(path, assume)
    if len(exposures) > 1:
        names = ", ".join(exposure.layout.detector for exposure in exposures)
        raise StackError(
            f"{path}: it holds {len(exposures)} images, as of several detectors ({names}); say "
            f"which with --assume detector={exposures[0].layout.detector.replace('HDU ', '')}"
        )
    return exposures[0]


def scan_exposures(path: Path, assume: Assumptions | None = None) -> tuple[Exposure, ...]:
    """Read what the headers of all exposures in a file say, and measure a few of their rows.

    Parameters
    ----------
    path : Path
        The file with the images.
    assume : Assumptions, optional
        What the user says of it.

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
    with OpenFiles() as files:
        dialect, layouts = recognise(path, files, assume.dialect)
        return tuple(
            _scan(path, dialect, layout, files, assume)
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
    path: Path, dialect: Dialect, layout: Layout, files: OpenFiles, assume: Assumptions
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
        _refuse_without_variance(path, layout, hdus)
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
    return _sampled(exposure, files)


def _refuse_without_variance(path: Path, layout: Layout, hdus: fits.HDUList) -> None:
    """Refuse an image of which nothing tells the variance.

    One without even a name is of another kind, and may lie among exposures.
    """
    what = "images, as of several detectors," if layout.detector else "an image"
    message = (
        f"{path}: {what} without {'their' if layout.detector else 'its'} variance; an HDU named "
        "VARIANCE, ERR or WHT is needed, or --assume gain=… and read_noise=…, or variance=sky"
    )
    is_named = "EXTNAME" in hdus[layout.image.hdu].header
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
        image, variance, missing = _values(exposure, _reader(files, exposure, rows))
        flags = None
        if exposure.layout.mask is not None and not exposure.flags.is_named:
            flags = _reader(files, exposure, rows)(exposure.layout.mask).values
        bands.append((image, variance, missing, flags))
    return replace(exposure, sample=measure(bands, exposure.treatment.is_whole_numbers))


@contextmanager
def _cards_of(path: Path) -> Iterator[None]:
    """Name the file whose cards cannot be meant."""
    try:
        yield
    except ValueError as error:
        raise StackError(f"{path}: {one_line(error)}") from error


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


def _reader(files: OpenFiles, exposure: Exposure, rows: slice) -> Callable[[Plane], PlaneData]:
    """Return what reads some rows of a plane."""
    window = exposure.treatment.window
    y0, x0 = (0, 0) if window is None else (window[0], window[2])
    height, width = exposure.shape
    start, stop, _ = rows.indices(height)
    is_all = window is None and (start, stop) == (0, height)
    part = (slice(y0 + start, y0 + stop), slice(x0, x0 + width))

    def read(plane: Plane) -> PlaneData:
        hdus = files[plane.path]
        with reading(plane.path, plane.name):
            hdu = hdus[plane.hdu]
            values, blank = image_values(hdu) if is_all else image_values(hdu, *part)
        if values is None:
            raise StackError(f"{plane.path}, HDU {plane.name}: it changed while it was read")
        if not hdu.header["NAXIS"]:
            values = values[part]
        if values.shape != (stop - start, width):
            raise StackError(f"{plane.path}, HDU {plane.name}: it changed while it was read")
        return PlaneData(values, hdu.header, blank)

    return read


def _values(
    exposure: Exposure, read: Callable[[Plane], PlaneData]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return image and variance, and where there is no data, of some rows."""
    layout = exposure.layout
    image = read(layout.image)
    variance = None if layout.variance is None else read(layout.variance)
    no_data = [plane.blank for plane in (image, variance) if plane is not None]
    if layout.weight is not None:
        weight = read(layout.weight)
        no_data += [weight.blank, ~(weight.values > 0)]
    values, spread, missing = planes_of(
        exposure.dialect, layout.spread, image, variance, exposure.treatment
    )
    result = has_no_data(spread)
    for plane in (*no_data, missing):
        if plane is not None:
            result |= plane
    if image.blank is not None:
        values = np.where(image.blank, np.float32(np.nan), values)
    return values, spread, result


def read_pixels(exposure: Exposure, mask_planes: dict[str, int]) -> Pixels:
    """Read the planes of an exposure, and the PSF of a direct one.

    Where its dialect, a BLANK card, a variance that is none, or a weight of 0 says
    that a pixel has no data, NO_DATA is set in the mask.

    Parameters
    ----------
    exposure : Exposure
        What `scan_exposure` found.
    mask_planes : dict of str to int
        The numbering to bring the mask to, with BAD and NO_DATA; planes that a
        pixel has and that are not in it are added.

    Raises
    ------
    StackError
        If a file is corrupt or has changed since it was scanned, or the mask
        has more planes than there is room for.
    """
    layout = exposure.layout
    with OpenFiles(verify=True) as files:
        read = _reader(files, exposure, slice(None))
        image, variance, missing = _values(exposure, read)
        notes: tuple[str, ...] = ()
        mask = np.zeros(exposure.shape, np.int32)
        if layout.mask is not None and not exposure.treatment.ignores_mask:
            mask, notes, blank = _mask(exposure, read(layout.mask), mask_planes)
            missing |= blank
        psf = None
        if exposure.kind != "matched":
            hdus = files[exposure.path]
            with reading(exposure.path, "PSF"):
                psf = read_psf(exposure.path, hdus, exposure.psf_sigma)
    if missing.any():
        mask[missing] |= 1 << mask_planes["NO_DATA"]
    level = exposure.treatment.saturation
    if level is not None:
        mask[image >= level] |= 1 << mask_planes["SAT"]
    return Pixels(image, variance, mask, notes, psf)


def _mask(
    exposure: Exposure, raw: PlaneData, mask_planes: dict[str, int]
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
    """Return a mask in the numbering, what is to be said of it, and where it is blank."""
    plane = exposure.layout.mask
    assert plane is not None
    flags, where = raw.values, f"{plane.path}, HDU {plane.name}"
    if flags.dtype.kind not in "iub":
        raise StackError(f"{where}: scaled to real numbers by BSCALE; a mask is made of integers")
    if exposure.treatment.mask_is_good:
        flags = flags == 0
    try:
        mask, unknown = renumber(flags, exposure.flags, mask_planes)
    except ValueError as error:
        raise StackError(f"{where}: {error}") from error
    notes = []
    if not exposure.flags.is_named and mask.any():
        meaning = "every pixel that is not 0" if not exposure.treatment.mask_is_good else "0"
        notes.append(
            f"the flags of HDU {plane.name} have no names: {meaning} counts as BAD "
            "(--assume mask=good, mask=ignore)"
        )
    if unknown:
        notes.append(
            f"HDU {plane.name}: flags without a name are kept, and are not bad: "
            f"{', '.join(unknown)}"
        )
    blank = np.zeros(mask.shape, np.bool_) if raw.blank is None else raw.blank
    return mask, tuple(notes), blank
