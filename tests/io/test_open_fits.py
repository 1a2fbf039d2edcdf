"""FITS files that are whole, or refused in one line."""

import numpy as np
import pytest
from astropy.io import fits
from fits_files import gzipped, make_planes, write_lsst

from napari_comparewarp.errors import StackError
from napari_comparewarp.io import open_fits as module
from napari_comparewarp.io.open_fits import OpenFiles, open_fits


def refusal_of(path, verify=False):
    """Return the one line with which a file is refused."""
    with pytest.raises(StackError) as error, open_fits(path, verify):
        pytest.fail("it was opened")
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("part", [0.1, 0.45, 0.7, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path, part, compressed):
    shape = (90, 120)
    path = write_lsst(tmp_path / "a.fits", make_planes(shape=shape), compressed=compressed)
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * part))
    refusal_of(path)


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

    def counted(path, verify):
        opened.append(path)
        return open_fits(path, verify)

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
