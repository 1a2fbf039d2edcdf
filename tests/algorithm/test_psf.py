"""PSFs of single visits, and that of their coadd."""

import numpy as np
import pytest
from kernels import gaussian
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.psf import (
    FixedPsf,
    GriddedPsf,
    PolynomialPsf,
    as_psf,
    gaussian_psf,
    missing_psf,
)
from napari_comparewarp.algorithm.psf_kernels import (
    combine_kernels,
    psf_sigma,
    resample,
    sigma_of_moments,
)
from napari_comparewarp.errors import PsfError, StackError


def polynomial(degree=2):
    """Return a PSF that grows along x and is stretched along y."""
    n_terms = (degree + 1) * (degree + 2) // 2
    images = np.zeros((n_terms, 25, 25))
    images[0] = gaussian(25, 2.0)
    images[1] = 0.3 * gaussian(25, 3.0)
    images[degree + 1] = 0.2 * gaussian(25, 2.5, 1.5)
    return PolynomialPsf(images, degree, zero_y=30.0, zero_x=35.0, scale_y=60.0, scale_x=70.0)


def grid():
    """Return a PSF that is known at six positions."""
    widths = [[1.5, 2.0, 2.5], [1.8, 2.3, 2.8]]
    images = np.array([[7 * gaussian(31, sigma) for sigma in row] for row in widths])
    return GriddedPsf(images, np.array([10.0, 50.0]), np.array([5.0, 20.0, 60.0]))


MODELS = {
    "gaussian": gaussian_psf(1.7),
    "kernel": FixedPsf(5 * gaussian(21, 1.5, 2.5, shift=(0.3, -0.2))),
    "polynomial": polynomial(),
    "grid": grid(),
}


# --- widths ----------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_the_moments_of_a_model_are_those_of_its_kernels(model):
    y, x = np.array([0, 17, 33, 59]), np.array([0, 60, 5, 69])
    moments = model.moments(y, x)
    assert moments.shape == (6, 4)
    np.testing.assert_allclose(moments[0], 1, rtol=1e-12)
    kernels = [model.kernel(*place) for place in zip(y, x, strict=True)]
    assert all(kernel.sum() == pytest.approx(1, abs=1e-12) for kernel in kernels)
    np.testing.assert_allclose(
        sigma_of_moments(moments), [psf_sigma(kernel) for kernel in kernels], rtol=1e-10
    )
    offsets = np.arange(kernels[0].shape[0]) - kernels[0].shape[0] // 2
    means = [(kernel.sum(axis=1) @ offsets) for kernel in kernels]
    np.testing.assert_allclose(moments[1], means, atol=1e-12)


def test_the_terms_of_a_polynomial_go_by_x_first_then_by_y():
    u, v = 0.5, -0.25
    terms = polynomial(3).coefficients(30 + 60 * v, 35 + 70 * u)
    expected = [1, u, u**2, u**3, v, u * v, u**2 * v, v**2, u * v**2, v**3]
    np.testing.assert_allclose(terms, expected, rtol=1e-14)


def test_a_polynomial_psf_changes_with_the_position():
    model = polynomial()
    at_zero, to_the_right = model.kernel(30, 35), model.kernel(30, 105)
    np.testing.assert_allclose(at_zero, gaussian(25, 2.0), atol=1e-15)
    images = gaussian(25, 2.0) + 0.3 * gaussian(25, 3.0)
    np.testing.assert_allclose(to_the_right, images / images.sum(), atol=1e-15)


def test_a_model_without_light_has_no_kernel_and_no_moments():
    model = PolynomialPsf(
        np.stack([gaussian(9, 1.0), -gaussian(9, 1.0), 0 * gaussian(9, 1.0)]), 1, 0, 0, 1, 1
    )
    with pytest.raises(PsfError, match="sums to -1 at y=0, x=2"):
        model.kernel(0, 2)
    assert np.isnan(model.moments(0, 2)).all()


def test_between_the_positions_of_a_grid_kernels_are_interpolated():
    model = grid()
    for y, x, sigma in [(10, 5, 1.5), (50, 60, 2.8), (10, 20, 2.0)]:
        np.testing.assert_allclose(model.kernel(y, x), gaussian(31, sigma), atol=1e-15)
    halfway = (gaussian(31, 1.5) + gaussian(31, 1.8) + gaussian(31, 2.0) + gaussian(31, 2.3)) / 4
    np.testing.assert_allclose(model.kernel(30, 12.5), halfway, atol=1e-15)


def test_beyond_a_grid_the_psf_is_that_of_its_border():
    model = grid()
    np.testing.assert_array_equal(model.kernel(-100, 1000), model.kernel(10, 60))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: gaussian_psf(0),
            "sigma 0; it must be a number of pixels above 0",
        ),
        (lambda: gaussian_psf(np.nan), "sigma nan"),
        (lambda: gaussian_psf(1e6), "at most 100"),
        (lambda: as_psf("wide"), "'wide' is no PSF"),
        (lambda: as_psf(np.ones(5)), r"shape \(5,\); a kernel image has two axes"),
        (lambda: as_psf(np.ones((4, 5))), "4 x 5 pixels; it needs an odd number"),
        (lambda: as_psf(np.zeros((5, 5))), "sums to 0; it must be above 0"),
        (lambda: as_psf(np.full((5, 5), np.nan)), "not finite"),
        (lambda: resample(np.ones((5, 5)), 0), "step of 0"),
        (lambda: PolynomialPsf(np.ones((4, 3, 3)), 1, 0, 0, 1, 1), "degree 1, which has 3 terms"),
        (lambda: PolynomialPsf(np.ones((3, 3, 3)), 1, 0, 0, 0, 1), "scale of the polynomial is 0"),
        (lambda: PolynomialPsf(np.ones((3, 3, 3)), 1, 0, np.inf, 1, 1), "must be finite"),
        (lambda: GriddedPsf(np.ones((1, 1, 3, 3)), np.zeros(2), np.zeros(1)), "grid of"),
        (lambda: GriddedPsf(np.ones((2, 1, 3, 3)), np.zeros(2), np.zeros(1)), "finite and rise"),
        (lambda: GriddedPsf(np.zeros((1, 1, 3, 3)), np.zeros(1), np.zeros(1)), "kernel 0 sums to"),
    ],
)
def test_what_is_no_psf_is_refused_in_one_line(make, message):
    with pytest.raises(PsfError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_many_visits_without_a_psf_are_counted_after_the_first_few():
    assert missing_psf([7]) == "visit 7 has no PSF"
    assert missing_psf(["a", "b"]) == "visits a, b have no PSF"
    assert missing_psf(range(20)).endswith("7 and 12 more have no PSF")


# --- the PSF of a coadd ----------------------------------------------------------------

WIDTHS = (2.0, 3.0, 2.0, 2.0, 2.0, 2.0)
#: In the trail of epoch 1, and away from every flag.
TRAIL, CLEAR = (31, 50), (50, 50)


def run(psf, **options):
    """Run on six epochs, with a trail in the second."""
    return cw.run(cw.WarpStack.from_arrays(*planes(**options), psf_sigma=2.0, psf=psf))


def test_the_psf_of_a_coadd_is_the_weighted_mean_of_the_visits_that_went_in():
    result = run(WIDTHS)
    assert result.contributors(*CLEAR) == (0, 1, 2, 3, 4, 5)
    kernels = [gaussian_psf(sigma).kernel(0, 0) for sigma in WIDTHS]
    expected = combine_kernels(kernels, result.weights)
    np.testing.assert_allclose(result.psf(*CLEAR), expected, rtol=1e-14)
    variance = np.average(np.square(WIDTHS), weights=result.weights)
    assert psf_sigma(result.psf(*CLEAR)) == pytest.approx(np.sqrt(variance), rel=1e-6)


def test_clipping_the_visit_with_the_worst_seeing_narrows_the_psf():
    result = run(WIDTHS)
    assert 1 not in result.contributors(*TRAIL)
    assert psf_sigma(result.psf(*TRAIL)) == pytest.approx(2.0, rel=1e-6)
    assert psf_sigma(result.psf(*CLEAR)) > 2.1


def test_a_psf_that_changes_over_the_patch_is_taken_at_the_pixel():
    result = run([polynomial()] * 6)
    for y, x in (CLEAR, (10, 65)):
        np.testing.assert_allclose(result.psf(y, x), polynomial().kernel(y, x), rtol=1e-12)


def test_a_visit_without_a_psf_is_missed_only_where_it_contributes():
    result = run([2.0, None, 2.0, 2.0, 2.0, 2.0])
    assert psf_sigma(result.psf(*TRAIL)) == pytest.approx(2.0, rel=1e-6)
    with pytest.raises(PsfError, match="y=50, x=50: visit 1 has no PSF") as error:
        result.psf(*CLEAR)
    assert "\n" not in str(error.value)


def test_without_any_psf_all_visits_are_named():
    with pytest.raises(PsfError, match="visits 0, 1, 2, 3, 4, 5 have no PSF"):
        run(None).psf(*CLEAR)


def test_where_nothing_is_stacked_there_is_no_psf():
    with pytest.raises(PsfError, match="y=0, x=4: no visit contributes"):
        run(2.0).psf(0, 4)


@pytest.mark.parametrize(("y", "x"), [(-1, 5), (60, 5), (5, -1), (5, 70)])
def test_a_pixel_outside_the_patch_is_refused(y, x):
    with pytest.raises(IndexError, match="y from 0 to 59 and x from 0 to 69"):
        run(2.0).psf(y, x)


# --- giving PSFs to a stack --------------------------------------------------------------


def make_stack(psf):
    image, variance, _ = planes(n_epochs=3, shape=(50, 30))
    return cw.WarpStack.from_arrays(image, variance, psf_sigma=2.0, psf=psf)


def test_one_psf_may_stand_for_all_epochs_and_each_may_have_its_own():
    assert make_stack(None).psf == (None, None, None)
    assert [model.basis.shape for model in make_stack(1.5).psf] == [(1, 19, 19)] * 3
    kernel, model = gaussian(11, 1.2), gaussian_psf(3)
    psf = make_stack([kernel, None, model]).psf
    np.testing.assert_allclose(psf[0].kernel(0, 0), kernel, rtol=1e-12)
    assert psf[1:] == (None, model)
    widths = [psf_sigma(model.kernel(0, 0)) for model in make_stack(np.array([1.0, 2, 3])).psf]
    np.testing.assert_allclose(widths, [1, 2, 3], rtol=1e-6)


@pytest.mark.parametrize(
    ("psf", "message"),
    [
        ([1.0, 2.0], "psf has 2 entries; it must be one PSF, or one for each of the 3 epochs"),
        ([1.0, -2.0, 1.0], "psf of epoch 1: a Gaussian PSF of sigma -2"),
        ("wide", "psf of epoch 0: 'wide' is no PSF"),
    ],
)
def test_psfs_that_do_not_fit_a_stack_are_refused_in_one_line(psf, message):
    with pytest.raises(StackError, match=message) as error:
        make_stack(psf)
    assert "\n" not in str(error.value)
