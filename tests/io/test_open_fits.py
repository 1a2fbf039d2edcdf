"""FITS files that are whole, or refused in one line."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from fits_files import gzipped, make_planes, read_planes, tan_wcs, write_lsst

from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io import open_fits as module
from napari_comparewarp.io.open_fits import OpenFiles, image_values, open_fits
from napari_comparewarp.io.read import read_stack


def refusal_of(path, verify=False):
    """Return the one line with which a file is refused."""
    with pytest.raises(StackError) as error, open_fits(path, verify):
        pytest.fail("it was opened")
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("part", [0.1, 0.45, 0.7, 0.9])
def test_a_truncated_file_is_refused(tmp_path, part, compressed):
    shape = (90, 120)
    path = write_lsst(tmp_path / "a.fits", make_planes(shape=shape), compressed=compressed)
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * part))
    refusal_of(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_may_lack_the_filling_of_its_last_block_but_no_byte_of_data(tmp_path, compressed):
    path = write_lsst(tmp_path / "a.fits", compressed=compressed)
    whole = path.read_bytes()
    with fits.open(path, disable_image_compression=True) as hdus:
        end = hdus.fileinfo(3)["datLoc"] + hdus[3].size
    assert end < len(whole)
    path.write_bytes(whole[:end])
    expected = read_planes(write_lsst(tmp_path / "b.fits", compressed=compressed))
    for plane, right in zip(read_planes(path), expected, strict=True):
        np.testing.assert_array_equal(plane, right)
    path.write_bytes(whole[: end - 1])
    assert "the file is truncated" in refusal_of(path)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("dtype", "zero", "blank"),
    [
        ("u1", 0, 255), ("i2", 0, -32768), ("i4", 0, -(2**31)),
        ("i2", 32768, -32768), ("i4", 2**31, -(2**31)),
    ],
)  # fmt: skip
def test_blank_pixels_of_whole_numbers_are_found_and_the_rest_stay_whole(
    tmp_path, dtype, zero, blank, compressed
):
    raw = np.arange(12, dtype=dtype).reshape(3, 4)
    raw[1, 2] = blank
    hdu = fits.CompImageHDU(raw, compression_type="GZIP_2") if compressed else fits.ImageHDU(raw)
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    options = {"do_not_scale_image_data": True, "disable_image_compression": True}
    with fits.open(path, mode="update", **options) as hdus:
        hdus[1].header["BLANK"] = blank
        if zero:
            hdus[1].header["BSCALE"], hdus[1].header["BZERO"] = 1, zero
    with open_fits(path) as hdus:
        values, missing = image_values(hdus[1])
    assert np.argwhere(missing).tolist() == [[1, 2]]
    assert values.dtype.kind in "iu"
    np.testing.assert_array_equal(values[~missing], (np.arange(12) + zero)[~missing.ravel()])


def test_scaled_numbers_have_blanks_too(tmp_path):
    hdu = fits.ImageHDU(np.arange(12, dtype="i2").reshape(3, 4))
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits", mode="update", do_not_scale_image_data=True) as hdus:
        hdus[1].header["BSCALE"], hdus[1].header["BZERO"], hdus[1].header["BLANK"] = 0.5, 3.0, 7
    with open_fits(tmp_path / "a.fits") as hdus:
        values, missing = image_values(hdus[1])
    assert np.flatnonzero(missing).tolist() == [7]
    assert values[0].tolist() == [3, 3.5, 4, 4.5]


def test_a_blank_card_beside_real_numbers_means_nothing(tmp_path):
    with pytest.warns(VerifyWarning, match="BLANK"):
        path = write_lsst(tmp_path / "a.fits", cards={"BLANK": 10})
    with open_fits(path) as hdus:
        assert image_values(hdus["IMAGE"])[1] is None


def test_a_truncated_gzip_file_is_refused(tmp_path):
    path = gzipped(write_lsst(tmp_path / "a.fits"))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    refusal_of(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"SIMPLE  ="])
def test_what_is_no_fits_file_is_refused(tmp_path, content):
    path = tmp_path / "a.fits"
    path.write_bytes(content)
    refusal_of(path)


def test_a_file_that_is_not_there_is_refused_with_the_reason(tmp_path):
    assert "No such file" in refusal_of(tmp_path / "a.fits")


def test_data_that_do_not_agree_with_their_datasum_are_refused(tmp_path):
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(np.ones((50, 60), np.float32))]).writeto(path, checksum=True)
    content = bytearray(path.read_bytes())
    content[3000] ^= 255
    path.write_bytes(content)
    assert "the data are corrupt" in refusal_of(path, verify=True)
    with open_fits(path) as hdus:
        assert len(hdus) == 1


def test_several_files_are_opened_once_each_when_they_are_asked_for(tmp_path, monkeypatch):
    paths = [write_lsst(tmp_path / f"{name}.fits") for name in "abc"]
    opened = []

    def counted(path, verify, notes):
        opened.append(path)
        return open_fits(path, verify, notes)

    monkeypatch.setattr(module, "open_fits", counted)
    with OpenFiles() as files:
        assert opened == []
        first = files[paths[0]]
        assert files[paths[1]] is not first and files[paths[0]] is first
        assert opened == paths[:2]


def test_several_files_are_closed_together_whatever_happens(tmp_path):
    path, damaged = write_lsst(tmp_path / "a.fits"), tmp_path / "b.fits"
    damaged.write_bytes(b"no FITS")
    with pytest.raises(StackError, match=r"b\.fits"), OpenFiles() as files:
        hdus = files[path]
        files[damaged]
    assert hdus._file.closed


def change_header(path, name, value):
    """Write another value of a card under the CHECKSUM of a file; return the path."""
    content = bytearray(path.read_bytes())
    at = content.rindex(f"{name:<8}=".encode())
    content[at + 10 : at + 30] = f"{value:>20}".encode()
    path.write_bytes(content)
    return path


def write_summed(path, **options):
    """Write a warp with CHECKSUM and DATASUM; return the path."""
    write_lsst(path, cards={"EXTRA": 1}, **options)
    with fits.open(path) as hdus:
        hdus.writeto(path.with_suffix(".new"), checksum=True)
    return path.with_suffix(".new").rename(path)


def test_a_header_that_was_changed_under_its_checksum_is_said_where_it_is_verified(tmp_path):
    path = change_header(write_summed(tmp_path / "a.fits"), "EXTRA", 7)
    notes = []
    with open_fits(path, verify=True, notes=notes) as hdus:
        assert hdus["VARIANCE"].header["EXTRA"] == 7
    assert notes == ["the header of HDU VARIANCE was changed after its CHECKSUM was written"]
    with open_fits(path, notes=notes):
        assert len(notes) == 1


def test_of_many_files_with_changed_headers_one_line_is_said(tmp_path):
    for visit in (1, 2, 3):
        path = write_summed(tmp_path / f"v{visit}.fits", visit=visit, planes=make_planes(visit))
        change_header(path, "EXTRA", 7)
    with pytest.warns(CompareWarpWarning, match="was changed after its CHECKSUM") as said:
        stack = read_stack(tmp_path)
    line = (
        f"{tmp_path / 'v1.fits'} and 2 more: the header of HDU VARIANCE was changed after its "
        "CHECKSUM was written"
    )
    assert [str(warning.message) for warning in said].count(line) == 1
    assert line in stack.notes


@pytest.mark.parametrize("hdu", [0, 1])
@pytest.mark.parametrize(
    "card", [b"OBJECT  = M 31 field", b"DATE-OBS= 2024-03-01", b"FILTER  = r", b"EXPTIME = 1,2"]
)
def test_cards_that_are_not_fits_are_read_as_the_text_that_stands_there(tmp_path, card, hdu):
    path = write_lsst(tmp_path / "warp_visit1.fits", make_planes(1), wcs=tan_wcs())
    content = path.read_bytes()
    with fits.open(path) as hdus:
        begin = hdus.fileinfo(hdu)["hdrLoc"]
    at = next(at for at in range(begin, len(content), 80) if content[at : at + 4] == b"END ")
    assert content[at + 80 : at + 160].isspace()
    path.write_bytes(content[:at] + card.ljust(80) + b"END".ljust(80) + content[at + 160 :])
    assert read_stack([path]).epochs == (1,)
