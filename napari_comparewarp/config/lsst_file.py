"""LSST override files: lines such as ``config.maxNumEpochs = 1``, written and parsed.

The LSST Science Pipelines execute an override file as Python. Here it is only
parsed: lines that are neither an assignment of a literal nor a change of a list
are rejected.
"""

import ast
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ..errors import CompareWarpWarning, ConfigError
from .literals import literal_of, parse_statements, quoted
from .lsst_options import (
    FIXED_OPTIONS,
    UNLIMITED_EPOCHS,
    is_ignored,
    knobs_by_option,
    nearest_option,
    what_is_said,
)
from .text_file import parse_json, read_text, shown, worded

__all__ = ["from_lsst", "from_options", "to_lsst"]

#: So many files may load each other in turn, and be loaded in all.
_DEEPEST, _MOST_LOADED = 8, 100

#: Items of a list or a dict, of which each change makes a new one.
_MOST_ITEMS = 1000

#: Options that are integers in the reference, which does not accept 2.0 for 2,
#: and real numbers here.
_INTEGERS = ("maskStreaks.clusterMinimumDeviation",)


class _Loading:
    """Where files lie that are loaded, and how many may be yet."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._left = _MOST_LOADED

    def text_of(self, name: str, depth: int) -> str | None:
        """Return the text of a file; None where there is none.

        Raises
        ------
        ConfigError
            If it cannot be read, or files load each other.
        """
        path = None if self._folder is None or not name else self._folder / name
        try:
            if path is None or not path.is_file():
                return None
        except (OSError, ValueError):  # no name that a file could have
            return None
        self._left -= 1
        if depth >= _DEEPEST or self._left < 0:
            raise ConfigError(f"{name}: files that load each other")
        return read_text(path)


@dataclass(frozen=True)
class _Change:
    """One change of one option, from a statement of the file."""

    where: str
    option: str
    operation: str
    value: Any
    key: Any = None

    @property
    def name(self) -> str:
        """Line and option, for messages."""
        return f"{self.where}config.{worded(self.option)}"


def to_lsst(config: BaseModel) -> str:
    """Return a config as the text of an LSST override file.

    Parameters
    ----------
    config : CompareWarpConfig
        Each field's ``json_schema_extra["lsst"]`` names its option; fields
        without one are left out.

    Returns
    -------
    str
        One ``config.NAME = VALUE`` per line, floats with all their digits. No
        limit on epochs is written as 1000000.
    """
    lines = ["# Options of CompareWarpAssembleCoaddTask."]
    for option, field in knobs_by_option(type(config)).items():
        value = getattr(config, field)
        if field == "max_epochs" and value is None:
            lines.append(
                f"# {UNLIMITED_EPOCHS} stands for no limit: there is no other way to say it."
            )
            value = UNLIMITED_EPOCHS
        elif option in _INTEGERS and float(value).is_integer():
            value = int(value)
        lines.append(f"config.{option} = {_literal(value)}")
    return "\n".join(lines) + "\n"


def from_lsst(text: str, model: type[BaseModel], folder: Path | None = None) -> dict[str, Any]:
    """Read an LSST override file or a complete saved config of the reference.

    The text is parsed, never executed.

    Parameters
    ----------
    text : str
        Python lines: ``config.NAME = LITERAL``, ``config.NAME['key'] =
        LITERAL``, ``config.NAME += [...]`` and ``.append``, ``.extend`` and
        ``.remove`` on a list. Comments, imports, asserts and standalone
        strings are skipped. Alternatively a JSON object of option names and values.
    model : type
        `CompareWarpConfig`, with the options, their defaults and ranges.
    folder : Path, optional
        Where files lie that it loads (``config.load("…")``).

    Returns
    -------
    dict of str to object
        The knobs that the text sets, by this project's names.

    Raises
    ------
    ConfigError
        With the line number in the file: for anything else, an option that
        does not exist, a value out of range, and a value that this engine
        does not implement.
    """
    if not text.lstrip().startswith("{"):
        return _apply(_statements(text, _Loading(folder)), model)
    try:
        options = parse_json(text, finite=False)
    except ValueError as error:
        raise ConfigError(f"not a JSON object of option names to values: {error}") from None
    return from_options(options, model)


def from_options(options: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return the knobs that correspond to some options of the reference.

    Parameters
    ----------
    options : mapping of str to object
        E.g. ``{"detect.thresholdValue": 5.0}``.
    model : type
        `CompareWarpConfig`.

    Returns
    -------
    dict of str to object
        By this project's names.

    Raises
    ------
    ConfigError
        As `from_lsst`.
    """
    changes = (_Change("", _without_prefix(name), "set", value) for name, value in options.items())
    return _apply(changes, model)


def _apply(changes: Iterable[_Change], model: type[BaseModel]) -> dict[str, Any]:
    """Return the knobs after some changes of the defaults."""
    knobs = knobs_by_option(model)
    defaults = model()
    values: dict[str, Any] = {}
    for change in changes:
        if change.option in knobs:
            field = knobs[change.option]
            current = values.get(field, getattr(defaults, field))
            values[field] = _checked(model, field, _changed(current, change), change)
        elif (said := what_is_said(change.option, change.value)) is not None:
            if said:
                warnings.warn(
                    f"{change.name} = {shown(change.value)} changes nothing here: {said}",
                    CompareWarpWarning,
                    stacklevel=3,
                )
        elif change.option in FIXED_OPTIONS:
            _require_fixed(change)
        elif not is_ignored(change.option):
            raise ConfigError(_unknown(change, model))
    return values


def _without_prefix(name: str) -> str:
    """Return an option's name without the leading ``config.`` and ``assembleCoadd.``."""
    return name.removeprefix("config.").removeprefix("assembleCoadd.")


def _literal(value: Any) -> str:
    """Return a value as a Python literal."""
    if isinstance(value, float) and not math.isfinite(value):
        # As the reference itself saves these.
        return f"float('{value!r}')"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return repr(value)


def _statements(text: str, loading: _Loading, depth: int = 0) -> Iterator[_Change]:
    """Yield the changes of an override file, line by line."""
    try:
        statements = parse_statements(text)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    for node in statements:
        where = f"line {node.lineno}: "
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Assert():
                continue
            case ast.Expr(value=ast.Constant(value=str())):
                continue
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield _assignment(target, value, where)
            case ast.AugAssign(target=target, op=ast.Add(), value=value):
                option = _option(target, where)
                yield _Change(where, option, "extend", _evaluate(value, option, where))
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr="retarget"))) if (
                is_ignored(f"{_option(owner, where)}.")
            ):
                # Replaces a task that changes no pixel.
                continue
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="load"), args=[place])):
                yield from _loaded(place, where, loading, depth)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method)) as call):
                yield _method(owner, method, call, where)
            case _:
                raise ConfigError(
                    f"{where}{quoted(node)} is not an assignment; an override file holds lines "
                    "such as config.maxNumEpochs = 1"
                )


def _loaded(place: ast.expr, where: str, loading: _Loading, depth: int) -> Iterator[_Change]:
    """Yield the changes of a file that is loaded; it has to lie beside the one that loads it."""
    # The name is often joined to the folder of a package, which is not looked for.
    texts = [
        node
        for node in ast.walk(place)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    last = max(texts, key=lambda node: (node.lineno, node.col_offset), default=None)
    name = "" if last is None else Path(str(last.value)).name
    try:
        text = loading.text_of(name, depth)
    except ConfigError as error:
        raise ConfigError(f"{where}{error}") from error
    words = worded(name)
    if text is None:
        raise ConfigError(
            f"{where}{quoted(place)} is loaded, and there is no {words or 'such file'} beside this "
            "file; put it there, or copy its lines"
        )
    try:
        for change in _statements(text, loading, depth + 1):
            yield replace(change, where=f"{words}, {change.where}")
    except ConfigError as error:
        message = str(error)
        is_named = message.startswith(f"{words}, ")
        raise ConfigError(message if is_named else f"{words}, {message}") from error


def _assignment(target: ast.expr, value: ast.expr, where: str) -> _Change:
    """Return the change of ``config.NAME = VALUE`` or ``config.NAME[KEY] = VALUE``."""
    if isinstance(target, ast.Subscript):
        option = _option(target.value, where)
        key = _evaluate(target.slice, option, where)
        return _Change(where, option, "item", _evaluate(value, option, where), key)
    option = _option(target, where)
    return _Change(where, option, "set", _evaluate(value, option, where))


def _method(owner: ast.expr, method: str, call: ast.Call, where: str) -> _Change:
    """Return the change of ``config.NAME.append(VALUE)`` or a similar call."""
    if method in ("append", "extend", "remove") and len(call.args) == 1 and not call.keywords:
        option = _option(owner, where)
        return _Change(where, option, method, _evaluate(call.args[0], option, where))
    raise ConfigError(
        f"{where}{quoted(call)} is a function call, and nothing is executed; only append, "
        f"extend and remove of one value are accepted"
    )


def _option(node: ast.expr, where: str) -> str:
    """Return the dotted name of an option; its root must be ``config``."""
    parts = []
    inner = node
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    if not (isinstance(inner, ast.Name) and inner.id == "config" and parts):
        raise ConfigError(f"{where}{quoted(node)} is not an option; their names start with config.")
    return _without_prefix(".".join(reversed(parts)))


def _evaluate(node: ast.expr, option: str, where: str) -> Any:
    """Return the value of a literal."""
    try:
        return literal_of(node)
    except ValueError:
        raise ConfigError(
            f"{where}config.{worded(option)}: {quoted(node)} is not a literal; a number, a string, "
            "True, False, None, or a list or dict of these is accepted"
        ) from None


def _changed(current: Any, change: _Change) -> Any:
    """Return the new value of an option."""
    value = _after(current, change)
    if isinstance(value, (list, tuple, Mapping)) and len(value) > _MOST_ITEMS:
        raise ConfigError(f"{change.name} has more than {_MOST_ITEMS} items")
    return value


def _after(current: Any, change: _Change) -> Any:
    if change.operation == "set":
        return change.value
    if change.operation == "item" and isinstance(current, Mapping) and _is_key(change.key):
        return {**current, change.key: change.value}
    if change.operation in ("append", "extend", "remove") and isinstance(current, (list, tuple)):
        items = list(current)
        if change.operation == "append":
            return [*items, change.value]
        if change.operation == "extend" and isinstance(change.value, (list, tuple)):
            return [*items, *change.value]
        if change.operation == "remove":
            if change.value not in items:
                raise ConfigError(
                    f"{change.name} has no {shown(change.value)} to remove; it is {items}"
                )
            return [item for item in items if item != change.value]
    raise ConfigError(
        f"{change.name} is {_literal(current)}, which cannot be changed "
        "like this; assign the whole value"
    )


def _is_key(key: Any) -> bool:
    return isinstance(key, (str, int, float))


def _checked(model: type[BaseModel], field: str, value: Any, change: _Change) -> Any:
    """Return a validated value, or raise an error that names the line."""
    if field == "max_epochs" and isinstance(value, (int, float)) and value >= UNLIMITED_EPOCHS:
        value = None
    try:
        return getattr(model(**{field: value}), field)
    except ConfigError as error:
        message = str(error).removeprefix("config: ")
        raise ConfigError(f"{change.name}: {message}") from None


def _require_fixed(change: _Change) -> None:
    """Reject a value that this engine does not implement."""
    accepted = FIXED_OPTIONS[change.option]
    value = _changed(accepted, change)
    if isinstance(value, tuple):
        value = list(value)
    if value != accepted:
        raise ConfigError(
            f"{change.name} = {shown(value)} is not implemented here; "
            f"only {_literal(accepted)} is accepted"
        )


def _unknown(change: _Change, model: type[BaseModel]) -> str:
    """Return the message for an option that does not exist, with the closest name."""
    near = nearest_option(change.option, model)
    suggestion = f"; the nearest is config.{near}" if near else ""
    return f"{change.where}there is no option config.{worded(change.option)}{suggestion}"
