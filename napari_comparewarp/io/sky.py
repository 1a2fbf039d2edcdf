"""From pixels to the sky: what headers say of it, mended or refused, and one way to use it.

Whatever astropy would guess, mend or leave out without a word is a note here, or a
`ValueError` that names the card; the caller adds the file.
"""

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning

from ..errors import one_line

__all__ = ["Grid", "read_grid", "separation_in_pixels", "sky_of", "wcs_cards"]

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
_TIMES = re.compile(
    r"(DATE|MJD)-(OBS|BEG|AVG|END)|TIMESYS|TSTART|TSTOP|TELAPSE|XPOSURE|OBSGEO-.|JEPOCH|BEPOCH"
)

#: Repairs of astropy that change no position.
_HARMLESS = ("datfix", "unitfix", "obsfix", "RADECSYS")


@dataclass(frozen=True)
class Grid:
    """The sky coordinates of an image.

    Attributes
    ----------
    wcs : astropy.wcs.WCS or None
        Celestial, for array pixels; None where the headers say none.
    notes : tuple of str
        What was mended or ignored, a clause each.
    """

    wcs: WCS | None
    notes: tuple[str, ...] = ()


def read_grid(headers: Sequence[fits.Header], hdus: fits.HDUList | None = None) -> Grid:
    """Return the first celestial WCS of some headers.

    Parameters
    ----------
    headers : sequence of Header
        That of the image, then the primary one of its file.
    hdus : HDUList, optional
        The file, for lookup tables of distortions.

    Raises
    ------
    ValueError
        If there is a WCS that cannot be used; it names card and value.
    """
    for original in headers:
        cards = tuple(
            (card.keyword, repr(card.value))
            for card in original.cards
            if _OF_A_GRID.fullmatch(card.keyword)
        )
        if not any(key.startswith("CTYPE") for key, _ in cards):
            continue
        # Warps have one grid, and making a WCS takes longer than all else in a header.
        has_tables = any(key.startswith(("CPDIS", "CPERR", "D2IM", "AXISCORR")) for key, _ in cards)
        grid = None if has_tables else _GRIDS.get(cards)
        if grid is None:
            header, notes = _mended(original)
            grid = Grid(_celestial(header, hdus, notes), tuple(dict.fromkeys(notes)))
            if len(_GRIDS) >= _MOST_GRIDS:
                _GRIDS.clear()
            if not has_tables:
                _GRIDS[cards] = grid
        if grid.wcs is not None:
            return grid
    return Grid(None)


#: All cards that can have to do with a grid.
_OF_A_GRID = re.compile(
    r"(CTYPE|CUNIT|CNAME|CRVAL|CRPIX|CRDER|CSYER|CDELT|CROTA|CD|PC|PV|PS|NAXIS|WCSAXES|WCSNAME|"
    r"LONPOLE|LATPOLE|EQUINOX|EPOCH|RADESYS|RADECSYS|VELREF|SPECSYS|DATE-OBS|MJD-OBS|WAT|CPDIS|"
    r"CPERR|D2IM|AXISCORR|DP|DQ|CQDIS|CQERR|CW|PROJP|TR|TP)\d*([_.A-Z]*\d+)*[A-Z]?|"
    r"(A|B|AP|BP)_\w+"
)

#: Grids that were read, by their cards.
_GRIDS: dict[tuple[tuple[str, str], ...], Grid] = {}
_MOST_GRIDS = 64


def _celestial(header: fits.Header, hdus: fits.HDUList | None, notes: list[str]) -> WCS | None:
    """Return the WCS of a header that knows the sky, the primary one before alternates."""
    alternates = sorted({key[6] for key in header if re.fullmatch(r"CTYPE1[A-Z]", key)})
    for name in (" ", *alternates):
        types = [str(header.get(f"CTYPE{axis}{name.strip()}", "")) for axis in (1, 2, 3, 4)]
        if not any(map(_is_celestial, types)):
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                wcs = WCS(header, fobj=hdus, key=name)
                wcs.wcs.set()
                celestial = wcs.celestial if wcs.has_celestial else None
            except Exception as error:  # wcslib has a dozen classes, and lookup tables their own
                raise ValueError(
                    f"CTYPE1 = {types[0]!r}, CTYPE2 = {types[1]!r}: no WCS that can be used: "
                    f"{_reason(error)}"
                ) from error
        if celestial is None:
            continue
        if any("cdfix" in str(warning.message) for warning in caught):
            raise ValueError("a row of its CD matrix is 0: all pixels lie on one line")
        if name != " ":
            notes.append(f"the alternate WCS {name} is used: the first knows no sky")
        notes += [
            f"the WCS was mended: {' '.join(str(warning.message).split())}"
            for warning in caught
            if issubclass(warning.category, FITSFixedWarning)
            and not any(word in str(warning.message) for word in _HARMLESS)
        ]
        _check(celestial)
        if frame_of(celestial) is None:
            named = f"RADESYS {celestial.wcs.radesys}" if celestial.wcs.radesys else "its axes"
            notes.append(
                f"the sky frame ({named}, {celestial.wcs.ctype[0]}) is none that positions can be "
                "converted from: no right ascension and declination are given"
            )
        return celestial
    return None


def _is_celestial(ctype: str) -> bool:
    """Tell whether an axis is a longitude or latitude on the sky."""
    return bool(re.match(r"(RA--|DEC-|[A-Z]?LON|[A-Z]?LAT|[A-Z]{2}LN|[A-Z]{2}LT)-?", ctype))


def _reason(error: BaseException) -> str:
    """Return what wcslib says: its last line, without the place in its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("ERROR")] or lines
    return lines[0].rstrip(".:") if lines else one_line(error)


def _check(wcs: WCS) -> None:
    """Refuse a grid whose pixels have no size."""
    matrix = wcs.pixel_scale_matrix
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-30:
        raise ValueError("its CD or PC matrix has no inverse: all pixels lie on one line")


def _mended(original: fits.Header) -> tuple[fits.Header, list[str]]:
    """Return a header that astropy reads as it is meant, and what was changed."""
    header, notes = original.copy(), list[str]()
    equinox = header.get("EPOCH", 2000.0)
    if not (isinstance(equinox, (int, float)) and 1800 <= equinox <= 2200):
        # By an old convention EPOCH is the equinox, a year; here it counts exposures.
        header.remove("EPOCH")
    for key in [key for key in header if _NUMBER.fullmatch(key)]:
        _mend_number(header, key, notes)
    _mend_sip(header, notes)
    _mend_pv(header, notes)
    for key in [key for key in header if _TIMES.fullmatch(key)]:
        # They belong to the exposure: `napari_comparewarp.io.times` reads them.
        del header[key]
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


#: Frames that were asked for, by the words that decide on them.
_FRAMES: dict[tuple[Any, ...], Any] = {}


def frame_of(wcs: Any) -> Any:
    """Return the frame of a celestial WCS, None where positions cannot be converted from it."""
    words = _frame_words(wcs)
    if words not in _FRAMES:
        _FRAMES[words] = _find_frame(wcs)
    return _FRAMES[words]


def _find_frame(wcs: Any) -> Any:
    """Return the frame that astropy has for a WCS."""
    try:
        position = wcs.pixel_to_world(0.0, 0.0)
        if not isinstance(position, SkyCoord):
            return None
        position.icrs  # noqa: B018
    except Exception:  # frames that need an observer or a package fail in their own ways
        return None
    return position.frame.replicate_without_data()


def sky_of(wcs: Any, x: npt.ArrayLike, y: npt.ArrayLike) -> SkyCoord | None:
    """Return positions of array pixels on the sky.

    Parameters
    ----------
    wcs : astropy.wcs.WCS or None
    x, y : array_like
        Array coordinates: 0, 0 is the centre of the first pixel.

    Returns
    -------
    SkyCoord or None
        In the frame of the WCS; None without one that can be converted from.
    """
    if wcs is None or not wcs.has_celestial:
        return None
    celestial = wcs.celestial
    if frame_of(celestial) is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return celestial.pixel_to_world(x, y)


def separation_in_pixels(first: WCS, second: WCS, shape: tuple[int, int]) -> float:
    """Return how far apart two grids put the same array pixels.

    Parameters
    ----------
    first, second : astropy.wcs.WCS
        Celestial WCS of two arrays.
    shape : tuple of int
        ``(y, x)`` of both.

    Returns
    -------
    float
        The largest distance over the corners and the centre, in pixels of
        `first`; NaN if one of them cannot be told, infinite if their frames
        cannot be compared.
    """
    if first is second:
        return 0.0
    height, width = shape
    x = np.array([0, width - 1, 0, width - 1, (width - 1) / 2, (width + 1) / 2])
    y = np.array([0, 0, height - 1, height - 1, (height - 1) / 2, (height - 1) / 2])
    # Only from pixels to the sky: inverting a distortion may fail to converge.
    if _frame_words(first) == _frame_words(second):
        return _separation_by_numbers(first, second, x, y)
    there, here = sky_of(first, x, y), sky_of(second, x, y)
    if there is None or here is None:
        return math.inf
    pixel = there[-2].separation(there[-1])
    return float((there[:-1].separation(here[:-1].transform_to(there.frame)) / pixel).max())


def _separation_by_numbers(first: WCS, second: WCS, x: npt.NDArray, y: npt.NDArray) -> float:
    """Return the distance in one frame, whichever it is, in units of the last pixel."""
    there, here = (_unit_vectors(wcs, x, y) for wcs in (first, second))
    # The chord of so small an angle is the angle; a cosine would lose it.
    distance = np.linalg.norm(there[:, :-1] - here[:, :-1], axis=0)
    return float((distance / np.linalg.norm(there[:, -2] - there[:, -1])).max())


def _unit_vectors(wcs: WCS, x: npt.NDArray, y: npt.NDArray) -> npt.NDArray[np.float64]:
    """Return places on the unit sphere, ``(3, place)``."""
    values = wcs.pixel_to_world_values(x, y)
    longitude, latitude = (np.radians(values[axis]) for axis in (wcs.wcs.lng, wcs.wcs.lat))
    return np.stack([
        np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
        np.sin(latitude),
    ])  # fmt: skip


def _frame_words(wcs: WCS) -> tuple[Any, ...]:
    """Return all that decides on the frame of a WCS."""
    keywords = wcs.wcs
    types = sorted(name.partition("-")[0] for name in keywords.ctype)
    # NaN, for an equinox that is not told, is not equal to itself.
    return (*types, keywords.radesys, str(keywords.equinox), keywords.dateobs, str(keywords.mjdobs))


def wcs_cards(wcs: WCS) -> tuple[fits.Header, list[fits.ImageHDU]]:
    """Return the cards of a WCS, and the HDUs of its lookup tables.

    The times that belong to one exposure are left out.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = [wcs.cpdis1, wcs.cpdis2, wcs.det2im1, wcs.det2im2]
        if any(table is not None for table in tables):
            primary, *hdus = wcs.to_fits(relax=True)
            header = primary.header
            for card in ("SIMPLE", "BITPIX", "NAXIS", "EXTEND"):
                header.remove(card, ignore_missing=True)
        else:
            header, hdus = wcs.to_header(relax=True), []
    for key in [key for key in header if _TIMES.fullmatch(key)]:
        del header[key]
    return header, hdus
