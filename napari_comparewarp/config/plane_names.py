"""What a mask plane may be called, so that every file can hold its name."""

import re
from typing import Any

from ..errors import ConfigError
from .text_file import shown

__all__ = ["MOST_LETTERS", "check_plane_name"]

#: Letters of a name: a card ``HIERARCH MP_<name> = 30`` holds a few more.
MOST_LETTERS = 60

_NAME = re.compile(rf"(?=[0-9_]*[A-Z])[A-Z0-9_]{{1,{MOST_LETTERS}}}")


def check_plane_name(name: Any) -> str:
    """Return the name of a mask plane.

    Parameters
    ----------
    name : str
        Capitals, digits and ``_``: keywords of FITS, which name the planes of
        a mask, have no others. A number alone is no name.

    Raises
    ------
    ConfigError
        If it is no such name.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return str(name)
    raise ConfigError(
        f"{shown(name)} is no name of a mask plane; it is made of capitals, digits and _, at most "
        f"{MOST_LETTERS}, such as NO_DATA"
    )
