"""Mask planes as a picture."""

import numpy as np
import pytest

from napari_comparewarp.gui.layers.mask_picture import draw_mask
from napari_comparewarp.gui.layers.schemes import SCHEMES

PLANES = {"BAD": 0, "CR": 3, "HIGHEST": 30}
SCHEME = SCHEMES["LSST"]


def draw(value, opacity):
    return draw_mask(np.full((1, 1), value, np.int32), PLANES, SCHEME, opacity)[0, 0]


def test_a_pixel_without_planes_is_transparent():
    assert draw(0, {"BAD": 1.0})[3] == 0


def test_a_plane_has_its_colour_and_its_opacity():
    red, green, _, alpha = draw(1, {"BAD": 0.5})
    assert (red, alpha) == (255, 128)
    assert green < 100


def test_a_plane_that_is_not_shown_leaves_no_trace():
    np.testing.assert_array_equal(draw(1 | 8, {"BAD": 0.7}), draw(1, {"BAD": 0.7}))


def test_the_highest_bit_of_a_mask_can_be_shown():
    assert draw(1 << 30, {"HIGHEST": 1.0})[3] == 255


def test_two_planes_are_blended_like_two_glasses_over_each_other():
    bad, cosmic_ray = draw(1, {"BAD": 0.4}), draw(8, {"CR": 0.6})
    both = draw(1 | 8, {"BAD": 0.4, "CR": 0.6}) / 255
    alpha = 0.6 + 0.4 * 0.4
    colour = (cosmic_ray[:3] / 255 * 0.6 + bad[:3] / 255 * 0.4 * 0.4) / alpha
    assert both[3] == pytest.approx(alpha, abs=0.01)
    np.testing.assert_allclose(both[:3], colour, atol=0.01)
