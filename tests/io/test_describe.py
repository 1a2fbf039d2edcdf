"""What a file holds, for people."""

import numpy as np
import pytest
from fits_files import make_planes, tan_wcs, write_lsst, write_plain, write_stack

import napari_comparewarp as cw
from napari_comparewarp.errors import StackError
from napari_comparewarp.io.describe import describe


def test_a_warp_is_described_by_its_headers_and_its_pixels(tmp_path):
    image, mask, variance = make_planes()
    variance[:] = 4.0
    told = describe(
        write_lsst(
            tmp_path / "a.fits", (image, mask, variance), visit=42, kind="psfMatched",
            wcs=tan_wcs(), origin=(7, -8), sigma=2.5,
        )
    )  # fmt: skip
    assert told["shape (y, x)"] == "20 x 30"
    assert told["origin (x, y)"] == "7, -8"
    assert (told["visit"], told["kind"], told["unit"]) == (42, "matched", "nJy")
    assert told["PSF sigma"] == "2.500 pixels"
    assert told["NaN pixels"] == f"{100 * 4 / 600:.2f} %"
    assert told["variance (min, median, max)"] == "4, 4, 4"
    assert told["plane NO_DATA"] == "bit 8, 4 pixels"
    assert told["plane SAT"] == "bit 1, 1 pixels"
    assert told["centre"].startswith("10h00m")


def test_what_a_file_does_not_say_is_said_to_be_so(tmp_path):
    error = np.full((20, 30), np.nan, np.float32)
    told = describe(write_plain(tmp_path / "north.fits", "ERR", error))
    assert told["visit"] == "north"
    assert {told["unit"], told["kind"], told["origin (x, y)"]} == {"not said"}
    assert "centre" not in told
    assert not any(name.startswith("variance (") for name in told)


def test_a_coadd_is_described_too(tmp_path):
    result = cw.run(cw.read_stack(write_stack(tmp_path / "stack")))
    result.write(tmp_path / "coadd.fits")
    told = describe(tmp_path / "coadd.fits")
    bit = result.coadd.mask_planes["NO_DATA"]
    count = int((result.coadd.mask >> bit & 1).sum())
    assert count > 0
    assert told["plane NO_DATA"] == f"bit {bit}, {count} pixels"


def test_a_damaged_file_is_refused(tmp_path):
    path = write_lsst(tmp_path / "a.fits")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 3000)
    with pytest.raises(StackError, match=r"a\.fits"):
        describe(path)


def test_pixels_without_weight_are_counted_where_no_card_names_their_plane(tmp_path):
    weight = np.ones((20, 30), np.float32)
    weight[3, :4] = 0
    dq = np.full((20, 30), 4, np.int16)
    path = write_plain(tmp_path / "a.fits", "WHT", weight, dq=dq, cards={"MP_SAT": 2})
    described = describe(path)
    planes = {name: value for name, value in described.items() if name.startswith("plane ")}
    assert planes == {
        "plane BAD": "bit 0, 0 pixels", "plane NO_DATA": "bit 1, 4 pixels",
        "plane SAT": "bit 2, 600 pixels",
    }  # fmt: skip
