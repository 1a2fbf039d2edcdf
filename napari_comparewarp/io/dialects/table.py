"""Dialects that are data: a TOML file each, and what its entries mean."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from astropy.io import fits
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    model_validator,
)

from ...config.fields import checked
from ...config.plane_names import check_plane_name
from ...config.text_file import read_toml
from ...errors import StackError

__all__ = ["DialectTable", "FlagTable", "card_matches", "load_table"]

_STRICT = ConfigDict(frozen=True, extra="forbid")

#: Repetitions, and groups, in an expression; and letters that are compared with one.
_MOST_REPEATED, _LONGEST_VALUE = 4, 300


def _expression(text: str) -> str:
    """Refuse an expression that is none, or could take for ever."""
    if text == "*" or _BOUND.fullmatch(text):
        return text
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"no regular expression: {error}") from None
    bare = re.sub(r"\\.|\[[^\]]*\]", "x", text)
    # Each multiplies the ways in which a value may be tried.
    repeated = len(re.findall(r"[*+{]|(?<!\()\?", bare))
    if max(repeated, bare.count("(")) > _MOST_REPEATED or re.search(r"\)[*+?{]", bare):
        raise ValueError(
            f"a regular expression has at most {_MOST_REPEATED} groups and {_MOST_REPEATED} "
            "repetitions, none of a group"
        )
    return text


def _one_spelling(numbers: Any) -> Any:
    """Refuse the number of a flag in a second spelling, by which it could stand twice."""
    for number in numbers if isinstance(numbers, dict) else ():
        if not re.fullmatch(r"0|[1-9][0-9]{0,18}", str(number)):
            raise ValueError("the numbers of flags are written with digits alone, such as 16")
    return numbers


#: A version that is compared, such as ``>=3.5``.
_BOUND = re.compile(r"(>=|<)\s*(\d{1,9}(?:\.\d{1,9})*)")

Expression = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_expression)]
Word = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[ -~]+$")]
NamePart = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^/\\]+$")]
Cards = dict[Word, Expression]


def _planes_in(words: str) -> str:
    """Refuse names that no mask plane can have."""
    for name in words.split():
        check_plane_name(name)
    return words


#: Names of planes, separated by blanks.
PlaneWords = Annotated[str, Field(min_length=1), AfterValidator(_planes_in)]


class Recognise(BaseModel):
    """Marks of which all must be there.

    ``cards``: name to a regular expression for the whole value, or to ``*``;
    ``hdus``: names of HDUs; ``name``: a regular expression in the file's name.
    """

    model_config = _STRICT

    cards: Cards = {}
    hdus: tuple[Word, ...] = ()
    name: Expression | None = None


class Planes(BaseModel):
    """Names of the HDUs by what they hold, the first that is there is read; ``*``: any."""

    model_config = _STRICT

    image: tuple[Word, ...] = ("SCI", "IMAGE")
    mask: tuple[Word, ...] = ()
    variance: tuple[Word, ...] = ()
    error: tuple[Word, ...] = ()
    inverse_variance: tuple[Word, ...] = ()
    weight: tuple[Word, ...] = ()


class Files(BaseModel):
    """What of a file's name tells the files of one exposure apart.

    ``no_image``: cards that mark a file as another plane, whatever its name.
    """

    model_config = _STRICT

    image: Annotated[tuple[NamePart, ...], Field(min_length=1)]
    no_image: Cards = {}
    mask: NamePart | None = None
    variance: NamePart | None = None
    error: NamePart | None = None
    inverse_variance: NamePart | None = None
    weight: NamePart | None = None


class FlagTable(BaseModel):
    """Planes by the bit *values* of a mask, or by its codes.

    ``when``: cards that must match, as in `Recognise`, or be a version such as
    ``>=3.5``; the first table that fits is used.
    """

    model_config = _STRICT

    when: Cards = {}
    kind: Literal["bits", "codes"] = "bits"
    planes: Annotated[dict[int, PlaneWords], BeforeValidator(_one_spelling)]

    @model_validator(mode="after")
    def _check_bits(self) -> Self:
        """Refuse a number that is no single bit."""
        for number in self.planes if self.kind == "bits" else ():
            if number.bit_count() != 1:
                raise ValueError(f"planes.{number} is no single bit; these are 1, 2, 4, 8 …")
        return self


class Unit(BaseModel):
    """The unit of images whose BUNIT is missing or wrong; ``when`` as in `FlagTable`."""

    model_config = _STRICT

    when: Cards = {}
    unit: Word


class DialectTable(BaseModel):
    """A dialect as data.

    ``flag_names``: planes for names that the cards of a mask give;
    ``zero_points``: cards with the magnitude of one unit, or
    ``25 + 2.5 lg EXPTIME``; ``visits``: cards with the id of the exposure;
    ``sky``: whether such files have their sky subtracted; ``units``: where
    BUNIT is wrong.
    """

    model_config = _STRICT

    name: Word
    title: str
    source: str = ""
    recognise: tuple[Recognise, ...] = ()
    planes: Planes = Planes()
    files: Files | None = None
    flags: tuple[FlagTable, ...] = ()
    flag_names: dict[Word, PlaneWords] = {}
    flags_in_comments: StrictBool = False
    zero_points: tuple[Word, ...] = ()
    visits: tuple[Word, ...] = ()
    sky: Literal["subtracted", "left in", "unknown"] = "unknown"
    units: tuple[Unit, ...] = ()


def load_table(path: Path) -> DialectTable:
    """Read a dialect from a TOML file.

    Raises
    ------
    StackError
        If it is no TOML, or holds what no dialect has.
    """
    return checked(DialectTable, read_toml(path, StackError), StackError, path)


def card_matches(headers: Sequence[fits.Header], card: str, pattern: str) -> bool:
    """Tell whether a card has a value that matches."""
    value = next((header[card] for header in headers if card in header), None)
    if value is None or isinstance(value, fits.card.Undefined):
        return False
    if pattern == "*":
        return True
    wanted = _BOUND.fullmatch(pattern)
    if wanted:
        there, bound = _version(value), _version(wanted[2])
        return bool(there and bound) and (there >= bound) == (wanted[1] == ">=")
    text = str(value).strip()
    return len(text) <= _LONGEST_VALUE and re.fullmatch(pattern, text, re.IGNORECASE) is not None


def _version(value: Any) -> tuple[int, ...]:
    """Return a version such as ``V3.5.0`` as numbers; none where there is none."""
    found = re.search(r"\d+(\.\d+)*", str(value)[:_LONGEST_VALUE])
    return () if found is None else tuple(map(int, found[0].split(".")))
