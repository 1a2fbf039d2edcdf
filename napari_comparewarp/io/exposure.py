"""One exposure: what is known of it before its pixels are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from astropy.wcs import WCS

from ..algorithm.mask_planes import LSST_PLANES, MAX_PLANES, add_planes
from ..algorithm.warps import EpochId, ExposureTime
from .assumptions import Assumptions
from .dialects.dialect import Dialect, Layout
from .flags import Flags
from .headers import Kind
from .pixel_values import Treatment
from .sample import Sample

__all__ = ["Exposure"]


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
