"""What commands that work on a stack share: its words, and the settings that go with it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..io.inspection_file import SavedInspection

__all__ = ["saved_inspection", "stack_options"]

_PATH = click.Path(path_type=Path)

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("stack", metavar="STACK...", nargs=-1, required=True, type=_PATH),
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
        "--memory",
        metavar="SIZE",
        help="Limit such as 4GB; a stack that takes more is kept on disk, in TMPDIR.",
    ),
)


def stack_options(command: _Command) -> _Command:
    """Give a command the stack, and the options of how it is read and with what settings."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def saved_inspection(stack: tuple[Path, ...], *settings: object) -> "SavedInspection | None":
    """Return the inspection that STACK names, if it names one.

    Parameters
    ----------
    stack : tuple of Path
    *settings : object
        Values of the options that an inspection brings itself; true where given.

    Raises
    ------
    UsageError
        If settings are given beside an inspection.
    StackError
        If the inspection cannot be read.
    """
    if len(stack) != 1 or stack[0].suffix.lower() != ".json":
        return None
    from ..io.inspection_file import read_inspection

    saved = read_inspection(stack[0])
    if any(settings):
        raise click.UsageError(
            f"{saved.path} is an inspection, which brings its own settings: leave out --config, "
            "--preset, --set and --psf-sigma"
        )
    return saved
