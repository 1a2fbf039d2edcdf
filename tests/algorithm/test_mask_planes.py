"""Mask planes go by name."""

import pytest

from napari_comparewarp.algorithm.mask_planes import LSST_PLANES, add_planes, bits, decode


def test_names_that_do_not_exist_are_no_bits():
    assert bits({"BAD": 0, "SAT": 3}, ["SAT", "BAD", "NOWHERE"]) == 0b1001


def test_new_planes_take_the_lowest_free_bits():
    planes = add_planes({"A": 0, "B": 2}, ["B", "C", "D"])
    assert planes == {"A": 0, "B": 2, "C": 1, "D": 3}


def test_a_mask_has_room_for_31_planes():
    full = add_planes({}, [f"P{i}" for i in range(31)])
    with pytest.raises(ValueError, match="no room for mask plane 'MORE'"):
        add_planes(full, ["MORE"])


def test_a_value_is_decoded_to_names_in_the_order_of_bits():
    assert decode(LSST_PLANES, bits(LSST_PLANES, ["NO_DATA", "BAD"])) == ("BAD", "NO_DATA")
    assert decode(LSST_PLANES, 0) == ()
