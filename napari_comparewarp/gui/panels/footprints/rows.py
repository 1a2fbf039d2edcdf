"""All that a table shows of footprints, as columns of numbers; text is made of what is seen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ....algorithm.overrides import FootprintKey
from ....io.sky import sky_of
from ....result.footprint_columns import COLUMNS as FILE_COLUMNS
from ....result.footprint_columns import DECIDED_BY, POLARITIES, footprint_columns
from ....result.footprints import VERDICTS
from ....result.result import CompareWarpResult
from ....review.doubtful import smallest_changes
from ....review.explain import explain

__all__ = ["COLUMNS", "Column", "FootprintRows"]

#: Stands where a number has no meaning.
NOTHING = "–"


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    title : str
        What the header says.
    write : str
        Format of a number; empty for words.
    sample : str
        About the widest text that it has.
    meaning, unit : str
        What it is, for the header's tooltip; the unit is empty for a pure number or a word.
    """

    title: str
    write: str
    sample: str
    meaning: str
    unit: str = ""

    @property
    def tooltip(self) -> str:
        """Meaning and unit."""
        return f"{self.meaning} [{self.unit}]" if self.unit else self.meaning


def _of_file(
    name: str, title: str, write: str = "", sample: str = "00.00", more: str = ""
) -> Column:
    """Return a column that files have too, with what their description leaves out."""
    unit, meaning = FILE_COLUMNS[name]
    return Column(title, write, sample, f"{meaning[0].upper()}{meaning[1:]}{more}", unit)


COLUMNS: Mapping[str, Column] = {
    "id": _of_file("id", "id", "d", "00000"),
    "seen": Column("seen", "", "seen", "✓: you have looked at it"),
    "epoch": _of_file("epoch", "epoch", sample="00000000"),
    "verdict": _of_file("verdict", "verdict", sample="■ prefiltered"),
    "decided_by": _of_file("decided_by", "decided by", sample="decided by"),
    "fraction": _of_file(
        "fraction", "fraction", ".3f", more="; clipped where it is above the spatial threshold"
    ),
    "max_epochs": _of_file("max_epochs", "max epochs", ".0f", more=": the effective maximum"),
    "n_mean": _of_file("n_mean", "mean N", ".1f"),
    "area": _of_file("area", "area", "d", "000000"),
    "peak_chi": _of_file("peak_chi", "peak χ", ".1f", "00000.0", ", whatever its sign"),
    "flips_at": Column(
        "flips at %", ".1f", "00.00", "Smallest relative change of one threshold that would flip "
        "the verdict; none where no rule on epochs decided", "%",
    ),
    "epochs_margin": _of_file(
        "epochs_margin", "Δ epochs", "+.2f", "+00.00", ": negative where it is kept"
    ),
    "spatial_margin": _of_file(
        "spatial_margin", "Δ fraction", "+.3f", "+0.000", ": positive where it is clipped"
    ),
    "chi_margin": _of_file("chi_margin", "Δ χ", "+.1f", "+0000.0"),
    "polarity": _of_file("polarity", "polarity", sample="negative"),
    "x": Column(
        "x", "d", "00000", "Column of its most deviating pixel; of a streak, its middle", "pix"
    ),
    "y": Column(
        "y", "d", "00000", "Row of its most deviating pixel; of a streak, its middle", "pix"
    ),
    "ra": Column("RA", ".6f", "000.000000", "Right ascension of that pixel, ICRS", "deg"),
    "dec": Column("Dec", "+.6f", "+00.000000", "Declination of that pixel, ICRS", "deg"),
    "reason": _of_file("reason", "reason", sample="0" * 60),
}  # fmt: skip


class FootprintRows:
    """The footprints of a result, a row each, in the order of their ids.

    Parameters
    ----------
    result : CompareWarpResult

    Attributes
    ----------
    result : CompareWarpResult
    values : dict of str to ndarray
        ``(row,)`` numbers of each of `COLUMNS` but "seen" and "reason"; NaN where
        they have no meaning. Where the column has words, they are places in `words`.
    words : dict of str to tuple of str
        The words of the columns that are no numbers.
    state : ndarray of int
        ``(row,)`` values of `State`.
    has_sky : bool
        Whether the positions on the sky are known.
    """

    def __init__(self, result: CompareWarpResult) -> None:
        self.result = result
        self.words: dict[str, tuple[str, ...]] = {
            "seen": ("", "✓"),
            "epoch": tuple(map(str, result.stack.epochs)),
            "verdict": VERDICTS,
            "decided_by": DECIDED_BY,
            "polarity": POLARITIES,
        }
        self.has_sky = sky_of(result.stack.wcs, 0, 0) is not None
        self._footprints = result.footprint_set
        self._n = len(self._footprints)
        columns = footprint_columns(self._footprints)
        self.values: dict[str, npt.NDArray] = {"epoch": columns["epoch_index"]}
        for name in [name for name in COLUMNS if name in columns]:
            # As they are written: in single precision 7.1 is below 7.1.
            is_real = columns[name].dtype.kind == "f"
            self.values[name] = columns[name].astype(np.float64) if is_real else columns[name]
        # A streak has no limit; files say -1.
        self.values["max_epochs"] = np.where(columns["is_streak"], np.nan, columns["max_epochs"])
        self.values["flips_at"] = 100 * self.close_calls
        self.values["ra"], self.values["dec"] = self._sky(columns["x"], columns["y"])
        self.state = np.concatenate(
            [self._footprints.states(index) for index in range(result.stack.n_epochs)]
        )

    def __len__(self) -> int:
        return self._n

    @cached_property
    def close_calls(self) -> npt.NDArray[np.float64]:
        """``(row,)`` relative change of a threshold that flips it, see `smallest_changes`."""
        return smallest_changes(self.result)

    def text(self, row: int, name: str) -> str:
        """Return what a cell says."""
        if name == "reason":
            return explain(self.result, row + 1)
        value = self.values[name][row]
        if name in self.words:
            return self.words[name][value]
        if not np.isfinite(value):
            return NOTHING
        return format(value, COLUMNS[name].write)

    def key(self, row: int) -> FootprintKey:
        """Return the key of a footprint: it finds it in other results too."""
        return self._footprints.key(row + 1)

    def find(self, key: FootprintKey) -> int:
        """Return the row of a footprint by its key, -1 where there is none."""
        return (self._footprints.number(key) or 0) - 1

    def flags(self, keys: Collection[FootprintKey]) -> npt.NDArray[np.bool_]:
        """Return ``(row,)`` which footprints some keys name."""
        flags = np.zeros(self._n, np.bool_)
        rows = self._footprints.numbers(keys) - 1
        flags[rows[rows >= 0]] = True
        return flags

    def _sky(self, x: npt.NDArray, y: npt.NDArray) -> tuple[npt.NDArray, npt.NDArray]:
        """Return the positions on the sky, degrees."""
        if not self.has_sky or not self._n:
            return np.full(self._n, np.nan), np.full(self._n, np.nan)
        sky = sky_of(self.result.stack.wcs, x, y)
        assert sky is not None  # as `has_sky` says
        sky = sky.icrs
        return sky.ra.deg, sky.dec.deg
