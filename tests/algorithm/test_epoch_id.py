"""What the id of an epoch may be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_comparewarp.algorithm.epoch_id import (
    MOST_LETTERS,
    as_id_text,
    check_epoch_id,
    check_epoch_ids,
    epoch_array,
)
from napari_comparewarp.errors import StackError


@pytest.mark.parametrize(
    "value",
    [
        0,
        -5,
        2**63 - 1,
        -(2**63),
        "a",
        "007",
        "M31 a/b*c",
        "Ωé 日本",
        "<b>'\"&%}\\",
        "x" * MOST_LETTERS,
    ],
)
def test_whole_numbers_and_printable_texts_are_ids(value):
    assert check_epoch_id(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "", " ", " a", "a ", "a\nb", "a\tb", "a\x1b[31mb", "a\0", "a\u202eb", "a\u2028b", "\ud800",
        "x" * (MOST_LETTERS + 1), 2**63, -(2**63) - 1, pytest.param(10**5000, id="10**5000"), True,
        1.0, float("nan"), None, b"a", (1, 2), np.float32(3), np.bool_(True), object(),
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(value):
    with pytest.raises(StackError, match="an id is a whole number of 64 bits, or a") as raised:
        check_epoch_id(value)
    assert str(raised.value).isprintable() and len(str(raised.value)) < 250


def test_ids_of_arrays_become_plain_ones():
    assert type(check_epoch_id(np.int32(5))) is int
    assert type(check_epoch_id(np.str_("a"))) is str


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 2, 1], "epoch 1 is there twice"),
        ([5, "5"], "epochs 5 and '5' read the same"),
        (["é", r"\xe9"], r"epochs 'é' and '\\\\xe9' read the same"),
    ],
)
def test_ids_that_a_table_could_not_tell_apart_are_refused(ids, message):
    with pytest.raises(StackError, match=message):
        check_epoch_ids("epochs", ids)


def test_an_array_of_ids_holds_numbers_where_all_are():
    assert epoch_array([1, -(2**63), 2**63 - 1]).dtype == np.int64
    assert epoch_array([1, "a"]).tolist() == ["1", "a"]


@given(st.text(min_size=1))
def test_any_name_of_a_file_makes_an_id_or_nothing(text):
    made = as_id_text(text)
    assert made == "" or len(made) > MOST_LETTERS or check_epoch_id(made) == made
    assert not text.isprintable() or made == text.strip()
