"""A signal that asks a command to end leaves one line, its exit code and nothing else."""

import os
import signal
import subprocess
import sys
import time

import pytest

from napari_comparewarp.cli.signals import Stopped, ending_at, stopping

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no signals")

PROGRAM = """
import sys, time
from pathlib import Path
import click
from napari_comparewarp.cli.common import CommandLine
from napari_comparewarp.io.atomic import replacing

@click.group(cls=CommandLine)
def group():
    pass

@group.command()
@click.argument("path", type=Path)
def work(path):
    {body}

group()
"""

WRITE = """
    with replacing(path) as temporary:
        temporary.write_text("half")
        print("begun", flush=True)
        time.sleep(60)
"""

CLEAR_UP_SLOWLY = """
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("clearing up", flush=True)
        time.sleep(0.5)
        path.write_text("cleared up")
"""

IN_A_DESTRUCTOR = """
    class Slow:
        def __del__(self):
            print("begun", flush=True)
            time.sleep(0.5)
    Slow()
    time.sleep(60)
"""


def begin(path, body, **options):
    """Start a command, and return when it says that it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body.strip()), "work", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "the terminal is gone"),
    ],
)
def test_a_signal_ends_a_command_with_one_line_and_leaves_nothing(tmp_path, number, code, word):
    process = begin(tmp_path / "out.txt", WRITE)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert errors == f"comparewarp: error: {word}; nothing half written is left\n"
    assert process.returncode == code
    assert list(tmp_path.iterdir()) == []


def test_a_second_signal_does_not_disturb_the_clearing_up(tmp_path):
    process = begin(tmp_path / "out.txt", CLEAR_UP_SLOWLY)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "clearing up\n"
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 143 and len(errors.splitlines()) == 1
    assert (tmp_path / "out.txt").read_text() == "cleared up"


def test_a_signal_is_not_lost_where_nothing_can_be_raised(tmp_path):
    process = begin(tmp_path / "out.txt", IN_A_DESTRUCTOR)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 143
    assert errors == "comparewarp: error: terminated; nothing half written is left\n"


def test_a_signal_that_is_ignored_stays_ignored(tmp_path):
    process = begin(
        tmp_path / "out.txt", WRITE.replace("60", "0.5"),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    process.send_signal(signal.SIGHUP)
    assert process.communicate(timeout=20)[1] == ""
    assert process.returncode == 0
    assert (tmp_path / "out.txt").read_text() == "half"


def test_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Stopped), stopping():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_what_must_not_be_broken_into_is_ended_and_the_signal_raised_afterwards():
    ended = []
    with pytest.raises(Stopped) as raised, ending_at(lambda: ended.append(True)):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
        assert ended == [True]
    assert raised.value.exit_code == 143
