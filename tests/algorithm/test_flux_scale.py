"""The scale of the numbers changes nothing but the scale of the coadd."""

import numpy as np
import pytest
from astropy.io import fits
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.flux_scale import flux_scale, scaled_unit, unscaled_unit
from napari_comparewarp.errors import CompareWarpWarning

IMAGE, VARIANCE, _ = planes(n_epochs=5, shape=(60, 50))
IMAGE[1, 30:33] += 150


def run(scale):
    stack = cw.WarpStack.from_arrays(
        IMAGE.astype(float) * scale, VARIANCE.astype(float) * scale**2, psf_sigma=2.0, unit="erg"
    )
    return cw.run(stack)


@pytest.mark.parametrize("exponent", [-48, -20, 20, 48])
def test_numbers_within_single_precision_give_the_same_bits(exponent):
    result, plain = run(2.0**exponent), run(1.0)
    assert result.coadd.flux_scale == 1
    np.testing.assert_array_equal(result.coadd.image / np.float32(2.0**exponent), plain.coadd.image)
    np.testing.assert_array_equal(result.coadd.mask, plain.coadd.mask)


@pytest.mark.parametrize("scale", [1e-20, 1e-24, 1e-120, 1e22])
def test_numbers_beyond_it_are_kept_in_another_unit_and_written_in_their_own(tmp_path, scale):
    with pytest.warns(CompareWarpWarning, match="kept in units of 1e"):
        result = run(scale)
    plain = run(1.0).coadd
    sigma = np.sqrt(plain.variance)
    result.write(tmp_path / "c.fits")
    with fits.open(tmp_path / "c.fits") as file:
        assert file["IMAGE"].header["BUNIT"] == "erg"
        off = np.abs(file["IMAGE"].data / scale - plain.image)
        assert np.nanmax(off) < 1e-4 * np.nanmin(sigma)
        np.testing.assert_array_equal(np.isnan(off), np.isnan(plain.image))
        np.testing.assert_allclose(file["VARIANCE"].data / scale**2, plain.variance, rtol=1e-5)
    np.testing.assert_array_equal(result.coadd.mask, plain.mask)


def test_the_unit_says_the_power_of_ten():
    assert flux_scale(3.2e-20) == 1e-20
    assert flux_scale(5.0) == flux_scale(np.nan) == flux_scale(0) == flux_scale(np.inf) == 1
    assert scaled_unit("erg", 1e-20) == "1e-20 erg"
    assert scaled_unit("", 1e-20) == "1e-20"
    for unit in ("erg", "", "1e-3 Jy"):
        assert unscaled_unit(scaled_unit(unit, 1e-20), 1e-20) == unit
        assert unscaled_unit(unit, 1.0) == unit
