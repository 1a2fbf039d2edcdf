"""What is done to the numbers of exposures so that they make one stack, and what is said of it.

All is decided on headers and a few rows, before the pixels are read.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from astropy import units

from ..algorithm.flux_scale import flux_scale
from ..errors import StackError
from .assumptions import Assumptions
from .exposure import Exposure
from .headers import whole_name

__all__ = ["common_scale", "same_filter", "same_visits", "treat"]

#: A clause and the file that it holds for.
Note = tuple[Path, str]

#: A measured noise beyond these times what the variance tells is said, or refused.
SAID, REFUSED = 2.0, 10.0

#: A sky of more than this many standard deviations of a pixel was left in.
SKY_LEFT_IN = 3.0

#: Levels of the sky that differ by more standard deviations make whole epochs deviate.
SKY_DIFFERS = 1.0

#: A mask without names that flags more than this part of the pixels with data is asked about.
MOST_FLAGGED = 0.5

#: Differences of fluxes that are rounding of the cards.
_SAME_FLUX = 1e-4

#: Factors between exposures that single precision takes without a loss.
_MOST_SCALED = (1e-15, 1e15)

#: Units that count what a detector saw: they grow with the exposure time.
_COUNTS = ("adu", "dn", "count", "counts", "ct", "electron", "electrons", "e-", "data value", "")


def treat(exposures: Sequence[Exposure], assume: Assumptions) -> tuple[list[Exposure], list[Note]]:
    """Decide what is done to each exposure.

    Parameters
    ----------
    exposures : sequence of Exposure
        As scanned.
    assume : Assumptions
        What the user says of them together; of each, it says itself.

    Returns
    -------
    exposures : list of Exposure
        With their treatments.
    notes : list of tuple
        File and clause.

    Raises
    ------
    StackError
        If something cannot be right.
    """
    notes: list[Note] = []
    same_filter(exposures, assume)
    treated = [_with_variance(exposure, exposure.assume, notes) for exposure in exposures]
    for exposure in treated:
        _check_mask(exposure, exposure.assume)
    treated = _one_flux(treated, assume, notes)
    for kind in ("direct", "matched"):
        # A matched warp has less noise, and may have another level.
        those = [exposure for exposure in treated if (exposure.kind or "direct") == kind]
        done = iter(_without_sky(those, assume, notes))
        treated = [next(done) if (e.kind or "direct") == kind else e for e in treated]
    return treated, notes


# --- the variance ------------------------------------------------------------------------------


def _with_variance(exposure: Exposure, assume: Assumptions, notes: list[Note]) -> Exposure:
    """Return an exposure whose variance is in the unit of its image, and agrees with it."""
    layout, sample, path = exposure.layout, exposure.sample, exposure.path
    assert sample is not None
    treatment = exposure.treatment
    if layout.spread == "none" and not treatment.has_variance:
        if not math.isfinite(sample.noise):
            raise StackError(f"{path}: its noise cannot be measured; give --assume gain=…")
        notes.append((path, "its variance is the square of the noise of its sky, as assumed"))
        return replace(exposure, treatment=replace(treatment, noise=sample.noise))
    factor, note = _unit_factor(exposure)
    if note:
        notes.append((path, note))
    ratio = sample.ratio / math.sqrt(factor)
    if layout.spread == "relative weight":
        if assume.variance is None and 1 / SAID <= ratio <= SAID:
            notes.append((path, _AS_INVERSE.format(layout.variance.name)))  # type: ignore[union-attr]
        elif math.isfinite(ratio):
            factor *= ratio**2
            notes.append((path, _AS_RELATIVE.format(layout.variance.name)))  # type: ignore[union-attr]
            ratio = 1.0
        else:
            notes.append((path, _NOT_MEASURED.format(layout.variance.name)))  # type: ignore[union-attr]
    if factor != 1:
        treatment = replace(treatment, spread_factor=factor)
    if math.isfinite(ratio) and assume.noise == "check":
        _check_noise(exposure, ratio, notes)
    return replace(exposure, treatment=treatment)


_AS_INVERSE = "HDU {} agrees with the noise as an inverse variance, and is taken for it"
_AS_RELATIVE = (
    "HDU {} does not say what it weighs: taken as a relative weight, its scale measured from the "
    "noise of the sky (--assume variance=inverse-variance, error, variance)"
)
_NOT_MEASURED = "HDU {} is taken as an inverse variance: the noise cannot be measured"


def _check_noise(exposure: Exposure, ratio: float, notes: list[Note]) -> None:
    """Say, or refuse, that the scatter of the pixels is not what the variance tells."""
    plane, sample = exposure.layout.variance, exposure.sample
    assert sample is not None
    name = "its variance" if plane is None else f"HDU {plane.name}"
    # Of too much scatter stars may be the cause: then even the quietest place must have it.
    quietest = ratio * sample.quietest
    if ratio < 1 / REFUSED or quietest > REFUSED:
        spread = exposure.layout.spread
        told, mend = f"{name} ({spread}) tells", "say what it is with --assume variance=…"
        if plane is None:
            told, mend = "gain and read noise tell", "give --assume gain=… or variance=sky"
        raise StackError(
            f"{exposure.path}: the noise between the stars is {ratio:.3g} times what {told}: the "
            f"numbers are in another unit, or no such thing: {mend}, or --assume noise=ignore"
        )
    if ratio < 1 / SAID or quietest > SAID:
        than = "more than twice" if ratio > 1 else "less than half of"
        notes.append((exposure.path, f"the noise between the stars is {than} what {name} tells"))


def _unit_factor(exposure: Exposure) -> tuple[float, str]:
    """Return what the variance is multiplied by to be in the square of the image's unit."""
    layout = exposure.layout
    if layout.spread not in ("variance", "error") or not (exposure.unit and exposure.spread_unit):
        return 1.0, ""
    image, other = _parsed(exposure.unit), _parsed(exposure.spread_unit)
    if image is None or other is None:
        return 1.0, ""
    # Writers copy BUNIT of the image to all planes; a variance may carry it without meaning.
    if other == image or (layout.spread == "variance" and other == image**2):
        return 1.0, ""
    root = other if layout.spread == "error" else other**0.5
    name = layout.variance.name if layout.variance is not None else ""
    where = f"HDU {name} is in {exposure.spread_unit}, the image in {exposure.unit}"
    try:
        return float(root.to(image)) ** 2, f"{where}: converted"
    except units.UnitConversionError:
        pass
    seconds = exposure.seconds
    for sign in (1, -1):
        try:
            factor = float((root * units.s**sign).to(image))
        except units.UnitConversionError:
            continue
        if seconds is not None:
            what = "divided by" if sign == -1 else "multiplied with"
            power = seconds if sign == 1 else 1 / seconds
            return (factor * power) ** 2, f"{where}: {what} the exposure time"
    raise StackError(
        f"{exposure.path}: {where}, which cannot be converted; mend BUNIT of one of them"
    )


def _parsed(text: str) -> units.UnitBase | None:
    """Return a unit as its writer means it, None where it means nothing."""
    lowered = text.strip().lower()
    for words, name in (("electrons", "electron"), ("counts", "ct"), ("e-", "electron")):
        lowered = lowered.replace(words, name)
    for spelling in (text.strip(), lowered):
        try:
            return units.Unit(spelling)
        except (ValueError, TypeError):
            continue
    return None


# --- mask and sky ------------------------------------------------------------------------------


def _check_mask(exposure: Exposure, assume: Assumptions) -> None:
    """Refuse a mask that may mean the contrary of what is taken for granted."""
    mask, sample = exposure.layout.mask, exposure.sample
    assert sample is not None
    if mask is None or exposure.flags.is_named or assume.mask is not None:
        return
    if sample.flagged > MOST_FLAGGED:
        raise StackError(
            f"{mask.path}, HDU {mask.name}: {100 * sample.flagged:.0f} % of the pixels with data "
            "are flagged, and the flags have no names: say whether such pixels are bad, with "
            "--assume mask=bad, mask=good or mask=ignore"
        )


def _without_sky(
    exposures: Sequence[Exposure], assume: Assumptions, notes: list[Note]
) -> list[Exposure]:
    """Take the sky away where it was left in, and would make whole epochs deviate."""
    levels = [_level(exposure) for exposure in exposures]
    known = [level for level in levels if level is not None]
    if assume.sky == "keep" or not known:
        return list(exposures)
    left_in = [level for level in known if abs(level[0]) > SKY_LEFT_IN * level[1]]
    wanted = assume.sky == "subtract"
    if not wanted and not left_in:
        return list(exposures)
    low, high = min(level for level, _ in known), max(level for level, _ in known)
    differs = high - low > SKY_DIFFERS * max(noise for _, noise in known)
    path = exposures[0].path
    levels_are = f"{low:.4g} to {high:.4g}"
    if not wanted and not differs:
        alike = ", the same in all files" if len(known) > 1 else ""
        notes.append((path, f"a sky of {low:.4g} is left in{alike}: kept (--assume sky=subtract)"))
        return list(exposures)
    if not wanted and all(exposure.dialect.sky == "subtracted" for exposure in exposures):
        notes.append((path, _SKY_OF_PIPELINES.format(levels_are)))
        return list(exposures)
    notes.append((path, _SKY_SUBTRACTED.format(levels_are)))
    return [
        exposure
        if level is None
        else replace(exposure, treatment=replace(exposure.treatment, sky=exposure.sample.sky))  # type: ignore[union-attr]
        for exposure, level in zip(exposures, levels, strict=True)
    ]


_SKY_OF_PIPELINES = (
    "levels of the sky differ, {}: left as they are in files of the pipelines "
    "(--assume sky=subtract)"
)
_SKY_SUBTRACTED = (
    "the sky was left in: its levels, {}, are subtracted in all files (--assume sky=keep)"
)


def _level(exposure: Exposure) -> tuple[float, float] | None:
    """Return the sky and the noise of an exposure in the common unit, if both are known."""
    sample, factor = exposure.sample, exposure.treatment.factor
    assert sample is not None
    noise = sample.noise if math.isfinite(sample.noise) else sample.sigma
    if not (math.isfinite(sample.sky) and math.isfinite(noise)):
        return None
    return sample.sky * factor, noise * factor


# --- fluxes that can be added ------------------------------------------------------------------


def same_filter(exposures: Sequence[Exposure], assume: Assumptions) -> None:
    """Refuse exposures of different filters.

    Raises
    ------
    StackError
    """
    told = [exposure for exposure in exposures if exposure.filter_name]
    if assume.filters == "any" or not told:
        return
    for exposure in told[1:]:
        if exposure.filter_name != told[0].filter_name:
            raise StackError(
                f"{exposure.path}: filter {exposure.filter_name} where {told[0].path} has "
                f"{told[0].filter_name}; one is needed, or --assume filters=any"
            )


def _one_flux(
    exposures: Sequence[Exposure], assume: Assumptions, notes: list[Note]
) -> list[Exposure]:
    """Bring exposures to one zero point, or to one exposure time."""
    if assume.zero_point == "ignore" or not exposures:
        return list(exposures)
    unit = next((exposure.unit for exposure in exposures if exposure.unit), "") or ""
    if _is_calibrated(unit):
        return list(exposures)
    cards = [exposure.zero_point[0] if exposure.zero_point else None for exposure in exposures]
    if any(cards):
        if len(set(cards)) > 1:
            odd = next(e for e, card in zip(exposures, cards, strict=True) if card != cards[0])
            raise StackError(
                f"{odd.path}: zero point by {odd.zero_point[0] if odd.zero_point else 'no card'} "
                f"where {exposures[0].path} has {cards[0] or 'none'}: their fluxes cannot be "
                "compared; --assume zero_point=ignore leaves them as they are"
            )
        fluxes = [exposure.zero_point[1] for exposure in exposures]  # type: ignore[index]
        return _scaled(exposures, fluxes, f"zero points ({cards[0]}) differ", notes)
    times = [exposure.seconds for exposure in exposures]
    if unit.lower() not in _COUNTS or None in times:
        return list(exposures)
    known = [float(time) for time in times if time is not None]
    if not unit and max(known) > min(known) * (1 + _SAME_FLUX):
        notes.append(
            (exposures[0].path, "exposure times differ and no BUNIT says whether the numbers are "
             "counts: left as they are")
        )  # fmt: skip
        return list(exposures)
    return _scaled(exposures, [1 / time for time in known], "exposure times differ", notes)


def _is_calibrated(unit: str) -> bool:
    """Tell whether a unit is a flux, so that no zero point is needed."""
    parsed = _parsed(unit) if unit else None
    return parsed is not None and any(
        parsed.is_equivalent(flux)
        for flux in (units.Jy, units.Jy / units.sr, units.erg / units.s / units.cm**2 / units.AA)
    )


def _scaled(
    exposures: Sequence[Exposure], fluxes: Sequence[float], why: str, notes: list[Note]
) -> list[Exposure]:
    """Multiply exposures so that one unit is as much flux in all as in the first."""
    first = fluxes[0]
    if all(abs(flux / first - 1) <= _SAME_FLUX for flux in fluxes):
        return list(exposures)
    for exposure, flux in zip(exposures, fluxes, strict=True):
        if not _MOST_SCALED[0] <= flux / first <= _MOST_SCALED[1]:
            raise StackError(
                f"{exposure.path}: {why} by a factor {flux / first:g}; it is {_MOST_SCALED[0]:g} "
                f"to {_MOST_SCALED[1]:g} (--assume zero_point=ignore leaves them as they are)"
            )
    notes.append(
        (exposures[0].path, f"{why} from those of other files: all are scaled to this one "
         "(--assume zero_point=ignore)")
    )  # fmt: skip
    return [
        replace(
            exposure,
            treatment=replace(exposure.treatment, factor=exposure.treatment.factor * flux / first),
        )
        for exposure, flux in zip(exposures, fluxes, strict=True)
    ]


def common_scale(exposures: Sequence[Exposure]) -> tuple[list[Exposure], float]:
    """Keep numbers beyond the squares that single precision holds in another unit.

    Returns
    -------
    exposures : list of Exposure
    scale : float
        See `WarpStack.flux_scale`.
    """
    sigmas = [
        exposure.sample.sigma * exposure.treatment.factor
        * math.sqrt(exposure.treatment.spread_factor)
        for exposure in exposures
        if exposure.sample is not None and math.isfinite(exposure.sample.sigma)
    ]  # fmt: skip
    scale = flux_scale(sorted(sigmas)[len(sigmas) // 2]) if sigmas else 1.0
    if scale == 1:
        return list(exposures), 1.0
    return [
        replace(
            exposure,
            treatment=replace(exposure.treatment, factor=exposure.treatment.factor / scale),
        )
        for exposure in exposures
    ], scale


# --- visits ------------------------------------------------------------------------------------


def same_visits(exposures: Sequence[Exposure]) -> list[Exposure]:
    """Name visits by the first card in which the files differ.

    A card such as OBSID may name the observation that several exposures are
    part of. VISIT means the visit: where it is given, files of one are the same.
    """
    if any("VISIT" in card for exposure in exposures for card in exposure.visits):
        return list(exposures)
    for card in exposures[0].visits if exposures else ():
        ids = [(exposure.kind, exposure.visits.get(card)) for exposure in exposures]
        if len(set(ids)) == len(ids) and all(visit is not None for _, visit in ids):
            return [replace(e, visit=e.visits[card]) for e in exposures]
    ids = [(exposure.kind, exposure.visit) for exposure in exposures]
    if any(exposure.visits for exposure in exposures) or len(set(ids)) == len(ids):
        return list(exposures)
    # Names with one number, such as M31a and M31b, are not told apart by it.
    return [replace(exposure, visit=whole_name(exposure.path)) for exposure in exposures]
