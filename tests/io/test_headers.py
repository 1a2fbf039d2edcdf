"""What header cards and names say about a warp."""

from pathlib import Path

import pytest
from astropy.io.fits import Header

from napari_comparewarp.io.headers import (
    as_epoch_id,
    kind_in_header,
    kind_in_words,
    mask_planes_in_header,
    origin_in_header,
    psf_sigma_in_header,
    text_in_header,
    visit_in_name,
    visits_in_header,
)


@pytest.mark.parametrize(
    ("name", "visit"),
    [
        ("epoch_03.fits.fz", 3),
        ("warp_visit20260101_r_42.fits", 20260101),
        ("visit-7.fits.gz", 7),
        ("north.fits", "north"),
        ("direct.fits", "direct"),
    ],
)
def test_a_name_tells_the_visit(name, visit):
    assert visit_in_name(Path(name)) == visit


def test_the_two_warps_of_a_visit_are_paired_though_their_names_hold_many_numbers():
    direct, matched = (
        visit_in_name(Path(f"{kind}_9813_42_r_1.fits")) for kind in ("directWarp", "psfMatchedWarp")
    )
    assert direct == matched
    assert direct != visit_in_name(Path("directWarp_9813_42_r_2.fits"))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("psfMatched", "matched"),
        ("deepCoadd_psfMatchedWarp", "matched"),
        ("psf_matched", "matched"),
        ("deepCoadd_directWarp", "direct"),
        ("DIRECT", "direct"),
        ("directory", None),
        ("unmatched", None),
        ("direct_or_matched", None),
        ("", None),
    ],
)
def test_words_tell_the_kind_of_warp_only_where_they_mean_it(words, kind):
    assert kind_in_words(words) == kind
    assert kind_in_header([Header({"WARPTYPE": words})]) == kind


@pytest.mark.parametrize(
    ("value", "epoch"),
    [
        (10**19, "10000000000000000000"),
        ("9" * 5000, "9" * 5000),
        (7, 7),
        ("007", 7),
        (" 12 ", 12),
        (8.0, 8),
        ("r12", "r12"),
        ("1.5", "1.5"),
    ],
)
def test_ids_that_look_like_numbers_are_numbers(value, epoch):
    assert as_epoch_id(value) == epoch
    assert type(as_epoch_id(value)) is type(epoch)


def test_the_first_header_with_a_card_that_is_not_blank_counts():
    image, primary = Header({"VISIT": " ", "BUNIT": "nJy"}), Header({"VISIT": 0, "BUNIT": "adu"})
    assert visits_in_header([image, primary]) == {"VISIT": 0}
    assert text_in_header([image, primary], "BUNIT") == "nJy"
    assert visits_in_header([Header({"EXPID": "12"})]) == {"EXPID": 12}
    assert visits_in_header([Header()]) == {}
    assert text_in_header([Header()], "BUNIT") is None


def test_a_psf_width_is_a_sigma_or_a_width_at_half_maximum_in_pixels():
    header = Header()
    assert psf_sigma_in_header([header]) is None
    header["FWHM"] = (2.354820045, "[pix] of the stars")
    assert psf_sigma_in_header([header]) == pytest.approx(1.0)
    header["PSFSIGMA"] = 3.0
    assert psf_sigma_in_header([header]) == 3.0


@pytest.mark.parametrize("comment", ["arcsec", ""])
def test_a_seeing_that_is_not_in_pixels_is_no_psf_width(comment):
    header = Header()
    header["FWHM"] = (0.8, comment)
    assert psf_sigma_in_header([header]) is None


@pytest.mark.parametrize("value", [0, -1.0, "wide", True])
def test_a_psf_width_that_cannot_be_meant_is_named(value):
    with pytest.raises(ValueError, match="PSFSIGMA = "):
        psf_sigma_in_header([Header({"PSFSIGMA": value})])


def test_an_origin_comes_from_ltv_or_from_the_linear_wcs_of_lsst():
    lsst = {"CRVAL1A": 700.0, "CRVAL2A": -3.0, "CRPIX1A": 1.0, "CRPIX2A": 1.0}
    assert origin_in_header([Header()]) is None
    assert origin_in_header([Header(lsst)]) == (700, -3)
    assert origin_in_header([Header(lsst | {"CRPIX1A": -99.0})]) == (800, -3)
    assert origin_in_header([Header(lsst | {"LTV1": -5, "LTV2": 6.0})]) == (5, -6)


def test_a_part_of_a_pixel_is_no_place_in_a_parent_grid():
    assert origin_in_header([Header({"LTV1": -5.5, "LTV2": 0})]) is None


def test_mask_planes_are_named_by_their_cards():
    header = Header()
    header["MP_BAD"] = 0
    header["HIERARCH MP_DETECTED_NEGATIVE"] = 6
    header["MPIXELS"] = 5
    assert mask_planes_in_header(header) == {"BAD": 0, "DETECTED_NEGATIVE": 6}


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"MP_BAD": 32}, "MP_BAD = 32; the number of a mask plane is 0 to 31"),
        ({"MP_BAD": -1}, "MP_BAD = -1"),
        ({"MP_BAD": "0"}, "MP_BAD = 0"),
        ({"MP_BAD": 3, "MP_SAT": 3}, "MP_SAT and MP_BAD share bit 3"),
    ],
)
def test_bit_numbers_that_no_mask_can_have_are_refused(cards, message):
    with pytest.raises(ValueError, match=message):
        mask_planes_in_header(Header(cards))
