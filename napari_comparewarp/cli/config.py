"""`comparewarp config`: show, compare and convert configurations."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from .common import debug_option, echo, format_table

__all__ = ["config"]


@click.group()
def config() -> None:
    """Show, compare and convert configurations."""


@config.command()
@click.option("--preset", metavar="NAME", help="A named preset instead of the LSST defaults.")
@click.option(
    "--config", "file", metavar="FILE", type=click.Path(path_type=Path), help="A config file."
)
@click.option("--lsst", is_flag=True, help="Print an LSST override file instead of a table.")
@debug_option
def show(preset: str | None, file: Path | None, lsst: bool) -> None:
    """Print every knob: value, default, unit, LSST name and meaning.

    Of a preset, also whence each number is.
    """
    from ..config.knobs import knob_facts
    from ..config.presets import PRESET_SOURCES
    from .knobs import choose_config

    chosen = choose_config(file, preset, ())
    sources = PRESET_SOURCES.get(preset or "", {})
    if lsst:
        echo(chosen.to_lsst(), nl=False)
        return
    default = type(chosen)()
    rows = []
    for name, field in type(chosen).model_fields.items():
        facts = knob_facts(name)
        rows.append(
            (
                name,
                format_value(getattr(chosen, name)),
                format_value(getattr(default, name)),
                facts["unit"],
                facts["lsst"] or "",
                *(_source(preset, name, sources) if preset else ()),
                field.description or "",
            )
        )
    whence = ("source",) if preset else ()
    header = ("name", "value", "default", "unit", "LSST name", *whence, "meaning")
    echo(format_table(header, rows))


def _source(preset: str, name: str, sources: Mapping[str, str]) -> tuple[str]:
    """Return whence a preset has the value of a knob."""
    from ..config.presets import DEFAULT_SOURCE, PRESETS

    return (sources.get(name, sources[""]) if name in PRESETS[preset] else DEFAULT_SOURCE,)


@config.command()
@click.argument("a")
@click.argument("b")
@debug_option
def diff(a: str, b: str) -> None:
    """Print the knobs in which two configurations differ.

    A and B are presets or config files.
    """
    from ..io.config_file import config_from_name

    differences = config_from_name(a).differences(config_from_name(b))
    if not differences:
        echo("no difference")
        return
    rows = [
        (name, format_value(left), format_value(right))
        for name, (left, right) in differences.items()
    ]
    echo(format_table(("name", a, b), rows))


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "kind",
    type=click.Choice(["lsst", "json"]),
    default="json",
    show_default=True,
    help="lsst: an LSST override file; json: names of this project.",
)
@debug_option
def convert(file: Path, kind: str) -> None:
    """Print a config file in another format.

    FILE is JSON, TOML, an LSST override file, or a coadd of this program.
    """
    from ..io.config_file import read_config_file

    chosen = read_config_file(file)
    if kind == "lsst":
        echo(chosen.to_lsst(), nl=False)
    else:
        echo(json.dumps(chosen.model_dump(mode="json"), indent=2))


def format_value(value: Any) -> str:
    """Return the value of a knob as `--set` accepts it."""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, dict):
        # An infinity as text, for which there is no literal.
        words = {name: x if math.isfinite(x) else str(x) for name, x in value.items()}
        return str(words)
    return str(value)
