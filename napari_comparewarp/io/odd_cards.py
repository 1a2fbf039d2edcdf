"""Cards whose value is none that FITS knows, such as ``DATE-OBS= 2024-03-01``.

Many cameras write some. astropy reads them once they are mended: what stands there
becomes a text.
"""

import re
from collections.abc import Collection
from contextlib import suppress

from astropy.io import fits

__all__ = ["mend_cards", "odd_cards"]

_CARD = 80

#: A value as FITS has it; nearly all are.
_PLAIN = re.compile(
    rb" *(?:'(?:[ -&(-~]|'')*'|[+-]?(?:\d+\.?\d*|\.\d+)(?:[DE][+-]?\d+)?|[TF]|\([^()/]*\))?"
    rb" *(?:/|$)"
)


def odd_cards(header: bytes) -> frozenset[str]:
    """Return the names of the cards whose value may be none that FITS knows.

    Parameters
    ----------
    header : bytes
        As it stands in the file.
    """
    names = set()
    for start in range(0, len(header), _CARD):
        if header[start + 8 : start + 10] == b"= ":
            if not _PLAIN.match(header, start + 10, start + _CARD):
                names.add(header[start : start + 8])
        elif header.startswith(b"HIERARCH ", start):
            equals = header.find(b"=", start, start + _CARD)
            if equals >= 0 and not _PLAIN.match(header, equals + 1, start + _CARD):
                names.add(header[start + 9 : equals])
    return frozenset(name.decode("latin-1").strip().upper() for name in names)


def mend_cards(header: fits.Header, names: Collection[str]) -> None:
    """Make texts of values that FITS does not know, so that no card is an error when it is asked.

    Parameters
    ----------
    header : Header
        It is changed.
    names : collection of str
        Those of its cards that are looked at.
    """
    for card in header.cards:
        if card.keyword in names:
            try:
                _ = card.value
            except fits.VerifyError:
                # One with control characters stays an error, for who asks for it.
                with suppress(ValueError):
                    card.verify("silentfix")
