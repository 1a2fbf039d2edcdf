"""FITS files as lists of cards and data, so that each can be damaged by itself."""

import re
from dataclasses import dataclass, field

import numpy as np

BLOCK, CARD = 2880, 80

_NUMBER = re.compile(rb"=\s*(-?\d+)")


@dataclass
class Hdu:
    """The cards of a header, without END, and the data with their padding."""

    cards: list[bytes] = field(default_factory=list)
    data: bytes = b""

    def number(self, keyword, default=0):
        """Return the whole number of a card."""
        found = self.find(keyword)
        match = None if found is None else _NUMBER.match(self.cards[found][8:])
        return default if match is None else int(match[1])

    def find(self, keyword):
        """Return the index of a card, None where there is none."""
        for index, card in enumerate(self.cards):
            if name_of(card) == keyword:
                return index
        return None


def name_of(card):
    """Return the keyword of a card, the long one of a HIERARCH card."""
    if card.startswith(b"HIERARCH "):
        return card[9:].partition(b"=")[0].strip().decode("latin-1")
    return card[:8].decode("latin-1").strip()


def card(keyword, value):
    """Return a card with this text for its value, however wrong that is."""
    start = f"{keyword:8}= " if len(keyword) <= 8 else f"HIERARCH {keyword} = "
    return (start + value).encode("utf-8", "surrogateescape")[:CARD].ljust(CARD)


def parse(content):
    """Return the HDUs of a file that is right."""
    hdus, place = [], 0
    while place < len(content):
        hdu = Hdu()
        while not (one := content[place : place + CARD]).startswith(b"END     "):
            hdu.cards.append(one)
            place += CARD
        place = padded(place + CARD)
        axes = [hdu.number(f"NAXIS{axis + 1}") for axis in range(hdu.number("NAXIS"))]
        values = int(np.prod(axes)) if axes else 0
        size = abs(hdu.number("BITPIX")) // 8 * (values + hdu.number("PCOUNT"))
        hdu.data = content[place : place + padded(size)]
        place += padded(size)
        hdus.append(hdu)
    return hdus


def assemble(hdus):
    """Return the bytes of a file."""
    parts = []
    for hdu in hdus:
        header = b"".join([*hdu.cards, b"END".ljust(CARD)])
        parts += [header.ljust(padded(len(header))), hdu.data]
    return b"".join(parts)


def padded(size):
    """Return a size that is rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def sum_up(content, start=0):
    """Return the checksum of the FITS standard, a sum of ones' complements."""
    words = np.frombuffer(content.ljust(-(-len(content) // 4) * 4, b"\0"), ">u4")
    total = int(words.sum(dtype=np.uint64)) + start
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def fix_checksums(hdus):
    """Make CHECKSUM and DATASUM right again, where they are: damage that is signed."""
    for hdu in hdus:
        data_sum, check_sum = hdu.find("DATASUM"), hdu.find("CHECKSUM")
        if data_sum is not None:
            hdu.cards[data_sum] = card("DATASUM", f"'{sum_up(hdu.data)}'")
        if check_sum is not None:
            hdu.cards[check_sum] = card("CHECKSUM", f"'{'0' * 16}'")
            total = sum_up(assemble([hdu]))
            hdu.cards[check_sum] = card("CHECKSUM", f"'{encoded(0xFFFFFFFF ^ total)}'")


def encoded(number):
    """Return a number as the 16 letters of a CHECKSUM card."""
    letters = np.zeros((4, 4), int)
    for column, byte in enumerate(number.to_bytes(4, "big")):
        quarter, rest = divmod(byte, 4)
        four = [quarter + 48 + rest, quarter + 48, quarter + 48, quarter + 48]
        while any(58 <= n <= 64 or 91 <= n <= 96 for n in four):
            for first in (0, 2):
                pair = four[first : first + 2]
                if any(58 <= n <= 64 or 91 <= n <= 96 for n in pair):
                    four[first], four[first + 1] = pair[0] + 1, pair[1] - 1
        letters[:, column] = four
    text = "".join(map(chr, letters.ravel()))
    return text[-1] + text[:-1]
