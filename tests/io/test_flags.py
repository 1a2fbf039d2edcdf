"""Flags by name, however a file names them."""

import numpy as np
import pytest
from astropy.io.fits import Header

from napari_comparewarp.algorithm.mask_planes import LSST_PLANES
from napari_comparewarp.io.flags import (
    UNNAMED,
    Flags,
    flags_in_comments,
    flags_in_header,
    renumber,
)


def numbers(**more):
    return {**LSST_PLANES, **more}


@pytest.mark.parametrize(
    "cards",
    [
        {"MP_SAT": 3, "MP_CR": 31},
        {"MSKN0000": "SAT", "MSKM0000": 8, "MSKN0001": "CR", "MSKM0001": 1 << 31},
        {"MSKNUM": 2, "MSKNAM00": "SAT", "MSKVAL00": 8, "MSKNAM01": "CR", "MSKVAL01": 1 << 31},
    ],
)
def test_all_ways_to_name_planes_in_cards_mean_the_same(cards):
    flags = flags_in_header(Header(cards))
    assert flags.names == {3: ("SAT",), 31: ("CR",)}
    assert flags.is_named and flags.declared
    mask, unknown = renumber(np.array([[8, -(2**31), 0]], np.int32), flags, numbers())
    assert unknown == ()
    assert mask.tolist() == [[1 << LSST_PLANES["SAT"], 1 << LSST_PLANES["CR"], 0]]


def test_names_of_a_dialect_become_planes():
    cards = Header({"MSKNAM00": "BLANK", "MSKVAL00": 1, "MSKNAM01": "Conv. poor", "MSKVAL01": 2})
    assert flags_in_header(cards, {"BLANK": "NO_DATA"}).names == {
        0: ("NO_DATA",), 1: ("CONV_POOR",)
    }  # fmt: skip


@pytest.mark.parametrize("value", [0, 3, -1, "x"])
def test_a_value_that_is_no_single_bit_is_refused(value):
    with pytest.raises(ValueError, match=r"MSKVAL00 = .*; the value of a mask plane is a power"):
        flags_in_header(Header({"MSKNAM00": "SAT", "MSKVAL00": value}))


def test_comments_of_bit_cards_are_names_where_a_dialect_says_so():
    header = Header()
    header["BIT00"] = (0, "AIRCRAFT/SATELLITE TRACK")
    header["BIT12"] = (12, "Halo from bright source")
    header["BITPIX"] = (16, "not one of them")
    flags = flags_in_comments(header, {"AIRCRAFT": "STREAK"})
    assert flags.names == {0: ("STREAK",), 12: ("HALO_FROM_BRIGHT_SOURCE",)}
    assert not flags_in_comments(Header(), {}).is_named


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i2", ">u4", "<i4", ">i8", "?"])
def test_masks_of_every_type_and_byte_order_are_renumbered(dtype):
    values = np.array([[1, 0]], dtype)
    mask, _ = renumber(values, Flags({0: ("CR",)}, source="x"), numbers())
    assert mask.dtype == np.int32
    assert mask.tolist() == [[1 << LSST_PLANES["CR"], 0]]


def test_one_flag_may_set_two_planes_and_two_flags_one():
    flags = Flags({0: ("SAT", "BLEED"), 1: ("SAT",)}, source="x")
    planes = numbers()
    mask, _ = renumber(np.array([[1, 2, 3]], np.uint8), flags, planes)
    sat, bleed = 1 << planes["SAT"], 1 << planes["BLEED"]
    assert mask.tolist() == [[sat | bleed, sat, sat | bleed]]


def test_codes_are_no_bits():
    flags = Flags({1: ("BAD",), 3: ("SAT",)}, are_codes=True, source="x")
    planes = numbers()
    mask, unknown = renumber(np.array([[1, 3, 2, 0]], np.int32), flags, planes)
    assert unknown == ("DQ_CODE_2",)
    assert mask.tolist() == [
        [1 << planes["BAD"], 1 << planes["SAT"], 1 << planes["DQ_CODE_2"], 0]
    ]  # fmt: skip


def test_flags_without_names_are_kept_unless_the_coadd_needs_their_room():
    planes = numbers()
    _, unknown = renumber(np.array([[1 << 20]], np.int32), Flags({}, source="x"), planes)
    assert unknown == ("DQ_BIT_20",)
    assert "DQ_BIT_20" in planes
    full = numbers(**{f"P{bit}": bit for bit in range(9, 27)})
    mask, unknown = renumber(np.array([[1 << 20]], np.int32), Flags({}, source="x"), full)
    assert unknown == ("DQ_BIT_20 (left out: no room for its plane)",)
    assert mask.tolist() == [[0]]


def test_where_nothing_has_a_name_all_is_bad():
    mask, unknown = renumber(np.array([[0, 4, -1]], np.int16), UNNAMED, numbers())
    assert mask.tolist() == [[0, 1, 1]] and unknown == ()
