"""One exposure in one FITS file."""

import gzip
import shutil

import numpy as np
import pytest
from astropy.io import fits
from fits_files import PLANES, make_planes, tan_wcs, write_lsst, write_plain

from napari_comparewarp.io.exposure import (
    FileError,
    NoExposureError,
    as_id,
    read_header,
    read_planes,
    same_unit,
)


def gzipped(path):
    target = path.with_name(path.name + ".gz")
    with path.open("rb") as source, gzip.open(target, "wb") as file:
        shutil.copyfileobj(source, file)
    return target


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
    header = read_header(path)
    assert (header.layout, header.shape, header.mask_planes) == ("LSST", image.shape, PLANES)
    for plane, expected in zip(read_planes(header), (image, variance, mask), strict=True):
        np.testing.assert_array_equal(plane, expected)
        assert plane.dtype == expected.dtype
        assert plane.dtype.isnative
        assert plane.flags.c_contiguous


def test_scaled_integers_are_read_as_their_values(tmp_path):
    image, mask, variance = make_planes()
    path = write_lsst(tmp_path / "a.fits", (np.nan_to_num(image), mask, variance))
    with fits.open(path, mode="update") as file:
        file["IMAGE"].scale("int16", bscale=0.01, bzero=5.0)
    read, *_ = read_planes(read_header(path))
    np.testing.assert_allclose(read, np.nan_to_num(image), atol=0.006)


def test_errors_are_squared_and_any_data_quality_bit_is_bad(tmp_path):
    error = np.full((20, 30), 3.0, ">f4")
    dq = np.zeros((20, 30), np.int16)
    dq[3, 3] = 512
    header = read_header(write_plain(tmp_path / "a.fits", "ERR", error, dq=dq))
    _, variance, mask = read_planes(header)
    assert (variance == 9).all()
    assert header.mask_planes == {"BAD": 0}
    assert np.flatnonzero(mask).tolist() == [3 * 30 + 3]


def test_named_data_quality_bits_keep_their_names(tmp_path):
    dq = np.full((20, 30), 4, np.int16)
    path = write_plain(tmp_path / "a.fits", "ERR", dq + 0.5, dq=dq, cards={"MP_SAT": 2})
    header = read_header(path)
    assert header.mask_planes == {"SAT": 2}
    assert (read_planes(header)[2] == 4).all()


def test_weights_are_turned_to_variances_and_no_weight_is_no_data(tmp_path):
    weight = np.full((20, 30), 4.0, np.float32)
    weight[2, 2], weight[2, 3] = 0, -1
    header = read_header(write_plain(tmp_path / "a.fits", "WHT", weight))
    image, variance, mask = read_planes(header)
    assert variance[5, 5] == 0.25
    assert np.isnan(variance[2, 2:4]).all()
    assert np.isnan(image[2, 2:4]).all()
    assert not mask.any()


def test_what_the_header_says_is_read(tmp_path):
    path = write_lsst(
        tmp_path / "a.fits",
        visit=42,
        kind="psfMatched",
        wcs=tan_wcs(),
        origin=(700, -30),
        sigma=2.5,
    )
    header = read_header(path)
    assert (header.visit, header.kind, header.psf_sigma) == (42, "matched", 2.5)
    assert (header.origin, header.unit) == ((700, -30), "nJy")
    assert header.wcs.has_celestial


def test_the_parent_grid_of_lsst_files_is_an_origin_too(tmp_path):
    cards = {"CRVAL1A": 12, "CRVAL2A": 34, "CTYPE1A": "LINEAR", "CTYPE2A": "LINEAR"}
    assert read_header(write_lsst(tmp_path / "a.fits", cards=cards)).origin == (12, 34)


def test_a_width_at_half_maximum_in_pixels_gives_sigma(tmp_path):
    path = write_lsst(tmp_path / "a.fits", sigma=None, cards={"FWHMPIX": 2.3548200})
    assert read_header(path).psf_sigma == pytest.approx(1, rel=1e-6)
    assert read_header(write_lsst(tmp_path / "b.fits", sigma=None)).psf_sigma is None


def test_a_card_named_epoch_that_counts_is_no_equinox(tmp_path):
    path = write_lsst(tmp_path / "a.fits", wcs=tan_wcs(), cards={"EPOCH": 3})
    expected = read_header(write_lsst(tmp_path / "b.fits", wcs=tan_wcs())).wcs
    assert str(read_header(path).wcs.pixel_to_world(0, 0)) == str(expected.pixel_to_world(0, 0))


@pytest.mark.parametrize(
    ("name", "visit", "kind"),
    [
        ("epoch_03.fits", 3, None),
        ("direct_warp_lsst_0_1_r_20260101.fits", 20260101, "direct"),
        ("psfMatchedWarp_7.fits", 7, "matched"),
        ("north.fits", "north", None),
        ("psf_matched/x12.fits", 12, "matched"),
    ],
)
def test_names_say_visit_and_kind_where_headers_do_not(tmp_path, name, visit, kind):
    header = read_header(write_lsst(tmp_path / name))
    assert (header.visit, header.kind) == (visit, kind)


def test_ids_that_look_like_numbers_are_numbers():
    assert [as_id(value) for value in (7, "007", " 12 ", "r12")] == [7, 7, 12, "r12"]


def test_units_that_mean_the_same_are_the_same():
    assert same_unit("nJy", "1e-9 Jy")
    assert same_unit("counts of mine", "counts of mine")
    assert not same_unit("nJy", "adu")
    assert not same_unit("nJy", "")


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("part", [0.1, 0.45, 0.7, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path, part, compressed):
    shape = (90, 120)
    path = write_lsst(tmp_path / "a.fits", make_planes(shape=shape), compressed=compressed)
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * part))
    with pytest.raises(FileError, match=r"a\.fits: ") as error:
        read_planes(read_header(path))
    assert not isinstance(error.value, NoExposureError)
    assert "\n" not in str(error.value)


def test_a_truncated_gzip_file_is_refused(tmp_path):
    path = gzipped(write_lsst(tmp_path / "a.fits"))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(FileError, match=r"a\.fits\.gz: not a readable FITS file"):
        read_header(path)


@pytest.mark.parametrize("part", [0.2, 0.35, 0.5, 0.8])
def test_a_damaged_compressed_file_is_refused(tmp_path, part):
    path = write_lsst(tmp_path / "a.fits", make_planes(shape=(90, 120)), compressed=True)
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * part))
        file.write(b"\xa5" * 3000)
    with pytest.raises(FileError, match=r"a\.fits"):
        read_planes(read_header(path))


def test_a_file_without_an_exposure_says_what_it_holds(tmp_path):
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((3, 3)), name="FLAT")]).writeto(path)
    with pytest.raises(NoExposureError, match=r"a\.fits: holds FLAT.*IMAGE, MASK"):
        read_header(path)


def test_half_an_exposure_is_no_other_kind_of_file(tmp_path):
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((3, 3)), name="IMAGE")]).writeto(path)
    with pytest.raises(FileError) as error:
        read_header(path)
    assert not isinstance(error.value, NoExposureError)


def test_planes_of_different_shapes_are_refused(tmp_path):
    image, mask, variance = make_planes()
    path = write_lsst(tmp_path / "a.fits", (image, mask[1:], variance))
    with pytest.raises(FileError, match=r"HDU 2 \(mask\) has shape \(19, 30\)"):
        read_header(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"SIMPLE  ="])
def test_what_is_no_fits_file_is_refused(tmp_path, content):
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"a\.fits: not a readable FITS file"):
        read_header(path)


@pytest.mark.parametrize(
    ("cards", "message"),
    [({"PSFSIGMA": -1.0}, "PSFSIGMA = -1.0"), ({"FWHMPIX": "wide"}, "FWHMPIX = 'wide'")],
)
def test_a_card_that_makes_no_sense_is_named(tmp_path, cards, message):
    with pytest.raises(FileError, match=message):
        read_header(write_lsst(tmp_path / "a.fits", sigma=None, cards=cards))
