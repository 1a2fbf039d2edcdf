"""IMAGE, MASK and VARIANCE, as the LSST pipelines write them."""

from pathlib import Path

from ..open_fits import NO_NAME, OpenFiles
from .dialect import Layout, Missing, Plane
from .named_planes import NamedPlanes, image_hdus, named_planes

__all__ = ["Lsst"]


class Lsst(NamedPlanes):
    """IMAGE, MASK and VARIANCE (or VAR); where no HDU has a name, HDUs 1 to 3 in this order."""

    image_name = "IMAGE"
    variance_names = ("VARIANCE", "VAR")

    def recognise(self, path: Path, files: OpenFiles) -> Layout | Missing:
        """Find the planes by name, or else by their order."""
        found = super().recognise(path, files)
        if found is not Missing.IMAGE:
            return found
        images = image_hdus(files[path])
        unnamed = {number for number, hdu in images.items() if hdu.name in NO_NAME}
        if not unnamed >= {1, 2, 3} or named_planes(path, images):
            return Missing.IMAGE
        image = Plane(path, 1, "IMAGE", "image")
        mask = Plane(path, 2, "MASK", "mask")
        variance = Plane(path, 3, "VARIANCE", "variance")
        return Layout((image, mask, variance), image, variance, mask)
