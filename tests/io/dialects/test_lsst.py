"""IMAGE, MASK and VARIANCE, by name or by order."""

import numpy as np
import pytest
from astropy.io import fits
from fits_files import PLANES, make_planes, read_planes, write_lsst

import napari_comparewarp as cw
from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io.assumptions import Assumptions
from napari_comparewarp.io.dialects.registry import NotAnExposure
from napari_comparewarp.io.scan import scan_exposure


def write_unnamed(path, planes, types=()):
    """Write planes into HDUs without a name, with EXTTYPE cards where there are types."""
    hdus = [fits.PrimaryHDU(), *map(fits.ImageHDU, planes)]
    for hdu, text in zip(hdus[1:], types, strict=False):
        hdu.header["EXTTYPE"] = text
    hdus[0].header["PSFSIGMA"] = 2.0
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_three_hdus_without_a_name_are_image_mask_and_variance(tmp_path, compressed):
    planes = make_planes()
    path = write_lsst(tmp_path / "a.fits", planes, names=False, compressed=compressed)
    image, variance, mask = read_planes(path)
    for plane, expected in zip((image, mask, variance), planes, strict=True):
        np.testing.assert_array_equal(plane, expected)


def test_the_type_of_an_unnamed_hdu_takes_precedence_over_its_place(tmp_path):
    image, mask, variance = make_planes()
    path = write_unnamed(
        tmp_path / "a.fits", (variance, image, mask), ("VARIANCE", "IMAGE", "MASK")
    )
    np.testing.assert_array_equal(read_planes(path)[0], image)
    np.testing.assert_array_equal(read_planes(path)[1], variance)


@pytest.mark.parametrize("types", [(), ("CTX",), ("", "MASK")])
def test_unnamed_hdus_are_no_exposure_when_one_is_missing_or_only_some_have_a_type(tmp_path, types):
    image, mask, variance = make_planes()
    planes = (image, mask, variance) if "MASK" in types else (image, mask)
    with pytest.raises(StackError, match=r"without (its|their) variance|no image that"):
        scan_exposure(write_unnamed(tmp_path / "a.fits", planes, types))


def test_unnamed_hdus_without_a_mark_of_the_pipelines_are_the_chips_of_a_mosaic(tmp_path):
    path = write_unnamed(tmp_path / "a.fits", make_planes())
    with pytest.raises(NotAnExposure, match="images, as of several detectors, without their"):
        scan_exposure(path)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["GAIN"], hdus[0].header["RDNOISE"] = 2.0, 5.0
    with pytest.raises(StackError, match=r"holds 3 images, as of several detectors \(HDU 1, HDU 2"):
        scan_exposure(path)
    assert scan_exposure(path, Assumptions(detector="2")).layout.image.hdu == 2


def test_planes_by_their_order_have_to_agree_too(tmp_path):
    image, mask, variance = make_planes()
    path = write_unnamed(tmp_path / "a.fits", (image, mask[1:], variance))
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["AR_HDU"] = 5
    with pytest.raises(StackError, match=r"HDU MASK: shape \(19, 30\) where IMAGE has \(20, 30\)"):
        scan_exposure(path)


def test_a_variance_is_taken_as_it_is_and_one_that_is_none_is_no_data(tmp_path):
    image, mask, variance = make_planes()
    variance[3, :5] = 0, -1, np.nan, np.inf, -np.inf
    _, read, flags = read_planes(write_lsst(tmp_path / "a.fits", (image, mask, variance)))
    np.testing.assert_array_equal(read, variance)
    mask[3, :5] |= 1 << PLANES["NO_DATA"]
    np.testing.assert_array_equal(flags, mask)


def test_a_mask_without_cards_is_bad_and_a_warning_says_so(tmp_path):
    path = write_lsst(tmp_path / "epoch_1.fits", mask_planes={})
    with pytest.warns(
        CompareWarpWarning, match=r"epoch_1\.fits: the flags of HDU MASK have no names: every"
    ):
        stack = cw.read_stack([path])
    assert set(np.unique(stack.direct.mask)) == {0, 1 << PLANES["BAD"]}


def test_a_mask_without_cards_in_which_nothing_is_flagged_needs_no_warning(tmp_path):
    image, mask, variance = make_planes()
    cw.read_stack([write_lsst(tmp_path / "a.fits", (image, 0 * mask, variance), mask_planes={})])
