"""What the fields of a file may hold, and the one line that says which does not."""

import os
import typing
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo

from ..errors import CompareWarpError
from .text_file import place_in_words, shown

__all__ = ["PathText", "Pixel", "Positive", "check_path", "checked", "first_fault"]

Model = TypeVar("Model", bound=BaseModel)

#: Bytes that the systems allow in a name, and in a path.
_LONGEST_NAME, _LONGEST_PATH = 255, 4095


def check_path(text: str) -> str:
    """Return a text that can be the path of a file.

    Parameters
    ----------
    text : str

    Raises
    ------
    ValueError
        In one line.
    """
    if not text:
        raise ValueError("the path of a file or folder, not an empty text")
    if "\0" in text:
        raise ValueError("a path cannot hold a character 0")
    try:
        path = os.fsencode(text)
    except UnicodeEncodeError:
        raise ValueError("a path cannot hold half a character") from None
    if len(path) > _LONGEST_PATH or max(map(len, path.split(b"/"))) > _LONGEST_NAME:
        raise ValueError(
            f"a path has names of at most {_LONGEST_NAME} bytes, {_LONGEST_PATH} in all"
        )
    return text


#: A text that can be the path of a file.
PathText = Annotated[str, AfterValidator(check_path)]

#: A number that is finite and above 0.
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

#: The index of a pixel along an axis.
Pixel = Annotated[int, Field(ge=0, lt=2**31)]


def checked(
    model: type[Model],
    content: Any,
    error: type[CompareWarpError],
    where: object,
    place: Callable[[tuple[str | int, ...]], str] = place_in_words,
) -> Model:
    """Return the content of a file as a model.

    Parameters
    ----------
    model : type of BaseModel
    content : object
        As read from JSON or TOML.
    error : type of CompareWarpError
        What is raised where it does not fit.
    where : object
        Stands before the message, such as the path of the file.
    place : callable
        Returns the words for the place of a value.
    """
    try:
        return model.model_validate(content)
    except ValidationError as failure:
        raise error(f"{where}: {first_fault(failure, model, content, place)}") from failure


def first_fault(
    error: ValidationError,
    model: type[BaseModel],
    content: Any,
    place: Callable[[tuple[str | int, ...]], str] = place_in_words,
) -> str:
    """Say in one line what is wrong first, as ``inputs[3].psf_sigma = -1; a width above 0``.

    What would be accepted is the description of the field, where it has one.

    Parameters
    ----------
    error : ValidationError
    model : type of BaseModel
        What was asked for.
    content : object
        What was there.
    place : callable
        Returns the words for the place of a value.
    """
    first = error.errors(include_url=False)[0]
    where, owner, annotation, description = _follow(first["loc"], model, content)
    words = place(where) or "the whole"
    if first["type"] == "missing":
        known = f"; {description}" if description else ""
        return f"{words}: field required, and not there{known}"
    if first["type"] == "extra_forbidden":
        known = ", ".join(owner.model_fields)
        return f"{words}: extra inputs are not permitted; there are {known}"
    text = first["msg"].removeprefix("Value error, ")
    if first["type"] == "model_type" and (inner := _model_in(annotation)) is not None:
        text = f"a table with {', '.join(inner.model_fields)}"
    accepted = description or text[:1].lower() + text[1:]
    return f"{words} = {shown(first['input'])}; {accepted}"


def _follow(
    loc: tuple[str | int, ...], model: type[BaseModel], content: Any
) -> tuple[tuple[str | int, ...], type[BaseModel], Any, str]:
    """Return the place of a fault, the model that has it, its type there, and that in words."""
    where: list[str | int] = []
    annotation: Any = model
    owner, description = model, ""
    for part in loc:
        if not _has(content, part):
            if isinstance(content, dict) and part == loc[-1]:
                # A key that is missing; else the name of one of several types.
                where.append(part)
                description = _described(annotation, part)[1]
            break
        where.append(part)
        content = content[part]
        inner = _model_in(annotation)
        if inner is not None:
            owner = inner
        if inner is not None and isinstance(part, str):
            annotation, description = _described(inner, part)
    return tuple(where), owner, annotation, description


def _has(content: Any, part: str | int) -> bool:
    if isinstance(content, list):
        return isinstance(part, int) and part < len(content)
    return isinstance(content, dict) and part in content


def _described(model: Any, name: str | int) -> tuple[Any, str]:
    """Return the type of a field, and what it may hold in words."""
    inner = _model_in(model)
    field = None if inner is None else inner.model_fields.get(str(name))
    if field is None:
        return None, ""
    return field.annotation, field.description or _words_in(field.annotation)


def _words_in(annotation: Any) -> str:
    """Return the description that stands within a type, as in ``Described | None``."""
    for part in typing.get_args(annotation):
        words = part.description if isinstance(part, FieldInfo) else _words_in(part)
        if words:
            return words
    return ""


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model in a type such as ``list[Model]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = (_model_in(part) for part in typing.get_args(annotation))
    return next((each for each in models if each is not None), None)
