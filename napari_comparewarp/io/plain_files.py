"""Text and tables as files that are the same bytes on every system."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["write_table", "write_text"]


def write_text(path: Path, text: str) -> None:
    r"""Write text as UTF-8 with ``\n`` at the ends of lines, whatever the locale.

    Parameters
    ----------
    path : Path
    text : str
    """
    path.write_text(text, encoding="utf-8", newline="\n")


def write_table(path: Path, table: "Table") -> None:
    """Write a table as ECSV.

    Parameters
    ----------
    path : Path
    table : astropy.table.Table
    """
    buffer = io.StringIO()
    # To a path, astropy writes in the encoding of the locale.
    table.write(buffer, format="ascii.ecsv")
    write_text(path, buffer.getvalue().replace(os.linesep, "\n"))
