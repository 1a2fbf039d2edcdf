"""Configurations from the words of a command line: presets, files and NAME=VALUE."""

import types
import typing
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from ..config.knobs import CompareWarpConfig
from ..config.literals import parse_literal
from ..config.text_file import worded
from ..errors import ConfigError
from ..io.config_file import read_config_file, refuse_near_miss

__all__ = ["accepted_values", "choose_config"]

#: What a literal of texts begins with.
_QUOTES = ("'", '"', "[", "(", "{")

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
            raise ConfigError(
                f"--set {worded(setting)}: NAME=VALUE is needed, e.g. chi_threshold=5"
            )
        config = _with_setting(config, name.strip(), text.strip())
    return config


def _with_setting(config: CompareWarpConfig, name: str, text: str) -> CompareWarpConfig:
    """Return a config with one knob set, under either of its names."""
    from ..config.lsst_file import from_options

    field = CompareWarpConfig.model_fields.get(name)
    # The name of a plane may be 0 or NONE.
    is_text = field is not None and _is_text(field.annotation) and text[:1] not in _QUOTES
    value = text if is_text else _parse_value(text)
    words = f"--set {worded(name)}={worded(text)}"
    if field is not None:
        try:
            return config.replace(**{name: value})
        except ConfigError:
            raise ConfigError(f"{words}: {name} is {accepted_values(field)}") from None
    refuse_near_miss(name)
    try:
        values = from_options({name: value}, CompareWarpConfig)
    except ConfigError as error:
        raise ConfigError(f"{words}: {error}") from None
    return config.replace(**values)


def _is_text(annotation: Any) -> bool:
    """Tell whether a knob is a text or several, which need no quotes."""
    return annotation is str or typing.get_origin(annotation) in (tuple, typing.Literal)


def _parse_value(text: str) -> Any:
    """Return what a piece of a command line means: a literal, or the text itself."""
    if text.lower() in ("true", "false", "none"):
        text = text.capitalize()
    try:
        return parse_literal(text)
    except ValueError:
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
