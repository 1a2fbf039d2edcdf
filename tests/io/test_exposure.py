"""One exposure in one FITS file."""

import gzip
import shutil

import numpy as np
import pytest
from astropy.io import fits
from fits_files import PLANES, make_planes, tan_wcs, write_lsst, write_plain

from napari_comparewarp.errors import StackError
from napari_comparewarp.io.dialects.registry import NotAnExposure
from napari_comparewarp.io.exposure import read_pixels, scan_exposure


def planes_of(path, numbers=PLANES):
    """Return image, variance and mask of a file."""
    pixels = read_pixels(scan_exposure(path), numbers)
    return pixels.image, pixels.variance, pixels.mask


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
    header = scan_exposure(path)
    assert (header.shape, header.mask_planes) == (image.shape, PLANES)
    for plane, expected in zip(planes_of(path), (image, variance, mask), strict=True):
        np.testing.assert_array_equal(plane, expected)


def test_scaled_integers_are_read_as_their_values(tmp_path):
    image, mask, variance = make_planes()
    path = write_lsst(tmp_path / "a.fits", (np.nan_to_num(image), mask, variance))
    with fits.open(path, mode="update") as file:
        file["IMAGE"].scale("int16", bscale=0.01, bzero=5.0)
    read, *_ = planes_of(path)
    np.testing.assert_allclose(read, np.nan_to_num(image), atol=0.006)


def test_errors_are_squared_and_any_data_quality_bit_is_bad(tmp_path):
    error = np.full((20, 30), 3.0, ">f4")
    dq = np.zeros((20, 30), np.int16)
    dq[3, 3] = 512
    path = write_plain(tmp_path / "a.fits", "ERR", error, dq=dq)
    _, variance, mask = planes_of(path)
    assert (variance == 9).all()
    assert scan_exposure(path).mask_planes is None
    assert np.flatnonzero(mask).tolist() == [3 * 30 + 3]


def test_errors_written_as_small_integers_do_not_overflow(tmp_path):
    error = np.full((20, 30), 300, np.int16)
    error[0, 0] = -300
    _, variance, _ = planes_of(write_plain(tmp_path / "a.fits", "ERR", error))
    assert (variance[1:] == 90000).all()
    assert variance[0, 0] == -90000


def test_named_data_quality_bits_keep_their_names(tmp_path):
    dq = np.full((20, 30), 4, np.int16)
    path = write_plain(tmp_path / "a.fits", "ERR", dq + 0.5, dq=dq, cards={"MP_SAT": 2})
    header = scan_exposure(path)
    assert header.mask_planes == {"SAT": 2}
    assert (planes_of(path, {"SAT": 2})[2] == 4).all()


def test_weights_are_turned_to_variances_and_no_weight_is_no_data(tmp_path):
    weight = np.full((20, 30), 4.0, np.float32)
    weight[2, 2], weight[2, 3] = 0, -1
    image, variance, mask = planes_of(write_plain(tmp_path / "a.fits", "WHT", weight))
    assert variance[5, 5] == 0.25
    assert np.isnan(variance[2, 2:4]).all()
    assert np.isnan(image[2, 2:4]).all()
    assert np.flatnonzero(mask == 1 << PLANES["NO_DATA"]).tolist() == [62, 63]


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


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("part", [0.1, 0.45, 0.7, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path, part, compressed):
    shape = (90, 120)
    path = write_lsst(tmp_path / "a.fits", make_planes(shape=shape), compressed=compressed)
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * part))
    with pytest.raises(StackError, match=r"a\.fits") as error:
        planes_of(path)
    assert not isinstance(error.value, NotAnExposure)
    assert "\n" not in str(error.value)


def test_a_truncated_gzip_file_is_refused(tmp_path):
    path = gzipped(write_lsst(tmp_path / "a.fits"))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(StackError, match=r"a\.fits\.gz"):
        scan_exposure(path)


@pytest.mark.parametrize("part", [0.2, 0.35, 0.5, 0.8])
def test_a_damaged_compressed_file_is_refused(tmp_path, part):
    path = write_lsst(tmp_path / "a.fits", make_planes(shape=(90, 120)), compressed=True)
    with path.open("r+b") as file:
        file.seek(int(path.stat().st_size * part))
        file.write(b"\xa5" * 3000)
    with pytest.raises(StackError, match=r"a\.fits"):
        planes_of(path)


def test_a_file_without_an_exposure_says_what_it_holds(tmp_path):
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((3, 3)), name="FLAT")]).writeto(path)
    with pytest.raises(NotAnExposure, match=r"a\.fits"):
        scan_exposure(path)


def test_half_an_exposure_is_no_other_kind_of_file(tmp_path):
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((3, 3)), name="IMAGE")]).writeto(path)
    with pytest.raises(StackError) as error:
        scan_exposure(path)
    assert not isinstance(error.value, NotAnExposure)


def test_planes_of_different_shapes_are_refused(tmp_path):
    image, mask, variance = make_planes()
    path = write_lsst(tmp_path / "a.fits", (image, mask[1:], variance))
    with pytest.raises(StackError, match=r"19"):
        scan_exposure(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"SIMPLE  ="])
def test_what_is_no_fits_file_is_refused(tmp_path, content):
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    with pytest.raises(StackError, match=r"a\.fits"):
        scan_exposure(path)


@pytest.mark.parametrize(
    ("cards", "message"),
    [({"PSFSIGMA": -1.0}, "PSFSIGMA"), ({"PSFSIGMA": "wide"}, "PSFSIGMA")],
)
def test_a_card_that_makes_no_sense_is_named(tmp_path, cards, message):
    with pytest.raises(StackError, match=message):
        scan_exposure(write_lsst(tmp_path / "a.fits", sigma=None, cards=cards))
