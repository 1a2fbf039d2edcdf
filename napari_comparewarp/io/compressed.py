"""What steers the unpacking of a tile-compressed image, checked before it is unpacked."""

import math
import re
from collections.abc import Mapping

import numpy as np

from ..errors import StackError
from .limits import check_size

__all__ = ["BITPIX", "Cards", "check_compressed", "column_width"]

#: What a column of a binary table takes: bytes of one element by its letter.
_FORM = re.compile(r"(\d*)([LXBIJKAEDCMPQ])(.*)", re.DOTALL)
_WIDTHS = {
    "L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "A": 1, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16
}  # fmt: skip

#: Names of the algorithms, and those of them that are routines in C.
_IN_C = ("RICE_1", "RICE_ONE", "PLIO_1", "HCOMPRESS_1")
_ALGORITHMS = (*_IN_C, "GZIP_1", "GZIP_2", "NOCOMPRESS")

#: Pixels of a tile that these routines can count in bytes.
MOST_PIXELS = (1 << 28) - 1

_DITHERS = ("SUBTRACTIVE_DITHER_1", "SUBTRACTIVE_DITHER_2")
_QUANTIZED = ("NO_DITHER", *_DITHERS)

#: Random numbers of the dithering; the seed is the first of them that is used.
_LAST_SEED = 10_000

#: Kinds of numbers that an image may have.
BITPIX = (8, 16, 32, 64, -32, -64)

#: Columns whose bytes lie in the heap, and letters of what they are made of.
_IN_HEAP = {
    "COMPRESSED_DATA": "BIJ", "GZIP_COMPRESSED_DATA": "BIJ", "UNCOMPRESSED_DATA": "BIJED",
}  # fmt: skip
_SIZES = {"B": 1, "I": 2, "J": 4, "E": 4, "D": 8}

#: Values of the cards of a header, by their names.
Cards = Mapping[str, object]


def check_compressed(where: str, cards: Cards, rows: bytes, packed: int) -> int:
    """Refuse a compressed image whose cards or tiles cannot be meant.

    Parameters
    ----------
    where : str
        File and HDU, for messages.
    cards : mapping
        Of the table that holds it.
    rows : bytes
        The rows of that table.
    packed : int
        Bytes that the image is unpacked from.

    Returns
    -------
    int
        Pixels of its largest tile.

    Raises
    ------
    StackError
        It names the card, or the tile.
    """
    algorithm = cards.get("ZCMPTYPE")
    if algorithm not in _ALGORITHMS:
        raise StackError(f"{where}: ZCMPTYPE = {algorithm}; it is {', '.join(_ALGORITHMS)}")
    bits = cards.get("ZBITPIX")
    if type(bits) is not int or bits not in BITPIX:
        raise StackError(f"{where}: ZBITPIX = {bits}; it is {', '.join(map(str, BITPIX))}")
    count = _number(where, cards, "ZNAXIS", 1, 999)
    shape = [_number(where, cards, f"ZNAXIS{axis}", 0, 2**31 - 1) for axis in range(1, count + 1)]
    tile = [_number(where, cards, f"ZTILE{axis}", 1, 2**31 - 1) for axis in range(1, count + 1)]
    check_size(where, math.prod(shape) * abs(bits) // 8, packed)
    pixels = math.prod(map(min, shape, tile))
    if algorithm in _IN_C and pixels > MOST_PIXELS:
        raise StackError(f"{where}: tiles of {pixels} pixels; they have at most {MOST_PIXELS}")
    tiles = math.prod(-(-side // part) for side, part in zip(shape, tile, strict=True))
    if tiles != cards["NAXIS2"]:
        raise StackError(
            f"{where}: NAXIS2 = {cards['NAXIS2']} rows for the {tiles} tiles that ZNAXIS and ZTILE "
            "make"
        )
    _check_algorithm(where, cards, str(algorithm))
    columns = _columns(cards)
    _check_quantized(where, cards, columns, bits, str(algorithm))
    _check_heap(where, cards, columns, str(algorithm), rows)
    return pixels


def column_width(where: str, cards: Cards, number: int) -> int:
    """Return the bytes that a column of a binary table takes in a row.

    Parameters
    ----------
    where : str
        File and HDU, for messages.
    cards : mapping
        Of the table.
    number : int
        Of the column, from 1 on.

    Raises
    ------
    StackError
        If its TFORM is none.
    """
    form = cards.get(f"TFORM{number}")
    found = _FORM.fullmatch(form.strip().upper()) if isinstance(form, str) else None
    if found is None:
        raise StackError(f"{where}: TFORM{number} = {form!r}; it is none of a binary table")
    repeat = int(found[1] or 1) if len(found[1]) < 19 else 10**19
    if found[2] == "X":
        return -(-repeat // 8)
    if found[2] in "PQ" and repeat > 1:
        raise StackError(f"{where}: TFORM{number} = {form!r}; before P and Q stands 0 or 1")
    return repeat * _WIDTHS[found[2]]


def _number(where: str, cards: Cards, name: str, low: int, high: int) -> int:
    """Return a whole number within a range."""
    value = cards.get(name)
    if type(value) is not int or not low <= value <= high:
        raise StackError(
            f"{where}: {name} = {value}; a whole number from {low} to {high} is needed"
        )
    return value


def _check_algorithm(where: str, cards: Cards, algorithm: str) -> None:
    """Refuse parameters that an algorithm cannot have."""
    told: dict[str, tuple[str, object]] = {}
    for number in range(1, 1000):
        name = cards.get(f"ZNAME{number}")
        if f"ZNAME{number}" not in cards:
            break
        if not isinstance(name, str):
            raise StackError(f"{where}: ZNAME{number} = {name}; it is the name of a parameter")
        told.setdefault(name.upper(), (f"ZVAL{number}", cards.get(f"ZVAL{number}")))
    if algorithm.startswith("RICE"):
        card, value = told.get("BLOCKSIZE", ("ZVAL1", 32))
        if type(value) is not int or not 1 <= value <= MOST_PIXELS:
            raise StackError(f"{where}: {card} = {value}; BLOCKSIZE is a whole number from 1 on")
        card, value = told.get("BYTEPIX", ("ZVAL2", 4))
        if type(value) is not int or value not in (1, 2, 4):
            raise StackError(f"{where}: {card} = {value}; BYTEPIX is 1, 2 or 4")
    # astropy looks at these for every algorithm.
    for name in ("SCALE", "SMOOTH"):
        card, value = told.get(name, ("", 0))
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not abs(value) < 2**31:  # type: ignore[arg-type]
            raise StackError(f"{where}: {card} = {value}; {name} is a number")
        if name == "SMOOTH" and type(value) is not int:
            raise StackError(f"{where}: {card} = {value}; SMOOTH is 0 or 1")


def _columns(cards: Cards) -> dict[str, tuple[int, str]]:
    """Return the number and the form of each column, by its name."""
    fields = int(cards["TFIELDS"])  # type: ignore[call-overload]
    return {
        str(cards.get(f"TTYPE{number}", "")).upper(): (number, str(cards[f"TFORM{number}"]).upper())
        for number in range(1, fields + 1)
    }


def _check_quantized(
    where: str, cards: Cards, columns: Mapping[str, tuple[int, str]], bits: int, algorithm: str
) -> None:
    """Refuse real numbers whose steps, or whose dithering, cannot be told."""
    method, seed = cards.get("ZQUANTIZ", "NO_DITHER"), cards.get("ZDITHER0")
    if method not in (*_QUANTIZED, "NONE"):
        raise StackError(f"{where}: ZQUANTIZ = {method}; it is {', '.join(_QUANTIZED)}")
    if "ZBLANK" in cards and type(cards["ZBLANK"]) is not int:
        raise StackError(f"{where}: ZBLANK = {cards['ZBLANK']}; a whole number is needed")
    if "ZSCALE" not in columns:
        if "ZSCALE" in cards and bits < 0:
            raise StackError(f"{where}: ZSCALE is a card; only a column of this name can be read")
        return
    if "ZZERO" not in columns:
        raise StackError(f"{where}: a column ZSCALE, and none ZZERO")
    for name in ("ZSCALE", "ZZERO"):
        number, form = columns[name]
        if form.removeprefix("1") not in ("D", "E"):
            raise StackError(f"{where}: TFORM{number} = {form!r}; {name} is one real number")
    if bits > 0:
        raise StackError(f"{where}: ZBITPIX = {bits} where ZSCALE tells of real numbers")
    # Without a method of its own, astropy dithers as well.
    if method != "NO_DITHER" and (type(seed) is not int or not 1 <= seed <= _LAST_SEED):
        raise StackError(
            f"{where}: ZDITHER0 = {seed}; with ZQUANTIZ = {method} it is 1 to {_LAST_SEED}"
        )


def _check_heap(
    where: str, cards: Cards, columns: Mapping[str, tuple[int, str]], algorithm: str, rows: bytes
) -> None:
    """Refuse tiles that lie outside the heap of their table."""
    if "COMPRESSED_DATA" not in columns:
        raise StackError(f"{where}: no column COMPRESSED_DATA; a compressed image has one")
    width, count = int(cards["NAXIS1"]), int(cards["NAXIS2"])  # type: ignore[call-overload]
    gap = cards.get("THEAP", len(rows))
    other = int(cards.get("PCOUNT", 0))  # type: ignore[call-overload]
    if type(gap) is not int or not len(rows) <= gap <= len(rows) + other:
        raise StackError(
            f"{where}: THEAP = {gap}; the heap begins at {len(rows)} or after, within PCOUNT"
        )
    heap = len(rows) + other - gap
    table = np.frombuffer(rows, np.uint8).reshape(count, width)
    at = _places(cards)
    for name, letters in _IN_HEAP.items():
        if name not in columns:
            continue
        number, form = columns[name]
        kind, letter = form.removeprefix("1")[:1], form.removeprefix("1")[1:2]
        allowed = "I" if name == "COMPRESSED_DATA" and algorithm == "PLIO_1" else letters
        if kind not in ("P", "Q") or letter not in allowed or not letter:
            raise StackError(
                f"{where}: TFORM{number} = {form!r}; {name} is P or Q of {', '.join(allowed)}"
            )
        places = _descriptors(table, at[number], kind)
        wrong = (places < 0).any(1) | (places[:, 0] > heap) | (places[:, 1] > heap)
        wrong |= places[:, 0] * _SIZES[letter] > heap - places[:, 1]
        # What has no bytes may lie anywhere.
        wrong &= places[:, 0] != 0
        if wrong.any():
            which = int(np.flatnonzero(wrong)[0])
            length, offset = places[which]
            raise StackError(
                f"{where}: the data are corrupt: row {which + 1} of {name} has {length} values "
                f"from byte {offset} on, in a heap of {heap} bytes"
            )


def _places(cards: Cards) -> dict[int, int]:
    """Return the byte of a row at which each column begins."""
    places, at = {}, 0
    for number in range(1, int(cards["TFIELDS"]) + 1):  # type: ignore[call-overload]
        places[number] = at
        at += column_width("", cards, number)
    return places


def _descriptors(table: np.ndarray, at: int, kind: str) -> np.ndarray:
    """Return the ``(row, 2)`` lengths and offsets of a column."""
    width, dtype = (8, ">i4") if kind == "P" else (16, ">i8")
    return np.ascontiguousarray(table[:, at : at + width]).view(dtype).astype(np.int64)
