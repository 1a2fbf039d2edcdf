"""`comparewarp init`: a manifest of a folder, to edit."""

from pathlib import Path

import click

from ..errors import plain_text
from .common import debug_option, echo, overwrite_option
from .stack import assume_option, assumptions, dialect_option

__all__ = ["init"]

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=_PATH)
@click.option(
    "-o", "--output", metavar="FILE", type=_PATH,
    help="Where to write it; by default comparewarp.toml in FOLDER.",
)  # fmt: skip
@dialect_option
@assume_option
@overwrite_option
@debug_option
def init(
    folder: Path, output: Path | None, dialect: str | None, assume: tuple[str, ...],
    overwrite: bool,
) -> None:  # fmt: skip
    """Write a manifest of the exposures in FOLDER.

    It lists the files with their visits, planes and dialects, and what was assumed of
    them as comments. Edit it, and give it to the other commands as STACK.
    """
    from ..io.write_manifest import write_manifest

    path = write_manifest(folder, output, assumptions(dialect, assume), overwrite)
    echo(f"wrote {plain_text(str(path))}")
