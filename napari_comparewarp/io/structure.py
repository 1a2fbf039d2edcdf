"""What the headers of a FITS file say of its bytes, compared with the bytes that are there.

It is looked at before the file is given to astropy, which believes it: sizes are
allocated, axes are counted, and what steers the unpacking of tiles goes to routines in
C that check none of it.
"""

import math
import re
from dataclasses import dataclass
from typing import Protocol

from astropy.io import fits

from ..config.text_file import worded
from ..errors import StackError
from .compressed import BITPIX, Cards, check_compressed, column_width
from .limits import MOST_CARDS, MOST_HDUS, check_size
from .odd_cards import odd_cards

__all__ = ["Content", "Structure", "check_structure"]

_BLOCK, _CARD = 2880, 80

#: Cards that say how many bytes there are, and what they mean; and those of compression.
_STRUCTURAL = re.compile(
    rb" *(HIERARCH +)?(SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS|EXTNAME|NPIX[12]"
    rb"|PIXVALUE|TFIELDS|THEAP|TTYPE\d+|TFORM\d+"
    rb"|Z(?:IMAGE|CMPTYPE|BITPIX|NAXIS\d*|TILE\d+|QUANTIZ|DITHER0|BLANK|SCALE|ZERO|NAME\d+|VAL\d+)"
    rb") *=",
    re.IGNORECASE,
)

#: A whole number as nearly all of these cards hold it.
_WHOLE = re.compile(rb"= *([+-]?\d{1,18}) *(?:/|$)")

#: The same for texts and truth values.
_TEXT = re.compile(rb"= *'((?:[^']|'')*)' *(?:/|$)")
_TRUTH = re.compile(rb"= *([TF]) *(?:/|$)")

#: Whether a card that begins so may be one of these: headers are much alike.
_MAY_BE: dict[bytes, bool] = {}
_MOST_REMEMBERED = 10_000
_BEGINS = re.compile(_STRUCTURAL.pattern[: -len(rb" *=")], re.IGNORECASE)

_END = re.compile(rb"END(?: {77}|[^A-Z0-9_-])")

#: HDUs of which the standard says that they are one group; None is the primary one.
_ONE_GROUP = (None, "IMAGE", "TABLE", "BINTABLE", "A3DTABLE")

#: Rows that take no bytes, so that any number of them could be claimed.
_MOST_EMPTY_ROWS = 1_000_000


class Content(Protocol):
    """The bytes of a file, as far as they are asked for."""

    packed: int | None

    def part(self, start: int, length: int) -> bytes:
        """Return some bytes, fewer where the file ends."""

    def reaches(self, end: int) -> bool:
        """Tell whether there are so many bytes."""

    def size(self) -> int:
        """Return the number of bytes."""


@dataclass(frozen=True)
class Structure:
    """What a file is.

    Attributes
    ----------
    count : int
        HDUs.
    end : int
        Where the last of them ends; other bytes may follow.
    largest_tile : int
        Pixels of the largest tile that is compressed.
    odd_cards : dict of int to frozenset of str
        For some of the HDUs, cards whose value may be none that FITS knows.
    """

    count: int
    end: int
    largest_tile: int
    odd_cards: dict[int, frozenset[str]]


def check_structure(path: object, content: Content) -> Structure:
    """Refuse a file whose headers cannot be meant, or whose bytes are not all there.

    Parameters
    ----------
    path : path
        For messages.
    content : Content

    Raises
    ------
    StackError
        It names the HDU and the card.
    """
    start, number, largest_tile = 0, 0, 0
    odd: dict[int, frozenset[str]] = {}
    while True:
        first = content.part(start, _BLOCK)
        # Other bytes after the last HDU are allowed by the standard.
        if number and not first.startswith(b"XTENSION"):
            return Structure(number, start, largest_tile, odd)
        if not number and not first.startswith(b"SIMPLE  ="):
            what = "it is empty" if not first else "it does not begin with SIMPLE"
            raise StackError(f"{path}: not a valid FITS file: {what}")
        if number >= MOST_HDUS:
            raise StackError(f"{path}: more than {MOST_HDUS} HDUs")
        where = f"{path}, HDU {number}"
        header = _header(where, content, start, first)
        cards = _cards(where, header)
        if names := odd_cards(header):
            odd[number] = names
        if cards.get("EXTNAME"):
            where += f" ({cards['EXTNAME']})"
        begin = start + len(header)
        if cards.get("SIMPLE") is False:
            # All that follows is its data, of which nothing is known.
            return Structure(number + 1, content.size(), largest_tile, odd)
        size = _data_size(where, cards, content.packed)
        needed = begin + size
        end = begin + -(-size // _BLOCK) * _BLOCK
        # A last block that is not filled up lacks nothing.
        if not content.reaches(needed):
            raise StackError(
                f"{where}: the file is truncated: it has {content.size()} bytes and needs {end}"
            )
        if cards.get("XTENSION") in ("BINTABLE", "A3DTABLE"):
            _check_table(where, cards)
            if cards.get("ZIMAGE"):
                rows = int(cards["NAXIS1"]) * int(cards["NAXIS2"])  # type: ignore[call-overload]
                packed = size if content.packed is None else min(size, content.packed)
                tile = check_compressed(where, cards, content.part(begin, rows), packed)
                largest_tile = max(largest_tile, tile)
        start, number = end, number + 1


def _header(where: str, content: Content, start: int, first: bytes) -> bytes:
    """Return the blocks of a header."""
    blocks, at = [first], start
    while True:
        block = blocks[-1]
        if any(found.start() % _CARD == 0 for found in _END.finditer(block)):
            break
        at += _BLOCK
        if len(blocks) * _BLOCK > MOST_CARDS * _CARD:
            raise StackError(f"{where}: a header of more than {MOST_CARDS} cards")
        block = content.part(at, _BLOCK) if len(block) == _BLOCK else b""
        if not block:
            raise StackError(f"{where}: its header is truncated or corrupt: it has no END")
        blocks.append(block)
    if len(blocks[-1]) < _BLOCK:
        raise StackError(f"{where}: its header is truncated: its last block is not whole")
    return b"".join(blocks)


def _cards(where: str, header: bytes) -> dict[str, object]:
    """Return the values of the cards that matter here."""
    cards: dict[str, object] = {}
    may_be = _MAY_BE
    for start in range(0, len(header), _CARD):
        begins = header[start : start + 8]
        if begins not in may_be:
            if len(may_be) > _MOST_REMEMBERED:
                may_be.clear()
            may_be[begins] = begins == b"HIERARCH" or _BEGINS.match(begins) is not None
        if not may_be[begins]:
            continue
        found = _STRUCTURAL.match(header, start, start + _CARD)
        if found is None:
            continue
        name = found[2].decode().upper()
        image = header[start : start + _CARD]
        value = _value(image, found.end() - start - 1)
        if name in ("EXTNAME", "PIXVALUE"):
            cards.setdefault(name, value)
            continue
        if found[1]:
            raise StackError(f"{where}: HIERARCH {name}: no card of this name may be hierarchical")
        if name in cards and not _same(cards[name], value):
            raise StackError(f"{where}: {name} stands there as {cards[name]} and as {value}")
        cards[name] = value
    return cards


def _value(image: bytes, equals: int) -> object:
    """Return the value of a card, as astropy reads it; None where it has none."""
    whole = _WHOLE.match(image, equals)
    if whole is not None:
        return int(whole[1])
    text = _TEXT.match(image, equals)
    if text is not None and text[1].isascii():
        return text[1].decode().replace("''", "'").rstrip()
    truth = _TRUTH.match(image, equals)
    if truth is not None:
        return truth[1] == b"T"
    try:
        card = fits.Card.fromstring(image.decode("latin-1"))
        value = card.value
    except Exception:  # whatever is no card has no value
        return None
    if isinstance(value, fits.card.Undefined):
        return None
    return value.rstrip() if isinstance(value, str) else value


def _same(first: object, second: object) -> bool:
    return type(first) is type(second) and first == second


def _whole_number(where: str, cards: Cards, name: str, default: int | None = None) -> int:
    """Return the value of a card that is a whole number from 0 on."""
    value = cards.get(name, default)
    if type(value) is not int or value < 0:
        told = worded(str(value))
        raise StackError(f"{where}: {name} = {told}; a whole number from 0 on is needed")
    return value


def _data_size(where: str, cards: Cards, packed: int | None) -> int:
    """Return how many bytes of data a header tells of."""
    if cards.get("BITPIX") not in BITPIX or type(cards["BITPIX"]) is not int:
        raise StackError(
            f"{where}: BITPIX = {cards.get('BITPIX')}; it is {', '.join(map(str, BITPIX))}"
        )
    count = _whole_number(where, cards, "NAXIS")
    if count > 999:
        raise StackError(f"{where}: NAXIS = {count}; an image has at most 999 axes")
    axes = [_whole_number(where, cards, f"NAXIS{axis}") for axis in range(1, count + 1)]
    other, groups = (
        _whole_number(where, cards, "PCOUNT", 0),
        _whole_number(where, cards, "GCOUNT", 1),
    )
    is_groups = bool(cards.get("GROUPS")) and axes[:1] == [0]
    if is_groups:
        axes = axes[1:]
    elif groups != 1 and count and cards.get("XTENSION") in _ONE_GROUP:
        raise StackError(f"{where}: GCOUNT = {groups}; it is 1")
    if not count:
        _check_constant(where, cards, packed)
        return 0
    size = abs(cards["BITPIX"]) // 8 * groups * (other + math.prod(axes))
    check_size(where, size, packed)
    return size


def _check_constant(where: str, cards: Cards, packed: int | None) -> None:
    """Refuse an image of one value that is too large to be made."""
    sides = [cards.get("NPIX1"), cards.get("NPIX2")]
    if "PIXVALUE" in cards and all(type(side) is int and side > 0 for side in sides):
        check_size(where, 4 * math.prod(sides), packed or _BLOCK)  # type: ignore[arg-type]


def _check_table(where: str, cards: Cards) -> None:
    """Refuse a binary table whose columns do not make its rows."""
    if cards.get("NAXIS") != 2 or cards["BITPIX"] != 8:
        raise StackError(
            f"{where}: NAXIS = {cards.get('NAXIS')}, BITPIX = {cards['BITPIX']}; a table has 2 "
            "and 8"
        )
    fields = _whole_number(where, cards, "TFIELDS")
    if fields > 999:
        raise StackError(f"{where}: TFIELDS = {fields}; a table has at most 999 columns")
    width = sum(column_width(where, cards, number) for number in range(1, fields + 1))
    if width != cards["NAXIS1"]:
        raise StackError(
            f"{where}: NAXIS1 = {cards['NAXIS1']} where its TFORM cards make rows of {width} bytes"
        )
    if not width and int(cards["NAXIS2"]) > _MOST_EMPTY_ROWS:  # type: ignore[call-overload]
        raise StackError(f"{where}: NAXIS2 = {cards['NAXIS2']} rows that hold nothing")
