"""What a layout of exposures in FITS files has to say to be read."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from astropy.io.fits import Header

from ..flags import UNNAMED, Flags
from ..headers import text_in_header
from ..open_fits import OpenFiles

__all__ = ["Dialect", "Layout", "Missing", "Plane", "PlaneData", "Role", "Spread"]

Role = Literal["image", "variance", "mask", "weight"]

#: What the plane beside the image holds: the variance, its root, its inverse, or a weight
#: whose scale is not known. ``none``: there is no such plane.
Spread = Literal["variance", "error", "inverse variance", "relative weight", "none"]


@dataclass(frozen=True)
class Plane:
    """One plane of an exposure: an HDU of a file.

    Attributes
    ----------
    path : Path
        The file.
    hdu : int
        Number of the HDU, from 0.
    name : str
        What messages call it, such as ``SCI``.
    role : {"image", "variance", "mask", "weight"}
        What it is to the exposure; errors and weights that the variance is made
        from have the role of the variance.
    """

    path: Path
    hdu: int
    name: str
    role: Role


@dataclass(frozen=True)
class Layout:
    """Where the planes of an exposure lie, in one file or in several.

    Attributes
    ----------
    planes : tuple of Plane
        All that were recognised, in the order in which they are listed; those
        that are not read have to agree in shape too.
    image : Plane
        That of `planes` with the image.
    variance : Plane or None
        That of `planes` which the variance is made from; None where there is none.
    mask : Plane or None
        None where the exposure has no mask.
    weight : Plane or None
        A weight map beside the variance: where it is 0, there is no data.
    spread : Spread
        What `variance` holds.
    detector : str
        Which image of its file it is, where that holds several.
    ignored : tuple of str
        Names of images in these files that are not read.
    notes : tuple of str
        What was assumed, a clause each.
    """

    planes: tuple[Plane, ...]
    image: Plane
    variance: Plane | None
    mask: Plane | None = None
    weight: Plane | None = None
    spread: Spread = "variance"
    detector: str = ""
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, each once, that of the image first."""
        return tuple(dict.fromkeys(plane.path for plane in (self.image, *self.planes)))


@dataclass(frozen=True)
class PlaneData:
    """What an HDU holds.

    Attributes
    ----------
    values : ndarray
        ``(y, x)``, BSCALE and BZERO are applied.
    header : astropy.io.fits.Header
    blank : ndarray of bool or None
        Where BLANK says that there is no data.
    """

    values: np.ndarray
    header: Header
    blank: np.ndarray | None = None


class Missing(Enum):
    """Why a file is no exposure of a dialect: it lacks the image, or only the variance."""

    IMAGE = "image"
    VARIANCE = "variance"


class Dialect(ABC):
    """A layout of exposures in FITS files.

    A new one is a table (see `napari_comparewarp.io.dialects.table`), or where
    it needs more than data, a module with a subclass and an instance of it in
    `napari_comparewarp.io.dialects.registry.DIALECTS`. Dialects keep no state.

    Attributes
    ----------
    name : str
        By which a user asks for it.
    title : str
        What it is, for a person.
    sky : {"subtracted", "left in", "unknown"}
        Whether images of this dialect have their sky subtracted.
    visit_cards : tuple of str
        Cards with the id of the exposure, before those of all dialects.
    """

    name: ClassVar[str] = "own"
    title: ClassVar[str] = "a dialect of its own"
    sky: ClassVar[str] = "unknown"
    visit_cards: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def recognise(self, path: Path, files: OpenFiles) -> Layout | tuple[Layout, ...] | Missing:
        """Find the planes of an exposure by headers alone; no pixel is read.

        Parameters
        ----------
        path : Path
            The file that would hold the image.
        files : OpenFiles
            Gives the HDUs of this file, and of others that lie beside it.

        Returns
        -------
        Layout, tuple of Layout, or Missing
            One layout, or one for each detector of a file with several. Missing
            if it is no exposure of this dialect: others are asked.

        Raises
        ------
        StackError
            If it can be of no other dialect, and cannot be meant.
        """

    def unit(self, headers: Sequence[Header]) -> str | None:
        """Return the unit of the image that `translate` returns; by default BUNIT.

        Parameters
        ----------
        headers : sequence of Header
            That of the image, then the primary one of its file.
        """
        return text_in_header(headers, "BUNIT")

    def zero_point(self, headers: Sequence[Header]) -> tuple[str, float] | None:
        """Return the card with the flux scale of an exposure, and the flux of one unit.

        Parameters
        ----------
        headers : sequence of Header
            That of the image, then the primary one of its file.

        Returns
        -------
        card, flux : str and float, or None
            Fluxes of one card are comparable; None where no card tells it.
        """
        return None

    def mask_planes(self, header: Header) -> Mapping[str, int] | None:
        """Return the bit number of each named plane of the mask.

        Parameters
        ----------
        header : Header
            That of the mask.

        Returns
        -------
        mapping of str to int or None
            None if no plane is named: then any value but 0 is BAD.

        Raises
        ------
        ValueError
            If a card cannot be meant.
        """
        return None

    def flags(self, header: Header, headers: Sequence[Header]) -> Flags:
        """Return what the values of the mask mean; by default as `mask_planes` says.

        Parameters
        ----------
        header : Header
            That of the mask.
        headers : sequence of Header
            That of the image, then the primary one of its file.
        """
        planes = self.mask_planes(header)
        return UNNAMED if planes is None else Flags.of_planes(planes, self.title)

    def translate(
        self, image: PlaneData, variance: PlaneData | None
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return both planes in `unit`; by default as they are.

        Parameters
        ----------
        image : PlaneData
            What the HDU of the image holds; it may not be changed in place.
        variance : PlaneData or None
            The same of the plane that the variance is made from.

        Returns
        -------
        image, spread : ndarray
            ``(y, x)`` real numbers; the second is still what `Layout.spread`
            says. None without such a plane.
        no_data : ndarray of bool or None
            Where the file says that there is no data; it becomes NO_DATA in
            the mask.
        """
        return image.values, None if variance is None else variance.values, None

    def assumptions(self, layout: Layout, flags: Flags) -> Iterator[str]:
        """Say what was assumed or ignored, a clause each.

        Parameters
        ----------
        layout : Layout
        flags : Flags
            What `flags` returned for its mask.
        """
        yield from ()
