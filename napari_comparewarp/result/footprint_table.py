"""The table of footprints: a row for each, with the rule that decided."""

from typing import TYPE_CHECKING

import numpy as np

from ..algorithm.warps import epoch_array
from .footprint_columns import COLUMNS, DECIDED_BY, POLARITIES, footprint_columns
from .footprints import VERDICTS, FootprintSet

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["make_footprint_table"]


def make_footprint_table(footprints: FootprintSet) -> "Table":
    """Return the footprints of all epochs as a table.

    Parameters
    ----------
    footprints : FootprintSet

    Returns
    -------
    astropy.table.Table
        A row for each footprint, in the order of their numbers, which are the
        column ``id``.
    """
    from astropy.table import Table

    columns = footprint_columns(footprints)
    words = {"verdict": VERDICTS, "polarity": POLARITIES, "decided_by": DECIDED_BY}
    columns |= {name: np.array(values)[columns[name]] for name, values in words.items()}
    columns["epoch"] = epoch_array(footprints.job.stack.epochs)[columns["epoch_index"]]
    reasons = [footprints.reasons(index) for index in range(len(footprints.sizes))]
    columns["reason"] = np.array([reason for epoch in reasons for reason in epoch], dtype=str)
    table = Table({name: columns[name] for name in COLUMNS})
    for name, (unit, description) in COLUMNS.items():
        table[name].info.description = description
        if unit:
            table[name].info.unit = unit
    return table
