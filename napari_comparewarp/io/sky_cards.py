"""The cards of a WCS: mended where they can be read as they are meant, refused where not.

What wcslib is given has been looked at: it counts axes and orders as it is told, and its
own messages name a line of its source.
"""

import math
import re
from collections.abc import Callable, Sequence

from astropy.io import fits

__all__ = ["TIMES", "fault_of", "grid_cards", "is_celestial", "mended_cards"]

#: Cards of a WCS that hold numbers; the last letter names an alternate one.
_NUMBER = re.compile(
    r"(CRVAL|CRPIX|CDELT|CROTA|CD|PC|PV|LONPOLE|LATPOLE|EQUINOX|EPOCH)\d*(_\d+)?[A-Z]?"
    r"|(A|B|AP|BP)_(ORDER|DMAX|\d+_\d+)"
)

#: Cards of the polynomial distortion SIP.
_SIP = re.compile(r"(A|B|AP|BP)_(ORDER|DMAX|\d+_\d+)")

#: On the axis of longitude, PV 0 to 4 are part of the standard (native pole and origin).
_STANDARD_PV = range(5)

#: Cards of times that astropy takes into a WCS; they are of one exposure, not of its grid.
TIMES = re.compile(
    r"(DATE|MJD)-(OBS|BEG|AVG|END)|TIMESYS|TSTART|TSTOP|TELAPSE|XPOSURE|OBSGEO-.|JEPOCH|BEPOCH"
)

#: All cards that can have to do with a grid, but times.
_OF_A_GRID = re.compile(
    r"(CTYPE|CUNIT|CNAME|CRVAL|CRPIX|CRDER|CSYER|CDELT|CROTA|CD|PC|PV|PS|NAXIS|WCSAXES|WCSNAME|"
    r"LONPOLE|LATPOLE|EQUINOX|EPOCH|RADESYS|RADECSYS|VELREF|SPECSYS|WAT|CPDIS|"
    r"CPERR|D2IM|AXISCORR|DP|DQ|CQDIS|CQERR|CW|PROJP|TR|TP|RESTFRQ|RESTWAV)"
    r"\d*([_.A-Z]*\d+)*[A-Z]?|(A|B|AP|BP)_\w+|(D2IM|DP|DQ)\d+\..+|D2IM(EXT|DIS\d|ERR\d)"
)

#: Axes, and orders of a distortion, that are read; numbers beyond are damage.
_MOST_AXES = 9
_HIGHEST_ORDER = 9

#: Sizes beyond which a card can mean nothing, in whatever unit; and the years of an equinox.
_LARGEST = {"CRPIX": 1e9, "CDELT": 1e10, "CD": 1e10, "PC": 1e10, "CROTA": 1e4, "LONPOLE": 999.0,
            "LATPOLE": 999.0, "PV": 1e15, "CRVAL": 1e20}  # fmt: skip
_YEARS = 1800.0, 2200.0

#: Cards with the number of an axis, or of two.
_AXIS = re.compile(
    r"(CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA)(\d+)[A-Z]?|(CD|PC|PV|PS)(\d+)_(\d+)[A-Z]?"
)

#: Attempts to find the card at fault.
_MOST_TRIALS = 100


def is_celestial(ctype: str) -> bool:
    """Tell whether an axis is a longitude or latitude on the sky."""
    return bool(re.match(r"(RA--|DEC-|[A-Z]?LON|[A-Z]?LAT|[A-Z]{2}LN|[A-Z]{2}LT)-?", ctype))


def grid_cards(header: fits.Header) -> list[fits.Card]:
    """Return the cards of a header that can have to do with its grid.

    Times are not among them: they belong to the exposure, and `napari_comparewarp.io.times`
    reads them. Of others, wcslib takes some for those of old plates, and ends the interpreter
    over texts.

    Parameters
    ----------
    header : Header
    """
    return [card for card in header.cards if _OF_A_GRID.fullmatch(card.keyword)]


def mended_cards(cards: Sequence[fits.Card]) -> tuple[fits.Header, list[str]]:
    """Return a header that astropy reads as it is meant, and what was changed.

    Parameters
    ----------
    cards : sequence of Card
        As `grid_cards` returns them.

    Raises
    ------
    ValueError
        If a card cannot be meant; it names it.
    """
    header, notes = fits.Header(cards, copy=True), list[str]()
    equinox = header.get("EPOCH", 2000.0)
    if not (isinstance(equinox, (int, float)) and _YEARS[0] <= equinox <= _YEARS[1]):
        # By an old convention EPOCH is the equinox, a year; here it counts exposures.
        for key in [key for key in header if key.startswith("EPOCH")]:
            del header[key]
    for key in [key for key in header if _NUMBER.fullmatch(key)]:
        _mend_number(header, key, notes)
    for key in [key for key in header if re.fullmatch(r"EQUINOX[A-Z]?", key)]:
        if not _YEARS[0] <= header[key] <= _YEARS[1]:
            notes.append(f"{key} = {header[key]:g} is no year of an equinox: ignored")
            del header[key]
    _check_texts(header)
    _check_axes(header)
    _check_numbers(header)
    _mend_sip(header, notes)
    _mend_pv(header, notes)
    return header, notes


def _mend_number(header: fits.Header, key: str, notes: list[str]) -> None:
    """Make a number of a card that holds it as text."""
    value = header[key]
    if isinstance(value, fits.card.Undefined) or value == "":
        del header[key]
    elif isinstance(value, str):
        try:
            number = float(value.strip().upper().replace("D", "E").lstrip("JB"))  # as J2000
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(f"{key} = {value!r}; a number is needed")
        notes.append(f"{key} = {value!r} is text: taken as the number {number:g}")
        header[key] = int(number) if key.endswith("_ORDER") else number
    elif isinstance(value, bool):
        raise ValueError(f"{key} = {value}; a number is needed")


def _mend_sip(header: fits.Header, notes: list[str]) -> None:
    """Take away SIP terms that CTYPE does not ask for: what resampling left behind."""
    terms = [key for key in header if _SIP.fullmatch(key)]
    if not terms or any("-SIP" in str(header.get(f"CTYPE{axis}", "")) for axis in (1, 2)):
        return
    for key in terms:
        del header[key]
    ctype = header.get("CTYPE1")
    notes.append(f"{terms[0]} and the like are ignored: CTYPE1 is {ctype!r}, not SIP")


def _mend_pv(header: fits.Header, notes: list[str]) -> None:
    """Read PV terms as they are meant.

    SCAMP before version 2 wrote the terms of TPV under the name of TAN.
    (Shupe et al. 2012, Proc. SPIE 8451, 84511M.)
    """
    types = {axis: str(header.get(f"CTYPE{axis}", "")) for axis in (1, 2)}
    terms = [key for key in header if re.fullmatch(r"PV[12]_\d+", key)]
    distorting = [
        key
        for key in terms
        if types[int(key[2])].startswith("DEC") or int(key.split("_")[1]) not in _STANDARD_PV
    ]
    if not distorting:
        return
    if all(ctype.endswith("-TAN") for ctype in types.values()):
        for axis, ctype in types.items():
            header[f"CTYPE{axis}"] = f"{ctype.removesuffix('TAN')}TPV"
        notes.append("CTYPE is TAN with PV terms: read as TPV, as SCAMP 1 wrote it")
    elif all(ctype.endswith("-TAN-SIP") for ctype in types.values()):
        for key in terms:
            del header[key]
        notes.append("CTYPE asks for SIP, so that its PV terms are ignored")


def _refuse(header: fits.Header, key: str, reason: str) -> None:
    value = header[key]
    told = f"{value:g}" if isinstance(value, float) else repr(value)
    raise ValueError(f"{key} = {told}: no WCS that can be used: {reason}")


def _check_texts(header: fits.Header) -> None:
    """Refuse names of axes that are none, and those whose positions stand in a table."""
    for key in header:
        if re.fullmatch(r"CTYPE\d+[A-Z]?", key):
            if not isinstance(header[key], str):
                _refuse(header, key, "the name of an axis is a text")
            if header[key].rstrip().endswith("-TAB"):
                _refuse(header, key, "positions in a table cannot be read")


def _check_axes(header: fits.Header) -> None:
    """Refuse numbers of axes, and orders, that would be counted up to."""
    for key in header:
        if re.fullmatch(r"(A|B|AP|BP)_ORDER", key):
            order = header[key]
            if type(order) is not int or not 0 <= order <= _HIGHEST_ORDER:
                _refuse(header, key, f"the order of a distortion is 0 to {_HIGHEST_ORDER}")
        elif re.fullmatch(r"NAXIS\d+", key):
            if type(header[key]) is not int or header[key] < 0:
                _refuse(header, key, "an axis has a whole number of pixels")
        elif re.fullmatch(r"WCSAXES[A-Z]?|NAXIS", key):
            count = header[key]
            if type(count) is not int or not 0 <= count <= _MOST_AXES:
                _refuse(header, key, f"an image has up to {_MOST_AXES} axes")
        elif named := _AXIS.fullmatch(key):
            axes = named[2], named[4], named[5] if named[3] in ("CD", "PC") else None
            if any(axis is not None and not 1 <= float(axis) <= _MOST_AXES for axis in axes):
                _refuse(header, key, f"an image has up to {_MOST_AXES} axes")


def _check_numbers(header: fits.Header) -> None:
    """Refuse numbers that can mean nothing."""
    for key in header:
        value = header[key]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if not _NUMBER.fullmatch(key):
            continue
        # A distortion is a sum of powers of pixels.
        kind = re.match(r"[A-Z]+", key.rstrip("0123456789_")) if not _SIP.fullmatch(key) else None
        largest = _LARGEST.get(kind[0], math.inf) if kind else 1e15
        if not abs(value) <= min(largest, 1e30):
            _refuse(header, key, "no such value can be meant")
        if key.startswith("CRVAL") and _is_latitude(header, key) and abs(value) > 90:
            _refuse(header, key, "a latitude is -90 to 90 degrees")


def _is_latitude(header: fits.Header, key: str) -> bool:
    """Tell whether a card of an axis is one of a latitude in degrees."""
    axis = key[len("CRVAL") :]
    unit = str(header.get(f"CUNIT{axis}", "")).strip().lower()
    ctype = str(header.get(f"CTYPE{axis}", ""))
    is_one = re.match(r"DEC-|[A-Z]?LAT-|[A-Z]{2}LT-", ctype)
    return is_one is not None and unit in ("", "deg", "degree", "degrees")


def fault_of(header: fits.Header, works: Callable[[fits.Header], bool]) -> str:
    """Return the card without which a WCS can be used, with its value; empty if none alone is.

    Parameters
    ----------
    header : Header
        Whose WCS cannot be used.
    works : callable
        Tells whether that of another header can.
    """
    doubtful = [key for key in dict.fromkeys(header) if _DOUBTFUL.fullmatch(key)]
    for key in doubtful[:_MOST_TRIALS]:
        without = header.copy()
        value = without[key]
        del without[key]
        if works(without):
            return f"{key} = {value!r}"
    return ""


#: Cards that may be left out: those that have a default.
_DOUBTFUL = re.compile(
    r"(LONPOLE|LATPOLE|CRVAL\d|CUNIT\d|CDELT\d|CROTA\d|CD\d_\d|PC\d_\d|PV\d_\d+|CPDIS\d|CQDIS\d|"
    r"D2IMDIS\d|D2IMEXT|AXISCORR|DP\d|DQ\d|WAT\d_\d+|RADESYS|WCSAXES|VELREF|WCSNAME|A_ORDER|B_ORDER)"
    r"[A-Z]?"
)
