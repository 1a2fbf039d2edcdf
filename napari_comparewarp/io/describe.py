"""What one FITS file holds, for a person to read."""

from pathlib import Path
from typing import Any

import numpy as np

from ..algorithm.mask_planes import LSST_PLANES, add_planes
from ..algorithm.psf import sigma_of_moments
from .dialects.dialect import Plane
from .exposure import Exposure, read_pixels, scan_exposure
from .sky import sky_of

__all__ = ["describe"]


def describe(path: str | Path) -> dict[str, Any]:
    """Describe one exposure.

    Parameters
    ----------
    path : path
        A FITS file with an exposure in a layout that `read_stack` takes; a
        coadd of this program is one.

    Returns
    -------
    dict
        Names and values in an order to print them in.

    Raises
    ------
    StackError
        If the file holds no exposure, or its data are damaged.
    """
    header = scan_exposure(Path(path))
    named = header.mask_planes or LSST_PLANES
    mask_planes = add_planes(named, ("BAD", "NO_DATA"))
    pixels = read_pixels(header, mask_planes)
    image, variance, mask = pixels.image, pixels.variance, pixels.mask
    height, width = header.shape
    result: dict[str, Any] = {
        "file": str(header.path),
        "planes": ", ".join(_name(header, plane) for plane in header.layout.planes),
        "shape (y, x)": f"{height} x {width}",
        "origin (x, y)": "not said" if header.origin is None else "{}, {}".format(*header.origin),
        "unit": header.unit or "not said",
        "visit": header.visit,
        "kind": header.kind or "not said",
        "PSF sigma": "not said" if header.psf_sigma is None else f"{header.psf_sigma:.3f} pixels",
    }
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
    for number, note in enumerate(header.notes, start=1):
        result[f"note {number}"] = note
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


def _name(exposure: Exposure, plane: Plane) -> str:
    """Return the name of a plane, with its file where that is not the image's."""
    return plane.name if plane.path == exposure.path else f"{plane.name} ({plane.path.name})"
