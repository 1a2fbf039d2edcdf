"""What a layout of exposures in FITS files has to say to be read."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from astropy.io.fits import Header

from ..headers import unit_in_header
from ..open_fits import OpenFiles

__all__ = ["Dialect", "Layout", "Missing", "Plane", "PlaneData", "Role"]

Role = Literal["image", "variance", "mask"]


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
    role : {"image", "variance", "mask"}
        What it is to the exposure; errors and weights have the role of the variance.
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
    image, variance : Plane
        Those of `planes` that are read.
    mask : Plane or None
        None where the exposure has no mask.
    weight : Plane or None
        A weight map beside the variance: where it is 0, there is no data.
    """

    planes: tuple[Plane, ...]
    image: Plane
    variance: Plane
    mask: Plane | None = None
    weight: Plane | None = None

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

    A new one is a module with a subclass, and an instance of it in
    `napari_comparewarp.io.dialects.registry.DIALECTS`. Dialects keep no state.

    Attributes
    ----------
    image_name : str
        Name of an HDU by which a person knows the image, for messages.
    variance_names : tuple of str
        Names of the HDUs that the variance may come from, upper case; messages
        give the first.
    """

    image_name: ClassVar[str]
    variance_names: ClassVar[tuple[str, ...]]

    @abstractmethod
    def recognise(self, path: Path, files: OpenFiles) -> Layout | Missing:
        """Find the planes of an exposure by headers alone; no pixel is read.

        Parameters
        ----------
        path : Path
            The file that would hold the image.
        files : OpenFiles
            Gives the HDUs of this file, and of others that lie beside it.

        Returns
        -------
        Layout or Missing
            Missing if it is no exposure of this dialect: others are asked.

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
        return unit_in_header(headers)

    @abstractmethod
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

    def translate(
        self, image: PlaneData, variance: PlaneData
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return image and variance as the engine takes them; by default as they are.

        Parameters
        ----------
        image, variance : PlaneData
            What the two HDUs hold; neither may be changed in place.

        Returns
        -------
        image, variance : ndarray
            ``(y, x)`` real numbers in `unit` and its square.
        no_data : ndarray of bool or None
            Where the file says that there is no data; it becomes NO_DATA in
            the mask.
        """
        return image.values, variance.values, None

    def assumptions(
        self,
        mask_plane: Plane | None,
        mask_planes: Mapping[str, int] | None,
        mask: np.ndarray,
        unnamed_bits: int,
    ) -> Iterator[str]:
        """Say what was assumed or ignored, a line each that begins with the file.

        Parameters
        ----------
        mask_plane : Plane or None
            Where the mask was read from.
        mask_planes : mapping of str to int or None
            What `mask_planes` returned for it.
        mask : ndarray
            ``(y, x)`` int32, as the engine takes it.
        unnamed_bits : int
            Bits that are set in the file and were dropped, as no plane has them.
        """
        yield from ()
