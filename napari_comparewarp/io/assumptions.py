"""What files do not say and the user does: one value each, and what it means."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ..config.text_file import shown, worded
from ..errors import StackError

__all__ = ["Assumptions"]

#: What a plane beside the image may hold, as the user says it.
SpreadWord = Literal["variance", "error", "inverse-variance", "relative", "sky"]


def _no_switch(value: Any) -> Any:
    """Refuse true and false where a number is meant, which counts them as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a number, not a switch")
    return value


#: A number, or the text of one.
_Number = Annotated[float, BeforeValidator(_no_switch), Field(allow_inf_nan=False)]


class Assumptions(BaseModel):
    """What is assumed of files, as ``--assume NAME=VALUE`` says it.

    What is left out is taken from the files, or measured, and said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dialect: Annotated[
        str | None, Field(description="name of a dialect, or a TOML file with one of your own")
    ] = None
    detector: Annotated[
        str | None,
        Field(description="which image of a file with several: its EXTNAME, EXTVER or HDU"),
    ] = None
    variance: Annotated[
        SpreadWord | None,
        Field(description="what the plane with the variance holds; sky: measure the noise"),
    ] = None
    mask: Annotated[
        Literal["bad", "good", "ignore"] | None,
        Field(description="what a value that is not 0 means in a mask whose flags have no names"),
    ] = None
    gain: Annotated[
        _Number | None,
        Field(gt=0, description="electrons a unit of the image, for images without a variance"),
    ] = None
    read_noise: Annotated[
        _Number | None, Field(ge=0, description="electrons, for images without a variance")
    ] = None
    sky: Annotated[
        Literal["auto", "subtract", "keep"],
        Field(description="subtract a sky that was left in: where it is found, always, or never"),
    ] = "auto"
    zero_point: Annotated[
        Literal["scale", "ignore"],
        Field(description="bring all to one zero point or exposure time, or leave them"),
    ] = "scale"
    filters: Annotated[
        Literal["same", "any"],
        Field(description="whether exposures of different filters are refused"),
    ] = "same"
    noise: Annotated[
        Literal["check", "ignore"],
        Field(description="whether a variance that contradicts the scatter is refused"),
    ] = "check"

    @classmethod
    def of(cls, given: "Assumptions | Mapping[str, Any] | Iterable[str] | None") -> "Assumptions":
        """Return assumptions from a mapping, or from words such as ``sky=keep``.

        Raises
        ------
        StackError
            If a name or a value is not known.
        """
        if isinstance(given, Assumptions):
            return given
        if given is None:
            return cls()
        if not isinstance(given, Mapping):
            pairs = {}
            for word in given:
                name, sign, value = str(word).partition("=")
                if not sign:
                    raise StackError(f"assume {shown(word)}; write NAME=VALUE, such as sky=keep")
                pairs[name.strip().replace("-", "_")] = value.strip()
            given = pairs
        try:
            return cls.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            if name not in cls.model_fields:
                known = ", ".join(cls.model_fields)
                raise StackError(
                    f"assume {worded(name)}: not known; it is one of {known}"
                ) from error
            raise StackError(
                f"assume {name} = {shown(first['input'])}: "
                f"{first['msg'].removeprefix('Value error, ')}"
            ) from error

    def told(self) -> dict[str, Any]:
        """Return what differs from the defaults, for files."""
        return self.model_dump(exclude_defaults=True)
