"""Planes of a stack on disk."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fits_files import write_stack
from hypothesis import given
from hypothesis import strategies as st

from napari_comparewarp.algorithm.warps import Cube
from napari_comparewarp.errors import ConfigError, StackError
from napari_comparewarp.io.spool import SpooledCube, check_scratch_space, parse_memory

VALUES = np.random.default_rng(3).normal(size=(5, 11, 7)).astype(np.float32)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Return the folder in which temporary files are made."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def spooled(values):
    cube = SpooledCube(values.shape, values.dtype)
    for epoch, plane in enumerate(values):
        cube[epoch] = plane
    return cube


def indices(size):
    ends = st.none() | st.integers(-size - 2, size + 2)
    return st.integers(-size, size - 1) | st.builds(slice, ends, ends)


@pytest.fixture(scope="module")
def cube():
    return spooled(VALUES)


@given(
    st.tuples(indices(5))
    | st.tuples(indices(5), indices(11))
    | st.tuples(indices(5), indices(11), indices(7))
)
def test_a_cube_on_disk_reads_as_an_array_does(cube, index):
    part = cube[index]
    np.testing.assert_array_equal(part, VALUES[index])
    assert np.shape(part) == VALUES[index].shape
    assert part.dtype == VALUES.dtype


def test_what_is_read_is_a_contiguous_array_of_its_own(cube):
    for index in (1, (1, slice(2, 5)), (slice(None), slice(2, 5))):
        part = cube[index]
        assert part.flags.c_contiguous
        part[...] = 0
        np.testing.assert_array_equal(cube[index], VALUES[index])


def test_many_threads_read_at_once(cube):
    places = [(epoch, y) for epoch in range(5) for y in range(9)] * 20
    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(lambda place: cube[place[0], place[1] : place[1] + 2], places)
        for (epoch, y), part in zip(places, parts, strict=True):
            np.testing.assert_array_equal(part, VALUES[epoch, y : y + 2])


def test_it_reads_the_same_where_the_system_has_no_positioned_reads(cube, monkeypatch):
    monkeypatch.delattr(os, "preadv")
    np.testing.assert_array_equal(cube[:, 5:9, 3:7], VALUES[:, 5:9, 3:7])


def test_a_foreign_byte_order_is_written_as_the_native_one():
    cube = SpooledCube(VALUES.shape, np.float32)
    cube[0] = VALUES[0].astype(VALUES.dtype.newbyteorder())
    np.testing.assert_array_equal(cube[0], VALUES[0])


def test_it_is_what_a_stack_takes_for_a_cube(cube):
    assert isinstance(cube, Cube)
    assert (len(cube), cube.shape, cube.dtype) == (5, (5, 11, 7), np.float32)


@pytest.mark.parametrize(
    "index", [5, -6, (0, 11), slice(None, None, 2), (0, 0, 0, 0), [1, 2], "a", None, ...]
)
def test_what_is_no_contiguous_part_is_an_index_error(cube, index):
    with pytest.raises(IndexError):
        cube[index]


def test_an_epoch_is_written_once_in_full_and_before_it_is_read(scratch):
    cube = SpooledCube((2, 3, 4), np.int32)
    cube[0] = np.ones((3, 4))
    with pytest.raises(ValueError, match="written already"):
        cube[0] = np.ones((3, 4))
    with pytest.raises(ValueError, match=r"shape \(3, 3\)"):
        cube[1] = np.ones((3, 3))
    with pytest.raises(ValueError, match="epoch 1 of the cube is not written"):
        cube[:, 1:2]


@pytest.mark.skipif(os.name != "posix", reason="every file has a name")
def test_a_file_has_no_name_in_the_folder(scratch):
    cube = spooled(VALUES)
    assert list(scratch.iterdir()) == []
    np.testing.assert_array_equal(cube[4], VALUES[4])


OPEN_FILES = Path("/proc/self/fd")


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="open files are not listed here")
def test_the_room_is_given_back_with_the_last_user_of_a_cube(scratch):
    gc.collect()
    before = len(list(OPEN_FILES.iterdir()))
    cube = spooled(VALUES)
    assert len(list(OPEN_FILES.iterdir())) == before + 1
    del cube
    gc.collect()
    assert len(list(OPEN_FILES.iterdir())) == before


KILLED = """
import os, signal, sys
import napari_comparewarp as cw
stack = cw.read_stack(sys.argv[1], memory=1000)
assert stack.direct.image[0].shape == (20, 30)
os.kill(os.getpid(), signal.SIGKILL)
"""

# A limit on the size of files is, to the program, a disk that is full.
FULL = """
import resource, signal, sys
import napari_comparewarp as cw
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
try:
    cw.read_stack(sys.argv[1], memory=1000)
except cw.algorithm.warps.StackError as error:
    print(error)
"""


def run(program, folder, scratch):
    return subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        env=os.environ | {"TMPDIR": str(scratch)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_a_killed_program_leaves_nothing_in_the_folder(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = run(KILLED, write_stack(tmp_path / "stack"), scratch)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list(scratch.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="the system has no limit of file sizes")
def test_a_disk_that_fills_up_is_told_in_one_line_that_names_the_folder(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = run(FULL, write_stack(tmp_path / "stack"), scratch)
    assert done.stdout.count("\n") == 1, done.stderr
    assert done.stdout.startswith(f"{scratch}: ")
    assert "TMPDIR" in done.stdout
    assert list(scratch.iterdir()) == []


def test_a_disk_without_room_is_refused_before_a_byte_is_written(scratch):
    check_scratch_space(1)
    with pytest.raises(StackError, match=r"scratch: .*set TMPDIR") as error:
        check_scratch_space(10**18)
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_written_is_named(scratch):
    scratch.rmdir()
    with pytest.raises(StackError, match=r"scratch: .*No such file or directory"):
        SpooledCube((2, 3, 4), np.float32)


@given(st.integers(1, 10**15))
def test_a_size_in_bytes_is_taken_as_it_is(size):
    assert parse_memory(size) == parse_memory(str(size)) == size


@pytest.mark.parametrize(
    "text",
    ["1e400GB", "nan", "inf", 0, -5, None, "5%", "1\0", "9" * 5000, "²", True, "1 GB x", 2**80],
)
def test_odd_sizes_are_refused_in_one_line(text):
    with pytest.raises(ConfigError, match="memory = ") as error:
        parse_memory(text)
    assert "\n" not in str(error.value)
