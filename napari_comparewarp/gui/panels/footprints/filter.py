"""Which rows of the table are shown: by verdict, by epoch, by words and ranges of numbers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ....review.doubtful import KNIFE_EDGE
from .rows import COLUMNS, FootprintRows

__all__ = ["FilterError", "RowFilter", "matches"]

#: Columns whose numbers can be asked for, and short names of some.
_NUMBERS = [name for name, column in COLUMNS.items() if column.write]
_SHORT = {"chi": "peak_chi", "n": "n_mean"}

_COMPARISONS: dict[str, Callable[[npt.NDArray, float], npt.NDArray]] = {
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "<": np.less,
    ">": np.greater,
}

_TERM = re.compile(r"(\w*)(<=|>=|<|>|=)(.*)")


class FilterError(ValueError):
    """A filter that cannot be understood; the message is one line."""


@dataclass(frozen=True)
class RowFilter:
    """What a row must have to be shown; by default all are.

    Attributes
    ----------
    verdict : str or None
    epoch_index : int or None
        Place of the epoch in the stack.
    text : str
        See `matches`.
    undecided : bool
        Only what is neither decided on nor looked at.
    knife_edge : bool
        Only what a change of a threshold by a tenth would flip.
    """

    verdict: str | None = None
    epoch_index: int | None = None
    text: str = ""
    undecided: bool = False
    knife_edge: bool = False

    def flags(self, rows: FootprintRows, undecided: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Return which rows are shown.

        Parameters
        ----------
        rows : FootprintRows
        undecided : ndarray of bool
            ``(row,)`` neither decided on nor looked at.

        Returns
        -------
        ndarray of bool
            ``(row,)``

        Raises
        ------
        FilterError
            If the text asks for a column that is not there, or for no number.
        """
        shown = matches(rows, self.text)
        if self.verdict is not None:
            shown &= rows.values["verdict"] == rows.words["verdict"].index(self.verdict)
        if self.epoch_index is not None:
            shown &= rows.values["epoch"] == self.epoch_index
        if self.undecided:
            shown &= undecided
        if self.knife_edge:
            shown &= rows.close_calls <= KNIFE_EDGE
        return shown


def matches(rows: FootprintRows, text: str) -> npt.NDArray[np.bool_]:
    """Return which rows fit a text.

    Parameters
    ----------
    rows : FootprintRows
    text : str
        Terms with spaces between; a row must fit all. ``area>100`` and
        ``fraction=0.4..0.6`` ask for numbers, ends included; a word is looked for
        in epoch, verdict, rule and polarity; a whole number is an id as well.

    Returns
    -------
    ndarray of bool
        ``(row,)``

    Raises
    ------
    FilterError
        If a term asks for a column that is not there, or for no number.
    """
    shown = np.ones(len(rows), np.bool_)
    for term in re.sub(r"\s*(<=|>=|<|>|=|\.\.)\s*", r"\1", text).split():
        comparison = _TERM.fullmatch(term)
        shown &= _compare(rows, *comparison.groups()) if comparison else _has_word(rows, term)
    return shown


def _has_word(rows: FootprintRows, word: str) -> npt.NDArray[np.bool_]:
    """Return which rows have a word in one of their columns of words."""
    hit = rows.values["id"] == int(word) if word.isdecimal() else np.zeros(len(rows), np.bool_)
    for name, words in rows.words.items():
        if name in rows.values:
            fits = np.array([word.lower() in candidate.lower() for candidate in words])
            hit = hit | fits[rows.values[name]]
    return hit


def _compare(rows: FootprintRows, name: str, operator: str, value: str) -> npt.NDArray[np.bool_]:
    """Return which rows have a number in a range."""
    name = _SHORT.get(name.lower(), name.lower())
    if name == "epoch" and operator == "=":
        return np.array([epoch == value for epoch in rows.words["epoch"]])[rows.values["epoch"]]
    if name not in _NUMBERS:
        raise FilterError(f"{name!r}: no such column; choose from {', '.join(_NUMBERS)}")
    numbers = rows.values[name]
    if operator != "=":
        return _COMPARISONS[operator](numbers, _number(name, value))
    low, dots, high = value.partition("..")
    if not dots:
        # As the table shows it: what is written with fewer digits is meant with fewer.
        half = 0.5 * 10.0 ** -len(value.partition(".")[2])
        return np.abs(numbers - _number(name, value)) <= half * (1 + 1e-9)
    return (numbers >= (_number(name, low) if low else -np.inf)) & (
        numbers <= (_number(name, high) if high else np.inf)
    )


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise FilterError(f"{name}: {text!r} is no number; write {name}>5 or {name}=2..5") from None
