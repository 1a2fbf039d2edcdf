"""Places that are no files are refused in one line, and nothing waits for them."""

import os
import shutil
import socket
import subprocess
import sys

import pytest
from fits_files import write_lsst, write_stack

import napari_comparewarp as cw
from napari_comparewarp.errors import StackError
from napari_comparewarp.io.sources import find_sources

pytestmark = pytest.mark.skipif(os.name == "nt", reason="such places are of POSIX")


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def make_folder(path):
    path.mkdir()


def make_device(path):
    path.symlink_to("/dev/zero")


def make_loop(path):
    path.symlink_to(path.name)


def make_empty(path):
    path.touch()


@pytest.fixture
def folder(tmp_path_factory, monkeypatch):
    """Give a folder whose path is short enough for a socket."""
    folder = tmp_path_factory.mktemp("p")
    monkeypatch.chdir(folder)
    return folder.__class__(".")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (make_pipe, r"a\.fits: a pipe; a file is needed"),
        (make_socket, r"a\.fits: a socket; a file is needed"),
        (make_device, r"a\.fits: a device; a file is needed"),
        (make_loop, r"a\.fits: cannot be read: Too many levels of symbolic links"),
        (make_empty, r"a\.fits: not a valid FITS file: it is empty"),
        (make_folder, r"a\.fits: no FITS files"),
    ],
)
def test_what_is_no_file_is_refused_in_one_line(folder, make, message):
    make(folder / "a.fits")
    with pytest.raises(StackError, match=message):
        cw.read_stack([folder / "a.fits"])
    with pytest.raises(StackError, match=message):
        cw.read_stack(folder / "a.fits")


@pytest.mark.parametrize("make", [make_pipe, make_socket, make_device])
def test_what_is_no_file_in_a_folder_of_warps_is_refused(folder, make):
    write_lsst(folder / "b.fits")
    make(folder / "c.fits")
    with pytest.raises(StackError, match=r"c\.fits: a (pipe|socket|device); a file is needed"):
        cw.read_stack(folder)


def test_a_loop_of_links_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(StackError, match="Too many levels of symbolic links"):
        find_sources(tmp_path / "a")


@pytest.mark.parametrize("length", [241, 255])
def test_names_of_the_greatest_length_are_read(tmp_path, length):
    for visit in (1, 2):
        write_lsst(tmp_path / (f"v{visit}_".ljust(length - 5, "x") + ".fits"), visit=visit)
    assert cw.read_stack(tmp_path).epochs == (1, 2)


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    for path in (tmp_path / ("y" * 300), tmp_path / ("y" * 300 + ".fits")):
        with pytest.raises(StackError, match="File name too long"):
            find_sources(path)


def test_names_with_control_characters_are_read(tmp_path):
    for visit in (1, 2):
        write_lsst(tmp_path / f"a\x1b[31m\n{visit}.fits", visit=visit)
    assert cw.read_stack(tmp_path).epochs == (1, 2)


def test_what_may_not_be_read_is_refused_with_its_name(tmp_path):
    drop = shutil.which("setpriv")
    if os.geteuid() == 0 and drop is None:
        pytest.skip("the superuser may read everything")
    write_stack(tmp_path / "stack", visits=(1, 2))
    shutil.copytree(tmp_path / "stack", tmp_path / "other")
    (tmp_path / "stack" / "matched").chmod(0)
    (tmp_path / "other" / "direct" / "direct_warp_1.fits").chmod(0)
    code = (
        "import sys; from pathlib import Path; import napari_comparewarp as cw\n"
        "from napari_comparewarp.errors import StackError\n"
        "for name in sys.argv[1:]:\n"
        "    try: cw.read_stack(Path(name)); print('read')\n"
        "    except StackError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "stack"), str(tmp_path / "other")]
    if os.geteuid() == 0:
        command = [str(drop), "--bounding-set=-all", "--inh-caps=-all", *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    finally:
        (tmp_path / "stack" / "matched").chmod(0o755)
    first, second = done.stdout.splitlines()
    assert first == f"{tmp_path / 'stack' / 'matched'}: cannot be read: Permission denied"
    assert second.endswith("direct_warp_1.fits: cannot be read: Permission denied")
