"""Tables that people and their programs have written, and the names of files as text."""

import csv
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.text_file import read_text, shown
from ..errors import CompareWarpError, StackError, plain_reason

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["printable", "read_table"]


#: How the header of an ECSV table says that commas part its columns.
_WITH_COMMAS = re.compile(r"^#\s*delimiter:\s*['\"]?,", re.MULTILINE)


def read_table(path: Path, error: type[CompareWarpError] = StackError) -> "Table":
    """Return a table in ECSV or CSV, by the ending of its name.

    Parameters
    ----------
    path : Path
    error : type of CompareWarpError
        What is raised where it cannot be read.
    """
    from astropy.table import Table

    text = read_text(path, error)
    is_ecsv = path.suffix.lower() == ".ecsv"
    _check_columns(text, is_ecsv, path, error)
    try:
        with _astropy_in_silence():
            return Table.read(text.split("\n"), format="ascii.ecsv" if is_ecsv else "ascii.csv")
    except Exception as failure:  # the table readers raise whatever their parsers do
        raise error(f"{path}: not a readable table: {plain_reason(failure)}") from failure


@contextmanager
def _astropy_in_silence() -> Iterator[None]:
    """Drop what astropy says of a table: its values are checked."""
    from astropy import log
    from astropy.utils.exceptions import AstropyWarning

    def drop(record: object) -> bool:
        return False

    log.addFilter(drop)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            yield
    finally:
        log.removeFilter(drop)


def _check_columns(text: str, is_ecsv: bool, path: Path, error: type[CompareWarpError]) -> None:
    """Refuse what the readers take silently: a column that is there twice, an open quote."""
    if not is_ecsv and text.count('"') % 2:
        raise error(f"{path}: not a readable table: a quote in it is not closed")
    comment = "#" if is_ecsv else "\0"
    lines = (line for line in text.split("\n") if line.strip() and not line.startswith(comment))
    delimiter = " " if is_ecsv and not _WITH_COMMAS.search(text) else ","
    try:
        names = [name.strip() for name in next(csv.reader(lines, delimiter=delimiter), [])]
    except csv.Error as failure:
        raise error(f"{path}: not a readable table: {failure}") from failure
    twice = [name for number, name in enumerate(names) if name in names[:number]]
    if twice:
        raise error(f"{path}: the column {shown(twice[0])} stands twice")


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
