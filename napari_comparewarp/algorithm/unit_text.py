"""The unit of a stack as text that FITS, pictures and tables can hold."""

from typing import Any

from ..config.text_file import shown
from ..errors import StackError

__all__ = ["MOST_LETTERS", "check_unit"]

#: Letters of a unit: as many as a card of a header holds.
MOST_LETTERS = 68


def check_unit(text: Any) -> str:
    """Return the text of a unit as a header can hold it.

    Any printable ASCII is left as it is, as files have units of all kinds.

    Parameters
    ----------
    text : str
        Empty where the unit is not known. Letters that FITS does not have are
        written in its own words: µJy as uJy, ° as deg.

    Raises
    ------
    StackError
        If it cannot be written.
    """
    if isinstance(text, str):
        stripped = str(text).strip()
        if _fits(stripped):
            return stripped
        written = _in_fits_words(stripped)
        if written and _fits(written):
            return written
    raise StackError(
        f"unit {shown(text)}: FITS cannot hold it; printable ASCII of at most {MOST_LETTERS} "
        "letters is accepted, such as 'uJy'"
    )


def _fits(text: str) -> bool:
    return text.isascii() and len(text) <= MOST_LETTERS and (not text or text.isprintable())


def _in_fits_words(text: str) -> str:
    """Return a unit in the spelling of the FITS standard, empty where astropy knows none."""
    from astropy.units import Unit

    if not text.isprintable() or len(text) > MOST_LETTERS:
        return ""
    try:
        unit = Unit(text)
    except (ValueError, TypeError):
        return ""
    for style in ("fits", "vounit", "generic"):
        try:
            return str(unit.to_string(style))
        except (ValueError, TypeError):  # a unit that the standard does not have
            continue
    return ""
