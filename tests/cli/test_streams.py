"""Standard streams that are closed, full, or read by nobody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell and its redirections")

PROGRAM = """
import os, sys, warnings
from pathlib import Path
import click
from napari_comparewarp.cli.common import CommandLine, echo
from napari_comparewarp.errors import CompareWarpWarning, StackError

@click.group(cls=CommandLine)
def group():
    pass

@group.command()
@click.argument("kind")
def work(kind):
    if kind == "wrong":
        raise StackError("no warps")
    warnings.warn("visit 7 is left out", CompareWarpWarning)
    with Path(sys.argv[2]).open("w") as file:
        # What a library prints, past Python.
        for number in (1, 2):
            try:
                os.write(number, b"noise\\n")
            except OSError:
                pass
        file.write("whole")
    for _ in range(20_000):
        echo("a line of a table")

group()
"""


def run(tmp_path, redirections, kind="work"):
    """Run a command in a shell; return exit code, stdout and stderr, as far as they are there."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    command = f"{sys.executable} {script} work {kind} {redirections}"
    done = subprocess.run(
        ["bash", "-c", f"cd {tmp_path}; {command}"], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_command_works_whatever_stream_is_closed_and_writes_none_into_its_files(tmp_path, closed):
    code, _, errors = run(tmp_path, closed)
    assert code == 0
    assert "Error" not in errors
    assert (tmp_path / "work").read_text() == "whole"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_standard_output_is_one_line(tmp_path):
    code, _, errors = run(tmp_path, ">/dev/full")
    assert code == 1
    assert errors.splitlines()[-1] == (
        "comparewarp: error: standard output: No space left on device"
    )
    assert "Traceback" not in errors and "Exception ignored" not in errors


@pytest.mark.parametrize("gone", ["2>&-", "2>/dev/full"])
def test_an_error_that_nobody_can_read_still_has_its_exit_code(tmp_path, gone):
    assert run(tmp_path, gone, "wrong") == (2, "", "")


def test_a_reader_that_has_enough_is_no_error(tmp_path):
    code, output, errors = run(tmp_path, "2>/dev/null | head -1; exit ${PIPESTATUS[0]}")
    assert (code, output, errors) == (141, "noise\n", "")
