"""Dialects that are data: a TOML file each, and what its entries mean."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from astropy.io import fits
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from ...config.plane_names import check_plane_name
from ...errors import StackError
from ..text_file import read_text

__all__ = ["DialectTable", "FlagTable", "card_matches", "load_table"]

_STRICT = ConfigDict(frozen=True, extra="forbid")


def _planes_in(words: str) -> str:
    """Refuse names that no mask plane can have."""
    for name in words.split():
        check_plane_name(name)
    return words


#: Names of planes, separated by blanks.
PlaneWords = Annotated[str, AfterValidator(_planes_in)]


class Recognise(BaseModel):
    """Marks of which all must be there.

    ``cards``: name to a regular expression for the whole value, or to ``*``;
    ``hdus``: names of HDUs; ``name``: a regular expression in the file's name.
    """

    model_config = _STRICT

    cards: dict[str, str] = {}
    hdus: tuple[str, ...] = ()
    name: str | None = None


class Planes(BaseModel):
    """Names of the HDUs by what they hold, the first that is there is read; ``*``: any."""

    model_config = _STRICT

    image: tuple[str, ...] = ("SCI", "IMAGE")
    mask: tuple[str, ...] = ()
    variance: tuple[str, ...] = ()
    error: tuple[str, ...] = ()
    inverse_variance: tuple[str, ...] = ()
    weight: tuple[str, ...] = ()


class Files(BaseModel):
    """What of a file's name tells the files of one exposure apart.

    ``no_image``: cards that mark a file as another plane, whatever its name.
    """

    model_config = _STRICT

    image: tuple[str, ...]
    no_image: dict[str, str] = {}
    mask: str | None = None
    variance: str | None = None
    error: str | None = None
    inverse_variance: str | None = None
    weight: str | None = None


class FlagTable(BaseModel):
    """Planes by the bit *values* of a mask, or by its codes.

    ``when``: cards that must match, as in `Recognise`, or be a version such as
    ``>=3.5``; the first table that fits is used.
    """

    model_config = _STRICT

    when: dict[str, str] = {}
    kind: Literal["bits", "codes"] = "bits"
    planes: dict[int, PlaneWords]


class Unit(BaseModel):
    """The unit of images whose BUNIT is missing or wrong; ``when`` as in `FlagTable`."""

    model_config = _STRICT

    when: dict[str, str] = {}
    unit: str


class DialectTable(BaseModel):
    """A dialect as data.

    ``flag_names``: planes for names that the cards of a mask give;
    ``zero_points``: cards with the magnitude of one unit, or
    ``25 + 2.5 lg EXPTIME``; ``visits``: cards with the id of the exposure;
    ``sky``: whether such files have their sky subtracted; ``units``: where
    BUNIT is wrong.
    """

    model_config = _STRICT

    name: str
    title: str
    source: str = ""
    recognise: tuple[Recognise, ...] = ()
    planes: Planes = Planes()
    files: Files | None = None
    flags: tuple[FlagTable, ...] = ()
    flag_names: dict[str, PlaneWords] = {}
    flags_in_comments: bool = False
    zero_points: tuple[str, ...] = ()
    visits: tuple[str, ...] = ()
    sky: Literal["subtracted", "left in", "unknown"] = "unknown"
    units: tuple[Unit, ...] = ()


def load_table(path: Path) -> DialectTable:
    """Read a dialect from a TOML file.

    Raises
    ------
    StackError
        If it is no TOML, or holds what no dialect has.
    """
    try:
        return DialectTable.model_validate(tomllib.loads(read_text(path)))
    except tomllib.TOMLDecodeError as error:
        raise StackError(f"{path}: not readable as TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise StackError(f"{path}: {where}: {first['msg']}; see the files' page") from error


def card_matches(headers: Sequence[fits.Header], card: str, pattern: str) -> bool:
    """Tell whether a card has a value that matches."""
    value = next((header[card] for header in headers if card in header), None)
    if value is None or isinstance(value, fits.card.Undefined):
        return False
    if pattern == "*":
        return True
    wanted = re.fullmatch(r"(>=|<)\s*([\d.]+)", pattern)
    if wanted:
        there, bound = _version(value), _version(wanted[2])
        return bool(there and bound) and (there >= bound) == (wanted[1] == ">=")
    return re.fullmatch(pattern, str(value).strip(), re.IGNORECASE) is not None


def _version(value: Any) -> tuple[int, ...]:
    """Return a version such as ``V3.5.0`` as numbers; none where there is none."""
    found = re.search(r"\d+(\.\d+)*", str(value))
    return () if found is None else tuple(map(int, found[0].split(".")))
