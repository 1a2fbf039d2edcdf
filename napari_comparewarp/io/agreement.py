"""Whether files fit together: one shape, one unit, one pixel grid, each visit once."""

from collections.abc import Callable, Sequence
from typing import Any

from astropy import units

from ..algorithm.unit_text import check_unit
from ..errors import StackError
from .exposure import Exposure
from .saying import say
from .sky import separation_in_pixels

__all__ = ["check_agreement", "check_present", "common_unit"]

#: Two grids that lie further apart than this, in pixels, are not one grid.
WCS_TOLERANCE = 0.01


def check_agreement(exposures: Sequence[Exposure]) -> None:
    """Refuse exposures that do not make one stack.

    A file that does not say its unit, WCS or origin contradicts none.

    Parameters
    ----------
    exposures : sequence of Exposure
        Their `kind` must be known.

    Raises
    ------
    StackError
        With both files named, for the first two that differ in shape, unit,
        origin or WCS, or that are the same warp of one visit.
    """
    seen: dict[tuple[Any, Any], Exposure] = {}
    for exposure in exposures:
        first = seen.setdefault((exposure.kind, exposure.visit), exposure)
        if first is not exposure:
            raise StackError(
                f"{first.path} and {exposure.path} are both the {exposure.kind} warp of visit "
                f"{exposure.visit}; leave one out, or tell visits apart by VISIT cards"
            )
    _check(exposures, "shape", lambda a, b: a == b, "shape {} where {} has {}; one is needed")
    _check(exposures, "unit", _same_unit, "unit {} where {} has {}; one is needed")
    _check(exposures, "origin", lambda a, b: a == b, "origin {} where {} has {}; one is needed")
    _check_wcs(exposures)


def check_present(exposures: Sequence[Exposure]) -> None:
    """Refuse to make a stack of nothing.

    Raises
    ------
    StackError
    """
    if not exposures:
        raise StackError("no warps at all: none of the files holds an image with its variance")


def _check(
    exposures: Sequence[Exposure],
    attribute: str,
    same: Callable[[Any, Any], bool],
    message: str,
) -> None:
    """Compare one attribute of all files that have it with the first one's."""
    telling = [e for e in exposures if getattr(e, attribute) is not None]
    for exposure in telling[1:]:
        value, expected = getattr(exposure, attribute), getattr(telling[0], attribute)
        if not same(value, expected):
            text = message.format(value, telling[0].path, expected)
            raise StackError(f"{exposure.path}: {text}")


def _same_unit(a: str, b: str) -> bool:
    """Compare units by what they mean, or as text where they mean nothing to astropy."""
    parsed = [_parse_unit(a), _parse_unit(b)]
    if None in parsed:
        return a.casefold() == b.casefold()
    # A factor beyond all numbers is equal to none.
    return a == b or bool(parsed[0] == parsed[1])


def _parse_unit(text: str) -> units.UnitBase | None:
    for spelling in (text, text.lower()):
        try:
            return units.Unit(spelling)
        except ValueError:
            continue
    return None


def common_unit(exposures: Sequence[Exposure]) -> str:
    """Return the unit of the files that tell it, as FITS can hold it; empty if none does.

    Warns
    -----
    CompareWarpWarning
        If some tell and others do not.
    """
    silent = [exposure for exposure in exposures if exposure.unit is None]
    unit = next((exposure.unit for exposure in exposures if exposure.unit is not None), "")
    if silent and unit:
        say(
            f"{silent[0].path}: no BUNIT ({len(silent)} of {len(exposures)} files have none): "
            f"taken to be in {unit} as the others"
        )
    return check_unit(unit)


def _check_wcs(exposures: Sequence[Exposure]) -> None:
    """Compare the pixel grids of all files that have a WCS with the first one's."""
    telling = [exposure for exposure in exposures if exposure.wcs is not None]
    for exposure in telling[1:]:
        separation = separation_in_pixels(telling[0].wcs, exposure.wcs, exposure.shape)
        if not separation <= WCS_TOLERANCE:
            raise StackError(
                f"{exposure.path}: its WCS is not that of {telling[0].path}: the same pixels lie "
                f"{separation:.3g} pixels apart on the sky; warps need one pixel grid"
            )
