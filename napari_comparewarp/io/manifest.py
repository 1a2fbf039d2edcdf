"""A manifest in TOML: the files of a stack, with what is known or assumed of them."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..config.fields import PathText, checked
from ..config.text_file import read_toml
from ..errors import StackError
from .assumptions import Assumptions
from .source import EpochField, PsfSigma, Source, ToldOfFile

__all__ = ["read_manifest"]


class _Entry(ToldOfFile):
    """One ``[[exposure]]``."""

    path: PathText
    visit: EpochField | None = None
    kind: Literal["direct", "matched"] | None = None
    psf_sigma: PsfSigma | None = None
    exclude: str | None = None


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

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
    content = read_toml(path, StackError)
    manifest = checked(_Manifest, content, StackError, path, _place)
    sources = []
    for number, entry in enumerate(manifest.exposure, start=1):
        if entry.exclude is not None:
            continue
        try:
            Assumptions.of(manifest.assume | entry.assume)
        except StackError as error:
            raise StackError(f"{path}, exposure {number}: {error}") from error
        sources.append(
            Source(
                path.parent / entry.path, named=True, visit=entry.visit, kind=entry.kind,
                psf_sigma=entry.psf_sigma, zero_point=entry.zero_point,
                planes=entry.places(path.parent),
                assume=manifest.assume | entry.assume,
            )
        )  # fmt: skip
    if not sources:
        raise StackError(f"{path}: all exposures are excluded")
    return sources


def _place(place: tuple[str | int, ...]) -> str:
    """Return the place of a value in a manifest, its exposures counted from 1."""
    return " ".join(str(part + 1) if isinstance(part, int) else str(part) for part in place)
