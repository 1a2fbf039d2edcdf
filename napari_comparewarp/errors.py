"""One family of errors and one of warnings, so that they can be told from a library's."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from unicodedata import category

__all__ = [
    "CompareWarpError",
    "CompareWarpWarning",
    "ConfigError",
    "InspectionError",
    "OutputError",
    "PsfError",
    "StackError",
    "TruthError",
    "escaped",
    "one_line",
    "plain_reason",
    "plain_text",
    "shortened",
    "working_on",
]


class CompareWarpError(Exception):
    """Base of all errors whose message is one line that is meant for the user.

    It says what is wrong, where, and what would be accepted.
    """


class ConfigError(CompareWarpError, ValueError):
    """A configuration that cannot be used."""


class StackError(CompareWarpError, ValueError):
    """Input that cannot be used."""


class PsfError(CompareWarpError, ValueError):
    """A PSF that cannot be used, or is not known."""


class InspectionError(CompareWarpError, ValueError):
    """Something that an inspection cannot do."""


class OutputError(CompareWarpError, OSError):
    """An output that cannot be written."""


class TruthError(CompareWarpError, ValueError):
    """A folder that does not hold the truth of a night."""


class CompareWarpWarning(UserWarning):
    """Something that does not stop the work, with what follows from it."""


#: Letters of what is not of this project, of the path before it, and of what is of this
#: project: its end says what helps.
_MOST_OF_OTHERS, _MOST_OF_PATH, _MOST = 150, 80, 280

#: What takes so many letters without a blank is cut before a sentence is, to so many.
_LONG_WORD, _MOST_OF_WORD = re.compile(r"\S{121,}"), 80


#: Where a line ends, in whatever alphabet, with the white space about it.
_BREAK = re.compile(r"\s*[\t-\r\x1c-\x1f\x85\u2028\u2029]\s*")


def plain_text(text: str) -> str:
    """Return text that neither breaks a line nor steers a terminal.

    Parameters
    ----------
    text : str
        Of wherever: ids and names of files may hold any character.

    Returns
    -------
    str
        A line break, or a tabulator, is a blank; control characters, and those
        that turn the direction of writing, are written as escapes.
    """
    text = _BREAK.sub(" ", text.strip())
    return text if text.isprintable() else "".join(map(_plain, text))


def _plain(letter: str) -> str:
    return escaped(letter) if category(letter) in ("Cc", "Cf", "Zl", "Zp") else letter


def escaped(text: str) -> str:
    r"""Return text in which each letter that does not print is an escape, as ``\u3000``.

    Parameters
    ----------
    text : str
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def shortened(text: str, most: int = _MOST) -> str:
    """Return text of so many letters at most; what is left out, is so in the middle.

    Parameters
    ----------
    text : str
    most : int
    """
    if len(text) > most > 2 * _MOST_OF_WORD:
        text = _LONG_WORD.sub(lambda word: _cut(word[0], _MOST_OF_WORD), text)
    return _cut(text, most)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 3]} … {text[-end:]}"


#: What Python says of a value, and what it means to who has the file.
_TRANSLATED = [
    (re.compile(pattern), words)
    for pattern, words in (
        (r"^(column '.*?') failed to convert: ", r"\1: "),
        (r"could not convert string to float: (.*)", r"\1 is no number"),
        (r"invalid literal for int\(\) with base \d+: (.*)", r"\1 is no whole number"),
        (r"Exceeds the limit .* for integer string.*", "a number of too many digits"),
        (r"(Python )?int(eger)?( \S+)? (too (large|big)|out of bounds).*", "a number too large"),
        (r"cannot convert float (infinity|NaN) to integer", "a number that is not finite"),
        (r"'[\w-]+' codec can't .*", "no text in UTF-8"),
        (r"embedded null (byte|character)", "a byte 0"),
        (r"Unparsable card \((.*?)\).*", r"the value of its card \1 is none that FITS knows"),
    )
]

#: Errors of these kinds tell a programmer where a reader tripped, and nobody else anything.
_OF_PROGRAMS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NameError,
    RecursionError, StopIteration, SyntaxError, TypeError,
)  # fmt: skip

#: So do errors of other kinds with these words.
_WORDS_OF_PROGRAMS = re.compile(
    r"\bobject\b|NoneType|'(str|int|float|bool|bytes|list|dict|tuple)'|unpack|operand|argument"
    r"|broadcast|buffer|dtype|ufunc|subscript|iterable|attribute|\bC (long|int)\b|is not in list"
)


def plain_reason(error: BaseException) -> str:
    """Return why a file cannot be read, of what the library that reads it has raised.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
        One line, as `one_line` makes it, without words that only a programmer knows.
    """
    if isinstance(error, (CompareWarpError, MemoryError)) or getattr(error, "strerror", None):
        return one_line(error)
    text = original = plain_text(str(error).strip().partition("\n")[0])
    for pattern, words in _TRANSLATED:
        text = pattern.sub(words, text)
    is_told = not isinstance(error, _OF_PROGRAMS) or text != original
    if text and is_told and not _WORDS_OF_PROGRAMS.search(text):
        return shortened(text, _MOST_OF_OTHERS)
    place = re.match(r"column '.{1,60}?': ", text)
    return f"{place[0] if place else ''}it does not hold what it should"


@contextmanager
def working_on(path: object) -> Iterator[None]:
    """Have an error that is not of this project remember which file was being worked on.

    Parameters
    ----------
    path : path
    """
    try:
        yield
    except CompareWarpError:
        raise
    except Exception as error:
        if not hasattr(error, "comparewarp_path"):
            error.comparewarp_path = str(path)  # type: ignore[attr-defined]
        raise


def one_line(error: BaseException, *, named: bool = False) -> str:
    """Return what any error says, in one line that is safe to print.

    Parameters
    ----------
    error : BaseException
        An error of the operating system becomes file and reason; of what
        another library says in several lines, the first is kept, and not more
        than a line's length of it.
    named : bool
        Whether the type of an error that is not of this project goes before its message.

    Returns
    -------
    str
        Never empty: an error without a message is named by its type.
    """
    if isinstance(error, CompareWarpError):
        return shortened(plain_text(str(error)))
    if isinstance(error, OSError) and error.strerror:
        reason = str(error.strerror)
        # A name may also be the number of a handle.
        is_path = isinstance(error.filename, (str, bytes, PathLike)) and error.filename
        return shortened(plain_text(f"{error.filename}: {reason}" if is_path else reason))
    # A KeyError shows its message as a literal.
    is_quoted = isinstance(error, KeyError) and error.args
    text = str(error.args[0] if is_quoted else error).strip().partition("\n")[0]
    text = shortened(plain_text(text), _MOST_OF_OTHERS)
    kind = type(error).__name__
    if isinstance(error, MemoryError):
        text = f"not enough memory: {text}" if text else "not enough memory"
    elif not text:
        text = kind
    elif named:
        text = f"{kind}: {text}"
    path = getattr(error, "comparewarp_path", "") if named else ""
    return f"{shortened(plain_text(path), _MOST_OF_PATH)}: {text}" if path else text
