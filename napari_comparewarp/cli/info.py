"""`comparewarp info`: the content of files."""

from pathlib import Path

import click

from .common import debug_option

__all__ = ["info"]


@click.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@debug_option
def info(files: tuple[Path, ...]) -> None:
    """Print what FITS files contain and how they would be read."""
    from ..io.describe import describe

    for number, file in enumerate(files):
        if number:
            click.echo()
        facts = describe(file)
        width = max(map(len, facts))
        for name, value in facts.items():
            click.echo(f"{name:{width}}  {value}")
