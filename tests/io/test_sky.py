"""One way from pixels to the sky: what headers say, what is mended, what is refused."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, DistortionLookupTable
from fits_files import SHAPE, tan_wcs, write_lsst, write_stack

import napari_comparewarp as cw
from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io.sky import read_grid, separation_in_pixels, sky_of, wcs_cards
from napari_comparewarp.result.files import write_masks

SIP_TYPES = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}
SIP = {"A_ORDER": 2, "A_2_0": 1e-3, "B_ORDER": 2, "B_0_2": 1e-3}
PV = {
    f"PV{axis}_{term}": value for axis in (1, 2) for term, value in ((0, 0.0), (1, 1.0), (4, 0.2))
}


def header(**cards):
    values = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 36.0,
        "CRPIX2": 32.0, "CD1_1": -5e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 5e-5,
    }  # fmt: skip
    return fits.Header(values | {key.replace("__", "-"): value for key, value in cards.items()})


def place(cards, x=0, y=0):
    return sky_of(read_grid([cards]).wcs, x, y)


def same(first, second):
    return first.separation(second).arcsec < 1e-6


def test_a_plain_grid_needs_no_word():
    grid = read_grid([header()])
    assert grid.notes == ()
    assert same(place(header(), 35, 31), SkyCoord(150, 2, unit="deg"))


def test_the_order_of_the_axes_does_not_matter():
    swapped = header(
        CTYPE1="DEC--TAN", CTYPE2="RA---TAN", CRVAL1=2.0, CRVAL2=150.0, CD1_1=0.0, CD1_2=5e-5,
        CD2_1=-5e-5, CD2_2=0.0,
    )  # fmt: skip
    assert same(place(swapped), place(header()))


def test_a_number_as_text_is_taken_and_said():
    grid = read_grid([header(CRVAL1="150.0", CD1_1="-5D-05", EQUINOX="J2000", RADESYS="ICRS")])
    assert same(sky_of(grid.wcs, 0, 0), place(header()))
    assert "CRVAL1 = '150.0' is text: taken as the number 150" in grid.notes
    assert len(grid.notes) == 3


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"CRVAL1": "10:00:00"}, "CRVAL1 = '10:00:00'; a number is needed"),
        ({"CRPIX1": True}, "CRPIX1 = True; a number is needed"),
        ({"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}, "Unrecognized projection code"),
        ({"CTYPE2": "GLAT-TAN"}, "CTYPE1 = 'RA---TAN', CTYPE2 = 'GLAT-TAN': no WCS"),
        ({"CRVAL2": 95.0}, "CRVAL2 = 95: no WCS that can be used: a latitude is -90 to 90"),
        ({"CRVAL1": 1e300}, "CRVAL1 = 1e.300: no WCS"),
        ({"CRPIX1": 1e15}, "CRPIX1 = 1e.15: no WCS"),
        ({"LONPOLE": 1e300}, "LONPOLE = 1e.300: no WCS"),
        ({"WCSAXES": 10**6}, "WCSAXES = 1000000: no WCS that can be used: an image has up to 9"),
        ({"PV99_1": 1.0}, "PV99_1 = 1: no WCS"),
        ({"CTYPE1": 5}, "CTYPE1 = 5: no WCS that can be used: the name of an axis is a text"),
        ({"CTYPE1": "RA---TAB"}, "CTYPE1 = 'RA---TAB': no WCS .* positions in a table"),
        ({"CUNIT1": "foo"}, "CUNIT1 = 'foo': no WCS"),
        ({"CPDIS1": "LOOKUP"}, "CPDIS1 = 'LOOKUP': no WCS"),
        (
            {"CTYPE1": "MALN-CAR", "CTYPE2": "MALT-CAR", "LONPOLE": 180.0},
            "(CRVAL2|LONPOLE) = .*: no",
        ),
        ({"CTYPE1": "RA---AZP", "CTYPE2": "DEC--AZP", "PV2_1": -1.0}, "PV2_1 = -1.0: no WCS"),
        ({"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_1": 0.0, "PV2_1": 0.0}, "at one place"),
        ({**SIP_TYPES, "A_ORDER": 10**9, "B_ORDER": 2}, "A_ORDER = 1000000000: no WCS .* 0 to 9"),
        ({**SIP_TYPES, "A_ORDER": -1, "B_ORDER": 2}, "A_ORDER = -1: no WCS"),
        ({**SIP_TYPES, "A_ORDER": 2}, "A_ORDER = 2: no WCS"),
        ({**SIP_TYPES, "A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e300}, "A_2_0 = 1e.300: no WCS"),
        ({"CD1_1": 1e-5, "CD1_2": 1e-5, "CD2_1": 1e-5, "CD2_2": 1e-5}, "all pixels lie on one"),
        ({"CD1_1": 0.0}, "all pixels lie on one line"),
        ({"CD1_2": 5e-5, "CD2_1": -5e-5}, "all pixels lie on one line"),
    ],
)
def test_a_grid_that_cannot_be_used_is_refused_with_its_card(cards, message):
    with pytest.raises(ValueError, match=message):
        read_grid([header(**cards)])


@pytest.mark.parametrize(
    "cards",
    [
        {"CTYPE1": "TLON-TAN", "CTYPE2": "TLAT-TAN"},
        {"CTYPE1": "SLON-TAN", "CTYPE2": "SLAT-TAN"},
        {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN", "CRVAL1": 0.1},
        {"CTYPE1": "MALN-TAN", "CTYPE2": "MALT-TAN"},
        {"RADESYS": "GAPPT", "EQUINOX": 2024.3},
        {"RADESYS": "HOUSE"},
    ],
)
def test_frames_that_positions_cannot_be_converted_from_are_said(cards):
    grid = read_grid([header(**cards)])
    assert grid.wcs.has_celestial and sky_of(grid.wcs, 0, 0) is None
    assert len(grid.notes) == 1 and "no right ascension and declination are given" in grid.notes[0]


def test_an_equinox_that_is_no_year_is_ignored_and_said():
    grid = read_grid([header(EQUINOX=1e300, RADESYS="ICRS")])
    assert same(sky_of(grid.wcs, 0, 0), place(header(RADESYS="ICRS")))
    assert grid.notes == ("EQUINOX = 1e+300 is no year of an equinox: ignored",)


@pytest.mark.parametrize("name", ["XPIXELSZ", "AMDX1", "PLTSCALE", "OBSGEO-X", "MJDREF"])
def test_cards_that_have_nothing_to_do_with_a_grid_do_not_reach_wcslib(name):
    # A text in one of old plates ended the interpreter.
    grid = read_grid([header(**{name: "RA---CSC"})])
    assert same(sky_of(grid.wcs, 0, 0), place(header()))


def test_an_axis_that_the_image_does_not_have_does_no_harm():
    grid = read_grid([header(CTYPE3="FREQ", CRVAL3=1.4e9)])
    assert same(sky_of(grid.wcs, 0, 0), place(header()))


def test_the_file_is_named_with_it(tmp_path):
    path = write_lsst(tmp_path / "a.fits", wcs=tan_wcs(), cards={"CRVAL1": "ten"})
    with pytest.raises(StackError, match=r"a\.fits: CRVAL1 = 'ten'; a number is needed"):
        cw.read_stack([path])


def test_distortion_terms_that_ctype_does_not_ask_for_are_ignored(capfd):
    grid = read_grid([header(**SIP)])
    assert same(sky_of(grid.wcs, 0, 0), place(header()))
    assert "A_ORDER and the like are ignored" in grid.notes[0]
    assert capfd.readouterr() == ("", "")


def test_distortion_terms_that_it_asks_for_are_used():
    grid = read_grid([header(CTYPE1="RA---TAN-SIP", CTYPE2="DEC--TAN-SIP", **SIP)])
    assert grid.notes == ()
    assert not same(sky_of(grid.wcs, 0, 0), place(header()))


def test_tan_with_pv_terms_is_read_as_tpv():
    grid = read_grid([header(**PV)])
    right = place(header(CTYPE1="RA---TPV", CTYPE2="DEC--TPV", **PV))
    assert same(sky_of(grid.wcs, 0, 0), right)
    assert "read as TPV" in grid.notes[0]


def test_pv_terms_that_are_part_of_the_standard_stay():
    cards = header(PV1_1=0.0, PV1_2=90.0)
    grid = read_grid([cards])
    assert grid.notes == ()
    assert grid.wcs.wcs.ctype[0] == "RA---TAN"


def test_where_sip_is_asked_for_pv_terms_are_ignored():
    types = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}
    grid = read_grid([header(**types, **SIP, **PV)])
    assert same(sky_of(grid.wcs, 0, 0), place(header(**types, **SIP)))
    assert "PV terms are ignored" in grid.notes[0]


@pytest.mark.parametrize(
    "cards",
    [{"RADESYS": "GAPPT", "EQUINOX": 2024.3}, {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"}],
)
def test_a_frame_without_a_conversion_is_kept_but_gives_no_positions(cards):
    grid = read_grid([header(**cards)])
    assert "no right ascension and declination are given" in grid.notes[0]
    assert sky_of(grid.wcs, 0, 0) is None
    assert separation_in_pixels(grid.wcs, grid.wcs, SHAPE) == 0
    moved = read_grid([header(CRPIX1=38.0, **cards)]).wcs
    assert separation_in_pixels(grid.wcs, moved, SHAPE) == pytest.approx(2, abs=1e-6)
    assert separation_in_pixels(grid.wcs, read_grid([header()]).wcs, SHAPE) == np.inf


def test_an_alternate_grid_serves_where_the_first_knows_no_sky():
    cards = fits.Header({f"{key}B": value for key, value in header().items()})
    cards["CTYPE1"], cards["CTYPE2"] = "LINEAR", "LINEAR"
    grid = read_grid([cards])
    assert same(sky_of(grid.wcs, 0, 0), place(header()))
    assert "the alternate WCS B is used" in grid.notes[0]


def test_an_alternate_grid_of_the_sky_is_no_place_in_a_parent_grid(tmp_path):
    cards = {"CTYPE1A": "GLON-TAN", "CTYPE2A": "GLAT-TAN", "CRVAL1A": 236.0, "CRVAL2A": 42.0}
    stack = cw.read_stack([write_lsst(tmp_path / "a.fits", wcs=tan_wcs(), cards=cards)])
    assert stack.origin == (0, 0)


def lookup_wcs(shift=3.0):
    wcs = tan_wcs()
    table = np.full(SHAPE, shift, np.float32)
    wcs.cpdis1 = DistortionLookupTable(table, (1, 1), (1, 1), (1, 1))
    wcs.cpdis2 = DistortionLookupTable(0 * table, (1, 1), (1, 1), (1, 1))
    wcs.wcs.set()
    return wcs


@pytest.mark.parametrize("ending", [".fits", ".fits.fz", ".fits.gz"])
def test_a_lookup_table_of_distortions_survives_in_every_product(tmp_path, ending):
    original = lookup_wcs()
    image = np.random.default_rng(0).normal(0, 3, (4, 60, 60))
    stack = cw.WarpStack.from_arrays(image, 0 * image + 9, psf_sigma=2.0, wcs=original)
    result = cw.run(stack)
    path = tmp_path / f"c{ending}"
    result.write(path)
    write_masks(result, tmp_path / "masks")
    right = original.pixel_to_world(10, 10)
    assert right.separation(tan_wcs().pixel_to_world(13, 10)).arcsec < 1e-6
    for file in (path, *(tmp_path / "masks").iterdir()):
        with fits.open(file) as hdus:
            assert WCS(hdus[1].header, fobj=hdus).pixel_to_world(10, 10).separation(
                right
            ).arcsec == pytest.approx(0, abs=1e-6)


def test_times_of_one_exposure_are_no_part_of_a_grid():
    wcs = read_grid([header(DATE__OBS="2024-03-01T01:02:03", MJD__OBS=60370.0430903)]).wcs
    cards, tables = wcs_cards(wcs)
    assert not {"DATE-OBS", "MJD-OBS"} & set(cards)
    assert tables == []


@pytest.mark.parametrize(
    "axes", ["xxLN-TAN xxLT-TAN", "ra---tan dec--tan", "AB---SIN CD---SIN", "GAPPT-TAN GAPPT-TAN"]
)
def test_axes_of_a_sky_that_is_not_known_are_said(axes):
    first, second = axes.split()
    grid = read_grid([header(CTYPE1=first, CTYPE2=second)])
    assert grid.wcs is None
    assert grid.notes == (f"{first}, {second}: axes of no sky that is known: ignored",)


def test_no_grid_is_no_grid():
    assert read_grid([fits.Header(), fits.Header({"CTYPE1": "LINEAR"})]).wcs is None
    assert sky_of(None, 0, 0) is None


def test_what_was_mended_is_said_once_for_the_folder(tmp_path):
    write_stack(tmp_path, wcs=tan_wcs(), cards=SIP)
    with pytest.warns(CompareWarpWarning) as caught:
        cw.read_stack(tmp_path)
    said = [str(warning.message) for warning in caught]
    assert len(said) == 1
    assert "direct_warp_1.fits and 5 more: A_ORDER and the like are ignored" in said[0]


def test_equal_grids_are_made_once_and_others_are_not_mistaken_for_them():
    first = read_grid([header()])
    assert read_grid([header(OBJECT="M31")]) is first
    changes = (
        {"CRVAL1": 150.1}, {"CD1_2": 1e-6}, {"EQUINOX": 1975.0}, {"RADESYS": "FK5"}, PV, SIP,
        {"LONPOLE": 170.0}, {"CUNIT1": "deg"}, {"CRVAL1": "150.0"}, {"CTYPE1A": "LINEAR"},
    )  # fmt: skip
    for cards in changes:
        assert read_grid([header(**cards)]) is not first
