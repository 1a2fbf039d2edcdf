"""Files that appear when they are whole."""

import errno
import os
import signal
import stat
import subprocess
import sys

import pytest

from napari_comparewarp.errors import OutputError
from napari_comparewarp.io import atomic
from napari_comparewarp.io.atomic import check_folder, check_output, check_output_folder, replacing

POSIX = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_appears_under_its_name_alone(tmp_path):
    with replacing(tmp_path / "out.txt") as temporary:
        temporary.write_text("whole")
        assert not (tmp_path / "out.txt").exists()
    assert (tmp_path / "out.txt").read_text() == "whole"
    assert names(tmp_path) == ["out.txt"]


def test_a_file_has_the_rights_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "out.txt") as temporary:
            temporary.write_text("whole")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == 0o640


def test_a_temporary_file_is_not_taken_for_an_input(tmp_path):
    with replacing(tmp_path / "out.fits") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".comparewarp-")
        assert temporary.suffix == ".part"


def test_an_existing_file_is_refused_before_any_work(tmp_path):
    (tmp_path / "out.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"out\.txt exists; say overwrite") as raised:  # noqa: SIM117
        with replacing(tmp_path / "out.txt"):
            pytest.fail("work has begun")
    assert "\n" not in str(raised.value)
    assert (tmp_path / "out.txt").read_text() == "mine"


@POSIX
def test_a_link_that_leads_nowhere_is_refused_too(tmp_path):
    (tmp_path / "out.txt").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError, match="exists"):  # noqa: SIM117
        with replacing(tmp_path / "out.txt"):
            pytest.fail("work has begun")


def test_overwriting_replaces_the_file(tmp_path):
    (tmp_path / "out.txt").write_text("old")
    with replacing(tmp_path / "out.txt", overwrite=True) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "out.txt").read_text() == "new"
    assert names(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_file_that_comes_up_in_the_meantime_is_kept(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(atomic.os, "link", no_links)
    with pytest.raises(OutputError, match="exists"):  # noqa: SIM117
        with replacing(tmp_path / "out.txt") as temporary:
            temporary.write_text("ours")
            (tmp_path / "out.txt").write_text("theirs")
    assert (tmp_path / "out.txt").read_text() == "theirs"
    assert names(tmp_path) == ["out.txt"]


def test_a_file_system_without_links_will_do(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic.os, "link", no_links)
    with replacing(tmp_path / "out.txt") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "out.txt").read_text() == "whole"
    assert names(tmp_path) == ["out.txt"]


def no_links(source, target):
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_when_the_work_is_broken_off(tmp_path, error):
    (tmp_path / "out.txt").write_text("old")
    with pytest.raises(error):  # noqa: SIM117
        with replacing(tmp_path / "out.txt", overwrite=True) as temporary:
            temporary.write_text("half")
            raise error
    assert (tmp_path / "out.txt").read_text() == "old"
    assert names(tmp_path) == ["out.txt"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"out\.txt: there is no folder .*nowhere"):  # noqa: SIM117
        with replacing(tmp_path / "nowhere" / "out.txt"):
            pytest.fail("work has begun")


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(OutputError, match="is a folder; give the name of a file"):  # noqa: SIM117
        with replacing(tmp_path, overwrite=True):
            pytest.fail("work has begun")


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="is a file; give the name of a folder"):
        check_output_folder(tmp_path / "out")
    with pytest.raises(OutputError, match="there is no folder"):
        check_output_folder(tmp_path / "a" / "b")


@pytest.mark.parametrize("size", [240, 241, 255])
def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path, size):
    path = tmp_path / ("n" * size)
    with replacing(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"


@pytest.mark.parametrize("name", ["n" * 256, "é" * 128, "n" * 5000])
def test_a_name_that_is_too_long_is_refused_before_any_work(tmp_path, name):
    for check in (lambda path: check_output(path, True), check_folder, check_output_folder):
        with pytest.raises(OutputError, match="bytes, and the file system takes 255") as raised:
            check(tmp_path / name)
        assert len(str(raised.value)) < len(str(tmp_path)) + 150


def test_a_path_with_nul_is_refused(tmp_path):
    for check in (lambda path: check_output(path, True), check_folder):
        with pytest.raises(OutputError, match="NUL"):
            check(tmp_path / "a\0b")


@pytest.mark.parametrize(
    "name", ["a:b", "what?", "*.fits", "end.", "end ", "nul", "CON.fits", "a|b"]
)
def test_a_name_that_windows_has_no_file_for_is_refused_there(tmp_path, monkeypatch, name):
    check_output(tmp_path / name, False)
    monkeypatch.setattr(atomic, "_IS_WINDOWS", True)
    with pytest.raises(OutputError, match="no name that Windows has for a file"):
        check_output(tmp_path / name, False)
    check_output(tmp_path / "console (1).fits", False)


@pytest.fixture
def odd_places(tmp_path):
    """Links, pipes, sockets and files, in the place of files and folders."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop2")
    (tmp_path / "loop2").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to(os.devnull)
    return tmp_path


@POSIX
@pytest.mark.parametrize("name", ["dangling", "loop"])
def test_a_folder_that_is_a_link_to_nowhere_is_refused(odd_places, name):
    with pytest.raises(OutputError, match=f"out.txt: there is no folder .*{name}"):
        check_output(odd_places / name / "out.txt", True)
    with pytest.raises(OutputError, match=f"{name} is a link that leads nowhere"):
        check_folder(odd_places / name)


@POSIX
def test_a_file_is_no_folder_to_write_to(odd_places):
    with pytest.raises(OutputError, match="file is a file, not a folder"):
        check_output(odd_places / "file" / "out.txt", True)
    with pytest.raises(OutputError, match="file is a file; give the name of a folder"):
        check_folder(odd_places / "file", parents=True)
    with pytest.raises(OutputError, match="file is a file, not a folder"):
        check_folder(odd_places / "file" / "a" / "b", parents=True)


@POSIX
@pytest.mark.parametrize("name", ["pipe", "null"])
def test_a_pipe_or_device_is_neither_written_to_nor_replaced(odd_places, name):
    path = odd_places / name
    with pytest.raises(OutputError, match="is no file, but a device, pipe or socket"):  # noqa: SIM117
        with replacing(path, overwrite=True):
            pytest.fail("work has begun")
    assert not path.is_file()


@POSIX
def test_a_link_to_an_open_file_is_not_replaced(tmp_path):
    with (tmp_path / "target").open("w") as file:
        path = tmp_path / "out.txt"
        path.symlink_to(f"/proc/self/fd/{file.fileno()}")
        if path.exists():  # where there is /proc
            with pytest.raises(OutputError, match="leads to an open file"):
                check_output(path, True)


def test_folders_that_would_be_made_are_refused_where_they_cannot_be(tmp_path, monkeypatch):
    check_folder(tmp_path / "a" / "b" / "c", parents=True)
    monkeypatch.setattr(atomic.os, "access", lambda *_: False)
    for place in (tmp_path, tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(OutputError, match="cannot be written"):
            check_folder(place, parents=True)
    with pytest.raises(OutputError, match=r"out\.txt: cannot be written: Permission denied"):
        check_output(tmp_path / "out.txt", False)


# A limit on the size of files is, to the program, a disk that is full.
FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from astropy.io import fits
from napari_comparewarp.io.atomic import OutputError
from napari_comparewarp.io.write import write_hdus
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_hdus([fits.PrimaryHDU(np.ones((300, 300)))], Path(sys.argv[1]))
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="the system has no limit of file sizes")
def test_a_full_disk_is_told_in_one_line_and_nothing_is_left(tmp_path):
    path = tmp_path / "out.fits"
    done = run(FULL, path)
    assert done.stdout == f"{path}: cannot be written: no room on the disk\n", done.stderr
    assert names(tmp_path) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from napari_comparewarp.io.atomic import replacing
with replacing(Path(sys.argv[1]), overwrite=True) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_a_killed_process_leaves_the_old_file_whole(tmp_path):
    (tmp_path / "out.txt").write_text("old")
    assert run(KILLED, tmp_path / "out.txt").returncode == -signal.SIGKILL
    assert (tmp_path / "out.txt").read_text() == "old"
    assert [name for name in names(tmp_path) if not name.endswith(".part")] == ["out.txt"]


def run(program, path):
    return subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
