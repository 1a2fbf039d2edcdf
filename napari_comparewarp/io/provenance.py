"""What made a file: the program, the settings, and the inputs with their checksums."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.table import Table

from .._version import __version__
from ..config.knobs import CompareWarpConfig
from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..algorithm.warps import EpochId, InputFile
    from ..result.result import CompareWarpResult

__all__ = [
    "ascii_text",
    "creator",
    "epoch_column",
    "inputs_table",
    "provenance_header",
    "read_config",
    "timestamp",
]

#: Characters of the settings in one card; the rest goes on in the next.
_PIECE = 60


def provenance_header(result: "CompareWarpResult") -> fits.Header:
    """Return the cards that say how a result was made.

    The settings stand there twice: those that are a number or a word in cards
    ``HIERARCH CW <name>``, for people; and all of them in cards ``CWCONF00``,
    ``CWCONF01`` … which joined give a JSON object, for `read_config`.
    """
    header = fits.Header()
    header["CREATOR"] = (creator(), "program")
    header["DATE"] = (timestamp(), "UTC, when the file was made")
    header["NEPOCHS"] = (result.stack.n_epochs, "epochs of the stack")
    header["NUSED"] = (int((result.weights > 0).sum()), "epochs that could be stacked")
    by_hand = sum(int(verdicts.by_hand.sum()) for verdicts in result.products.verdicts)
    header["NBYHAND"] = (by_hand, "footprints decided by hand")
    for name, value in result.config.model_dump().items():
        if isinstance(value, (bool, int, float, str)):
            header[f"HIERARCH CW {name}"] = ascii_text(value) if isinstance(value, str) else value
    text = json.dumps(result.config.model_dump(mode="json"))
    for number, start in enumerate(range(0, len(text), _PIECE)):
        # A blank at the end of a card's value would be lost: it is put in quotes of its own.
        header[f"CWCONF{number:02d}"] = f"|{text[start : start + _PIECE]}|"
    for message in result.messages:
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
        header = fits.getheader(path, 0)
    except (OSError, FileNotFoundError) as error:
        raise ConfigError(f"{path}: not a readable FITS file: {error}") from error
    text = "".join(str(header[key])[1:-1] for key in sorted(header["CWCONF*"]))
    if not text:
        raise ConfigError(f"{path}: no settings in its header (cards CWCONF00 …)")
    try:
        return CompareWarpConfig(**json.loads(text))
    except ValueError as error:
        raise ConfigError(f"{path}: the settings in its header: {error}") from error


def epoch_column(epochs: "Sequence[EpochId]") -> np.ndarray:
    """Return epoch ids as a column that FITS can hold: whole numbers, or ASCII text."""
    if all(isinstance(epoch, int) for epoch in epochs):
        return np.array(epochs)
    return np.array([ascii_text(str(epoch)) for epoch in epochs])


def inputs_table(result: "CompareWarpResult") -> Table:
    """Return one row an epoch: weights, factors, what was clipped, files and checksums."""
    stack = result.stack
    files = {(item.role, item.epoch): item for item in stack.inputs}
    has_partner = stack.partner >= 0
    matched_weight = np.where(has_partner, result.matched_weights[stack.partner], 0.0)
    table = Table(
        {
            "epoch": epoch_column(stack.epochs),
            "weight": result.weights,
            "matched_weight": matched_weight,
            "variance_scale": result.variance_scale,
            "psf_sigma": np.where(has_partner, stack.psf_sigma[stack.partner], np.nan),
            "clipped_fraction": result.clipped_fraction,
            **{
                f"{role}_{name}": [_text(files, role, epoch, name) for epoch in stack.epochs]
                for role in ("direct", "matched")
                for name in ("path", "sha256")
            },
        }
    )
    table["psf_sigma"].unit = "pix"
    return table


def _text(
    files: "dict[tuple[str, EpochId], InputFile]", role: str, epoch: "EpochId", name: str
) -> str:
    """Return the path or checksum of an input, empty where there is no such file."""
    found = files.get((role, epoch))
    return "" if found is None else ascii_text(str(getattr(found, name)))


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
