"""Gzip is unpacked as far as the headers ask for, and no further than is allowed."""

import gzip
import os
import tracemalloc

import numpy as np
import pytest
from damage import change_card
from fits_files import gzipped, read_planes, write_lsst

from napari_comparewarp.errors import ConfigError, StackError
from napari_comparewarp.io import limits
from napari_comparewarp.io.open_fits import open_fits


def packed(path, content):
    """Write content as gzip; return the path."""
    path.write_bytes(gzip.compress(content, 9))
    return path


@pytest.mark.parametrize("tail", [0, 2880, 50_000_000])
def test_what_follows_the_last_hdu_is_not_unpacked(tmp_path, tail):
    plain = write_lsst(tmp_path / "a.fits")
    path = packed(tmp_path / "b.fits.gz", plain.read_bytes() + bytes(tail))
    expected = read_planes(plain)
    tracemalloc.start()
    try:
        planes = read_planes(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    for plane, right in zip(planes, expected, strict=True):
        np.testing.assert_array_equal(plane, right)


def test_members_of_gzip_follow_each_other_and_zeros_may_fill_the_end(tmp_path):
    plain = write_lsst(tmp_path / "a.fits")
    content = plain.read_bytes()
    path = tmp_path / "b.fits.gz"
    pieces = content[:1000], content[1000:5000], content[5000:]
    path.write_bytes(b"".join(map(gzip.compress, pieces)) + bytes(600))
    for plane, right in zip(read_planes(path), read_planes(plain), strict=True):
        np.testing.assert_array_equal(plane, right)


def test_a_flipped_bit_of_gzip_is_refused(tmp_path):
    path = gzipped(write_lsst(tmp_path / "a.fits"))
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # of its checksum
    path.write_bytes(content)
    with pytest.raises(StackError, match=r"a\.fits\.gz: .*incorrect data check"), open_fits(path):
        pytest.fail("it was opened")


def test_a_small_file_does_not_become_a_large_one(tmp_path, monkeypatch):
    plain = change_card(write_lsst(tmp_path / "a.fits"), "NAXIS2", "2000000")
    path = packed(tmp_path / "b.fits.gz", plain.read_bytes() + bytes(240_000_000))
    monkeypatch.setattr(limits, "UNPACKED", 200_000_000)
    message = r"HDU 3 \(VARIANCE\): it would take 228.9MiB of memory, and a file of .* may become"
    with pytest.raises(StackError, match=message), open_fits(path):
        pytest.fail("it was opened")
    monkeypatch.setenv(limits.LARGEST_VARIABLE, "1GB")
    with open_fits(path) as hdus:
        assert hdus["VARIANCE"].shape == (2_000_000, 30)


def test_the_limit_that_is_told_has_to_be_a_size(tmp_path, monkeypatch):
    plain = change_card(write_lsst(tmp_path / "a.fits"), "NAXIS2", "2000000")
    monkeypatch.setenv(limits.LARGEST_VARIABLE, "much")
    with pytest.raises(ConfigError, match="COMPAREWARP_LARGEST_INPUT = 'much'"), open_fits(plain):
        pytest.fail("it was opened")


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="the memory is not known")
def test_the_memory_that_there_is_bounds_what_is_read(monkeypatch):
    memory = limits.memory_there()
    assert 1e8 < memory < 1e15
    limits.check_size("a.fits", int(0.4 * memory))
    with pytest.raises(StackError, match=r"a\.fits: it would take .* half of the memory is"):
        limits.check_size("a.fits", int(0.6 * memory))
    monkeypatch.setenv(limits.LARGEST_VARIABLE, "100TB")
    limits.check_size("a.fits", int(0.6 * memory))
