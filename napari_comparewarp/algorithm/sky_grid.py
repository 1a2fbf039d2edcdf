"""The sky coordinates of a stack that was made of arrays: whether a file can hold them."""

import warnings
from typing import Any

from ..errors import StackError, plain_reason

__all__ = ["check_wcs"]

#: What wcslib writes for NaN.
_UNDEFINED = 9.87654321e107

#: What is asked of a WCS besides its cards.
_NEEDED = ("cpdis1", "has_celestial", "celestial", "pixel_to_world", "to_header")


def check_wcs(wcs: Any) -> None:
    """Refuse sky coordinates that could not be written, before any work is done with them.

    Parameters
    ----------
    wcs : astropy.wcs.WCS or None

    Raises
    ------
    StackError
    """
    if wcs is None:
        return
    if not all(hasattr(type(wcs), name) for name in _NEEDED):
        raise StackError(f"wcs is a {type(wcs).__name__}; an astropy.wcs.WCS is needed")
    if wcs.naxis != 2:
        raise StackError(f"wcs has {wcs.naxis} axes; one of 2 is needed, such as wcs.celestial")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cards = wcs.to_header(relax=True).cards
            faulty = next((card for card in cards if not _can_be_written(card)), None)
    except Exception as error:  # wcslib has a dozen classes
        lines = [line for line in str(error).splitlines() if not line.startswith("ERROR")]
        reason = (lines or str(error).splitlines() or [""])[0].strip().rstrip(".")
        raise StackError(f"wcs cannot be used: {reason or plain_reason(error)}") from error
    if faulty is not None:
        raise StackError(f"wcs: FITS cannot hold this card: {str(faulty).strip()!a}")


def _can_be_written(card: Any) -> bool:
    """Tell whether a card is one of FITS: printable ASCII, and no number that is none."""
    try:
        card.verify("exception")
        value = card.value
    except Exception:  # whatever is wrong with it
        return False
    return str(card).isprintable() and value != _UNDEFINED
