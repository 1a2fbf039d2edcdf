"""The pixels of one exposure as image, variance and mask."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..algorithm.array_planes import mark_no_data
from ..algorithm.psf import PsfModel
from ..errors import StackError
from .dialects.dialect import Plane, PlaneData
from .exposure import Exposure
from .flags import renumber
from .open_fits import OpenFiles, image_values, reading
from .pixel_values import planes_of
from .psf import read_psf

__all__ = ["Pixels", "plane_reader", "read_pixels", "values_of"]


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
    no_data : int
        Bit of NO_DATA.
    """

    image: np.ndarray
    variance: np.ndarray
    mask: np.ndarray
    notes: tuple[str, ...]
    psf: PsfModel | None
    no_data: int

    def marked(self) -> np.ndarray:
        """Return the mask with NO_DATA where the variance is none."""
        mask = self.mask.copy()
        mark_no_data(np.ascontiguousarray(self.variance, np.float32), mask, self.no_data)
        return mask


def plane_reader(files: OpenFiles, exposure: Exposure, rows: slice) -> Callable[[Plane], PlaneData]:
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


def values_of(
    exposure: Exposure, read: Callable[[Plane], PlaneData]
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return image and variance, and where something else says no data, of some rows."""
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
    result = None
    for plane in (*no_data, missing):
        if plane is not None:
            result = plane if result is None else result | plane
    if image.blank is not None:
        values = np.where(image.blank, np.float32(np.nan), values)
    return values, spread, result


def read_pixels(exposure: Exposure, mask_planes: dict[str, int], is_marked: bool = True) -> Pixels:
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
    is_marked : bool
        Mark pixels without a variance now; else `Pixels.marked` has to.

    Raises
    ------
    StackError
        If a file is corrupt or has changed since it was scanned, or the mask
        has more planes than there is room for.
    """
    layout = exposure.layout
    with OpenFiles(verify=True) as files:
        read = plane_reader(files, exposure, slice(None))
        image, variance, missing = values_of(exposure, read)
        notes: tuple[str, ...] = ()
        mask = np.zeros(exposure.shape, np.int32)
        if layout.mask is not None and not exposure.treatment.ignores_mask:
            mask, notes, blank = _mask(exposure, read(layout.mask), mask_planes)
            if blank is not None:
                missing = blank if missing is None else missing | blank
        psf = None
        if exposure.kind != "matched":
            hdus = files[exposure.path]
            with reading(exposure.path, "PSF"):
                psf = read_psf(exposure.path, hdus, exposure.psf_sigma)
        notes = (*notes, *files.notes)
    no_data = 1 << mask_planes["NO_DATA"]
    if missing is not None:
        mask[missing] |= no_data
    level = exposure.treatment.saturation
    if level is not None:
        mask[image >= level] |= 1 << mask_planes["SAT"]
    pixels = Pixels(image, variance, mask, notes, psf, no_data)
    return replace(pixels, mask=pixels.marked()) if is_marked else pixels


def _mask(
    exposure: Exposure, raw: PlaneData, mask_planes: dict[str, int]
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray | None]:
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
    return mask, tuple(notes), raw.blank
