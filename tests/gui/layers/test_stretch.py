"""Curves and limits of pictures of the sky."""

import numpy as np
import pytest
from astropy.visualization import ZScaleInterval

from napari_comparewarp.gui.layers.stretch import CURVES, ENTRIES, LIMITS, Stretch


@pytest.fixture
def image():
    rng = np.random.default_rng(1)
    image = rng.normal(10, 2, (300, 200)).astype(np.float32)
    image[100:105, 50:55] = 5000
    image[0] = np.nan
    return image


@pytest.mark.parametrize("curve", CURVES)
def test_a_curve_goes_from_black_to_white_and_never_back(curve):
    grey = Stretch(curve).colormap().colors[:, 0]
    assert len(grey) == ENTRIES
    assert grey[0] == pytest.approx(0, abs=1e-6)
    assert grey[-1] == pytest.approx(1)
    assert (np.diff(grey) >= 0).all()


def test_asinh_lifts_what_is_faint():
    tenth = ENTRIES // 10
    asinh, linear = (Stretch(c).colormap().colors[tenth, 0] for c in ("asinh", "linear"))
    assert asinh > 2 * linear


def test_linear_limits_are_those_of_zscale(image):
    finite = image[np.isfinite(image)]
    expected = ZScaleInterval(n_samples=10_000).get_limits(finite)
    assert Stretch("linear", "zscale").limits_of(image) == pytest.approx(expected)


def test_the_sky_is_dark_and_a_source_is_not_white_at_once_with_asinh(image):
    low, high = Stretch("asinh", "zscale").limits_of(image)
    grey = Stretch("asinh").colormap().colors[:, 0]
    sky = np.interp((10 - low) / (high - low), np.linspace(0, 1, ENTRIES), grey)
    assert 0.05 < sky < 0.35


@pytest.mark.parametrize("limits", LIMITS)
def test_limits_are_finite_and_in_order_for_any_image(image, limits):
    for values in (image, np.full((5, 5), np.nan), np.full((5, 5), 3.0)):
        low, high = Stretch("asinh", limits).limits_of(values)
        assert np.isfinite((low, high)).all()
        assert low < high
