"""Kernels of PSFs as images."""

import numpy as np
import pytest
from kernels import gaussian

from napari_comparewarp.algorithm.psf import (
    FixedPsf,
    gaussian_psf,
)
from napari_comparewarp.algorithm.psf_kernels import (
    combine_kernels,
    psf_fwhm,
    psf_sigma,
    resample,
)


@pytest.mark.parametrize("sigma", [0.8, 2.0, 7.3])
def test_a_gaussian_has_the_width_that_it_was_given(sigma):
    kernel = gaussian_psf(sigma).kernel(0, 0)
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    assert psf_sigma(kernel) == pytest.approx(sigma, rel=1e-4)
    assert psf_fwhm(kernel) == pytest.approx(2.354820045 * sigma, rel=1e-4)


def test_the_width_of_an_elliptical_psf_is_the_geometric_mean_of_its_axes():
    assert psf_sigma(gaussian(61, 2.0, 4.5)) == pytest.approx(3.0, rel=1e-6)


def test_a_psf_that_is_off_its_centre_is_not_wider_for_it():
    assert psf_sigma(gaussian(41, 2.0, shift=(1.5, -0.7))) == pytest.approx(2.0, rel=1e-6)


def test_a_kernel_whose_moments_make_no_ellipse_has_no_width():
    kernel = np.zeros((5, 5))
    kernel[2, 2], kernel[2, 0], kernel[2, 4] = 2.0, -0.5, -0.5
    kernel[0, 2] = kernel[4, 2] = 0.5
    assert np.isnan(psf_sigma(kernel))


# --- means -----------------------------------------------------------------------------


def test_the_mean_of_gaussians_has_the_weighted_mean_of_their_variances():
    widths, weights = np.array([1.5, 2.5, 4.0]), np.array([3.0, 1.0, 0.5])
    mean = combine_kernels([gaussian_psf(sigma).kernel(0, 0) for sigma in widths], weights)
    assert mean.sum() == pytest.approx(1, abs=1e-12)
    expected = np.sqrt(np.average(widths**2, weights=weights))
    assert psf_sigma(mean) == pytest.approx(expected, rel=1e-6)


def test_kernels_of_other_sizes_are_put_centre_on_centre():
    small, large = np.ones((1, 3)) / 3, np.zeros((5, 1))
    large[2] = 1
    mean = combine_kernels([small, large], [1, 3])
    expected = np.zeros((5, 3))
    expected[2] = [1 / 12, 1 / 12 + 3 / 4, 1 / 12]
    np.testing.assert_allclose(mean, expected, rtol=1e-14)


# --- models ----------------------------------------------------------------------------


@pytest.mark.parametrize("step", [0.25, 0.5, 0.7, 1.0])
def test_samples_become_pixels(step):
    half = int(15 / step)
    fine = gaussian(2 * half + 1, 2.0 / step)
    kernel = FixedPsf(resample(fine, step)).kernel(0, 0)
    assert kernel.shape[0] % 2 == 1
    np.testing.assert_allclose(kernel, gaussian(kernel.shape[0], 2.0), atol=2e-5)


def test_samples_without_one_in_the_middle_become_pixels_too():
    axis = np.exp(-0.5 * ((np.arange(80) - 39.5) / 8) ** 2)
    kernel = FixedPsf(resample(np.outer(axis, axis), 0.25)).kernel(0, 0)
    np.testing.assert_allclose(kernel, gaussian(kernel.shape[0], 2.0), atol=2e-6)
