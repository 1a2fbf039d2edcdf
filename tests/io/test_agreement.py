"""Whether files fit together."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.wcs import WCS
from fits_files import SHAPE, tan_wcs, write_lsst

from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io.agreement import check_agreement, check_present, common_unit
from napari_comparewarp.io.scan import scan_exposure
from napari_comparewarp.io.sky import separation_in_pixels


@pytest.fixture
def pair(tmp_path):
    """Return the direct warps of two visits, as their headers tell."""
    return [
        replace(
            scan_exposure(
                write_lsst(
                    tmp_path / f"{name}_{visit}.fits", visit=visit, wcs=tan_wcs(), origin=(5, 6)
                )
            ),
            kind="direct",
        )
        for visit, name in ((1, "one"), (2, "two"))
    ]


def test_files_on_one_grid_in_one_unit_fit(pair):
    check_agreement(pair)
    check_agreement([*pair, *(replace(exposure, kind="matched") for exposure in pair)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": (21, 30)}, r"shape \(21, 30\) where .* has \(20, 30\)"),
        ({"unit": "adu"}, "unit adu where .* has nJy"),
        ({"origin": (5, 7)}, r"origin \(5, 7\) where .* has \(5, 6\)"),
        ({"wcs": tan_wcs(0.02)}, "0.02 pixels apart"),
        ({"visit": 1}, "both the direct warp of visit 1"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line_with_both_names(pair, change, message):
    with pytest.raises(StackError, match=message) as error:
        check_agreement([pair[0], replace(pair[1], **change)])
    assert "one_1.fits" in str(error.value)
    assert "two_2.fits" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_first_file_that_tells_is_compared_and_silence_contradicts_nobody(pair):
    silent = replace(pair[0], unit=None, wcs=None, origin=None, visit=3)
    check_agreement([silent, *pair])
    with pytest.raises(StackError, match=r"unit adu where .*one_1"):
        check_agreement([silent, pair[0], replace(pair[1], unit="adu")])


def test_no_files_are_no_stack():
    with pytest.raises(StackError, match="no warps at all"):
        check_present([])


@pytest.mark.parametrize("unit", ["nJy", "njy", "1e-9 Jy", "10**-9 Jy"])
def test_units_that_mean_the_same_fit(pair, unit):
    check_agreement([pair[0], replace(pair[1], unit=unit)])


def test_units_that_mean_nothing_are_compared_as_words(pair):
    words = [replace(exposure, unit="counts of mine") for exposure in pair]
    check_agreement(words)
    with pytest.raises(StackError, match="unit counts of yours"):
        check_agreement([words[0], replace(words[1], unit="counts of yours")])


def test_a_file_without_a_unit_is_taken_to_be_in_that_of_the_others_with_a_warning(pair):
    assert common_unit(pair) == "nJy"
    with pytest.warns(CompareWarpWarning, match=r"one_1\.fits: no BUNIT .*in nJy"):
        assert common_unit([replace(pair[0], unit=None), pair[1]]) == "nJy"
    assert common_unit([replace(exposure, unit=None) for exposure in pair]) == ""


@pytest.mark.parametrize("shift", [0.0, 0.003, 2.5])
def test_the_distance_of_two_grids_is_in_pixels(shift):
    assert separation_in_pixels(tan_wcs(), tan_wcs(shift), SHAPE) == pytest.approx(shift, abs=1e-6)


def test_a_turned_grid_is_noticed_though_its_centre_is_the_same():
    turned = tan_wcs()
    angle = np.deg2rad(0.1)
    turned.wcs.pc = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert 0.01 < separation_in_pixels(tan_wcs(), turned, SHAPE) < 0.05


def test_frames_are_told_apart_by_where_they_put_a_pixel():
    # ICRS and FK5 differ by some hundredths of an arcsecond.
    icrs, fk5 = tan_wcs(), tan_wcs()
    icrs.wcs.radesys, fk5.wcs.radesys = "ICRS", "FK5"
    assert 0.01 < separation_in_pixels(icrs, fk5, SHAPE) < 1


def test_grids_on_opposite_sides_of_the_sky_do_not_fit(pair):
    other = WCS(naxis=2)
    other.wcs.ctype = "RA---TAN", "DEC--TAN"
    other.wcs.crval = 330.0, -2.0
    other.wcs.crpix, other.wcs.cdelt = (15, 10), (-5e-5, 5e-5)
    with pytest.raises(StackError, match="one pixel grid"):
        check_agreement([pair[0], replace(pair[1], wcs=other)])
