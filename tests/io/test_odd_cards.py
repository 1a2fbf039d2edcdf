"""Cards whose value is none that FITS knows."""

import numpy as np
import pytest
from astropy.io import fits

from napari_comparewarp.errors import StackError
from napari_comparewarp.io.odd_cards import odd_cards
from napari_comparewarp.io.open_fits import open_fits


def card(text):
    return text.encode("latin-1").ljust(80)


@pytest.mark.parametrize(
    "text",
    [
        "OBJECT  = 'M31 / it''s'  / a comment",
        "NAXIS   =                    2",
        "VALUE   = -1.5D+03 / Fortran",
        "FLAG    =                    T /",
        "PAIR    = (1.0, 2.0)",
        "EMPTY   =",
        "COMMENT = what = ever",
        "HISTORY a = b",
        "HIERARCH ESO TEL ALT = 56.7",
    ],
)
def test_cards_as_the_standard_has_them_are_not_looked_at(text):
    assert odd_cards(card(text)) <= {"COMMENT"}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("DATE-OBS= 2024-03-01", "DATE-OBS", "2024-03-01"),
        ("SEEING  = 1,2", "SEEING", "1,2"),
        ("OBJECT  = M 31 field", "OBJECT", "M 31 field"),
        ("AIRMASS = nan", "AIRMASS", "nan"),
        ("HIERARCH CAM TEMP = -110 C", "CAM TEMP", "-110 C"),
    ],
)
def test_a_value_that_fits_does_not_know_is_a_text(tmp_path, text, name, value):
    assert odd_cards(card(text)) == {name}
    path = tmp_path / "one.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((9, 9)), name="IMAGE")]).writeto(path)
    with fits.open(path) as hdus:
        last = hdus[1]._data_offset - 80 * 36 + 80 * (len(hdus[1].header))
    data = bytearray(path.read_bytes())
    assert data[last : last + 80] == card("END")
    data[last : last + 160] = card(text) + card("END")
    path.write_bytes(data)
    with open_fits(path) as hdus:
        assert str(hdus[1].header[name]).strip() == value


def test_control_characters_are_an_error_for_who_asks_for_them_alone(tmp_path):
    path = tmp_path / "one.fits"
    hdu = fits.PrimaryHDU(np.zeros((9, 9)))
    hdu.header["OBSERVER"] = "A.B"
    hdu.writeto(path)
    path.write_bytes(path.read_bytes().replace(b"'A.B", b"'A\0B"))
    with open_fits(path) as hdus:
        assert hdus[0].data.shape == (9, 9)
        assert "OBSERVER" in hdus[0].header
    with (
        pytest.raises(StackError, match="OBSERVER is none that FITS knows"),
        open_fits(path) as hdus,
    ):
        hdus[0].header["OBSERVER"]
