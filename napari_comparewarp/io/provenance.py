"""What made a file: the program, the settings, and the inputs with their checksums."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from .._version import __version__
from ..algorithm.warps import epoch_array
from ..config.knobs import CompareWarpConfig
from ..errors import ConfigError, StackError
from .open_fits import open_fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..algorithm.warps import EpochId

__all__ = [
    "ascii_text",
    "creator",
    "epoch_column",
    "provenance_header",
    "read_config",
    "timestamp",
]

#: Characters of the settings in one card; the rest goes on in the next.
_PIECE = 60


def provenance_header(
    config: CompareWarpConfig,
    *,
    n_epochs: int,
    n_used: int,
    n_decided: int,
    messages: "Sequence[str]" = (),
) -> fits.Header:
    """Return the cards that say how a result was made.

    The settings stand there twice: those that are a number or a word in cards
    ``HIERARCH CW <name>``, for people; and all of them in cards ``CWCONF00``,
    ``CWCONF01`` … which joined give a JSON object, for `read_config`.

    Parameters
    ----------
    config : CompareWarpConfig
    n_epochs, n_used : int
        Epochs of the stack, and those of them that could be stacked.
    n_decided : int
        Candidates that were decided on manually.
    messages : sequence of str
        What should be known of the run; each becomes HISTORY.
    """
    header = fits.Header()
    header["CREATOR"] = (creator(), "program")
    header["DATE"] = (timestamp(), "UTC, when the file was made")
    header["NEPOCHS"] = (n_epochs, "epochs of the stack")
    header["NUSED"] = (n_used, "epochs that could be stacked")
    header["NBYHAND"] = (n_decided, "footprints decided by hand")
    for name, value in config.model_dump().items():
        if isinstance(value, (bool, int, float, str)):
            header[f"HIERARCH CW {name}"] = ascii_text(value) if isinstance(value, str) else value
    text = json.dumps(config.model_dump(mode="json"))
    for number, start in enumerate(range(0, len(text), _PIECE)):
        # A blank at the end of a card's value would be lost: it is put in quotes of its own.
        header[f"CWCONF{number:02d}"] = f"|{text[start : start + _PIECE]}|"
    for message in messages:
        header.add_history(ascii_text(message))
    return header


def read_config(path: str | Path) -> CompareWarpConfig:
    """Read the settings from a coadd that this program made.

    Raises
    ------
    ConfigError
        If the file is no FITS file, or holds no settings.
    """
    try:
        with open_fits(Path(path)) as hdus:
            header = hdus[0].header
    except StackError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise ConfigError(f"{path}: not a readable FITS file: {reason}") from error
    text = "".join(str(header[key])[1:-1] for key in sorted(header["CWCONF*"]))
    if not text:
        raise ConfigError(f"{path}: no settings in its header (cards CWCONF00 …)")
    try:
        return CompareWarpConfig(**json.loads(text))
    except ValueError as error:
        raise ConfigError(f"{path}: the settings in its header: {error}") from error


def epoch_column(epochs: "Sequence[EpochId]") -> np.ndarray:
    """Return epoch ids as a column that FITS can hold: whole numbers, or ASCII text."""
    column = epoch_array(epochs)
    if column.dtype.kind == "i":
        return column
    return np.array([ascii_text(text) for text in column.tolist()])


def creator() -> str:
    """Return the program and its version."""
    return f"napari-comparewarp {__version__}"


def timestamp() -> str:
    """Return the time in UTC, or the one that ``SOURCE_DATE_EPOCH`` gives a reproducible build."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S")


def ascii_text(text: str) -> str:
    r"""Return text as FITS can hold it: one line, other letters escaped as ``\xe9``."""
    return " ".join(text.split("\n")).encode("ascii", "backslashreplace").decode("ascii")
