"""What the id of an epoch may be, so that every file, picture and window can hold it.

Checked once, where a stack is made: writers need not expect anything else.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..config.text_file import shown
from ..errors import StackError, escaped

__all__ = [
    "ACCEPTED",
    "MOST_LETTERS",
    "EpochId",
    "as_id_text",
    "check_epoch_id",
    "check_epoch_ids",
    "epoch_array",
    "is_whole_number",
]

EpochId = int | str

#: Letters of an id; no name of a file has more.
MOST_LETTERS = 255

#: What an id may be, for messages.
ACCEPTED = (
    "an id is a whole number of 64 bits, or a printable text of at most "
    f"{MOST_LETTERS} letters without blanks at its ends"
)


def check_epoch_id(value: Any) -> EpochId:
    """Return the id of an epoch as a plain int or str.

    Parameters
    ----------
    value : object
        What was given as an id. Blanks, slashes and letters of any language
        may stand in it; control characters, line breaks and what else does not
        print may not.

    Raises
    ------
    StackError
        If it is no id.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str):
        # Not a subclass, whose own text may be another.
        plain = str.__str__(plain)
        if 0 < len(plain) <= MOST_LETTERS and plain.isprintable() and plain == plain.strip():
            return plain
    elif isinstance(plain, int) and not isinstance(plain, bool) and is_whole_number(plain):
        return int(plain)
    raise StackError(f"epoch {shown(plain)}: {ACCEPTED}")


def check_epoch_ids(name: str, ids: Sequence[Any]) -> tuple[EpochId, ...]:
    """Return the ids of several epochs, of which no two can be taken for one another.

    Parameters
    ----------
    name : str
        What messages call them.
    ids : sequence

    Raises
    ------
    StackError
        If one is no id, or two read the same in a table: 5 and "5".
    """
    checked = tuple(check_epoch_id(value) for value in ids)
    seen: dict[str, EpochId] = {}
    for value in checked:
        # Other letters than those of ASCII are escaped in FITS.
        text = str(value).encode("ascii", "backslashreplace").decode()
        if text not in seen:
            seen[text] = value
        elif seen[text] == value:
            raise StackError(f"{name}: epoch {shown(value)} is there twice; each may occur once")
        else:
            raise StackError(
                f"{name}: epochs {shown(seen[text])} and {shown(value)} read the same in tables; "
                "rename one"
            )
    return checked


def is_whole_number(value: int) -> bool:
    """Tell whether a whole number fits 64 bits, as columns of tables need it."""
    return -(2**63) <= value < 2**63


def as_id_text(text: str) -> str:
    r"""Return text of a file's name as an id: what does not print is escaped, as ``\u3000``."""
    return escaped(text.strip())


def epoch_array(epochs: Sequence[EpochId]) -> npt.NDArray:
    """Return epoch ids as an array: whole numbers, or text if one is text."""
    if all(isinstance(epoch, int) for epoch in epochs):
        return np.array(epochs, np.int64)
    return np.array([str(epoch) for epoch in epochs], str)
