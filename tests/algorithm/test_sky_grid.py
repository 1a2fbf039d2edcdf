"""Which sky coordinates a stack of arrays may have."""

import numpy as np
import pytest
from astropy.wcs import WCS

from napari_comparewarp.algorithm.sky_grid import check_wcs
from napari_comparewarp.errors import StackError


def wcs(**changes):
    made = WCS(naxis=2)
    made.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    made.wcs.cdelt = [-1e-4, 1e-4]
    for name, value in changes.items():
        setattr(made.wcs, name, value)
    return made


@pytest.mark.parametrize(
    "given", [None, wcs(), WCS(naxis=2), wcs(name="'/ quotes '"), wcs(radesys="OTHER")]
)
def test_what_files_can_hold_is_accepted(given):
    check_wcs(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("wcs", "wcs is a str; an astropy.wcs.WCS is needed"),
        (wcs().to_header(), "wcs is a Header"),
        (WCS(naxis=3), "wcs has 3 axes; one of 2 is needed, such as wcs.celestial"),
        (wcs(cdelt=[0, 0]), "cannot be used: Linear transformation matrix is singular"),
        (wcs(crval=[np.nan, np.nan]), "cannot be used"),
        (wcs(crval=[np.nan, 0]), "FITS cannot hold this card: 'CRVAL1"),
        (wcs(cdelt=[np.inf, 1]), "FITS cannot hold this card: 'CDELT1"),
        (wcs(ctype=["RA---XXX", "DEC--XXX"]), "Unrecognized projection code"),
        (wcs(name="a\nb"), "FITS cannot hold this card"),
    ],
)
def test_what_could_not_be_written_is_refused_in_one_line(given, message):
    with pytest.raises(StackError, match=message) as raised:
        check_wcs(given)
    assert str(raised.value).isprintable()
