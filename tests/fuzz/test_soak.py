"""Memory, handles and threads stay flat; `make soak` works for longer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent


def soak(what, steps):
    """Soak in a process of its own, whose memory nothing else uses; return what it said."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.soak", what, str(steps)],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_inspection_holds_no_more_after_many_steps():
    soak("inspection", 100)


def test_a_window_holds_no_more_after_many_steps():
    pytest.importorskip("napari")
    pytest.importorskip("qtpy.QtWidgets")
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        pytest.skip("there is no display; run it with xvfb-run, as `make test` does")
    soak("window", 50)
