"""The mesh of a background, and what is splined through it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import Akima1DInterpolator

from napari_comparewarp.algorithm.background import measure_background, mesh_edges


def background(image, mask=None, bad=0, cell=16):
    mask = np.zeros(image.shape, np.int32) if mask is None else mask
    return measure_background(image.astype(np.float32), mask, bad, cell).image()


@given(st.integers(1, 3000), st.integers(2, 200))
def test_an_axis_is_cut_into_nearly_equal_cells(size, cell):
    edges = mesh_edges(size, cell)
    widths = np.diff(edges)
    assert edges[0] == 0
    assert edges[-1] == size
    assert len(widths) == -(-size // cell)
    assert widths.max() - widths.min() <= 1
    assert widths.max() <= cell


@pytest.mark.parametrize("shape", [(16, 16), (40, 100), (130, 90)])
def test_a_constant_is_its_own_background(shape):
    np.testing.assert_array_equal(background(np.full(shape, 7.25)), np.float32(7.25))


def test_a_plane_is_its_own_background_between_the_outer_centres():
    y, x = np.mgrid[:160, :200]
    plane = 3.0 + 0.05 * y - 0.02 * x
    found = background(plane)
    np.testing.assert_allclose(found[8:-8, 8:-8], plane[8:-8, 8:-8], atol=2e-5)


def test_rows_of_cells_are_joined_by_an_akima_spline():
    heights = np.array([0.0, 1.0, 4.0, 2.0, 0.0, 5.0, 1.0])
    image = np.repeat(heights, 16)[:, np.newaxis] * np.ones((1, 16))
    centres = np.arange(7) * 16 + 7.5
    found = background(image)[8:104, 3]
    expected = Akima1DInterpolator(centres, heights)(np.arange(8, 104))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_stars_and_flagged_pixels_do_not_enter():
    rng = np.random.default_rng(3)
    image = rng.normal(100, 1, (128, 128))
    mask = np.zeros(image.shape, np.int32)
    image[20:24, 30:34] += 1e5
    mask[60:90, 60:90] = 4
    image[60:90, 60:90] += 50
    found = background(image, mask, bad=4)
    assert np.abs(found - 100).max() < 1.5
    assert background(image, mask, bad=0)[75, 75] > 140


def test_a_cell_without_values_is_bridged_and_nothing_but_nan_is_nan():
    image = np.full((96, 96), 5.0)
    image[32:48, 32:48] = np.nan
    np.testing.assert_allclose(background(image), 5.0)
    assert np.isnan(background(np.full((40, 40), np.nan))).all()
