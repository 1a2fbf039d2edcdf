"""A value that does not fit is named with its place and what would."""

import os
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field

from napari_comparewarp.config.fields import PathText, Pixel, Positive, check_path, checked
from napari_comparewarp.errors import StackError


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    width: Annotated[Positive | None, Field(description="a width in pixels, above 0")]
    at: tuple[Pixel, Pixel] = (0, 0)
    id: int | str = 0


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    parts: list[Part] = []
    by_name: dict[str, Part] = {}
    path: PathText = "a"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"parts": [{"width": 1}, {"width": -1}]}, "parts[1].width = -1; a width in pixels, above"),
        ({"parts": [{"width": "2"}]}, "parts[0].width = '2'; a width in pixels, above 0"),
        ({"parts": [{"width": True}]}, "parts[0].width = True; a width in pixels, above 0"),
        ({"parts": [{}]}, "parts[0].width: field required, and not there; a width in pixels"),
        ({"parts": [3]}, "parts[0] = 3; a table with width, at, id"),
        ({"parts": {}}, "parts = {}; input should be a valid list"),
        ({"parts": [{"width": 1, "id": 2.5}]}, "parts[0].id = 2.5; input should be a valid int"),
        (
            {"parts": [{"width": 1, "x": 0}]},
            "parts[0].x: extra inputs are not permitted; there are width, at, id",
        ),
        ({"zoo\n": 1}, r"'zoo\n': extra inputs are not permitted; there are parts, by_name, path"),
        ({"by_name": {"a b": {"width": 0}}}, "by_name.a b.width = 0; "),
        ({"path": ""}, "path = ''; the path of a file or folder, not an empty text"),
        ([1], "the whole = [1]; a table with parts, by_name, path"),
    ],
)  # fmt: skip
def test_the_place_and_what_would_be_accepted_are_said(content, message):
    with pytest.raises(StackError) as error:
        checked(Whole, content, StackError, "a.json")
    assert str(error.value).startswith(f"a.json: {message}")


@pytest.mark.parametrize("text", ["", "a\0b", "x" * 256, "a/" * 3000, "\ud800", "é" * 128])
def test_what_can_be_no_path_is_refused(text):
    with pytest.raises(ValueError, match="path"):
        check_path(text)


@pytest.mark.parametrize(
    "text", ["a", "../b", "/c", "é" * 127, "a\nb", " ", os.fsdecode(b"caf\xe9"), "a" * 255]
)
def test_what_a_disk_may_hold_is_a_path(text):
    assert check_path(text) == text
