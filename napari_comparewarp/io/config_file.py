"""Configurations from files: JSON, TOML, LSST overrides, and the headers of coadds."""

import difflib
import types
import typing
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from ..config.knobs import PRESETS, CompareWarpConfig
from ..config.text_file import parse_json, parse_toml, read_text, worded
from ..errors import ConfigError

__all__ = ["config_from_name", "read_config_file", "refuse_near_miss"]


def config_from_name(name: str) -> CompareWarpConfig:
    """Return the config of a preset, or of a file.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    if name in PRESETS:
        return CompareWarpConfig.preset(name)
    try:
        is_there = Path(name).exists()
    except OSError:  # a longer name than files have
        is_there = False
    if not is_there:
        raise ConfigError(
            f"{worded(name)} is no file and no preset; the presets are {', '.join(PRESETS)}"
        )
    return read_config_file(Path(name))


def read_config_file(path: Path) -> CompareWarpConfig:
    """Read a config from a file; its content says of which kind it is.

    Parameters
    ----------
    path : Path
        JSON or TOML of knob names (or of the reference's names), an LSST
        override file, or a coadd that this program wrote.

    Raises
    ------
    ConfigError
        If the file cannot be read or is none of these.
    """
    if _is_fits(path):
        from .provenance import read_config

        return read_config(path)
    text = read_text(path, ConfigError)
    try:
        return CompareWarpConfig(**_values_of(text, path))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _is_fits(path: Path) -> bool:
    """Whether a file begins like FITS, plain or compressed by gzip."""
    try:
        # A pipe can be read but once, and waits for who writes to it.
        if path.is_fifo():
            return False
        with path.open("rb") as stream:
            return stream.read(9).startswith((b"SIMPLE  =", b"\x1f\x8b"))
    except (OSError, ValueError):  # what is wrong is said where it is read as text
        return False


def _values_of(text: str, path: Path) -> dict[str, Any]:
    """Return the knobs that a text sets."""
    from ..config.lsst_file import from_lsst

    if text.lstrip().startswith("{"):
        try:
            # Written by earlier versions for knobs without a limit.
            values = parse_json(text, finite=False)
        except ValueError as error:
            raise ConfigError(f"not JSON: {error}") from None
        return _by_knob(values)
    try:
        table = parse_toml(text)
    except ValueError as error:
        if path.suffix.lower() == ".toml":
            raise ConfigError(f"not TOML: {error}") from None
        return from_lsst(text, CompareWarpConfig, path.parent)
    # A line such as `config.maxNumEpochs = 1` is TOML as well.
    if "config" in table or (path.suffix == ".py" and not table):
        return from_lsst(text, CompareWarpConfig, path.parent)
    return _by_knob(table)


def _by_knob(values: dict[str, Any]) -> dict[str, Any]:
    """Return values by this project's names, whichever names they came with."""
    from ..config.lsst_file import from_options

    fields = CompareWarpConfig.model_fields
    knobs = {
        # TOML has no word for nothing.
        name: None if value == "none" and _may_be_none(fields[name]) else value
        for name, value in values.items()
        if name in fields
    }
    others = {name: value for name, value in values.items() if name not in knobs}
    for name in others:
        refuse_near_miss(name)
    return {**from_options(others, CompareWarpConfig), **knobs}


def refuse_near_miss(name: str) -> None:
    """Refuse a misspelt knob here: as an option of the reference it would be far off."""
    from ..config.lsst_options import nearest_option

    if nearest_option(name, CompareWarpConfig) == name:
        return
    near = difflib.get_close_matches(name, CompareWarpConfig.model_fields, n=1, cutoff=0.8)
    if near:
        raise ConfigError(f"no knob {name!r}; the nearest is {near[0]}")


def _may_be_none(field: FieldInfo) -> bool:
    return types.NoneType in typing.get_args(field.annotation)
