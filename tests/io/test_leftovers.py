"""What killed processes leave is swept, and what others are writing is not."""

import os
import subprocess
import sys
import time

import pytest

from napari_comparewarp.io import leftovers
from napari_comparewarp.io.atomic import replacing
from napari_comparewarp.io.leftovers import remove_unfinished, scratch_folder, sweep

pytestmark = pytest.mark.skipif(leftovers.fcntl is None, reason="the system has no such locks")

WRITER = """
import sys, time
from pathlib import Path
from napari_comparewarp.io.atomic import replacing
from napari_comparewarp.io.leftovers import scratch_folder
with replacing(Path(sys.argv[1])) as temporary, scratch_folder(Path(sys.argv[1]).parent) as folder:
    temporary.write_text("half")
    (folder / "file").write_text("half")
    print("begun", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def writer(tmp_path):
    """A process that is in the middle of writing a file, and a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "out.txt")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "begun\n"
    yield process
    process.kill()
    process.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def parts(folder):
    return [name for name in names(folder) if name.endswith(".part")]


def test_what_a_killed_process_has_left_is_swept_by_the_next_that_writes_there(tmp_path, writer):
    writer.kill()
    writer.wait()
    assert len(parts(tmp_path)) == 2
    with replacing(tmp_path / "other.txt") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_what_another_process_is_writing_is_left_alone(tmp_path, writer):
    before = parts(tmp_path)
    with replacing(tmp_path / "other.txt") as temporary:
        temporary.write_text("whole")
    assert parts(tmp_path) == before
    writer.communicate("go on\n")
    assert writer.returncode == 0
    assert (tmp_path / "out.txt").read_text() == "half"
    assert parts(tmp_path) == []


def leftover(machine=None):
    return f".comparewarp-{machine or leftovers._machine()}-0a1b2c3d4e5f.part"


def test_only_what_bears_such_a_name_is_swept(tmp_path):
    kept = [
        ".out.fits.12ab34cd.part", ".comparewarp-x.part", "out.part",
        leftover()[1:], leftover() + "x", "x" + leftover(), leftover().upper(),
    ]  # fmt: skip
    for each in [*kept, leftover()]:
        (tmp_path / each).write_text("")
    sweep(tmp_path)
    assert names(tmp_path) == sorted(kept)


def test_a_link_of_such_a_name_is_left_with_all_it_leads_to(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    (tmp_path / leftover()).symlink_to(tmp_path / "mine")
    sweep(tmp_path)
    assert (tmp_path / leftover()).is_symlink()
    assert (tmp_path / "mine" / "file").read_text() == "mine"


def test_a_pipe_of_such_a_name_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / leftover())
    sweep(tmp_path)
    assert parts(tmp_path) == [leftover()]


def test_what_another_machine_has_made_is_swept_after_a_day(tmp_path):
    path = tmp_path / leftover("0123abcd")
    path.write_text("")
    sweep(tmp_path)
    assert path.exists()
    before = time.time() - 100_000
    os.utime(path, (before, before))
    sweep(tmp_path)
    assert not path.exists()


def test_without_locks_files_are_written_and_none_is_swept(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError("no locks available")

    monkeypatch.setattr(leftovers.fcntl, "flock", no_locks)
    (tmp_path / leftover()).write_text("")
    with replacing(tmp_path / "out.txt") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == [leftover(), "out.txt"]


def test_a_scratch_folder_goes_with_all_that_is_in_it(tmp_path):
    with scratch_folder(tmp_path) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_text("")
    assert names(tmp_path) == []


def test_what_a_signal_kept_from_being_removed_can_be_removed_later(tmp_path):
    with scratch_folder(tmp_path) as folder:
        remove_unfinished()
        assert not folder.exists()


MANY = """
import sys
from pathlib import Path
from napari_comparewarp.io.atomic import replacing
folder, number = Path(sys.argv[1]), sys.argv[2]
for i in range(60):
    with replacing(folder / f"{number}_{i}.txt") as temporary:
        temporary.write_text("whole")
"""


def test_many_may_write_to_one_folder_at_once(tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", MANY, str(tmp_path), str(number)])
        for number in range(4)
    ]
    assert [process.wait() for process in processes] == [0] * 4
    written = names(tmp_path)
    assert written == sorted(f"{number}_{i}.txt" for number in range(4) for i in range(60))
    assert all((tmp_path / each).read_text() == "whole" for each in written)
