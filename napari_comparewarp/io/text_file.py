"""Tables that people and their programs have written, and the names of files as text."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..config.text_file import read_text, shown
from ..errors import CompareWarpError, StackError, one_line

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["printable", "read_table", "read_text"]


def read_table(path: Path) -> "Table":
    """Return a table in ECSV or CSV, by the ending of its name.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StackError
        If it cannot be read.
    """
    from astropy.table import Table

    text = read_text(path)
    table_format = "ascii.ecsv" if path.suffix.lower() == ".ecsv" else "ascii.csv"
    try:
        return Table.read(text.split("\n"), format=table_format)
    except Exception as error:  # the table readers raise whatever their parsers do
        raise StackError(f"{path}: not a readable table: {one_line(error)}") from error


def printable(text: str) -> str:
    """Return the name of a file as text that can be written.

    Names on old disks may hold bytes that are no UTF-8; Python keeps them as
    characters that no encoding takes. They are read as Latin-1 here.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    return text
