"""What the headers and the planes of one exposure say."""

import numpy as np
import pytest
from astropy.io import fits
from fits_files import PLANES, gzipped, make_planes, read_planes, tan_wcs, write_lsst

from napari_comparewarp.errors import StackError
from napari_comparewarp.io.scan import scan_exposure


@pytest.mark.parametrize("form", ["plain", "gzip", "compressed", "little-endian double", "unnamed"])
def test_the_planes_are_the_same_in_every_form(tmp_path, form):
    image, mask, variance = make_planes()
    options = {
        "compressed": {"compressed": True},
        "little-endian double": {"dtype": "<f8"},
        "unnamed": {"names": False},
    }.get(form, {})
    path = write_lsst(tmp_path / "a.fits", **options)
    if form == "gzip":
        path = gzipped(path)
    header = scan_exposure(path)
    assert header.shape == image.shape
    assert header.flags.names == {bit: (name,) for name, bit in PLANES.items()}
    for plane, expected in zip(read_planes(path), (image, variance, mask), strict=True):
        np.testing.assert_array_equal(plane, expected)


def test_scaled_integers_are_read_as_their_values(tmp_path):
    image, mask, variance = make_planes()
    path = write_lsst(tmp_path / "a.fits", (np.nan_to_num(image), mask, variance))
    with fits.open(path, mode="update") as file:
        file["IMAGE"].scale("int16", bscale=0.01, bzero=5.0)
    read, *_ = read_planes(path)
    np.testing.assert_allclose(read, np.nan_to_num(image), atol=0.006)


def test_what_the_header_says_is_read(tmp_path):
    path = write_lsst(
        tmp_path / "a.fits",
        visit=42,
        kind="psfMatched",
        wcs=tan_wcs(),
        origin=(700, -30),
        sigma=2.5,
    )
    header = scan_exposure(path)
    assert (header.visit, header.kind, header.psf_sigma) == (42, "matched", 2.5)
    assert (header.origin, header.unit) == ((700, -30), "nJy")
    assert header.wcs.has_celestial


def test_the_parent_grid_of_lsst_files_is_an_origin_too(tmp_path):
    cards = {"CRVAL1A": 12, "CRVAL2A": 34, "CTYPE1A": "LINEAR", "CTYPE2A": "LINEAR"}
    assert scan_exposure(write_lsst(tmp_path / "a.fits", cards=cards)).origin == (12, 34)


def test_a_card_named_epoch_that_counts_is_no_equinox(tmp_path):
    path = write_lsst(tmp_path / "a.fits", wcs=tan_wcs(), cards={"EPOCH": 3})
    expected = scan_exposure(write_lsst(tmp_path / "b.fits", wcs=tan_wcs())).wcs
    assert str(scan_exposure(path).wcs.pixel_to_world(0, 0)) == str(expected.pixel_to_world(0, 0))


@pytest.mark.parametrize(
    ("name", "visit", "kind"),
    [
        ("epoch_03.fits", 3, None),
        ("direct_warp_20260101.fits", 20260101, "direct"),
        ("psfMatchedWarp_7.fits", 7, "matched"),
        ("north.fits", "north", None),
        ("psf_matched/x12.fits", 12, "matched"),
    ],
)
def test_names_say_visit_and_kind_where_headers_do_not(tmp_path, name, visit, kind):
    header = scan_exposure(write_lsst(tmp_path / name))
    assert (header.visit, header.kind) == (visit, kind)


@pytest.mark.parametrize("part", [0.2, 0.35, 0.5, 0.8])
def test_a_damaged_compressed_file_is_refused(tmp_path, part):
    path = write_lsst(tmp_path / "a.fits", make_planes(shape=(90, 120)), compressed=True)
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * part))
        file.write(b"\xa5" * 3000)
    with pytest.raises(StackError, match=r"a\.fits"):
        read_planes(path)


def test_read_planes_different_shapes_are_refused(tmp_path):
    image, mask, variance = make_planes()
    path = write_lsst(tmp_path / "a.fits", (image, mask[1:], variance))
    with pytest.raises(StackError, match=r"19"):
        scan_exposure(path)


@pytest.mark.parametrize(
    ("cards", "message"),
    [({"PSFSIGMA": -1.0}, "PSFSIGMA"), ({"PSFSIGMA": "wide"}, "PSFSIGMA")],
)
def test_a_card_that_makes_no_sense_is_named(tmp_path, cards, message):
    with pytest.raises(StackError, match=message):
        scan_exposure(write_lsst(tmp_path / "a.fits", sigma=None, cards=cards))
