"""A manifest in TOML: the files of a stack, with what is known or assumed of them."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..algorithm.warps import EpochId
from ..errors import StackError
from .assumptions import Assumptions
from .source import PlaneKey, PlanePlace, Source
from .text_file import read_text

__all__ = ["read_manifest"]

_STRICT = ConfigDict(extra="forbid", frozen=True)


class _Entry(BaseModel):
    """One ``[[exposure]]``."""

    model_config = _STRICT

    path: str
    visit: EpochId | None = None
    kind: Literal["direct", "matched"] | None = None
    psf_sigma: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    zero_point: Annotated[float, Field(allow_inf_nan=False)] | None = None
    planes: dict[PlaneKey, tuple[str, int | str]] = {}
    assume: dict[str, Any] = {}
    exclude: str | None = None


class _Manifest(BaseModel):
    model_config = _STRICT

    assume: dict[str, Any] = {}
    exposure: Annotated[list[_Entry], Field(min_length=1)]


def read_manifest(path: Path) -> list[Source]:
    """List the files of a manifest, with what it says of each.

    Exposures with a reason to exclude them are left out.

    Parameters
    ----------
    path : Path
        Paths in it are relative to its folder.

    Raises
    ------
    StackError
        If it is no manifest.
    """
    try:
        manifest = _Manifest.model_validate(tomllib.loads(read_text(path)))
    except tomllib.TOMLDecodeError as error:
        raise StackError(f"{path}: not readable as TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
        raise StackError(f"{path}: {where}: {first['msg']}") from error
    sources = []
    for number, entry in enumerate(manifest.exposure, start=1):
        if entry.exclude is not None:
            continue
        try:
            Assumptions.of(manifest.assume | entry.assume)
        except StackError as error:
            raise StackError(f"{path}, exposure {number}: {error}") from error
        planes = {
            key: PlanePlace(path.parent / file, hdu) for key, (file, hdu) in entry.planes.items()
        }
        sources.append(
            Source(
                path.parent / entry.path, named=True, visit=entry.visit, kind=entry.kind,
                psf_sigma=entry.psf_sigma, zero_point=entry.zero_point, planes=planes,
                assume=manifest.assume | entry.assume,
            )
        )  # fmt: skip
    if not sources:
        raise StackError(f"{path}: all exposures are excluded")
    return sources
