"""SCI, ERR and DQ."""

import numpy as np
from fits_files import read_planes, write_plain

from napari_comparewarp.io.scan import scan_exposure


def test_errors_are_squared_and_any_data_quality_bit_is_bad(tmp_path):
    error = np.full((20, 30), 3.0, ">f4")
    dq = np.zeros((20, 30), np.int16)
    dq[3, 3] = 512
    path = write_plain(tmp_path / "a.fits", "ERR", error, dq=dq)
    _, variance, mask = read_planes(path)
    assert (variance == 9).all()
    assert not scan_exposure(path).flags.is_named
    assert np.flatnonzero(mask).tolist() == [3 * 30 + 3]


def test_errors_written_as_small_integers_do_not_overflow(tmp_path):
    error = np.full((20, 30), 300, np.int16)
    error[0, 0] = -300
    _, variance, _ = read_planes(write_plain(tmp_path / "a.fits", "ERR", error))
    assert (variance[1:] == 90000).all()
    assert variance[0, 0] == -90000


def test_named_data_quality_bits_keep_their_names(tmp_path):
    dq = np.full((20, 30), 4, np.int16)
    path = write_plain(tmp_path / "a.fits", "ERR", dq + 0.5, dq=dq, cards={"MP_SAT": 2})
    header = scan_exposure(path)
    assert header.flags.names == {2: ("SAT",)}
    assert (read_planes(path, {"SAT": 2, "NO_DATA": 8})[2] == 4).all()
