"""What headers say of the bytes of a file is compared with the bytes that are there."""

import os
import time

import numpy as np
import pytest
from astropy.io import fits
from damage import BLOCK, PRIMARY, change_card, header_of
from fits_files import write_lsst

from napari_comparewarp.errors import StackError
from napari_comparewarp.io import structure as module
from napari_comparewarp.io.open_fits import open_fits


def refusal_of(path):
    """Return the one line with which a file is refused, at once."""
    begin = time.perf_counter()
    with pytest.raises(StackError) as error, open_fits(path):
        pytest.fail("it was opened")
    assert time.perf_counter() - begin < 2
    message = str(error.value)
    assert message.startswith(str(path)) and "\n" not in message and len(message) < 400
    return message


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("NAXIS", "4294967296", "NAXIS = 4294967296; an image has at most 999 axes"),
        ("NAXIS", "999", "NAXIS3 = None"),
        ("NAXIS", "-1", "NAXIS = -1; a whole number"),
        ("NAXIS1", "'many'", "NAXIS1 = many; a whole number"),
        ("NAXIS2", "2.5", "NAXIS2 = 2.5; a whole number"),
        ("BITPIX", "33", "BITPIX = 33; it is 8, 16,"),
        ("BITPIX", "T", "BITPIX = True"),
        ("PCOUNT", "-5", "PCOUNT = -5"),
        ("GCOUNT", "1000000000000", "GCOUNT = 1000000000000; it is 1"),
        ("NAXIS2", "1000000000000", "it would take 109.1TiB of memory"),
        ("NAXIS2", "99999999999999999999999999", "of memory"),
        ("NAXIS2", "100000", "the file is truncated: it has"),
    ],
)
def test_sizes_that_cannot_be_are_refused_with_their_card(tmp_path, name, value, message):
    path = change_card(write_lsst(tmp_path / "a.fits"), name, value)
    told = refusal_of(path)
    assert message in told and "HDU 3 (VARIANCE)" in told


@pytest.mark.parametrize("value", ["4294967296", "3"])
def test_a_card_of_sizes_that_stands_twice_is_refused(tmp_path, value):
    path = change_card(write_lsst(tmp_path / "a.fits"), "NAXIS", value, add=True)
    assert f"NAXIS stands there as 2 and as {value}" in refusal_of(path)


def test_a_card_that_stands_twice_with_one_value_does_no_harm(tmp_path):
    path = change_card(write_lsst(tmp_path / "a.fits"), "BITPIX", "-32", add=True)
    with open_fits(path) as hdus:
        assert hdus["VARIANCE"].data.shape == (20, 30)


def test_a_card_of_sizes_is_not_hidden_by_another_spelling(tmp_path):
    path = write_lsst(tmp_path / "a.fits")
    content = bytearray(path.read_bytes())
    at = content.rindex(b"GCOUNT  =")
    content[at : at + 80] = b"HIERARCH gcount = 9".ljust(80)
    path.write_bytes(content)
    assert "HIERARCH GCOUNT: no card of this name may be hierarchical" in refusal_of(path)


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        (("TFIELDS =                 1000",), "TFIELDS = 1000; a table has at most 999"),
        (("TFIELDS =                    1", "TFORM1  = '3J'"), "TFORM cards make rows of 12 bytes"),
        (("TFIELDS =                    1", "TFORM1  = '2PJ'"), "before P and Q stands 0 or 1"),
        (("TFIELDS =                    1", "TFORM1  = 'Z'"), "TFORM1 = 'Z'; it is none"),
        (("TFIELDS =                    1",), "TFORM1 = None"),
        (("TFIELDS =                    0",), "rows that hold nothing"),
    ],
)
def test_columns_that_do_not_make_the_rows_of_a_table_are_refused(tmp_path, cards, message):
    rows = 10**12 if "nothing" in message else 10
    path = tmp_path / "a.fits"
    path.write_bytes(PRIMARY + header_of(
        "XTENSION= 'BINTABLE'", "BITPIX  =                    8", "NAXIS   =                    2",
        f"NAXIS1  = {0 if rows > 10 else 8:20d}", f"NAXIS2  = {rows:20d}",
        "PCOUNT  =                    0", "GCOUNT  =                    1", *cards,
    ) + bytes(BLOCK))  # fmt: skip
    assert message in refusal_of(path)


def test_headers_and_hdus_without_number_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_CARDS", 200)
    monkeypatch.setattr(module, "MOST_HDUS", 3)
    long = tmp_path / "long.fits"
    long.write_bytes(header_of(*(f"K{number:<7}=  1" for number in range(400))).replace(
        b"K0      =  1", b"SIMPLE  =  T", 1
    ))  # fmt: skip
    assert "a header of more than 200 cards" in refusal_of(long)
    many = write_lsst(tmp_path / "many.fits")
    assert "more than 3 HDUs" in refusal_of(many)


def test_a_header_without_end_is_refused(tmp_path):
    path = write_lsst(tmp_path / "a.fits")
    path.write_bytes(path.read_bytes() + b"XTENSION= 'IMAGE   '".ljust(BLOCK))
    assert "HDU 4: its header is truncated or corrupt: it has no END" in refusal_of(path)


@pytest.mark.parametrize("tail", [b" " * BLOCK, bytes(5), b"SIMPLE  =" + b" " * 5000])
def test_bytes_after_the_last_hdu_are_not_looked_at(tmp_path, tail):
    path = write_lsst(tmp_path / "a.fits")
    path.write_bytes(path.read_bytes() + tail)
    with open_fits(path) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "IMAGE", "MASK", "VARIANCE"]
        assert np.isfinite(hdus["VARIANCE"].data).all()


@pytest.mark.skipif(not hasattr(os, "truncate"), reason="no sparse files")
def test_a_file_with_holes_is_not_taken_into_memory(tmp_path):
    path = change_card(write_lsst(tmp_path / "a.fits"), "NAXIS2", "10000000000")
    try:
        os.truncate(path, 2 * 10**12)
    except OSError:
        pytest.skip("the disk has no room for such a file")
    assert "of memory" in refusal_of(path)


def test_a_plane_of_one_value_is_no_larger_than_memory(tmp_path):
    hdu = fits.ImageHDU(name="SCI")
    hdu.header.update(NPIX1=10**6, NPIX2=10**6, PIXVALUE=1.0)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "a.fits")
    assert "HDU 1 (SCI): it would take 3.6TiB of memory" in refusal_of(tmp_path / "a.fits")


def test_an_extension_of_another_kind_may_have_several_groups(tmp_path):
    path = write_lsst(tmp_path / "a.fits")
    other = header_of(
        "XTENSION= 'DUMP    '", "BITPIX  =                    8",
        "NAXIS   =                    1", "NAXIS1  =                  100",
        "PCOUNT  =                   10", "GCOUNT  =                    2",
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + other + bytes(BLOCK))
    with open_fits(path) as hdus:
        assert len(hdus) == 5
