"""When exposures were taken, and the span of time that a coadd of them covers."""

import math
import re
from collections.abc import Sequence
from typing import Any

from astropy.io.fits import Header
from astropy.time import Time

from ..algorithm.warps import ExposureTime

__all__ = ["exposure_time", "span_cards"]

#: Names of the exposure time in seconds, the usual first.
_EXPOSURE_CARDS = ("EXPTIME", "XPOSURE", "EXPOSURE", "TEXPTIME", "EXP_TIME")

_SECONDS = 86400.0

#: Modified Julian dates of the years 0 and 9999, beyond which FITS has no dates, and seconds
#: that no exposure takes.
_FIRST_DAY, _LAST_DAY = -678_941.0, 2_973_483.0
_LONGEST = 1e9


def exposure_time(headers: Sequence[Header]) -> tuple[ExposureTime | None, tuple[str, ...]]:
    """Return when an exposure was taken, as far as its headers tell.

    The FITS standard's ``DATE-BEG``, ``DATE-END`` and ``DATE-AVG``, their ``MJD-``
    forms, and ``DATE-OBS`` or ``MJD-OBS`` for the beginning.

    Parameters
    ----------
    headers : sequence of Header
        That of the image, then the primary one of its file.

    Returns
    -------
    time : ExposureTime or None
        None where they tell no time.
    notes : tuple of str
        Cards that were ignored, a clause each.
    """
    notes: list[str] = []
    # Such as "utc approximate".
    scale = (str(_value(headers, "TIMESYS") or "").split() or ["utc"])[0].lower()
    if scale not in Time.SCALES or scale == "local":
        notes.append(f"TIMESYS = {scale!r} is no time scale that is known: taken as UTC")
        scale = "utc"
    seconds = exposure_seconds(headers)
    days = (seconds or 0.0) / _SECONDS
    times = {part: _time(headers, part, scale, notes) for part in ("BEG", "OBS", "AVG", "END")}
    begin = times["BEG"] or times["OBS"]
    if begin is None and times["AVG"] is not None:
        begin = times["AVG"] - days / 2
    if begin is None:
        return None, tuple(notes)
    end = times["END"] if times["END"] is not None else begin + days
    return ExposureTime(begin, end, seconds, scale), tuple(notes)


def exposure_seconds(headers: Sequence[Header]) -> float | None:
    """Return the exposure time, None where no card holds a number of seconds above 0."""
    for name in _EXPOSURE_CARDS:
        value = _value(headers, name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < _LONGEST:
            return float(value)
    return None


def _value(headers: Sequence[Header], name: str) -> Any:
    """Return the first value of a card that is not blank."""
    for header in headers:
        value = header.get(name)
        if value is not None and str(value).strip():
            return value
    return None


def _time(headers: Sequence[Header], part: str, scale: str, notes: list[str]) -> float | None:
    """Return one time as a modified Julian date in its own scale."""
    date = _value(headers, f"DATE-{part}")
    if isinstance(date, str):
        text = date.strip()
        clock = _value(headers, "TIME-OBS") or _value(headers, "UTC-OBS")
        if part == "OBS" and "T" not in text and isinstance(clock, str):
            text = f"{text}T{clock.strip()}"
        old = re.fullmatch(r"(\d\d)/(\d\d)/(\d\d)", text)
        if old:  # as before 2000
            text = f"19{old[3]}-{old[2]}-{old[1]}"
        try:
            return float(Time(text.rstrip("Z"), format="fits", scale=scale).mjd)
        except ValueError:
            notes.append(f"DATE-{part} = {date!r} is no date: ignored")
    number = _value(headers, f"MJD-{part}")
    if isinstance(number, (int, float)) and not isinstance(number, bool):
        if _FIRST_DAY <= number <= _LAST_DAY:
            return float(number)
        notes.append(f"MJD-{part} = {number!r} is no date: ignored")
    return None


def span_cards(times: Sequence[ExposureTime | None]) -> Header:
    """Return the cards of the span that some exposures cover.

    ``MJD-AVG`` is the mean of the middles, weighted with the exposure times.

    Parameters
    ----------
    times : sequence of ExposureTime or None
        Of the exposures in the coadd.

    Returns
    -------
    Header
        Empty unless the times of all are known.
    """
    header = Header()
    known = [time for time in times if time is not None]
    if not known or len(known) < len(times):
        return header
    scales = {time.scale for time in known}
    scale = scales.pop() if len(scales) == 1 else "utc"
    begins, ends = (
        [_in_scale(getattr(time, name), time.scale, scale) for time in known]
        for name in ("begin", "end")
    )
    seconds = [time.exposure for time in known]
    total = math.fsum(value for value in seconds if value is not None)
    is_told = all(value is not None for value in seconds)
    shares = [value or 0.0 for value in seconds] if is_told else [1.0] * len(known)
    middle = math.fsum(
        share * (begin + end) / 2 for share, begin, end in zip(shares, begins, ends, strict=True)
    ) / math.fsum(shares)
    header["TIMESYS"] = (scale.upper(), "of the times in this header")
    for card, value, what in (
        ("DATE-BEG", min(begins), "begin of the first exposure"),
        ("DATE-END", max(ends), "end of the last exposure"),
    ):
        header[card] = (Time(value, format="mjd", scale=scale).fits, what)
    header["MJD-AVG"] = (middle, "mean of the exposures")
    if is_told:
        header["EXPTIME"] = (total, "[s] sum over the exposures")
    return header


def _in_scale(mjd: float, own: str, scale: str) -> float:
    """Return a modified Julian date in another time scale."""
    if own == scale:
        return mjd
    return float(getattr(Time(mjd, format="mjd", scale=own), scale).mjd)
