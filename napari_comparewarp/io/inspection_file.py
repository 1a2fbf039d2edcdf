"""An inspection as a file: readable JSON, and nothing in it is executed."""

import json
import os
import warnings
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from .._version import __version__
from ..algorithm.overrides import Decision, FootprintKey
from ..algorithm.parallel import Progress
from ..algorithm.products import Job
from ..algorithm.warps import EpochId, WarpStack
from ..config.fields import PathText, Pixel, Positive, checked
from ..config.knobs import CompareWarpConfig
from ..config.text_file import read_json, shown
from ..errors import CompareWarpWarning, ConfigError, OutputError, StackError
from .assumptions import Assumptions
from .atomic import replacing
from .plain_files import write_text
from .read import read_stack
from .source import EpochField, PlaneKey, PlanePlace, PsfSigma, Source, ToldOfFile

#: What the file says it is, and the version of its layout.
FORMAT = "comparewarp inspection"
FORMAT_VERSION = 1

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Key(BaseModel):
    """The key of a footprint."""

    model_config = _STRICT

    epoch: EpochField
    y: Annotated[Pixel, Field(description="the index of a row, from 0")]
    x: Annotated[Pixel, Field(description="the index of a column, from 0")]
    streak: bool

    @property
    def key(self) -> FootprintKey:
        return FootprintKey(self.epoch, self.y, self.x, self.streak)


class _Override(_Key):
    """A footprint with the decision on it."""

    decision: Decision


class _Input(BaseModel):
    """One input."""

    model_config = _STRICT

    path: PathText
    role: Annotated[
        str,
        Field(
            # Of a plane in a file of its own, its name comes second.
            pattern=r"^(direct|matched)( .*)?$",
            description="direct or matched, or the one with the name of a plane, as direct MASK",
        ),
    ]
    epoch: EpochField
    sha256: Annotated[
        str, Field(pattern=r"^([0-9a-f]{64})?$", description="a checksum of 64 hexadecimal digits")
    ]
    psf_sigma: PsfSigma | None
    told: ToldOfFile = ToldOfFile()


class _Content(BaseModel):
    """All of an inspection."""

    model_config = _STRICT

    format: str
    version: int
    program: str
    config: dict[str, Any]
    overrides: list[_Override]
    variance_scale: Annotated[
        list[Positive] | None, Field(description="factors of variances, finite and above 0")
    ]
    inputs: list[_Input]
    looked_at: list[_Key] = []
    bright_objects: Annotated[PathText | None, Field(description="the path of a catalogue")] = None
    assume: dict[str, Any] = {}


@dataclass(frozen=True)
class SavedInput:
    """One input of a saved inspection."""

    path: Path
    role: str
    epoch: EpochId
    sha256: str
    psf_sigma: float | None
    told: ToldOfFile = field(default_factory=ToldOfFile)


@dataclass(frozen=True)
class SavedInspection:
    """What an inspection file holds.

    Attributes
    ----------
    path : Path
        The file.
    config : CompareWarpConfig
    overrides : dict of FootprintKey to {"clip", "keep"}
    variance_scale : ndarray or None
        Factors that were given instead of measured.
    inputs : tuple of SavedInput
        Empty for an inspection of arrays.
    looked_at : frozenset of FootprintKey
        Footprints that a person has looked at.
    bright_objects : Path or None
        The catalogue of bright objects, if there is one.
    assume : mapping
        What was said of the files, see `napari_comparewarp.io.assumptions`.
    """

    path: Path
    config: CompareWarpConfig
    overrides: dict[FootprintKey, Decision]
    variance_scale: npt.NDArray[np.float64] | None
    inputs: tuple[SavedInput, ...]
    looked_at: frozenset[FootprintKey] = frozenset()
    bright_objects: Path | None = None
    assume: Mapping[str, Any] = field(default_factory=dict)

    def read_job(
        self,
        memory: str | int | None = None,
        progress: Progress | None = None,
        bright_objects: Path | None = None,
        stack: WarpStack | None = None,
    ) -> Job:
        """Read all that decided on the result.

        Parameters
        ----------
        memory, progress
            See `read_stack`.
        bright_objects : Path, optional
            Another catalogue of bright objects than the saved one.
        stack : WarpStack, optional
            The warps, for an inspection of arrays; else the files are read.

        Raises
        ------
        StackError
            As `read_stack` does, and if the catalogue cannot be read.
        """
        job = Job(
            self.read_stack(memory, progress) if stack is None else stack,
            self.config, self.overrides, self.variance_scale,
        )  # fmt: skip
        catalogue = bright_objects or self.bright_objects
        if catalogue is None:
            return job
        # With it come libraries that need a folder for their own settings.
        from .bright_objects import read_bright_objects

        marked = read_bright_objects(catalogue, job.stack)
        # A catalogue that is named now is asked to be marked; the saved one was, or was not.
        config = (
            job.config if bright_objects is None else job.config.replace(mask_bright_objects=True)
        )
        return replace(job, config=config, bright_objects=marked, catalogue=str(catalogue))

    def read_stack(
        self, memory: str | int | None = None, progress: Progress | None = None
    ) -> WarpStack:
        """Read the warps that were inspected.

        Raises
        ------
        StackError
            If the inspection was one of arrays, or an input cannot be read.

        Warns
        -----
        CompareWarpWarning
            For each input that has changed since the inspection was saved.
        """
        if not self.inputs:
            raise StackError(
                f"{self.path}: an inspection of arrays, not of files: give the stack to load it"
            )
        has_matched = any(item.role == "matched" for item in self.inputs)
        stack = read_stack(
            [
                Source(
                    item.path,
                    named=True,
                    visit=item.epoch,
                    kind="matched" if item.role == "matched" else "direct",
                    psf_sigma=item.psf_sigma if has_matched == (item.role == "matched") else None,
                    zero_point=item.told.zero_point,
                    planes=_places(item.told, self.path.parent),
                    assume=item.told.assume,
                )
                for item in self.inputs
                # Files with other planes are found again from that with the image.
                if item.role in ("direct", "matched")
            ],
            memory=memory,
            progress=progress,
            assume=self.assume,
        )
        known = {(item.role, item.epoch, item.path.name): item.sha256 for item in self.inputs}
        changed = []
        for item in stack.inputs:
            if known.get((item.role, item.epoch, Path(item.path).name)) != item.sha256:
                changed.append(
                    f"{item.path}: has changed since the inspection {self.path} was saved"
                )
        for line in changed:
            warnings.warn(line, CompareWarpWarning, stacklevel=2)
        return replace(stack, notes=(*stack.notes, *changed))


def write_inspection(
    path: Path, job: Job, looked_at: Collection[FootprintKey], overwrite: bool
) -> None:
    """Write an inspection.

    Parameters
    ----------
    path : Path
        Ends in ``.json``; the paths of inputs are written relative to its folder.
    job : Job
        Of bright objects, the path of their catalogue is written, not the pixels.
    looked_at : collection of FootprintKey
    overwrite : bool

    Raises
    ------
    OutputError
        If the file exists, or cannot be written.
    """
    stack, config, overrides = job.stack, job.config, job.overrides
    variance_scale = job.variance_scale
    if path.suffix.lower() != ".json":
        raise OutputError(f"{path}: an inspection is written as .json")
    sigma: dict[tuple[str, EpochId], float] = {}
    role = "direct" if stack.matched is stack.direct else "matched"
    for epoch, value in zip(stack.matched_epochs, stack.psf_sigma, strict=True):
        sigma[role, epoch] = float(value)
    # NaN, which JSON does not know, means 1 among the factors.
    factors = None if variance_scale is None else np.nan_to_num(variance_scale, nan=1.0).tolist()
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "program": f"napari-comparewarp {__version__}",
        "config": config.model_dump(mode="json"),
        "overrides": [{**asdict(key), "decision": decision} for key, decision in overrides.items()],
        # Ids of epochs may be numbers and texts side by side.
        "looked_at": [
            asdict(key)
            for key in sorted(looked_at, key=lambda key: (str(key.epoch), key.y, key.x, key.streak))
        ],
        "variance_scale": factors,
        "inputs": [
            {
                "path": os.path.relpath(item.path, path.parent),
                "role": item.role,
                "epoch": item.epoch,
                "sha256": item.sha256,
                "psf_sigma": sigma.get((item.role, item.epoch)),
                **({"told": _told(item.told, path.parent)} if item.told else {}),
            }
            for item in stack.inputs
        ],
    }
    if stack.assumptions:
        content["assume"] = dict(stack.assumptions)
    if job.catalogue:
        content["bright_objects"] = os.path.relpath(job.catalogue, path.parent)
    with replacing(path, overwrite) as temporary:
        write_text(temporary, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_inspection(path: Path) -> SavedInspection:
    """Read what an inspection file holds, but not the warps.

    Raises
    ------
    StackError
        If it is no inspection, of a later version, or holds what this version
        does not know.
    """
    content = read_json(path, StackError)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StackError(f"{path}: is no inspection: its format is not {FORMAT!r}")
    if content.get("version") != FORMAT_VERSION or content["version"] is True:
        raise StackError(
            f"{path}: inspection of version {shown(content.get('version'))}, saved by "
            f"{shown(content.get('program', 'an unknown program'))}; this program reads version "
            f"{FORMAT_VERSION}"
        )
    unknown = sorted(set(content) - set(_Content.model_fields))
    if unknown:
        raise StackError(
            f"{path}: unknown keys {shown(unknown)}; an inspection has "
            f"{', '.join(sorted(_Content.model_fields))}"
        )
    saved = checked(_Content, content, StackError, path)
    try:
        config = CompareWarpConfig(**saved.config)
    except ConfigError as error:
        raise StackError(f"{path}: {error}") from error
    for assume in (saved.assume, *(item.told.assume for item in saved.inputs)):
        try:
            Assumptions.of(assume)
        except StackError as error:
            raise StackError(f"{path}: assume: {error}") from error
    _refuse_repeats(path, "overrides", [item.key for item in saved.overrides])
    _refuse_repeats(
        path,
        "inputs",
        [
            # Of a visit there is one image, and there may be several files with other planes.
            (item.role, item.epoch, "" if item.role in ("direct", "matched") else item.path)
            for item in saved.inputs
        ],
    )
    return SavedInspection(
        path,
        config,
        {item.key: item.decision for item in saved.overrides},
        None if saved.variance_scale is None else np.array(saved.variance_scale, float),
        tuple(
            SavedInput(
                _from(path.parent, item.path), item.role, item.epoch, item.sha256, item.psf_sigma,
                item.told,
            )
            for item in saved.inputs
        ),
        frozenset(item.key for item in saved.looked_at),
        None if saved.bright_objects is None else _from(path.parent, saved.bright_objects),
        saved.assume,
    )  # fmt: skip


def _told(told: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return what a manifest said of an input, its paths relative to a folder."""
    words = dict(told)
    if "planes" in words:
        words["planes"] = {
            key: [os.path.relpath(file, folder), hdu]
            for key, (file, hdu) in words["planes"].items()
        }
    return words


def _places(told: ToldOfFile, folder: Path) -> dict[PlaneKey, PlanePlace]:
    """Return where planes lie, by paths relative to the inspection."""
    places = told.places(folder)
    # Earlier versions wrote them as they were given, from where the program was started.
    given = told.places(Path())
    return {
        key: given[key] if not place.path.exists() and given[key].path.exists() else place
        for key, place in places.items()
    }


def _from(folder: Path, path: str) -> Path:
    """Return a path that counts from the folder of the inspection."""
    return Path(os.path.normpath(folder / path))


def _refuse_repeats(path: Path, key: str, items: Sequence[Hashable]) -> None:
    """Refuse a footprint that is decided twice, or a visit that is there twice."""
    first: dict[Hashable, int] = {}
    for number, item in enumerate(items):
        if first.setdefault(item, number) != number:
            raise StackError(f"{path}: {key}[{number}] is that of {key}[{first[item]}] again")
