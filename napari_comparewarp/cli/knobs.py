"""Configurations from the words of a command line: presets, files and NAME=VALUE."""

import ast
import difflib
import json
import tomllib
import types
import typing
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from ..config import PRESETS, CompareWarpConfig, ConfigError

__all__ = ["accepted_values", "choose_config", "config_from_name", "read_config_file"]

_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def choose_config(
    file: Path | None, preset: str | None, settings: tuple[str, ...]
) -> CompareWarpConfig:
    """Return the config that a command line asks for.

    Parameters
    ----------
    file : Path, optional
        As for `read_config_file`; by default the preset rules.
    preset : str, optional
        Name of a preset; by default today's LSST defaults.
    settings : tuple of str
        Each ``NAME=VALUE``, by this project's names or the reference's; the
        last of two holds.

    Raises
    ------
    ConfigError
        For a name, value or file that cannot be used.
    """
    if file is not None and preset is not None:
        raise ConfigError("--config and --preset exclude each other; give one of them")
    if file is not None:
        config = read_config_file(file)
    else:
        config = CompareWarpConfig() if preset is None else CompareWarpConfig.preset(preset)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not (name and equals):
            raise ConfigError(f"--set {setting}: NAME=VALUE is needed, e.g. chi_threshold=5")
        config = _with_setting(config, name.strip(), _parse_value(text.strip()))
    return config


def config_from_name(name: str) -> CompareWarpConfig:
    """Return the config of a preset, or of a file.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    if name in PRESETS:
        return CompareWarpConfig.preset(name)
    if not Path(name).exists():
        raise ConfigError(f"{name} is no file and no preset; the presets are {', '.join(PRESETS)}")
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
    try:
        if _is_fits(path):
            from ..io.provenance import read_config

            return read_config(path)
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: neither text nor FITS; a config is one of these") from None
    try:
        return CompareWarpConfig(**_values_of(text, path.suffix))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _is_fits(path: Path) -> bool:
    """Whether a file begins like FITS, plain or compressed by gzip."""
    with path.open("rb") as stream:
        return stream.read(9).startswith((b"SIMPLE  =", b"\x1f\x8b"))


def _values_of(text: str, suffix: str) -> dict[str, Any]:
    """Return the knobs that a text sets."""
    from ..lsst_config import from_lsst

    if text.lstrip().startswith("{"):
        try:
            return _by_knob(json.loads(text))
        except json.JSONDecodeError as error:
            raise ConfigError(f"not JSON: {error}") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if suffix == ".toml":
            raise ConfigError(f"not TOML: {error}") from None
        return from_lsst(text, CompareWarpConfig)
    # A line such as `config.maxNumEpochs = 1` is TOML as well.
    if "config" in table or (suffix == ".py" and not table):
        return from_lsst(text, CompareWarpConfig)
    return _by_knob(table)


def _by_knob(values: dict[str, Any]) -> dict[str, Any]:
    """Return values by this project's names, whichever names they came with."""
    from ..lsst_config import from_options

    fields = CompareWarpConfig.model_fields
    knobs = {
        # TOML has no word for nothing.
        name: None if value == "none" and _may_be_none(fields[name]) else value
        for name, value in values.items()
        if name in fields
    }
    others = {name: value for name, value in values.items() if name not in knobs}
    for name in others:
        _refuse_near_miss(name)
    return {**from_options(others, CompareWarpConfig), **knobs}


def _with_setting(config: CompareWarpConfig, name: str, value: Any) -> CompareWarpConfig:
    """Return a config with one knob set, under either of its names."""
    from ..lsst_config import from_options

    if name in CompareWarpConfig.model_fields:
        try:
            return config.replace(**{name: value})
        except ConfigError:
            accepted = accepted_values(CompareWarpConfig.model_fields[name])
            raise ConfigError(f"--set {name}={value}: {name} is {accepted}") from None
    _refuse_near_miss(name)
    try:
        values = from_options({name: value}, CompareWarpConfig)
    except ConfigError as error:
        raise ConfigError(f"--set {name}={value}: {error}") from None
    return config.replace(**values)


def _refuse_near_miss(name: str) -> None:
    """Refuse a misspelt knob here: as an option of the reference it would be far off."""
    from ..lsst_options import nearest_option

    if nearest_option(name, CompareWarpConfig) == name:
        return
    near = difflib.get_close_matches(name, CompareWarpConfig.model_fields, n=1, cutoff=0.8)
    if near:
        raise ConfigError(f"no knob {name!r}; the nearest is {near[0]}")


def _parse_value(text: str) -> Any:
    """Return what a piece of a command line means: a literal, or the text itself."""
    if text.lower() in ("true", "false", "none"):
        text = text.capitalize()
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def accepted_values(field: FieldInfo) -> str:
    """Say in words what a knob accepts, e.g. ``a number > 0 and <= 1000``."""
    bounds = [
        f"{sign} {getattr(rule, word):g}"
        for rule in field.metadata
        for word, sign in _BOUNDS.items()
        if hasattr(rule, word)
    ]
    return " ".join([_kind(field.annotation), " and ".join(bounds)]).rstrip()


def _may_be_none(field: FieldInfo) -> bool:
    return types.NoneType in typing.get_args(field.annotation)


def _kind(annotation: Any) -> str:
    """Say in words what a type is."""
    if typing.get_origin(annotation) is typing.Literal:
        return "one of " + ", ".join(typing.get_args(annotation))
    if isinstance(annotation, types.UnionType):
        return "none or " + " or ".join(
            _kind(each) for each in typing.get_args(annotation) if each is not types.NoneType
        )
    if typing.get_origin(annotation) is tuple:
        return "plane names such as BAD,SAT"
    if typing.get_origin(annotation) is dict:
        return "a dict such as {'SAT': 0.1}"
    return _KINDS[annotation]
