"""Units as FITS can hold them."""

import pytest

from napari_comparewarp.algorithm.unit_text import MOST_LETTERS, check_unit
from napari_comparewarp.errors import StackError


@pytest.mark.parametrize("unit", ["", "nJy", "DN", "adu/sec!", "'ADU'", "10**-20 erg", "u" * 68])
def test_printable_ascii_is_left_as_it_is(unit):
    assert check_unit(unit) == unit


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("µJy", "uJy"), ("μJy", "uJy"), ("°", "deg"), ("Å", "Angstrom"), ("e⁻/s", "electron / s"),
        ("µJy/arcsec²", "uJy arcsec-2"), (" mJy ", "mJy"),
    ],
)  # fmt: skip
def test_other_letters_become_the_words_of_the_standard(unit, written):
    assert check_unit(unit) == written


@pytest.mark.parametrize(
    "unit", ["λ", "x\ny", "x\x1b[31m", "\udcff", "u" * (MOST_LETTERS + 1), 5, None]
)
def test_what_no_header_can_hold_is_refused_in_one_line(unit):
    with pytest.raises(StackError, match="FITS cannot hold it") as raised:
        check_unit(unit)
    assert str(raised.value).isprintable()
