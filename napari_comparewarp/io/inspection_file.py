"""An inspection as a file: readable JSON, and nothing in it is executed."""

import json
import os
import warnings
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from .._version import __version__
from ..algorithm.overrides import Decision, FootprintKey
from ..algorithm.parallel import Progress
from ..algorithm.products import Job
from ..algorithm.warps import EpochId, WarpStack
from ..config.knobs import CompareWarpConfig
from ..errors import CompareWarpWarning, ConfigError, OutputError, StackError
from .assumptions import Assumptions
from .atomic import replacing
from .bright_objects import read_bright_objects
from .plain_files import write_text
from .read import read_stack
from .source import PlanePlace, Source
from .text_file import read_text

#: What the file says it is, and the version of its layout.
FORMAT = "comparewarp inspection"
FORMAT_VERSION = 1

#: What every inspection has, and what it may have besides.
_REQUIRED = {"format", "version", "program", "config", "overrides", "variance_scale", "inputs"}
_KEYS = _REQUIRED | {"looked_at", "bright_objects", "assume"}


@dataclass(frozen=True)
class SavedInput:
    """One input of a saved inspection."""

    path: Path
    role: str
    epoch: EpochId
    sha256: str
    psf_sigma: float | None
    told: Mapping[str, Any] = field(default_factory=dict)


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
                    **_from_manifest(item.told),
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
                **({"told": dict(item.told)} if item.told else {}),
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
    try:
        content = json.loads(read_text(path))
    except StackError:
        raise
    except ValueError as error:
        raise StackError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StackError(f"{path}: is no inspection: its format is not {FORMAT!r}")
    if content.get("version") != FORMAT_VERSION:
        raise StackError(
            f"{path}: inspection of version {content.get('version')!r}, saved by "
            f"{content.get('program', 'an unknown program')}; this program reads version "
            f"{FORMAT_VERSION}"
        )
    unknown, missing = set(content) - _KEYS, _REQUIRED - set(content)
    if unknown or missing:
        what = f"unknown keys {sorted(unknown)}" if unknown else f"no keys {sorted(missing)}"
        raise StackError(f"{path}: {what}; an inspection has {', '.join(sorted(_KEYS))}")
    try:
        config = CompareWarpConfig(**content["config"])
    except ConfigError as error:
        raise StackError(f"{path}: {error}") from error
    try:
        overrides = {_key(item): _decision(item) for item in content["overrides"]}
        looked_at = frozenset(_key(item) for item in content.get("looked_at", ()))
        inputs = tuple(
            SavedInput(
                Path(os.path.normpath(path.parent / item["path"])), item["role"], item["epoch"],
                item["sha256"], item["psf_sigma"], dict(item.get("told", {})),
            )
            for item in content["inputs"]
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise StackError(f"{path}: an override or input is damaged: {error!r}") from error
    assume = content.get("assume", {})
    try:
        Assumptions.of(assume)
    except (StackError, TypeError, ValueError) as error:
        raise StackError(f"{path}: assume: {error}") from error
    factors = content["variance_scale"]
    catalogue = content.get("bright_objects")
    if not isinstance(catalogue, str | None):
        raise StackError(f"{path}: bright_objects = {catalogue!r}; it is the path of a catalogue")
    return SavedInspection(
        path,
        config,
        overrides,
        None if factors is None else np.array(factors, float),
        inputs,
        looked_at,
        None if catalogue is None else Path(os.path.normpath(path.parent / catalogue)),
        assume,
    )


def _from_manifest(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a manifest said of an input, as `Source` takes it."""
    words = dict(told)
    if "planes" in words:
        words["planes"] = {
            key: PlanePlace(Path(file), hdu) for key, (file, hdu) in words["planes"].items()
        }
    return words


def _key(item: Mapping[str, Any]) -> FootprintKey:
    """Return the key of a footprint."""
    return FootprintKey(item["epoch"], item["y"], item["x"], item["streak"])


def _decision(item: Mapping[str, Any]) -> Decision:
    """Return a decision, checked."""
    decision: Decision = item["decision"]
    if decision not in get_args(Decision):
        raise ValueError(f"decision {decision!r}")
    return decision
