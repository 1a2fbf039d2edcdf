"""What steers the unpacking of tiles is checked before anything is unpacked."""

import numpy as np
import pytest
from damage import PACKED, change_card, heap_of, write_packed

from napari_comparewarp.errors import StackError
from napari_comparewarp.io.open_fits import image_values, open_fits


def refusal_of(path):
    """Return the one line with which a file is refused before its pixels are read."""
    with pytest.raises(StackError) as error, open_fits(path):
        pytest.fail("it was opened")
    assert str(error.value).startswith(f"{path}, HDU 1 (IMAGE): ")
    return str(error.value)


@pytest.mark.parametrize("kind", PACKED)
def test_all_ways_of_packing_are_read(tmp_path, kind):
    path = write_packed(tmp_path / "a.fits", kind)
    with open_fits(path, verify=True) as hdus:
        values, blank = image_values(hdus["IMAGE"])
    assert blank is None
    np.testing.assert_allclose(values, PACKED[kind][0], atol=1 if "dithered" in kind else 1e-6)


@pytest.mark.parametrize("seed", ["0", "-1", "10001", "2147483647", "T", "'7'", "1.5", "1E300"])
@pytest.mark.parametrize("kind", ["rice, dithered", "gzip 2, dithered", "hcompress, dithered"])
def test_a_seed_of_the_dithering_is_1_to_10000(tmp_path, kind, seed):
    path = change_card(write_packed(tmp_path / "a.fits", kind), "ZDITHER0", seed)
    assert "with ZQUANTIZ = SUBTRACTIVE_DITHER_1 it is 1 to 10000" in refusal_of(path)


@pytest.mark.parametrize("seed", ["1", "10000"])
def test_the_first_and_the_last_seed_are_read(tmp_path, seed):
    path = change_card(write_packed(tmp_path / "a.fits", "rice, dithered"), "ZDITHER0", seed)
    with open_fits(path) as hdus:
        assert np.isfinite(hdus["IMAGE"].data).all()


@pytest.mark.parametrize(
    ("kind", "name", "value", "message"),
    [
        ("rice", "ZCMPTYPE", "'RICE_2'", "ZCMPTYPE = RICE_2; it is RICE_1"),
        ("rice", "ZBITPIX", "33", "ZBITPIX = 33; it is 8"),
        ("rice", "ZNAXIS", "0", "ZNAXIS = 0; a whole number from 1 to 999"),
        ("rice", "ZNAXIS", "4294967296", "ZNAXIS = 4294967296"),
        ("rice", "ZNAXIS1", "-40", "ZNAXIS1 = -40"),
        ("rice", "ZNAXIS2", "2000000000", "of memory"),
        ("rice", "ZNAXIS2", "64", "NAXIS2 = 32 rows for the 64 tiles"),
        ("rice", "ZTILE1", "0", "ZTILE1 = 0; a whole number from 1"),
        ("rice", "ZTILE1", "-1", "ZTILE1 = -1"),
        ("rice", "ZTILE2", "'1'", "ZTILE2 = 1; a whole number"),
        ("rice", "ZTILE1", "20", "rows for the 64 tiles"),
        ("rice", "ZVAL1", "0", "ZVAL1 = 0; BLOCKSIZE is a whole number from 1 on"),
        ("rice", "ZVAL1", "-32", "BLOCKSIZE is"),
        ("rice", "ZVAL2", "8", "ZVAL2 = 8; BYTEPIX is 1, 2 or 4"),
        ("rice", "ZVAL2", "3", "BYTEPIX is 1, 2 or 4"),
        ("rice", "ZNAME1", "5", "ZNAME1 = 5; it is the name of a parameter"),
        ("hcompress", "ZVAL1", "1E300", "SCALE is a number"),
        ("hcompress", "ZVAL2", "'much'", "SMOOTH is a number"),
        ("rice, dithered", "ZQUANTIZ", "'DITHER'", "ZQUANTIZ = DITHER; it is NO_DITHER"),
        ("rice, dithered", "ZBITPIX", "32", "where ZSCALE tells of real numbers"),
        ("rice, dithered", "TFORM3", "'8B'", "ZSCALE is one real number"),
        ("plio", "TFORM1", "'1PB'", "COMPRESSED_DATA is P or Q of I"),
        ("rice", "TFORM1", "'8B'", "COMPRESSED_DATA is P or Q of B"),
        ("rice", "TTYPE1", "'OTHER'", "no column COMPRESSED_DATA"),
        ("rice", "PCOUNT", "10", "values from byte"),
    ],
)
def test_cards_of_packing_that_cannot_be_meant_are_refused(tmp_path, kind, name, value, message):
    path = change_card(write_packed(tmp_path / "a.fits", kind), name, value)
    assert message in refusal_of(path)


def test_more_pixels_than_a_routine_counts_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_comparewarp.io.compressed.MOST_PIXELS", 39)
    assert "tiles of 40 pixels; they have at most 39" in refusal_of(
        write_packed(tmp_path / "a.fits", "rice")
    )


@pytest.mark.parametrize("length_offset", [(-1, 0), (2**31 - 1, 0), (50, 2**31 - 1), (50, -8)])
def test_tiles_outside_of_the_heap_are_refused(tmp_path, length_offset):
    path = write_packed(tmp_path / "a.fits", "rice")
    content = bytearray(path.read_bytes())
    start = heap_of(path).start - 32 * 8
    content[start + 24 : start + 32] = np.array(length_offset, ">i4").tobytes()
    path.write_bytes(content)
    told = refusal_of(path)
    assert "the data are corrupt: row 4 of COMPRESSED_DATA has" in told and "in a heap of" in told
