"""How a knob is declared: its type, its metadata, and the words for a value that it cannot have."""

import math
import re
from typing import Annotated, Any, Literal, TypedDict

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationError

from ..errors import ConfigError
from .plane_names import check_plane_name
from .text_file import shown

__all__ = [
    "GROUPS",
    "LARGEST",
    "KnobFacts",
    "PlaneName",
    "PlaneNames",
    "Statistic",
    "Unlimited",
    "faults_in_words",
    "knob",
]

#: Words that a message shows without quotes.
_NAME = re.compile(r"\w{1,60}", re.ASCII)

#: Faults that one message names.
_MOST_FAULTS = 3

#: Titles of the groups in which forms show the knobs, in their order.
GROUPS = (
    "Detection", "Epoch count", "Bright sources", "Template and variance", "Coadd", "Streaks",
)  # fmt: skip


def knob(
    default: Any,
    title: str,
    *,
    stage: str,
    group: str,
    lsst: str | None = None,
    unit: str = "",
    help: str,
    **bounds: Any,
) -> Any:
    """Declare one field of the configuration.

    Parameters
    ----------
    default : object
        Value used by the current LSST pipelines.
    title : str
        Short label for a form.
    stage : str
        The stage that reads it first: changing the knob leaves every earlier
        stage valid.
    group : str
        One of `GROUPS`: where a form shows it.
    lsst : str, optional
        Name of the reference's option.
    unit : str, optional
        Unit of the value, empty for a pure number.
    help : str
        Meaning of the knob, for an astronomer.
    **bounds
        Passed to `pydantic.Field`: ``ge``, ``gt``, ``le``, ``lt``.
    """
    return Field(
        default,
        title=title,
        description=help,
        json_schema_extra={"stage": stage, "group": group, "lsst": lsst, "unit": unit},
        **bounds,
    )


class KnobFacts(TypedDict):
    """Metadata of a knob, besides its type, bounds and meaning."""

    stage: str
    group: str
    lsst: str | None
    unit: str


def _sequence_of_names(value: Any) -> Any:
    """Accept ``"BAD,SAT"`` and any sequence as a tuple of plane names."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    if isinstance(value, (list, set, frozenset)):
        return tuple(value)
    return value


#: Whole numbers are at most this; more pixels or epochs there are not.
LARGEST = 2**31 - 1


def _number(value: float) -> float:
    """Refuse what is not even equal to itself."""
    if math.isnan(value):
        raise ValueError("a number is needed")
    return value


def _as_json(value: float) -> float | str:
    """Return a number as JSON can hold it, which has no infinity; it is read as `float` does."""
    return value if math.isfinite(value) else repr(value)


PlaneName = Annotated[str, AfterValidator(check_plane_name)]
PlaneNames = Annotated[tuple[PlaneName, ...], BeforeValidator(_sequence_of_names)]
#: A number that may be infinite: no limit.
Unlimited = Annotated[
    float,
    Field(allow_inf_nan=True),
    AfterValidator(_number),
    PlainSerializer(_as_json, when_used="json"),
]
Statistic = Literal["MEAN", "MEANCLIP", "MEDIAN"]


def faults_in_words(error: ValidationError) -> str:
    """Return what is wrong with a config, in one line.

    Parameters
    ----------
    error : ValidationError
    """
    parts = []
    for item in error.errors():
        names = (part for part in item["loc"] if part != "[key]")
        name = ".".join(str(part) if _NAME.fullmatch(str(part)) else shown(part) for part in names)
        fault = item.get("ctx", {}).get("error")
        if item["type"] == "extra_forbidden":
            parts.append(f"no knob {shown(item['loc'][-1])}")
        elif isinstance(fault, ConfigError):
            parts.append(f"{name}: {fault}")
        else:
            reason = item["msg"].removeprefix("Value error, ").lower()
            parts.append(f"{name} = {shown(item['input'])}: {reason}")
    more = f"; and {len(parts) - _MOST_FAULTS} more" if len(parts) > _MOST_FAULTS else ""
    return "config: " + "; ".join(parts[:_MOST_FAULTS]) + more
