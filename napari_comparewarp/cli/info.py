"""`comparewarp info`: the content of files, and how they would be read."""

from pathlib import Path

import click

from ..errors import plain_text
from .common import debug_option, echo
from .stack import assume_option, assumptions, dialect_option

__all__ = ["info"]


@click.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@dialect_option
@assume_option
@debug_option
def info(files: tuple[Path, ...], dialect: str | None, assume: tuple[str, ...]) -> None:
    """Print what FITS files contain and how they would be read.

    FILE may be a folder of files, or a manifest. What is assumed of a file is
    printed with the option that says otherwise.
    """
    from ..io.describe import describe_all
    from ..io.dialects.registry import NotAnExposure
    from ..io.place import reading_places
    from ..io.sources import MANIFEST_SUFFIXES, find_sources

    told = assumptions(dialect, assume)
    is_first = True
    planes: set[Path] = set()
    others: dict[Path, str] = {}
    for file in files:
        with reading_places(file):
            is_list = file.is_dir() or file.suffix.lower() in MANIFEST_SUFFIXES
        sources = find_sources(file) if is_list else None
        for path in [file] if sources is None else [source.path for source in sources]:
            try:
                described = describe_all(path, told)
            except NotAnExposure as error:
                if sources is None:
                    raise
                others[path] = str(error)
                continue
            for facts in described:
                planes |= set(facts.pop("files"))
                if not is_first:
                    echo()
                is_first = False
                width = max(map(len, facts))
                for name, value in facts.items():
                    echo(f"{name:{width}}  {plain_text(str(value))}")
    for path, reason in others.items():
        if path not in planes:
            echo(f"left out: {plain_text(reason)}")
