"""IMAGE, MASK and VARIANCE, as the Rubin/LSST pipelines write them."""

from pathlib import Path

from astropy.io import fits

from ..open_fits import NO_NAME, OpenFiles, image_shape
from .dialect import Layout, Missing, Plane
from .table_dialect import TableDialect

__all__ = ["Lsst"]


class Lsst(TableDialect):
    """Planes by EXTTYPE or EXTNAME; where no HDU has a name, HDUs 1 to 3 in this order.

    A file is one of the pipelines if its planes are named in cards (``MP_``, ``MSKN``),
    an HDU has an EXTTYPE, or the primary header tells of an archive (AR_HDU).
    """

    def matches(self, path: Path, files: OpenFiles) -> bool:
        """Tell whether a file bears a mark of the pipelines."""
        hdus = files[path]
        if "AR_HDU" in hdus[0].header:
            return True
        return any(
            "EXTTYPE" in hdu.header or any(card.startswith(("MP_", "MSKN0")) for card in hdu.header)
            for hdu in hdus
            if hdu.is_image
        )

    def layouts(self, path: Path, files: OpenFiles) -> Layout | tuple[Layout, ...] | Missing:
        """Find the planes by name, or else by their order."""
        hdus = files[path]
        unnamed = {
            number
            for number, hdu in enumerate(hdus)
            if image_shape(hdu) and hdu.name in NO_NAME and not hdu.header.get("EXTTYPE")
        }
        if unnamed >= {1, 2, 3} and not _has_named_plane(hdus):
            image = Plane(path, 1, "IMAGE", "image")
            mask = Plane(path, 2, "MASK", "mask")
            variance = Plane(path, 3, "VARIANCE", "variance")
            return Layout((image, mask, variance), image, variance, mask)
        return super().layouts(path, files)


def _has_named_plane(hdus: fits.HDUList) -> bool:
    return any(hdu.name in ("IMAGE", "MASK", "VARIANCE") for hdu in hdus)
