"""Text that people and their programs have written, as JSON or TOML too, read within bounds.

Whatever a file holds, reading it takes bounded time and memory, and ends in values
or in one line.
"""

import json
import math
import os
import re
import reprlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ..errors import CompareWarpError, ConfigError

__all__ = [
    "check_values",
    "parse_json",
    "parse_toml",
    "place_in_words",
    "read_json",
    "read_text",
    "read_toml",
    "shown",
    "worded",
]

#: The largest text that is read, bytes.
LARGEST_TEXT = 256 << 20

#: Bytes that are read at a time.
_PART = 1 << 20

#: The largest text that is taken apart as JSON, and as TOML, whose parser is slow; characters.
_LARGEST_JSON = 64 << 20
_LARGEST_TOML = 16 << 20

#: So deep may lists and tables stand in each other.
_DEEPEST = 64

#: No longer word, and thereby number, stands in a TOML file outside of a text.
_LONGEST_WORD = 1000

#: Texts and comments of TOML.
_TOML_TEXTS = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*+"|\'[^\'\n]*+\'|#[^\n]*+', re.DOTALL
)
#: From the beginning of a word on, so that no letter is looked at again and again.
_LETTER = r"[^\s.=\[\]{},]"
_LONG_WORD = re.compile(rf"(?<!{_LETTER}){_LETTER}{{{_LONGEST_WORD + 1}}}")
_DEEP_KEY = re.compile(rf"(?<!{_LETTER})(?:{_LETTER}++[ \t]*+\.[ \t]*+){{{_DEEPEST}}}")

_INTEGERS = range(-(2**63), 2**64)

_brief = reprlib.Repr()
_LONGEST_SHOWN = _brief.maxstring = _brief.maxother = 60


def read_text(path: Path, error: type[CompareWarpError] = ConfigError) -> str:
    """Return a text file; a byte-order mark, as spreadsheets write it, is no part of it.

    Parameters
    ----------
    path : Path
        In UTF-8, of at most `LARGEST_TEXT` bytes.
    error : type of CompareWarpError
        What is raised where it cannot be read.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            data = _read_some(file)
    except OSError as failure:
        raise error(f"{path}: {failure.strerror or failure}") from failure
    except ValueError as failure:  # a byte 0 in a name, or half a character
        raise error(f"{str(path)!r}: no name of a file: {failure}") from failure
    if len(data) > LARGEST_TEXT:
        raise error(f"{path}: more than the {LARGEST_TEXT >> 20} MiB that a text may have")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise error(f"{path}: no text in UTF-8, as it has to be") from failure
    if "\0" in text:
        raise error(f"{path}: no text in UTF-8, as it has to be: there is a byte 0 in it")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_some(file: IO[bytes]) -> bytes:
    """Return what a file holds, or more than a text may have, for memory as it is needed."""
    parts, size = [], 0
    while size <= LARGEST_TEXT and (part := file.read(_PART)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for another program: a pipe that none writes to is empty."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(handle, True)
    return handle


def read_json(path: Path, error: type[CompareWarpError] = ConfigError) -> Any:
    """Return the values of a JSON file, see `parse_json`.

    Parameters
    ----------
    path : Path
    error : type of CompareWarpError
        What is raised where it cannot be read.
    """
    text = read_text(path, error)
    try:
        return parse_json(text)
    except ValueError as failure:
        raise error(f"{path}: not readable as JSON: {failure}") from failure


def read_toml(path: Path, error: type[CompareWarpError] = ConfigError) -> dict[str, Any]:
    """Return the values of a TOML file, see `parse_toml`.

    Parameters
    ----------
    path : Path
    error : type of CompareWarpError
        What is raised where it cannot be read.
    """
    text = read_text(path, error)
    try:
        return parse_toml(text)
    except ValueError as failure:
        raise error(f"{path}: not readable as TOML: {failure}") from failure


def parse_json(text: str, finite: bool = True) -> Any:
    """Return the values of a JSON text.

    Parameters
    ----------
    text : str
    finite : bool
        Whether numbers have to be finite, as JSON knows no others.

    Raises
    ------
    ValueError
        In one line: where it is no JSON, a key stands twice, or a value is
        none that a file should hold, see `check_values`.
    """
    _check_length(text, _LARGEST_JSON, "JSON")
    try:
        content = json.loads(text, object_pairs_hook=_without_repeats)
    except RecursionError:
        raise ValueError(_too_deep("it")) from None
    except ValueError as error:
        raise ValueError(_reason(error)) from None
    check_values(content, finite)
    return content


def parse_toml(text: str) -> dict[str, Any]:
    """Return the values of a TOML text.

    Parameters
    ----------
    text : str

    Raises
    ------
    ValueError
        In one line: where it is no TOML, or a value is none that a file should
        hold, see `check_values`.
    """
    _check_length(text, _LARGEST_TOML, "TOML")
    # The parser takes time and memory by the square of what a key has of parts.
    bare = _TOML_TEXTS.sub(lambda found: "" if found[0].startswith("#") else "_", text)
    if word := _LONG_WORD.search(bare):
        raise ValueError(f"{shown(word[0])} goes on for more than {_LONGEST_WORD} letters")
    if _DEEP_KEY.search(bare):
        raise ValueError(_too_deep("a key"))
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_too_deep("it")) from None
    except ValueError as error:
        raise ValueError(_reason(error)) from None
    # Infinity is a number of TOML: a field says whether it may be one.
    check_values(content, finite=False)
    return content


def _reason(error: ValueError) -> str:
    """Return what a parser says, of a number without the parser's advice to programmers."""
    text = str(error)
    return "a number of too many digits" if "set_int_max_str_digits" in text else text


def _check_length(text: str, largest: int, kind: str) -> None:
    if len(text) > largest:
        raise ValueError(f"more than the {largest >> 20} MiB that may be read as {kind}")


def _too_deep(what: str) -> str:
    return f"{what} goes deeper than {_DEEPEST} lists or tables in each other"


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON in which no key stands twice."""
    content = dict(pairs)
    if len(content) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {shown(twice)} stands twice")
    return content


def check_values(content: Any, finite: bool = True) -> None:
    """Refuse values that no field of a file has.

    Parameters
    ----------
    content : object
        Of lists, dicts and what JSON or TOML have besides.
    finite : bool
        Whether numbers have to be finite.

    Raises
    ------
    ValueError
        In one line with the place: for a number that is not finite, or whole
        and beyond 64 bits; a text with a character 0, or half a character; and
        where lists and tables stand too deep in each other.
    """
    todo: list[tuple[Any, tuple[str | int, ...]]] = [(content, ())]
    while todo:
        values, place = todo.pop()
        if len(place) > _DEEPEST:
            raise ValueError(_too_deep(place_in_words(place[:2])))
        for key, value in _children(values):
            wrong = _what_is_wrong(key, finite) or _what_is_wrong(value, finite)
            if wrong:
                where = place_in_words((*place, key))
                raise ValueError(f"{where} = {shown(value)}; {wrong}")
            if isinstance(value, (dict, list, tuple, set)):
                todo.append((value, (*place, key)))


def _children(values: Any) -> Iterator[tuple[Any, Any]]:
    """Return the keys and values of a table or a list; anything else is one value."""
    if isinstance(values, dict):
        return iter(values.items())
    if isinstance(values, (list, tuple, set)):
        return iter(enumerate(values))
    return iter([("value", values)])


def _what_is_wrong(value: Any, finite: bool) -> str:
    """Return why a number or a text cannot be used."""
    if isinstance(value, str):
        if value.isascii():
            return "a text cannot hold a character 0" if "\0" in value else ""
        try:
            # Bytes that are no UTF-8, of the names of files, are kept as such characters.
            value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return "a text cannot hold half a character"
        return "a text cannot hold a character 0" if "\0" in value else ""
    if isinstance(value, float):
        return "" if not finite or math.isfinite(value) else "a number has to be finite"
    if isinstance(value, int):
        return "" if value in _INTEGERS else "a whole number has at most 64 bits"
    return ""


def place_in_words(place: tuple[str | int, ...]) -> str:
    """Return the place of a value in a file, such as ``inputs[3].psf_sigma``.

    Parameters
    ----------
    place : tuple of str or int
        Keys and, counted from 0, indices.
    """
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = worded(part)
            text += f".{name}" if text else name
    return text


def worded(text: str) -> str:
    """Return a word for a message as it is; in quotes where it is long or cannot be printed.

    Parameters
    ----------
    text : str
    """
    return text if text.isprintable() and len(text) <= _LONGEST_SHOWN else shown(text)


def shown(value: Any) -> str:
    """Return a value for a message: short, in one line and of printable characters.

    Parameters
    ----------
    value : object
    """
    try:
        return _brief.repr(value)
    except ValueError:  # more digits than Python shows
        return "a number of very many digits"
