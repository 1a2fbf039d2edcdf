"""From pixels to the sky: what headers say of it, mended or refused, and one way to use it.

Whatever astropy would guess, mend or leave out without a word is a note here, or a
`ValueError` that names the card; the caller adds the file.
"""

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import PRJ_CODES, WCS, FITSFixedWarning

from ..errors import plain_reason
from .sky_cards import TIMES, fault_of, grid_cards, is_celestial, mended_cards

__all__ = ["Grid", "read_grid", "separation_in_pixels", "sky_of", "wcs_cards"]

#: Repairs of astropy that change no position.
_HARMLESS = ("datfix", "unitfix", "obsfix", "RADECSYS", "cdfix")


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
    said: list[str] = []
    for original in headers:
        of_grid = grid_cards(original)
        cards = tuple((card.keyword, repr(card.value)) for card in of_grid)
        if not any(key.startswith("CTYPE") for key, _ in cards):
            continue
        # Warps have one grid, and making a WCS takes longer than all else in a header.
        has_tables = any(key.startswith(("CPDIS", "CPERR", "D2IM", "AXISCORR")) for key, _ in cards)
        grid = None if has_tables else _GRIDS.get(cards)
        if grid is None:
            header, notes = mended_cards(of_grid)
            wcs = _celestial(header, hdus, notes)
            grid = Grid(wcs, tuple(dict.fromkeys(notes)))
            if len(_GRIDS) >= _MOST_GRIDS:
                _GRIDS.clear()
            if not has_tables:
                _GRIDS[cards] = grid
        if grid.wcs is not None:
            return grid
        said += grid.notes
    return Grid(None, tuple(dict.fromkeys(said)))


#: Grids that were read, by their cards.
_GRIDS: dict[tuple[tuple[str, str], ...], Grid] = {}
_MOST_GRIDS = 64


def _celestial(header: fits.Header, hdus: fits.HDUList | None, notes: list[str]) -> WCS | None:
    """Return the WCS of a header that knows the sky, the primary one before alternates."""
    alternates = sorted({key[6] for key in header if re.fullmatch(r"CTYPE1[A-Z]", key)})
    for name in (" ", *alternates):
        types = [str(header.get(f"CTYPE{axis}{name.strip()}", "")) for axis in (1, 2, 3, 4)]
        if not any(map(is_celestial, types)):
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                celestial = _made(header, hdus, name)
            except Exception as error:  # wcslib has a dozen classes, and lookup tables their own
                fault = fault_of(header, partial(_works, hdus=hdus, name=name))
                types_are = f"CTYPE1 = {types[0]!r}, CTYPE2 = {types[1]!r}"
                raise ValueError(
                    f"{fault or types_are}: no WCS that can be used: {_reason(error)}"
                ) from error
        if celestial is None:
            continue
        _check_rows(header, name.strip(), types)
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
    # What was mended on the way to nothing is of no use; a sky that is not known is.
    types = [str(header.get(f"CTYPE{axis}", "")) for axis in (1, 2)]
    projected = [ctype for ctype in types if ctype.upper().rstrip().rpartition("-")[2] in PRJ_CODES]
    notes[:] = [f"{', '.join(projected)}: axes of no sky that is known: ignored"] * bool(projected)
    return None


def _reason(error: BaseException) -> str:
    """Return what wcslib says: its last line, without the place in its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("ERROR")] or lines
    return lines[0].rstrip(".:") if lines else plain_reason(error)


def _made(header: fits.Header, hdus: fits.HDUList | None, name: str) -> WCS | None:
    """Return the celestial WCS of a header, None where it has another."""
    wcs = WCS(header, fobj=hdus, key=name)
    wcs.wcs.set()
    return wcs.celestial if wcs.has_celestial else None


def _works(header: fits.Header, *, hdus: fits.HDUList | None, name: str) -> bool:
    """Tell whether a header has a celestial WCS that can be used."""
    try:
        return _made(header, hdus, name) is not None
    except Exception:
        return False


def _check_rows(header: fits.Header, name: str, types: Sequence[str]) -> None:
    """Refuse a CD matrix that has a row of zeros, which astropy mends to ones."""
    if not any(re.fullmatch(rf"CD\d_\d{name}", key) for key in header):
        return
    count = max(axis for axis, ctype in enumerate(types, start=1) if ctype)
    for axis, ctype in enumerate(types, start=1):
        row = [header.get(f"CD{axis}_{other}{name}", 0) for other in range(1, count + 1)]
        if is_celestial(ctype) and not any(row):
            raise ValueError(
                f"CD{axis}_1 to CD{axis}_{count} are 0, a row of its CD matrix: all pixels "
                "lie on one line"
            )


#: Beyond this condition number a matrix has lost all digits.
_WORST = 1e10


def _check(wcs: WCS) -> None:
    """Refuse a grid whose pixels have no size."""
    matrix = wcs.pixel_scale_matrix
    if not np.isfinite(matrix).all() or not np.linalg.cond(matrix) < _WORST:
        raise ValueError("its CD or PC matrix has no inverse: all pixels lie on one line")
    shape = wcs.pixel_shape or (2, 2)
    x, y = ((side - 1) / 2 for side in shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        corner, *sides = _unit_vectors(wcs, np.array([x, x + 1, x]), np.array([y, y, y + 1])).T
    spans = [np.linalg.norm(side - corner) for side in sides]
    if max(spans) == 0:
        raise ValueError("its scale or distortion (CD, CDELT, PV) puts all pixels at one place")


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
        # Places on the Earth are none on the sky, and would ask for tables from elsewhere.
        if not isinstance(position, SkyCoord) or position.frame.name == "itrs":
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
    for key in [key for key in header if TIMES.fullmatch(key)]:
        del header[key]
    return header, hdus
