"""Marking bright objects on a coadd."""

import numpy as np
import pytest

from napari_comparewarp.algorithm.bright_objects import mark_bright_objects
from napari_comparewarp.algorithm.coadd import Coadd
from napari_comparewarp.algorithm.mask_planes import LSST_PLANES


def coadd(planes=LSST_PLANES):
    plane = np.zeros((4, 5), np.float32)
    mask = np.arange(20, dtype=np.int32).reshape(4, 5)
    return Coadd(plane, plane, mask, plane.astype(np.uint16), dict(planes))


def test_a_plane_is_set_inside_and_nothing_else_changes():
    where = np.zeros((4, 5), np.bool_)
    where[1:3, 2:] = True
    before = coadd()
    after = mark_bright_objects(before, where, "BRIGHT_OBJECT")
    bit = 1 << after.mask_planes["BRIGHT_OBJECT"]
    np.testing.assert_array_equal(after.mask & bit != 0, where)
    np.testing.assert_array_equal(after.mask & ~bit, before.mask)
    assert "BRIGHT_OBJECT" not in before.mask_planes
    assert after.image is before.image


def test_a_plane_that_is_there_keeps_its_bit():
    after = mark_bright_objects(coadd(), np.ones((4, 5), np.bool_), "SAT")
    assert after.mask_planes == LSST_PLANES
    assert (after.mask >> LSST_PLANES["SAT"] & 1).all()


def test_another_shape_or_a_full_mask_is_refused():
    with pytest.raises(ValueError, match=r"shape \(3, 5\) where the coadd has \(4, 5\)"):
        mark_bright_objects(coadd(), np.ones((3, 5), np.bool_), "SAT")
    full = {f"P{bit}": bit for bit in range(31)}
    with pytest.raises(ValueError, match="NEW"):
        mark_bright_objects(coadd(full), np.ones((4, 5), np.bool_), "NEW")
