"""What commands that work on a stack share: its words, and the settings that go with it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..algorithm.parallel import Progress
    from ..algorithm.products import Job
    from ..config.knobs import CompareWarpConfig
    from ..io.assumptions import Assumptions
    from ..io.butler import ButlerQuery
    from ..io.inspection_file import SavedInspection
    from ..io.sources import StackSource

__all__ = [
    "StackChoice",
    "assume_option",
    "assumptions",
    "bright_objects_option",
    "choose_stack",
    "dialect_option",
    "stack_options",
]

_PATH = click.Path(path_type=Path)

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Place(click.ParamType):
    """A path, or the name of a Butler repository, whose slashes stay as they are."""

    name = "path"

    def convert(self, value: Any, _: Any, __: Any) -> "Path | str":
        """Return text for a repository, else a path."""
        text = str(value)
        return text if text.startswith("butler:") else Path(text)


_OPTIONS = (
    click.argument("stack", metavar="STACK...", nargs=-1, required=True, type=_Place()),
    click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=_PATH,
        help="JSON or TOML of knobs, an LSST override file, or a coadd whose settings to use.",
    ),
    click.option("--preset", metavar="NAME", help="A named preset instead of LSST's defaults."),
    click.option(
        "--set",
        "settings",
        metavar="NAME=VALUE",
        multiple=True,
        help="Set one knob, by this project's name or LSST's. May be repeated.",
    ),
    click.option(
        "--psf-sigma",
        type=click.FloatRange(min=0, min_open=True),
        help="Gaussian sigma of the matched PSF, pixels, for files that do not say.",
    ),
    click.option(
        "--where",
        metavar="EXPRESSION",
        help="Which warps of a Butler repository (STACK is butler:REPO): skymap=… AND tract=… "
        "AND patch=… AND band=…",
    ),
    click.option(
        "--collections", metavar="A,B", help="Collections of the repository, in this order."
    ),
    click.option(
        "--dataset-types",
        metavar="DIRECT,MATCHED",
        help="Names of the two dataset types, if they are not those of the pipelines.",
    ),
    click.option(
        "--memory",
        metavar="SIZE",
        help="Limit such as 4GB; a stack that takes more is kept on disk, in TMPDIR.",
    ),
)


dialect_option = click.option(
    "--dialect",
    metavar="NAME|FILE",
    help="Read the files as of this dialect, or of your own, a TOML file.",
)

assume_option = click.option(
    "--assume",
    metavar="NAME=VALUE",
    multiple=True,
    help="Say what files do not, e.g. sky=keep; `comparewarp info` says what is assumed of "
    "them. May be repeated.",
)


def assumptions(dialect: str | None, assume: tuple[str, ...]) -> "Assumptions":
    """Return what the user says of the files.

    Raises
    ------
    StackError
        If a name or a value is not known.
    """
    from ..io.assumptions import Assumptions

    words = (*assume, f"dialect={dialect}") if dialect is not None else assume
    return Assumptions.of(words)


def stack_options(command: _Command) -> _Command:
    """Give a command the stack, and the options of how it is read and with what settings."""
    for option in (assume_option, dialect_option, *reversed(_OPTIONS)):
        command = option(command)
    return command


bright_objects_option = click.option(
    "--bright-objects",
    metavar="FILE",
    type=_PATH,
    help="Mark the bright objects of a catalogue or DS9 region file on the coadd.",
)


@dataclass(frozen=True)
class StackChoice:
    """What the words of a command line ask to work on.

    Attributes
    ----------
    places : tuple of Path or ButlerQuery
        As given.
    config : CompareWarpConfig or None
        None for an inspection, which brings its own.
    saved : SavedInspection or None
        The inspection that is named, if one is.
    psf_sigma, memory : optional
        See `read_stack`.
    bright_objects : Path or None
        A catalogue.
    assume : Assumptions
        What the user says of the files.
    """

    places: "tuple[Path | ButlerQuery, ...]"
    config: "CompareWarpConfig | None"
    saved: "SavedInspection | None"
    psf_sigma: float | None
    memory: str | None
    bright_objects: Path | None
    assume: "Assumptions"

    @property
    def source(self) -> "StackSource":
        """What `read_stack` and the window take."""
        return self.places[0] if len(self.places) == 1 else self.places

    def inputs(self) -> list[Path]:
        """Return the files and folders that must be left alone.

        Raises
        ------
        StackError
            If there is nothing to read.
        """
        from ..io.sources import find_sources

        places = [place for place in self.places if isinstance(place, Path)]
        if self.saved is not None:
            return [*places, *(item.path for item in self.saved.inputs)]
        return [*places, *(item.path for item in find_sources(self.source))]

    def read(self, progress: "Progress | None" = None) -> "Job":
        """Read all that decides on the result."""
        from ..io.job import read_job

        if self.saved is not None:
            return self.saved.read_job(self.memory, progress, self.bright_objects)
        return read_job(
            self.source, self.config, psf_sigma=self.psf_sigma, memory=self.memory,
            bright_objects=self.bright_objects, assume=self.assume, progress=progress,
        )  # fmt: skip


def choose_stack(
    stack: tuple[Path | str, ...],
    config_file: Path | None,
    preset: str | None,
    settings: tuple[str, ...],
    psf_sigma: float | None,
    memory: str | None,
    bright_objects: Path | None = None,
    dialect: str | None = None,
    assume: tuple[str, ...] = (),
    where: str | None = None,
    collections: str | None = None,
    dataset_types: str | None = None,
) -> StackChoice:
    """Return what the options of `stack_options` ask for.

    Raises
    ------
    UsageError
        If settings are given beside an inspection.
    StackError, ConfigError
        If the inspection or the settings cannot be read.
    """
    told = assumptions(dialect, assume)
    is_query = len(stack) == 1 and isinstance(stack[0], str)
    if not is_query and (where or collections or dataset_types):
        raise click.UsageError(
            "--where, --collections and --dataset-types go with one STACK butler:REPOSITORY"
        )
    if len(stack) == 1 and isinstance(stack[0], Path) and stack[0].suffix.lower() == ".json":
        from ..io.inspection_file import read_inspection

        saved = read_inspection(stack[0])
        if any((config_file, preset, settings, psf_sigma, dialect, assume)):
            raise click.UsageError(
                f"{saved.path} is an inspection, which brings its own settings: leave out "
                "--config, --preset, --set, --psf-sigma, --dialect and --assume"
            )
        return StackChoice((stack[0],), None, saved, None, memory, bright_objects, told)
    from ..io.butler import butler_query
    from .knobs import choose_config

    config = choose_config(config_file, preset, settings)
    places: tuple[Any, ...] = stack
    if is_query:
        places = (butler_query(stack[0], where, collections, dataset_types),)
    return StackChoice(places, config, None, psf_sigma, memory, bright_objects, told)
