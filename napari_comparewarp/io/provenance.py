"""What made a file: the program, the settings, and the inputs with their checksums."""

import json
import math
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from .._version import __version__
from ..algorithm.warps import epoch_array
from ..config.knobs import CompareWarpConfig
from ..config.text_file import parse_json, shown
from ..errors import ConfigError, StackError, plain_reason
from .open_fits import open_fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..algorithm.warps import EpochId

__all__ = [
    "ascii_text",
    "card_text",
    "creator",
    "epoch_column",
    "provenance_header",
    "read_config",
    "timestamp",
]

#: How control characters are written.
_ESCAPES = {code: rf"\x{code:02x}" for code in (*range(32), 127)}

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
        if isinstance(value, float) and not math.isfinite(value):
            value = repr(value)
        if isinstance(value, (bool, int, float, str)):
            header[f"HIERARCH CW {name}"] = value
    text = json.dumps(config.model_dump(mode="json"))
    for number, start in enumerate(range(0, len(text), _PIECE)):
        # A blank at the end of a card's value would be lost: it is put in quotes of its own.
        key = f"CWCONF{number:02d}"
        header[key if number < 100 else f"HIERARCH {key}"] = f"|{text[start : start + _PIECE]}|"
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
    cards = [card for card in header.cards if re.fullmatch(r"CWCONF\d{2,6}", card.keyword)]
    pieces = {int(card.keyword[6:]): str(card.value)[1:-1] for card in cards}
    if not pieces:
        raise ConfigError(f"{path}: no settings in its header (cards CWCONF00 …)")
    where = f"{path}: the settings in its header"
    if len(pieces) != len(cards) or sorted(pieces) != list(range(len(pieces))):
        raise ConfigError(f"{where}: a card CWCONF is missing, or is there twice")
    try:
        text = "".join(pieces[number] for number in sorted(pieces))
        values = parse_json(text, finite=False)
        if not isinstance(values, dict):
            raise ValueError("no names and values")
        return CompareWarpConfig(**values)
    except ValueError as error:
        raise ConfigError(f"{where}: {plain_reason(error)}") from error


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
    try:
        now = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigError(
            f"SOURCE_DATE_EPOCH = {shown(epoch)}; it is a number of seconds since 1970"
        ) from error
    return now.strftime("%Y-%m-%dT%H:%M:%S")


def ascii_text(text: str) -> str:
    r"""Return text as FITS can hold it: one line, other letters escaped as ``\xe9``."""
    line = " ".join(text.split("\n")).encode("ascii", "backslashreplace").decode("ascii")
    return line if line.isprintable() else line.translate(_ESCAPES)


def card_text(text: str) -> str:
    r"""Return text as the value of a card that reads back as it is written.

    Where the quotes or the ends of lines of a card would be misread, they are
    escaped as ``\x27`` and ``\x26``.
    """
    line = ascii_text(text).rstrip()
    for letter in "'&":
        if letter not in line:
            continue
        card = fits.Card("TEXT", line)
        if fits.Card.fromstring(card.image).value != line:
            line = line.replace(letter, rf"\x{ord(letter):02x}")
    return line
