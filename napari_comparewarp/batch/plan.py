"""What a batch is to do: a TOML file with a table for each patch."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ..config import PRESETS, CompareWarpConfig, ConfigError

__all__ = ["Patch", "PlanError", "read_plan"]


class PlanError(ConfigError):
    """A plan that cannot be carried out; the message is one line."""


class _Settings(BaseModel):
    """What may stand in ``[defaults]``, and in a patch for itself."""

    model_config = ConfigDict(extra="forbid")

    preset: str | None = None
    knobs: dict[str, Any] = {}
    psf_sigma: float | None = None
    memory: str | int | None = None
    masks: bool | None = None
    footprints: bool | None = None
    regions: bool | None = None


class _PatchEntry(_Settings):
    """One ``[[patch]]`` of the file."""

    name: str
    stack: str | list[str]
    output: str


class _PlanFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    defaults: _Settings = _Settings()
    patch: list[_PatchEntry]


class Patch(BaseModel):
    """One patch to coadd.

    Attributes
    ----------
    name : str
        Stem of the files that are written.
    stack : tuple of Path
        A folder, FITS files, or a manifest.
    output : Path
        Folder that the products go to.
    config : CompareWarpConfig
    psf_sigma : float or None
        For files that do not say.
    memory : str, int or None
        Memory that the work on the patch may take.
    masks, footprints, regions : bool
        What is written besides the coadd.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    stack: tuple[Path, ...]
    output: Path
    config: CompareWarpConfig
    psf_sigma: float | None = None
    memory: str | int | None = None
    masks: bool = True
    footprints: bool = True
    regions: bool = True

    @property
    def source(self) -> Path | tuple[Path, ...]:
        """What `read_stack` takes."""
        return self.stack[0] if len(self.stack) == 1 else self.stack

    @property
    def coadd_path(self) -> Path:
        """Where the coadd goes."""
        return self.output / f"{self.name}.fits"

    @property
    def receipt_path(self) -> Path:
        """Where it is noted that the patch is done, and from what."""
        return self.output / f"{self.name}.done.json"

    @property
    def products(self) -> dict[str, Path]:
        """Return the files and folders that are written, by what they are."""
        wanted = {
            "masks": self.output / f"{self.name}_masks" if self.masks else None,
            "footprints": self.output / f"{self.name}.ecsv" if self.footprints else None,
            "regions": self.output / f"{self.name}.reg" if self.regions else None,
        }
        return {"coadd": self.coadd_path} | {k: p for k, p in wanted.items() if p is not None}


def read_plan(path: str | Path) -> list[Patch]:
    """Read a plan and check it as a whole.

    Parameters
    ----------
    path : path
        A TOML file: ``[[patch]]`` tables with ``name``, ``stack`` and
        ``output``, and in them or in ``[defaults]`` ``preset``, ``knobs``,
        ``psf_sigma``, ``memory``, ``masks``, ``footprints`` and ``regions``.
        Paths are relative to the file.

    Returns
    -------
    list of Patch

    Raises
    ------
    PlanError
        If the file cannot be read, holds what is not known, names a stack that
        is not there, or two patches would write the same files.
    """
    path = Path(path)
    try:
        content = _PlanFile.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise PlanError(f"{path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{path}: not readable as TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PlanError(f"{path}: {where}: {first['msg'].lower()}") from error
    patches = [_patch(path, content.defaults, entry) for entry in content.patch]
    if not patches:
        raise PlanError(f"{path}: no patch in it")
    seen: dict[Path, str] = {}
    for patch in patches:
        place = patch.coadd_path.resolve()
        if place in seen:
            raise PlanError(f"{path}: patches {seen[place]} and {patch.name} both write {place}")
        seen[place] = patch.name
    return patches


def _patch(path: Path, defaults: _Settings, entry: _PatchEntry) -> Patch:
    """Return a patch with the defaults where it says nothing itself."""
    folder = path.parent
    stack = [entry.stack] if isinstance(entry.stack, str) else entry.stack
    places = tuple(folder / place for place in stack)
    for place in places:
        if not place.exists():
            raise PlanError(f"{path}: patch {entry.name}: {place}: no such file or folder")
    preset = entry.preset or defaults.preset
    try:
        values = dict(PRESETS[preset]) if preset is not None else {}
    except KeyError:
        raise PlanError(
            f"{path}: patch {entry.name}: no preset {preset!r}; there are {', '.join(PRESETS)}"
        ) from None
    try:
        config = CompareWarpConfig(**(values | defaults.knobs | entry.knobs))
    except ConfigError as error:
        raise PlanError(f"{path}: patch {entry.name}: {error}") from error
    names = ("psf_sigma", "memory", "masks", "footprints", "regions")
    chosen = defaults.model_dump(include=set(names), exclude_none=True)
    chosen |= entry.model_dump(include=set(names), exclude_none=True)
    return Patch(
        name=entry.name, stack=places, output=folder / entry.output, config=config, **chosen
    )
