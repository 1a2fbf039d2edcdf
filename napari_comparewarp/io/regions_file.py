"""Footprints as DS9 regions."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from skimage.measure import approximate_polygon, find_contours

from ..algorithm.warps import EpochId
from ..colours import VERDICT_COLOURS
from ..errors import OutputError
from .atomic import check_output, replacing
from .plain_files import write_text

__all__ = ["REGION_ENDING", "Outlined", "write_regions"]

REGION_ENDING = ".reg"

#: What each file begins with; its coordinates are pixels.
_FIRST_LINE = "# Region file format: DS9\nimage"

#: What would end a text, or, to readers of these files, the region; and what escapes them.
_NOT_IN_BRACES = "{};\\"


@dataclass(frozen=True)
class Outlined:
    """A footprint to outline.

    Attributes
    ----------
    mask : ndarray of bool
        ``(y, x)`` its pixels in its bounding box.
    y0, x0 : int
        Array indices of the first pixel of that box.
    text : str
        What stands beside it.
    verdict : str
        Gives the colour, and a tag.
    epoch : int or str
        Id of its epoch, a tag.
    """

    mask: npt.NDArray[np.bool_]
    y0: int
    x0: int
    text: str
    verdict: str
    epoch: EpochId


def write_regions(footprints: Iterable[Outlined], path: Path, overwrite: bool = False) -> None:
    """Write the outlines of footprints as DS9 regions in image coordinates.

    Each polygon has its verdict's colour, its text, and tags for its verdict
    and its epoch, by which DS9 selects. The same footprints give the same
    bytes: the writer of the regions package sorts what they share by chance.

    Parameters
    ----------
    footprints : iterable of Outlined
    path : Path
        Ends in ``.reg``.
    overwrite : bool

    Raises
    ------
    OutputError
    """
    if path.suffix.lower() != REGION_ENDING:
        raise OutputError(f"{path}: DS9 regions are written as {REGION_ENDING}")
    check_output(path, overwrite)
    lines = [
        _polygon(footprint, y + footprint.y0, x + footprint.x0)
        for footprint in footprints
        for y, x in _outlines(footprint.mask)
    ]
    with replacing(path, overwrite) as temporary:
        write_text(temporary, "\n".join([_FIRST_LINE, *lines]) + "\n")


def _polygon(footprint: Outlined, y: np.ndarray, x: np.ndarray) -> str:
    """Return the line of one outline; DS9 counts pixels from 1."""
    corners = ",".join(f"{value + 1:.1f}" for corner in zip(x, y, strict=True) for value in corner)
    tags = (footprint.verdict, f"epoch {footprint.epoch}")
    words = [
        f"color={VERDICT_COLOURS[footprint.verdict]}",
        *(f"tag={{{_braced(tag)}}}" for tag in tags),
        f"text={{{_braced(footprint.text)}}}",
    ]
    return f"polygon({corners}) # {' '.join(words)}"


def _braced(text: str) -> str:
    r"""Return text as it can stand in braces, in one line; other letters are escaped as ``\x7d``.

    The other delimiters of DS9 are no way out, as a text may hold each of them.
    """
    return "".join(
        letter if letter.isprintable() and letter not in _NOT_IN_BRACES else _escaped(letter)
        for letter in text
    )


def _escaped(letter: str) -> str:
    number = ord(letter)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def _outlines(mask: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the outer and inner outlines of a mask, y and x in its own pixels."""
    # Pixels that touch at a corner are one footprint, so theirs is one outline.
    contours = find_contours(np.pad(mask, 1).astype(float), 0.5, fully_connected="high")
    # Only corners on a straight line go: a trail one pixel wide must keep its width.
    polygons = [approximate_polygon(contour, 0.1)[:-1] for contour in contours]
    return [(polygon[:, 0] - 1, polygon[:, 1] - 1) for polygon in polygons]
