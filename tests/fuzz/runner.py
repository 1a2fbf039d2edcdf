"""Runs pieces of work in children of a warm process, and returns what a user would have seen."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

TESTS = Path(__file__).parent.parent

#: A child that takes longer hangs.
SECONDS = 20

#: What a process that is not forked may take beyond that, and its memory, bytes.
START, MOST_MEMORY = 60, 2 * 1024**3

CAN_FORK = hasattr(os, "fork") and hasattr(os, "pidfd_open") and Path("/proc/self/statm").exists()


@dataclass(frozen=True)
class Outcome:
    """How a child ended.

    Attributes
    ----------
    code : int
        Exit code; negative: the signal that ended it.
    hung : bool
        Whether it had to be ended.
    seconds : float
    memory : int
        Peak of its resident memory, bytes; 0: not known.
    left_running : bool
        Whether it left processes.
    stdout, stderr : str
    """

    code: int
    hung: bool
    seconds: float
    memory: int
    left_running: bool
    stdout: str
    stderr: str


class Runner:
    """A warm process, started when it is first needed, and ended with this one."""

    def __init__(self):
        self._scratch = Path(tempfile.mkdtemp(prefix="fuzz-"))
        self._process = None
        atexit.register(self.close)

    def run(self, folder, words, action="command", seconds=SECONDS, kill=None):
        """Do one piece of work in a folder; its TMPDIR is `temporary`.

        Parameters
        ----------
        folder : Path
            The current folder of the child.
        words : list
            For the action, see `actions`.
        action : str
        seconds : float
            After which the child hangs, and is ended.
        kill : (float, int), optional
            Seconds after it has begun, and a signal that it gets then.
        """
        places = {name: str(self._scratch / name) for name in ("stdout", "stderr")}
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir()
        request = {
            "action": action,
            "words": [str(word) for word in words],
            "folder": str(folder),
            "seconds": seconds,
            "kill": kill,
            "environment": {"TMPDIR": str(self.temporary), "SOURCE_DATE_EPOCH": "0"},
            **places,
        }
        answer = self._ask(request) if CAN_FORK else _once(request)
        texts = {
            name: Path(place).read_text("utf-8", "backslashreplace")
            for name, place in places.items()
        }
        return Outcome(**answer, **texts)

    @property
    def temporary(self):
        """The folder for temporary files of the work."""
        return self._scratch / "tmp"

    def _ask(self, request):
        if self._process is None or self._process.poll() is not None:
            self._process = _start([])
            assert self._process.stdout.readline().strip() == "ready"
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        """End the warm process and remove its files."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            self._process = None
        shutil.rmtree(self._scratch, ignore_errors=True)


def _start(words, **options):
    paths = [str(TESTS), str(TESTS.parent)]
    path = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    # Not from the folder of the work: nothing in it may be imported.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "fuzz.child", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": path, "QT_QPA_PLATFORM": "offscreen"},
        **options,
    )  # fmt: skip


def _once(request):
    """Do a piece of work in a process of its own, where none can be forked."""
    began = time.monotonic()
    process = _start(["--once", json.dumps(request)])
    watched, memory, hung = psutil.Process(process.pid), 0, False
    while process.poll() is None:
        with suppress(psutil.Error):
            memory = max(memory, watched.memory_info().rss)
        # All is imported anew.
        hung = time.monotonic() - began > request["seconds"] + START
        if hung or memory > MOST_MEMORY:
            process.kill()
        time.sleep(0.02)
    process.communicate()
    return {
        "code": process.returncode,
        "hung": hung,
        "seconds": time.monotonic() - began,
        "memory": memory,
        "left_running": False,
    }
