"""One file of a stack, and what the user said about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..algorithm.epoch_id import ACCEPTED, EpochId, check_epoch_id
from ..algorithm.psf_kernels import WIDEST_SIGMA
from ..config.fields import PathText
from .headers import Kind

__all__ = [
    "MANIFEST_NAME",
    "EpochField",
    "PlaneKey",
    "PlanePlace",
    "PsfSigma",
    "Source",
    "ToldOfFile",
]

#: Name of the manifest that is written beside the files of a folder.
MANIFEST_NAME = "comparewarp.toml"

#: What a plane of an exposure may be, as a manifest says it.
PlaneKey = Literal["image", "mask", "variance", "error", "inverse_variance", "weight"]


#: The id of an epoch in a file.
EpochField = Annotated[
    EpochId,
    AfterValidator(check_epoch_id),
    Field(description=ACCEPTED),
]

#: The width of a PSF in a file.
PsfSigma = Annotated[
    float,
    Field(
        gt=0,
        le=WIDEST_SIGMA,
        allow_inf_nan=False,
        description=f"a width in pixels, above 0 and at most {WIDEST_SIGMA:g}",
    ),
]

#: An HDU by its number or its name.
Hdu = Annotated[int, Field(ge=0, le=99_999)] | Annotated[str, Field(min_length=1, max_length=80)]


class ToldOfFile(BaseModel):
    """What only a manifest can say of a file; an inspection keeps it.

    Attributes
    ----------
    zero_point : float or None
        Magnitude of one unit.
    planes : dict
        File and HDU of each plane.
    assume : dict
        What is assumed of this file alone, see `Assumptions`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    zero_point: Annotated[
        float | None, Field(ge=-100, le=100, description="a magnitude from -100 to 100")
    ] = None
    planes: Annotated[
        dict[PlaneKey, Annotated[tuple[PathText, Hdu], Field(strict=False)]],
        Field(
            description='file and HDU of planes, such as { mask = ["bad.fits", 1] }; there are '
            + ", ".join(get_args(PlaneKey))
        ),
    ] = {}
    assume: dict[str, Any] = {}

    def places(self, folder: Path) -> dict[PlaneKey, "PlanePlace"]:
        """Return where planes lie, by paths from a folder."""
        return {key: PlanePlace(folder / file, hdu) for key, (file, hdu) in self.planes.items()}


@dataclass(frozen=True)
class PlanePlace:
    """Where a manifest says that a plane lies.

    Attributes
    ----------
    path : Path
        The file.
    hdu : int or str
        Number or name of the HDU.
    """

    path: Path
    hdu: int | str


@dataclass(frozen=True)
class Source:
    """One file of a stack, and what the user said about it.

    Attributes
    ----------
    path : Path
        The file.
    named : bool
        Whether the user named it, or it only lies in the folder.
    visit, kind, psf_sigma : optional
        What a manifest says; it rules over the file's header.
    zero_point : float or None
        Magnitude of one unit, from a manifest.
    planes : mapping of str to PlanePlace
        Where planes lie, from a manifest.
    assume : mapping
        What is assumed of this file alone, see `Assumptions`.
    """

    path: Path
    named: bool
    visit: EpochId | None = None
    kind: Kind | None = None
    psf_sigma: float | None = None
    zero_point: float | None = None
    planes: Mapping[PlaneKey, PlanePlace] = field(default_factory=dict)
    assume: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return what only a manifest could say of the file, for an inspection."""
        told: dict[str, Any] = {}
        if self.zero_point is not None:
            told["zero_point"] = self.zero_point
        if self.planes:
            told["planes"] = {
                key: [str(place.path), place.hdu] for key, place in self.planes.items()
            }
        if self.assume:
            told["assume"] = dict(self.assume)
        return told
