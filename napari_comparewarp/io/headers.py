"""What the header cards and the name of a file say about a warp.

Headers are searched in the order given, the image's own before the primary.
What a file does not say is None. A card that cannot be meant is a ValueError
whose message names it; the caller adds the file.
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from astropy.io.fits import Header
from astropy.io.fits.card import Undefined
from astropy.stats import gaussian_fwhm_to_sigma

from ..algorithm.epoch_id import EpochId, as_id_text, is_whole_number
from ..algorithm.mask_planes import MAX_PLANES
from ..algorithm.psf_kernels import PSF_WIDTH, is_psf_width
from .text_file import printable

__all__ = [
    "Kind",
    "as_epoch_id",
    "fits_stem",
    "kind_in_header",
    "kind_in_words",
    "mask_planes_in_header",
    "number_in_header",
    "origin_in_header",
    "psf_sigma_in_header",
    "text_in_header",
    "visit_in_name",
    "visits_in_header",
    "whole_name",
]

Kind = Literal["direct", "matched"]

_VISIT_CARDS = (
    "VISIT",
    "LSST BUTLER DATAID VISIT",
    "EXPID",
    "EXPNUM",
    "OBSID",
    "OBS_ID",
    "OBS-ID",
    "DATALAB",
    "ROOTNAME",
)
_KIND_CARDS = ("WARPTYPE", "LSST BUTLER DATASETTYPE")
_FWHM_CARDS = ("PSFFWHM", "PSF_FWHM", "FWHM")

_SUFFIXES = re.compile(r"\.(fits?|fts)(\.[gf]z)?$", re.IGNORECASE)
_KIND_WORDS = re.compile(r"(psf_?)?matched(_?warp)?|direct(_?warp)?", re.IGNORECASE)


def _first(headers: Sequence[Header], names: Sequence[str]) -> Any:
    """Return the value of the first of some cards that is there and not blank."""
    for name in names:
        for header in headers:
            value = header.get(name)
            # A card without a value is there, and says nothing.
            if isinstance(value, Undefined):
                continue
            if value is not None and str(value).strip():
                return value
    return None


def as_epoch_id(value: Any) -> EpochId:
    """Return an id as an int where it looks like one of 64 bits, else as a string."""
    text = str(value).strip()
    if isinstance(value, float) and value.is_integer():
        text = str(int(value)) if is_whole_number(int(value)) else text
    is_number = re.fullmatch(r"-?0{0,99}\d{1,19}", text, re.ASCII) and is_whole_number(int(text))
    return int(text) if is_number else text


def fits_stem(path: Path) -> str:
    """Return the name of a file without ``.fits``, ``.fits.gz`` or ``.fits.fz``."""
    return _SUFFIXES.sub("", path.name)


def visit_in_name(path: Path) -> EpochId:
    """Return the visit id that a file's name tells.

    It is the number after the word *visit*, else the only number in the name
    (``epoch_03.fits.fz``: 3). A name with several numbers does not say which
    is meant: then it is the name itself, without the words that tell a direct
    warp from a matched one, so that the two are still paired.
    """
    stem = printable(fits_stem(path))
    named = re.search(r"visit[_-]?(\d+)", stem, re.IGNORECASE)
    if named:
        return as_epoch_id(named[1])
    numbers = re.findall(r"\d+", stem)
    return as_epoch_id(numbers[0]) if len(numbers) == 1 else whole_name(path)


def whole_name(path: Path) -> str:
    """Return the name of a file without its ending and the words that tell the kind of warp."""
    stem = printable(fits_stem(path))
    return as_id_text(_KIND_WORDS.sub("", stem).strip("_-. ") or stem)


def kind_in_words(text: str) -> Kind | None:
    """Return the kind of warp that a name tells, such as ``psfMatchedWarp``, if any."""
    words = {w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text)}
    matched = bool(words & {"matched", "psfmatched", "psfmatchedwarp"})
    direct = bool(words & {"direct", "directwarp"})
    if matched == direct:
        return None
    return "matched" if matched else "direct"


def kind_in_header(headers: Sequence[Header]) -> Kind | None:
    """Return the kind of warp from a WARPTYPE card or an LSST dataset type."""
    return kind_in_words(str(_first(headers, _KIND_CARDS) or ""))


def psf_sigma_in_header(headers: Sequence[Header]) -> float | None:
    """Return the Gaussian sigma of the PSF in pixels.

    From PSFSIGMA, or from a FWHM card whose comment says that it is in pixels
    (sigma = FWHM / 2.3548). Other seeing cards are in arcseconds more often
    than not, or describe the exposure before it was matched.

    Raises
    ------
    ValueError
        If the width is none that a PSF has.
    """
    for name in ("PSFSIGMA", *_FWHM_CARDS):
        for header in headers:
            if name not in header or not str(header[name]).strip():
                continue
            comment = header.comments[name].lower()
            if "arcsec" in comment or (name in _FWHM_CARDS and "pix" not in comment):
                continue
            value = header[name]
            factor = gaussian_fwhm_to_sigma if name in _FWHM_CARDS else 1.0
            if not _is_number(value) or not is_psf_width(value * factor):
                raise ValueError(f"{name} = {value}; the sigma of a PSF is {PSF_WIDTH}")
            return float(value) * factor
    return None


#: Pixels from the corner of a parent grid.
_FARTHEST = 2.0**40


def origin_in_header(headers: Sequence[Header]) -> tuple[int, int] | None:
    """Return x, y of the lower-left pixel in the parent grid.

    From LTV1 and LTV2 (logical = physical + LTV, so the origin is -LTV), else
    from the alternate linear WCS "A" that LSST files carry, unless it holds
    other coordinates. An origin that is no whole number of pixels is no cut-out
    of a parent grid: None.
    """
    ltv = [_first(headers, [f"LTV{axis}"]) for axis in (1, 2)]
    if all(map(_is_number, ltv)):
        return _whole(-ltv[0], -ltv[1])
    first_pixel = []
    for axis in (1, 2):
        ctype = str(_first(headers, [f"CTYPE{axis}A"]) or "").strip().upper()
        if ctype not in ("", "LINEAR", "PIXEL"):
            return None
        value = _first(headers, [f"CRVAL{axis}A"])
        reference = _first(headers, [f"CRPIX{axis}A"])
        if not _is_number(value):
            return None
        first_pixel.append(value + 1 - (reference if _is_number(reference) else 1))
    return _whole(*first_pixel)


def mask_planes_in_header(header: Header) -> dict[str, int]:
    """Return the bit number of each mask plane, from the ``MP_<NAME>`` cards.

    Raises
    ------
    ValueError
        If a number is no bit of an int32 mask, or two planes share one.
    """
    planes: dict[str, int] = {}
    for card in header.cards:
        if not card.keyword.startswith("MP_"):
            continue
        bit = card.value
        # In a file bit 31, the sign of an int32, may be used: here it is given another.
        if not isinstance(bit, int) or not 0 <= bit <= MAX_PLANES:
            raise ValueError(
                f"{card.keyword} = {bit}; the number of a mask plane is 0 to {MAX_PLANES}"
            )
        if bit in planes.values():
            other = next(name for name, taken in planes.items() if taken == bit)
            raise ValueError(f"{card.keyword} and MP_{other} share bit {bit}")
        planes[card.keyword.removeprefix("MP_")] = bit
    return planes


def number_in_header(headers: Sequence[Header], name: str) -> float | None:
    """Return the value of the first card of a name that holds a finite number."""
    value = _first(headers, [name])
    return float(value) if _is_number(value) else None


def text_in_header(headers: Sequence[Header], name: str) -> str | None:
    """Return the value of the first card of a name that is not blank, as text."""
    value = _first(headers, [name])
    return None if value is None else str(value).strip()


def visits_in_header(headers: Sequence[Header], first: Sequence[str] = ()) -> dict[str, EpochId]:
    """Return all ids that a header gives, by their cards, the surest first.

    Parameters
    ----------
    headers : sequence of Header
    first : sequence of str
        Cards that go before the usual ones.
    """
    found = {}
    for card in dict.fromkeys((*first, *_VISIT_CARDS)):
        value = _first(headers, [card])
        if value is not None:
            found[card] = as_epoch_id(value)
    return found


def _is_number(value: Any) -> bool:
    """Tell whether a card's value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _whole(x: float, y: float) -> tuple[int, int] | None:
    """Return two numbers as ints if they are whole to a thousandth of a pixel."""
    if not max(abs(x), abs(y)) <= _FARTHEST:
        raise ValueError(f"an origin {x:g}, {y:g}; it lies at most {_FARTHEST:g} pixels away")
    if max(abs(x - round(x)), abs(y - round(y))) > 1e-3:
        return None
    return round(x), round(y)
