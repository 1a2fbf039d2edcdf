"""The PSF that a warp's file carries."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from fits_files import SHAPE, write_lsst, write_stack

import napari_comparewarp as cw
from napari_comparewarp.algorithm.mask_planes import LSST_PLANES
from napari_comparewarp.algorithm.psf_kernels import psf_sigma, resample
from napari_comparewarp.errors import PsfError, StackError
from napari_comparewarp.io.describe import describe
from napari_comparewarp.io.pixels import read_pixels
from napari_comparewarp.io.scan import scan_exposure
from napari_comparewarp.simulation import simulate_night, write_night


def gaussian(size, sigma):
    """Return a round Gaussian image with the flux of 1, its centre in the middle."""
    axis = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    image = np.outer(axis, axis)
    return image / image.sum()


def add(path, hdu):
    """Append an HDU to a file."""
    fits.append(path, hdu.data, hdu.header)
    return path


def write_kernel(path, kernel, cards=None, sigma=None, **options):
    """Write a direct warp with an image HDU named PSF."""
    hdu = fits.ImageHDU(kernel, name="PSF")
    hdu.header.update(cards or {})
    return add(write_lsst(path, sigma=sigma, **options), hdu)


def psfex_table(images, **cards):
    """Return the table of a PSFEx model, as PSFEx lays it out."""
    hdu = fits.BinTableHDU(Table({"PSF_MASK": [images.astype(np.float32)]}), name="PSF_DATA")
    hdu.header.update(
        {
            "POLNAXIS": 2, "POLNGRP": 1, "POLDEG1": 1, "PSF_SAMP": 1.0,
            "POLNAME1": "X_IMAGE", "POLZERO1": 11.0, "POLSCAL1": 20.0,
            "POLNAME2": "Y_IMAGE", "POLZERO2": 6.0, "POLSCAL2": 10.0,
        }
    )  # fmt: skip
    hdu.header.update(cards)
    return hdu


def write_psfex(path, images, **cards):
    return add(write_lsst(path, sigma=None), psfex_table(images, **cards))


def psf_of(path):
    return read_pixels(scan_exposure(path), dict(LSST_PLANES)).psf


def test_a_file_that_says_nothing_has_no_psf(tmp_path):
    assert psf_of(write_lsst(tmp_path / "a.fits", sigma=None)) is None


def test_a_width_in_the_header_is_a_gaussian(tmp_path):
    psf = psf_of(write_lsst(tmp_path / "a.fits", sigma=1.8))
    assert psf_sigma(psf.kernel(3, 3)) == pytest.approx(1.8, rel=1e-6)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
def test_a_kernel_image_is_taken_as_it_is_and_normalised(tmp_path, dtype):
    kernel = (1000 * gaussian(15, 1.9)).astype(dtype)
    psf = psf_of(write_kernel(tmp_path / "a.fits", kernel, sigma=3.0))
    np.testing.assert_allclose(psf.kernel(0, 0), kernel / kernel.sum(dtype=float), rtol=1e-6)


def test_the_psf_of_a_matched_warp_is_not_read(tmp_path):
    path = write_kernel(tmp_path / "a.fits", np.zeros((4, 4)), kind="psfMatched", sigma=2.0)
    assert psf_of(path) is None


def test_kernels_on_a_grid_are_placed_by_their_cards(tmp_path):
    places = [(2, 25), (15, 5), (2, 5), (15, 25)]
    widths = [1.5, 2.5, 2.0, 3.0]
    fine = np.array([gaussian(101, 4 * sigma) for sigma in widths])
    cards = {f"DET_YX{k}": str((float(y), float(x))) for k, (y, x) in enumerate(places)}
    psf = psf_of(write_kernel(tmp_path / "a.fits", fine, cards | {"OVERSAMP": 4}))
    for (y, x), sigma in zip(places, widths, strict=True):
        assert psf_sigma(psf.kernel(y, x)) == pytest.approx(sigma, rel=1e-3)
    middle = psf_sigma(psf.kernel(8.5, 15))
    assert middle == pytest.approx(np.sqrt(np.mean(np.square(widths))), rel=1e-3)


def test_a_psfex_model_counts_pixels_from_one_and_x_first(tmp_path):
    # Its images are narrow at the zero point, and wider to the right.
    images = np.array([gaussian(25, 2.0), 0.5 * gaussian(25, 3.0), 0 * gaussian(25, 2.0)])
    psf = psf_of(write_psfex(tmp_path / "a.fits", images))
    np.testing.assert_allclose(psf.kernel(5, 10), gaussian(25, 2.0), atol=1e-6)
    there = images[0] + images[1]
    np.testing.assert_allclose(psf.kernel(5, 30), there / there.sum(), atol=1e-6)
    np.testing.assert_allclose(psf.kernel(15, 10), gaussian(25, 2.0), atol=1e-6)


def test_the_samples_of_a_psfex_model_become_pixels(tmp_path):
    images = np.array([gaussian(45, 4.0)] + [0 * gaussian(45, 4.0)] * 2)
    psf = psf_of(write_psfex(tmp_path / "a.fits", images, PSF_SAMP=0.5))
    assert psf.basis.shape[1:] == (23, 23)
    assert psf_sigma(psf.kernel(0, 0)) == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("axes", [2, 3])
def test_a_psfex_model_may_be_constant(tmp_path, axes):
    image = gaussian(25, 2.2)
    images = image if axes == 2 else image[np.newaxis]
    psf = psf_of(write_psfex(tmp_path / "a.fits", images, POLNAXIS=0))
    np.testing.assert_allclose(psf.kernel(9, 9), image, atol=1e-7)


@pytest.mark.parametrize(
    ("kernel", "cards", "message"),
    [
        (np.ones((4, 5)), {}, "4 x 5 pixels; it needs an odd number"),
        (np.zeros((5, 5)), {}, "sums to 0"),
        (np.ones(7), {}, "one kernel image, or some of them"),
        (None, {}, "it is empty"),
        (np.ones((2, 5, 5)), {}, "DET_YX0 = ''; each kernel has a card with its position"),
        (np.ones((1, 5, 5)), {"DET_YX0": "(1, a)"}, "DET_YX0 = '\\(1, a\\)'"),
        (np.ones((1, 5, 5)), {"DET_YX0": "(1, 2)"}, "OVERSAMP = None; the card must be there"),
        (np.ones((1, 5, 5)), {"DET_YX0": "(1, 2)", "OVERSAMP": -1}, "OVERSAMP = -1; it is"),
        (np.ones((1, 5, 5)), {"DET_YX0": "(1, 2)", "OVERSAMP": 0}, "OVERSAMP = 0"),
        (
            np.ones((1, 5, 5)),
            {"DET_YX0": "(1, 2)", "OVERSAMP": 1e-6},
            "5 samples of 1e.06 pixels; a",
        ),
        (np.ones((1, 5, 5)), {"DET_YX0": "(1, 2)", "OVERSAMP": 1e-300}, "at most 1201 pixels on a"),
        (
            np.ones((3, 5, 5)),
            {"DET_YX0": "(0, 0)", "DET_YX1": "(0, 9)", "DET_YX2": "(9, 0)", "OVERSAMP": 1},
            "do not make a rectangular grid",
        ),
    ],
)
def test_a_psf_image_that_cannot_be_meant_is_refused_with_its_hdu(tmp_path, kernel, cards, message):
    path = write_kernel(tmp_path / "a.fits", kernel, cards)
    with pytest.raises(StackError, match=f"a.fits, HDU PSF: .*{message}") as error:
        psf_of(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"POLDEG1": 2}, "3 images for a polynomial of degree 2, which has 6 terms"),
        ({"POLNAME1": "MAG_AUTO"}, "depends on MAG_AUTO, Y_IMAGE"),
        ({"POLNAXIS": 1}, "POLNAXIS = 1"),
        ({"POLNGRP": 2}, "only a polynomial in X_IMAGE and Y_IMAGE"),
        ({"PSF_SAMP": "fine"}, "PSF_SAMP = fine; the card must be there and hold a number"),
        ({"POLSCAL2": 0.0}, "scale of the polynomial is 0"),
    ],
)
def test_a_psfex_model_that_cannot_be_evaluated_is_refused(tmp_path, cards, message):
    path = write_psfex(tmp_path / "a.fits", np.ones((3, 5, 5)), **cards)
    with pytest.raises(StackError, match=f"HDU PSF_DATA: .*{message}"):
        psf_of(path)


def test_a_table_that_is_no_psfex_model_is_refused(tmp_path):
    hdu = fits.BinTableHDU(Table({"sigma": [1.0]}), name="PSF")
    with pytest.raises(StackError, match="one row with a column PSF_MASK"):
        psf_of(add(write_lsst(tmp_path / "a.fits"), hdu))


def test_a_width_that_no_kernel_can_have_is_refused(tmp_path):
    with pytest.raises(StackError, match=r"a\.fits: PSFSIGMA = 4000.0; .* at most 100"):
        psf_of(write_lsst(tmp_path / "a.fits", sigma=4000.0))


@pytest.mark.parametrize("sigma", [100.1, 1e9, 1e300])
def test_a_matched_width_beyond_all_kernels_is_refused_wherever_it_is_told(tmp_path, sigma):
    folder = write_stack(tmp_path / "stack", visits=(1, 2), sigma=sigma)
    with pytest.raises(StackError, match="at most 100"):
        cw.read_stack(folder)
    folder = write_stack(tmp_path / "other", visits=(1, 2), sigma=None)
    with pytest.raises(StackError, match="at most 100"):
        cw.read_stack(folder, psf_sigma=sigma)
    matched = "other/matched/psf_matched_warp_1.fits"
    for name, text in (
        ("list.csv", f"path,psf_sigma\n{matched},{sigma}\n"),
        ("list.toml", f"[[exposure]]\npath = '{matched}'\nvisit = 1\npsf_sigma = {sigma}\n"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(StackError, match="at most 100"):
            cw.read_stack(tmp_path / name)


def test_all_images_of_a_model_together_have_a_bound(monkeypatch):
    monkeypatch.setattr("napari_comparewarp.algorithm.psf_kernels._MOST_PIXELS", 1000)
    with pytest.raises(PsfError, match="1089 pixels in all its images; there may be 1000"):
        resample(np.ones((9, 11, 11)), 1.0)


def test_a_stack_has_the_psfs_of_its_direct_warps_in_their_order(tmp_path):
    folder = write_stack(tmp_path, visits=(1, 2, 3))
    write_kernel(folder / "direct" / "direct_warp_2.fits", gaussian(31, 3.0), visit=2, sigma=2.0)
    write_lsst(folder / "direct" / "direct_warp_3.fits", visit=3, sigma=None)
    psf = cw.read_stack(folder).psf
    assert [psf_sigma(model.kernel(0, 0)) for model in psf[:2]] == pytest.approx([2, 3], rel=1e-3)
    assert psf[2] is None


def test_the_coadd_of_files_has_a_psf(tmp_path):
    result = cw.run(cw.read_stack(write_stack(tmp_path, sigma=1.7)))
    assert psf_sigma(result.psf(SHAPE[0] // 2, 3)) == pytest.approx(1.7, rel=1e-6)


def test_a_simulated_night_comes_back_with_the_psfs_that_its_stars_have(tmp_path):
    night = simulate_night(2, (64, 64), seed=4)
    write_night(night, tmp_path)
    stack = cw.read_stack(tmp_path)
    for model, of_memory, kernel in zip(stack.psf, night.stack().psf, night.psf, strict=True):
        assert kernel.sum() == pytest.approx(1, abs=1e-4)
        np.testing.assert_allclose(model.kernel(0, 0), kernel / kernel.sum(dtype=float), rtol=1e-5)
        np.testing.assert_array_equal(model.kernel(0, 0), of_memory.kernel(0, 0))


def test_a_description_tells_what_the_psf_is(tmp_path):
    told = describe(write_kernel(tmp_path / "a.fits", gaussian(25, 2.0)))
    assert told["PSF"].startswith("one kernel, 25 x 25 pixels")
    assert told["PSF"].endswith("sigma 2.000 pixels")
    assert "PSF" not in describe(write_lsst(tmp_path / "b.fits", sigma=None))
