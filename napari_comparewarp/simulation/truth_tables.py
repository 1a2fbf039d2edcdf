"""What the tables of a truth hold, checked where they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from ..errors import StackError, TruthError
from ..io.text_file import read_table

__all__ = ["TABLES", "check_truth_tables", "read_truth_table"]


@dataclass(frozen=True)
class _Column:
    """What a column may hold: whole numbers, numbers in a range, or text."""

    kind: str
    low: float = -np.inf
    high: float = np.inf
    shape: tuple[int, ...] = ()

    def complaint(self, values: Any) -> str | None:
        """Say what is wrong with the values of a column, None where nothing is."""
        kinds = {"id": "iu", "number": "iuf", "text": "U"}[self.kind]
        if values.dtype.kind not in kinds or values.shape[1:] != self.shape:
            several = f", {self.shape[0]} in each row" if self.shape else ""
            return f"its values are {_KINDS[self.kind]}{several}"
        if np.ma.is_masked(values):
            return "a value is missing"
        if self.kind == "text":
            return None
        numbers = np.asarray(values, np.float64)
        wrong = ~(np.isfinite(numbers) & (numbers >= self.low) & (numbers <= self.high))
        if wrong.any():
            bounds = f" from {self.low:g} to {self.high:g}" if np.isfinite(self.low) else ""
            return (
                f"{numbers[wrong].flat[0]:g} is in it; its values are {_KINDS[self.kind]}{bounds}"
            )
        return None


_KINDS = {"id": "whole numbers", "number": "finite numbers", "text": "texts"}

_ID, _NUMBER, _TEXT = _Column("id"), _Column("number"), _Column("text")

#: A width of a PSF, pixels, and a factor or level of noise.
_WIDTH, _POSITIVE = _Column("number", 1e-3, 1e3), _Column("number", 1e-12, 1e12)

#: A place in array pixels; the light of what lies beside the patch may reach into it.
_PLACE = _Column("number", -1e6, 1e6)

#: The columns of each table that are used, beside which there may be others.
TABLES: Mapping[str, Mapping[str, _Column]] = {
    "visits": {
        "visit": _ID, "mjd": _NUMBER, "psf_sigma": _WIDTH, "matched_psf_sigma": _WIDTH,
        "sky_sigma": _POSITIVE, "variance_factor": _POSITIVE,
        "background": _Column("number", shape=(4,)),
    },
    "stars": {"id": _ID, "x": _PLACE, "y": _PLACE, "mag": _NUMBER, "flux": _POSITIVE},
    "galaxies": {"id": _ID, "x": _PLACE, "y": _PLACE, "mag": _NUMBER, "flux": _NUMBER},
    "variables": {"id": _ID, "kind": _TEXT, "x": _PLACE, "y": _PLACE},
    "light_curves": {"visit": _ID, "id": _ID, "flux": _NUMBER},
    "artifacts": {
        "id": _ID, "kind": _TEXT, "visit": _ID, "y0": _ID, "y1": _ID, "x0": _ID, "x1": _ID,
    },
}  # fmt: skip


def read_truth_table(folder: Path, name: str) -> Table:
    """Read one table of a truth, whose columns are those of `TABLES`.

    Parameters
    ----------
    folder : Path
        Where it lies.
    name : str
        One of `TABLES`.

    Raises
    ------
    TruthError
        If it cannot be read, or a value in it cannot be meant.
    """
    path = folder / f"{name}.ecsv"
    try:
        table = read_table(path)
    except StackError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise TruthError(f"{path}: cannot read this table: {reason}") from error
    for column, expected in TABLES[name].items():
        if column not in table.colnames:
            raise TruthError(f"{path}: no column {column}; there are {', '.join(TABLES[name])}")
        # A table without rows has columns without kinds.
        complaint = expected.complaint(table[column]) if len(table) else None
        if complaint is not None:
            raise TruthError(f"{path}, column {column}: {complaint}")
    return table


def check_truth_tables(folder: Path, tables: Mapping[str, Table], shape: tuple[int, int]) -> None:
    """Refuse tables that do not belong together, or to a patch of this shape.

    Parameters
    ----------
    folder : Path
        Where they lie, for messages.
    tables : mapping of str to Table
        All of `TABLES`.
    shape : tuple of int
        ``(y, x)``.

    Raises
    ------
    TruthError
    """
    visits = _ids(folder, "visits", tables["visits"]["visit"])
    variables = _ids(folder, "variables", tables["variables"]["id"])
    _ids(folder, "artifacts", tables["artifacts"]["id"])
    if not visits:
        raise TruthError(f"{folder / 'visits.ecsv'}: it has no rows; a night has visits")
    curves = tables["light_curves"]
    pairs = set(zip(curves["visit"].tolist(), curves["id"].tolist(), strict=True))
    for visit in visits:
        for number in variables:
            if (visit, number) not in pairs:
                raise TruthError(
                    f"{folder / 'light_curves.ecsv'}: no flux of variable {number} in visit {visit}"
                )
    for axis, size in (("y", shape[0]), ("x", shape[1])):
        low, high = (np.asarray(tables["artifacts"][f"{axis}{end}"], np.int64) for end in (0, 1))
        if ((low < 0) | (low > high) | (high > size)).any():
            raise TruthError(
                f"{folder / 'artifacts.ecsv'}, columns {axis}0 and {axis}1: a box outside of the "
                f"patch of {shape[0]} × {shape[1]} pixels"
            )


def _ids(folder: Path, name: str, column: Any) -> list[int]:
    """Return the ids of a table, each of which stands once."""
    ids: list[int] = column.tolist()
    for number in ids:
        if ids.count(number) > 1:
            raise TruthError(f"{folder / f'{name}.ecsv'}: {number} stands twice; each stands once")
    return ids
