"""The debug products of a run."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from matplotlib.image import imread
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw
from napari_comparewarp.colours import COUNT_LIMIT
from napari_comparewarp.errors import OutputError
from napari_comparewarp.report.pictures import (
    draw_coadds,
    draw_epoch_count,
    sky_stretch,
    write_debug_products,
)

NAMES = {
    "epoch_count.fits", "template.png", "difference.png", "differences.png", "epoch_count.png",
    "clipped.png", "coadd.png",
}  # fmt: skip


def sky_wcs():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (150, 2), (35, 30), (-5e-5, 5e-5)
    return wcs


@pytest.fixture(scope="module", params=["pixels", "sky"])
def result(request):
    wcs = sky_wcs() if request.param == "sky" else None
    return cw.run(cw.WarpStack.from_arrays(*planes(), psf_sigma=PSF_SIGMA, wcs=wcs))


def test_all_products_are_written_and_are_pictures_of_something(result, tmp_path):
    paths = write_debug_products(result, tmp_path / "new")
    assert {path.name for path in paths} == NAMES
    assert {path.name for path in (tmp_path / "new").iterdir()} == NAMES
    for path in paths[1:]:
        picture = imread(path)
        assert min(picture.shape[:2]) > 300
        assert picture.std() > 0.05


def test_the_epoch_count_image_holds_the_counts(result, tmp_path):
    write_debug_products(result, tmp_path)
    with fits.open(tmp_path / "epoch_count.fits", checksum=True) as file:
        np.testing.assert_array_equal(file["EPOCHCOUNT"].data, result.epoch_count)
        assert ("CRVAL1" in file["EPOCHCOUNT"].header) == (result.coadd.wcs is not None)


def test_nothing_is_overwritten_unasked(result, tmp_path):
    (tmp_path / "coadd.png").write_text("mine")
    with pytest.raises(OutputError, match=r"coadd\.png exists"):
        write_debug_products(result, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["coadd.png"]
    write_debug_products(result, tmp_path, overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == NAMES


def test_the_colours_of_the_epoch_count_end_at_four(result):
    picture = draw_epoch_count(result).axes[0].images[0]
    assert picture.norm.boundaries[-1] == COUNT_LIMIT + 0.5
    assert picture.get_array().max() <= COUNT_LIMIT


def test_both_coadds_share_one_scale_with_y_up(result):
    before, after = (axis.images[0] for axis in draw_coadds(result).axes[:2])
    assert (before.norm.vmin, before.norm.vmax) == (after.norm.vmin, after.norm.vmax)
    assert before.origin == after.origin == "lower"
    difference = before.get_array() - after.get_array()
    assert np.nanmean(difference[30:34]) > 10
    assert abs(np.nanmean(difference[45:])) < 0.5


def test_an_image_of_nothing_has_a_stretch():
    assert sky_stretch(np.full((5, 5), np.nan, np.float32)).vmax == 1
