"""The flags of a mask by name, however a file names them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy.io.fits import Header

from ..algorithm.mask_planes import OUTPUT_PLANES, add_planes
from ..config.plane_names import MOST_LETTERS, check_plane_name
from .headers import mask_planes_in_header

__all__ = ["UNNAMED", "Flags", "flags_in_header", "renumber"]


@dataclass(frozen=True)
class Flags:
    """What the values of a mask mean.

    Attributes
    ----------
    names : mapping of int to tuple of str
        The planes that a bit number, or a code, sets; most set one.
    are_codes : bool
        Whether a pixel holds one code, and not one bit a flag.
    declared : bool
        Whether the file lists its planes, so that they are there even where no
        pixel has them.
    source : str
        Whence the names are, for a person; empty where there are none: then any
        value but 0 is BAD.
    """

    names: Mapping[int, tuple[str, ...]]
    are_codes: bool = False
    declared: bool = False
    source: str = ""

    @property
    def is_named(self) -> bool:
        """Whether the flags have names."""
        return bool(self.source)

    @classmethod
    def of_planes(cls, planes: Mapping[str, int], source: str) -> "Flags":
        """Return the flags of planes by their bit numbers."""
        return cls({bit: (name,) for name, bit in planes.items()}, declared=True, source=source)


#: Flags without names.
UNNAMED = Flags({})


def flags_in_header(header: Header, renamed: Mapping[str, str] | None = None) -> Flags:
    """Return the flags that the cards of a mask name.

    LSST's ``MP_<NAME>``, the pairs ``MSKNnnnn`` and ``MSKMnnnn`` of its newer
    files, and the pairs ``MSKNAMnn`` and ``MSKVALnn`` of Pan-STARRS.

    Parameters
    ----------
    header : Header
        That of the mask.
    renamed : mapping of str to str, optional
        The planes that a name of the file stands for, separated by blanks.

    Raises
    ------
    ValueError
        If a card cannot be meant.
    """
    planes = mask_planes_in_header(header)
    source = "MP_ cards"
    if not planes:
        for names, values in (("MSKN", "MSKM"), ("MSKNAM", "MSKVAL")):
            planes = _paired(header, names, values)
            source = f"{names} cards"
            if planes:
                break
    if not planes:
        return UNNAMED
    renamed = renamed or {}
    named = {
        bit: tuple(renamed.get(name, _plane_name(name)).split()) for name, bit in planes.items()
    }
    return Flags(named, declared=True, source=source)


def flags_in_comments(header: Header, renamed: Mapping[str, str]) -> Flags:
    """Return the flags that the comments of cards ``BITnn`` name, as ZTF writes them."""
    named = {}
    for card in header.cards:
        number = re.fullmatch(r"BIT(\d\d)", card.keyword)
        if number and card.comment:
            text = card.comment.strip()
            known = next(
                (planes for words, planes in renamed.items() if text.upper().startswith(words)),
                _plane_name(text),
            )
            named[int(number[1])] = tuple(known.split())
    return Flags(named, source="comments of the BIT cards") if named else UNNAMED


def _paired(header: Header, names: str, values: str) -> dict[str, int]:
    """Return bit numbers from pairs of cards, one with the name and one with the value."""
    planes: dict[str, int] = {}
    for card in header.cards:
        number = re.fullmatch(f"{names}(\\d+)", card.keyword)
        if not number or not str(card.value).strip():
            continue
        value = header.get(f"{values}{number[1]}")
        if not isinstance(value, int) or value <= 0 or value & (value - 1) or value >= 1 << 64:
            raise ValueError(
                f"{values}{number[1]} = {value}; the value of a mask plane is a power of 2"
            )
        planes[str(card.value).strip()] = value.bit_length() - 1
    return planes


def _plane_name(text: str) -> str:
    """Return a name as planes have it, see `check_plane_name`."""
    name = re.sub(r"[^A-Z0-9_]+", "_", text.upper()).strip("_") or "UNNAMED"
    return check_plane_name(
        (f"PLANE_{name}" if not re.search("[A-Z]", name) else name)[:MOST_LETTERS]
    )


def renumber(
    values: npt.NDArray, flags: Flags, numbers: dict[str, int]
) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
    """Bring a mask to another numbering.

    Parameters
    ----------
    values : ndarray of integers
        ``(y, x)`` as in the file.
    flags : Flags
        What they mean.
    numbers : dict of str to int
        The numbering; planes that are set and not in it are added.

    Returns
    -------
    mask : ndarray of int32
    unknown : tuple of str
        Flags that have no name: planes such as ``DQ_BIT_9``, which are left out
        where there is no room for them.

    Raises
    ------
    ValueError
        If there is no room for another plane.
    """
    if not flags.is_named:
        return np.where(values != 0, np.int32(1 << numbers["BAD"]), np.int32(0)), ()
    unsigned = values
    if values.dtype.kind in "ib":
        order = values.dtype.byteorder
        unsigned = values.view(np.dtype(f"u{values.dtype.itemsize}").newbyteorder(order))
    if flags.are_codes:
        return _by_code(unsigned, flags, numbers)
    present = int(np.bitwise_or.reduce(unsigned, axis=None))
    staying = 0
    moves: list[tuple[int, int]] = []
    unknown: list[str] = []
    for bit in (bit for bit in range(present.bit_length()) if present >> bit & 1):
        names = flags.names.get(bit)
        if names is None:
            names = _unknown(numbers, f"DQ_BIT_{bit}", unknown)
        to = _bits(numbers, names)
        if to == 1 << bit:
            staying |= to
        else:
            moves.append((bit, to))
    mask = (unsigned & np.array(staying, unsigned.dtype)).astype(np.int32)
    for bit, to in moves:
        is_set = (unsigned >> np.array(bit, unsigned.dtype)) & np.array(1, unsigned.dtype)
        mask |= is_set.astype(np.int32) * np.int32(to)
    return mask, tuple(unknown)


def _by_code(
    values: npt.NDArray, flags: Flags, numbers: dict[str, int]
) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
    """Do as `renumber` for a mask of codes."""
    mask = np.zeros(values.shape, np.int32)
    unknown: list[str] = []
    for code in map(int, np.unique(values)):
        if code == 0:
            continue
        names = flags.names.get(code)
        if names is None:
            names = _unknown(numbers, f"DQ_CODE_{code}", unknown)
        mask[values == code] = _bits(numbers, names)
    return mask, tuple(unknown)


def _unknown(numbers: dict[str, int], name: str, unknown: list[str]) -> tuple[str, ...]:
    """Return the plane of a flag without a name; none where the coadd needs the room."""
    try:
        add_planes(numbers, (name, *OUTPUT_PLANES))
    except ValueError:
        unknown.append(f"{name} (left out: no room for its plane)")
        return ()
    unknown.append(name)
    return (name,)


def _bits(numbers: dict[str, int], names: tuple[str, ...]) -> int:
    """Return the bits of some planes, which are added to the numbering if need be."""
    numbers.update(add_planes(numbers, names))
    return sum(1 << numbers[name] for name in set(names))
