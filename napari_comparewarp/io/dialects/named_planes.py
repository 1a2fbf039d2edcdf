"""Planes that are known by the names of their HDUs, as writers mix them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits

from ...errors import StackError
from ..headers import mask_planes_in_header
from ..open_fits import NO_NAME, OpenFiles
from .dialect import Dialect, Layout, Missing, Plane, Role

__all__ = ["NamedPlanes", "image_hdus", "named_planes"]

#: Names of HDUs, and what they are. Of two images or two masks the first is read.
_ROLES: Mapping[str, Role] = {
    "IMAGE": "image",
    "SCI": "image",
    "MASK": "mask",
    "DQ": "mask",
    "VARIANCE": "variance",
    "VAR": "variance",
    "ERR": "variance",
    "WHT": "variance",
}


class NamedPlanes(Dialect):
    """Dialects that differ in what the variance comes from.

    Image and mask may have the names of any of them, in any order, and an image
    in the primary HDU beside a named plane needs no name. The planes of a mask
    are named by LSST's ``MP_`` cards.
    """

    def recognise(self, path: Path, files: OpenFiles) -> Layout | Missing:
        """Find the planes by name."""
        images = image_hdus(files[path])
        planes = named_planes(path, images)
        if not any(_ROLES[name] == "image" for name in planes):
            number = _without_name(images)
            if not planes or number is None:
                return Missing.IMAGE
            planes["IMAGE"] = Plane(path, number, "IMAGE", "image")
        variance = next((planes[name] for name in self.variance_names if name in planes), None)
        if variance is None:
            return Missing.VARIANCE
        image, mask = (_first(planes, role) for role in ("image", "mask"))
        assert image is not None
        weight = planes.get("WHT") if variance.name != "WHT" else None
        return Layout(tuple(planes.values()), image, variance, mask, weight)

    def mask_planes(self, header: fits.Header) -> Mapping[str, int] | None:
        """Return the planes of the ``MP_`` cards."""
        return mask_planes_in_header(header) or None

    def assumptions(
        self,
        mask_plane: Plane | None,
        mask_planes: Mapping[str, int] | None,
        mask: np.ndarray,
        unnamed_bits: int,
    ) -> Iterator[str]:
        """Say what of a mask has no name."""
        if mask_plane is None:
            return
        where = f"{mask_plane.path}, HDU MASK"
        # Without cards, a MASK is LSST's with something lost, and a DQ is as it always is.
        if mask_plane.name == "MASK" and mask_planes is None and mask.any():
            yield f"{where}: no MP_ cards: every flagged pixel counts as BAD"
        if unnamed_bits:
            numbers = ", ".join(str(bit) for bit in range(64) if unnamed_bits >> bit & 1)
            yield f"{where}: no MP_ card names bit {numbers}: ignored"


def image_hdus(hdus: fits.HDUList) -> dict[int, fits.ImageHDU]:
    """Return the HDUs that hold an image, by their number."""
    return {number: hdu for number, hdu in enumerate(hdus) if hdu.is_image and hdu.header["NAXIS"]}


def named_planes(path: Path, images: Mapping[int, fits.ImageHDU]) -> dict[str, Plane]:
    """Return the planes of a file that have a name, by it, in the order of the file.

    Raises
    ------
    StackError
        If two have the same name.
    """
    planes: dict[str, Plane] = {}
    for number, hdu in images.items():
        # EXTTYPE is what LSST files had before they had EXTNAME.
        name = str(hdu.header.get("EXTTYPE", "")) if hdu.name in NO_NAME else hdu.name
        name = name.strip().upper()
        if name not in _ROLES:
            continue
        if name in planes:
            raise StackError(
                f"{path}: HDUs {planes[name].hdu} and {number} are both named {name}; a warp "
                "has one"
            )
        planes[name] = Plane(path, number, name, _ROLES[name])
    return planes


def _without_name(images: Mapping[int, fits.ImageHDU]) -> int | None:
    """Return the image that needs no name: the primary, or where compression has put it."""
    if 0 in images:
        return 0
    # The image of a primary HDU becomes the first extension when it is compressed.
    is_moved = 1 in images and images[1].name in NO_NAME
    return 1 if is_moved and isinstance(images[1], fits.CompImageHDU) else None


def _first(planes: Mapping[str, Plane], role: Role) -> Plane | None:
    """Return the plane of a role whose name comes first."""
    return next(
        (planes[name] for name, known in _ROLES.items() if known == role and name in planes), None
    )
