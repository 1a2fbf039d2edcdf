"""What one FITS file holds, for a person to read."""

from pathlib import Path
from typing import Any

import numpy as np

from ..algorithm.mask_planes import LSST_PLANES
from ..algorithm.psf_kernels import sigma_of_moments
from ..errors import working_on
from .assumptions import Assumptions
from .dialects.dialect import Layout, Plane
from .exposure import Exposure
from .pixels import read_pixels
from .scan import scan_exposure, scan_exposures
from .sky import sky_of
from .treatment import treat

__all__ = ["describe", "describe_all"]


#: What the plane that the variance is made from may hold.
_MEANING = {
    "variance": "variance",
    "error": "error; the variance is its square",
    "inverse variance": "inverse variance",
    "relative weight": "weight",
}


def describe(path: str | Path, assume: Assumptions | None = None) -> dict[str, Any]:
    """Describe the one exposure of a file; see `describe_all`."""
    return _describe(scan_exposure(Path(path), assume), assume or Assumptions())


def describe_all(path: str | Path, assume: Assumptions | None = None) -> list[dict[str, Any]]:
    """Describe the exposures in a file, and how they would be read.

    Parameters
    ----------
    path : path
        A FITS file with exposures in a layout that `read_stack` takes; a
        coadd of this program is one.
    assume : Assumptions, optional
        What the user says of it.

    Returns
    -------
    list of dict
        Of each detector, names and values in an order to print them in.

    Raises
    ------
    StackError
        If the file holds no exposure, or its data are damaged or cannot be meant.
    """
    assume = assume or Assumptions()
    with working_on(path):
        return [_describe(exposure, assume) for exposure in scan_exposures(Path(path), assume)]


def _describe(header: Exposure, assume: Assumptions) -> dict[str, Any]:
    [header], treated = treat([header], assume)
    named = header.own_planes() if header.flags.declared else dict(LSST_PLANES)
    mask_planes = header.own_planes()
    pixels = read_pixels(header, mask_planes)
    image, variance, mask = pixels.image, pixels.variance, pixels.mask
    height, width = header.shape
    layout = header.layout
    result: dict[str, Any] = {
        "file": str(header.path),
        "files": layout.files,
        "dialect": f"{header.dialect.name}: {header.dialect.title}",
        "planes": ", ".join(_name(header, plane) for plane in layout.planes),
    }
    if layout.detector:
        result["detector"] = layout.detector
    for plane in layout.planes:
        place = f"HDU {plane.hdu} ({plane.name})"
        if plane.path != header.path:
            place += f" of {plane.path.name}"
        role = _role(layout, plane)
        known = f"{result[role]}; " if role in result else ""
        result[role] = f"{known}{place}{_meaning(header, plane)}"
    if layout.ignored:
        result["ignored"] = ", ".join(layout.ignored)
    result |= {
        "shape (y, x)": f"{height} x {width}",
        "origin (x, y)": "not said" if header.origin is None else "{}, {}".format(*header.origin),
        "unit": header.unit or "not said",
        "visit": header.visit,
        "kind": header.kind or "not said",
        "PSF sigma": "not said" if header.psf_sigma is None else f"{header.psf_sigma:.3f} pixels",
    }
    for name, value in (("filter", header.filter_name), ("exposure time", header.seconds)):
        if value is not None:
            result[name] = f"{value:g} s" if isinstance(value, float) else value
    if header.zero_point is not None:
        card, flux = header.zero_point
        result["zero point"] = f"{card}: {-2.5 * np.log10(flux):.3f} mag"
    sample = header.sample
    if sample is not None and np.isfinite(sample.noise):
        told = (
            ""
            if not np.isfinite(sample.ratio)
            else (f"; the variance tells {sample.noise / sample.ratio:.4g}")
        )
        result["sky, noise between the stars"] = f"{sample.sky:.4g}, {sample.noise:.4g}{told}"
    notes = [*header.notes, *(note for _, note in treated), *pixels.notes]
    for number, note in enumerate(notes, start=1):
        result[f"assumed {number}"] = note
    if pixels.psf is not None:
        size_y, size_x = pixels.psf.basis.shape[1:]
        sigma = sigma_of_moments(pixels.psf.moments((height - 1) / 2, (width - 1) / 2))
        result["PSF"] = (
            f"{pixels.psf.kind}, {size_y} x {size_x} pixels; at the centre its second moments are "
            f"those of sigma {sigma:.3f} pixels"
        )
    centre = sky_of(header.wcs, (width - 1) / 2, (height - 1) / 2)
    if centre is not None:
        result["centre"] = centre.to_string("hmsdms", precision=1)
    finite = np.isfinite(image)
    result["NaN pixels"] = f"{100 * (1 - finite.mean()):.2f} %"
    positive = variance[np.isfinite(variance) & (variance > 0)]
    if positive.size:
        low, middle, high = np.percentile(positive, [0, 50, 100])
        result["variance (min, median, max)"] = f"{low:.4g}, {middle:.4g}, {high:.4g}"
    for name, bit in sorted(mask_planes.items(), key=lambda item: item[1]):
        count = int(np.count_nonzero((mask >> bit) & 1))
        if count or name in named:
            result[f"plane {name}"] = f"bit {bit}, {count} pixels"
    return result


def _role(layout: Layout, plane: Plane) -> str:
    """Return what an HDU is to the exposure."""
    roles = {"image": layout.image, "mask": layout.mask, "variance": layout.variance}
    if plane == layout.weight:
        return "weight"
    return next((role for role, used in roles.items() if plane == used), "not read")


def _meaning(exposure: Exposure, plane: Plane) -> str:
    """Return how an HDU is read, where that needs words."""
    layout = exposure.layout
    if plane == layout.mask:
        flags = exposure.flags
        return f": flags named by {flags.source}" if flags.is_named else ": flags without names"
    if plane == layout.variance:
        return f": {_MEANING[layout.spread]}"
    return ": where it is 0, there is no data" if plane == layout.weight else ""


def _name(exposure: Exposure, plane: Plane) -> str:
    """Return the name of a plane, with its file where that is not the image's."""
    return plane.name if plane.path == exposure.path else f"{plane.name} ({plane.path.name})"
