"""`comparewarp view` checks first, says what is missing, and opens the window."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

import napari_comparewarp as cw
from napari_comparewarp.cli import main
from napari_comparewarp.simulation import simulate_night, write_night


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night") / "stack"
    write_night(simulate_night(4, (64, 72), seed=3), folder)
    return folder


@pytest.fixture
def display(monkeypatch):
    """Claim a screen, for what is refused before it is used."""
    monkeypatch.setenv("DISPLAY", os.environ.get("DISPLAY", ":claimed"))


def refusal(*words):
    """Return the one line with which a command line is refused."""
    outcome = CliRunner().invoke(main, ["view", *(str(word) for word in words)])
    assert outcome.exit_code == 2, outcome.output
    assert len(outcome.stderr.splitlines()) == 1
    return outcome.stderr


def test_without_napari_one_line_says_what_to_install(night, display, monkeypatch):
    monkeypatch.setitem(sys.modules, "napari", None)
    message = refusal(night)
    assert "needs napari and Qt" in message
    assert 'pip install "napari-comparewarp[all]"' in message


def test_without_a_screen_one_line_says_so(night, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert "no display" in refusal(night)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no stack"], "no stack"),
        (["{night}", "--set", "chi_threshold=-1"], "chi_threshold"),
        (["{night}", "--memory", "much"], "much"),
        (["{night}", "--psf-sigma", "0"], "psf-sigma"),
        (["{night}", "--preset", "none"], "none"),
    ],
)
def test_what_is_wrong_is_said_before_a_window_opens(night, monkeypatch, words, said):
    monkeypatch.setitem(sys.modules, "napari", None)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert said in refusal(*(word.format(night=night) for word in words))


def test_an_inspection_brings_its_own_settings(night, tmp_path):
    cw.Inspection(cw.read_stack(night)).save(tmp_path / "inspection.json")
    message = refusal(tmp_path / "inspection.json", "--set", "chi_threshold=5")
    assert "brings its own settings" in message


SCRIPT = """
import sys, warnings
warnings.simplefilter("ignore")
import napari
from qtpy.QtCore import QTimer

def look():
    from napari_comparewarp.gui.session import Session
    viewer = napari.current_viewer()
    session = viewer and Session.of(viewer)
    if session is None or len(viewer.layers) < 8:
        return
    print("epochs", session.inspection.stack.n_epochs, session.inspection.config.chi_threshold)
    timer.stop()
    viewer.close()

run = napari.run
def run_and_look(*args, **options):
    global timer
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    run(*args, **options)
napari.run = run_and_look

from napari_comparewarp.cli import main
main(["view", *sys.argv[1:]])
"""


@pytest.mark.skipif(
    sys.platform.startswith("linux") and not os.environ.get("DISPLAY") and not os.environ.get("CI"),
    reason="there is no display; run it with xvfb-run, as `make test` does",
)
def test_the_window_opens_on_the_stack_with_its_settings(night, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(night), "--set", "chi_threshold=5"],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "NAPARI_CONFIG": str(tmp_path / "napari.yaml")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "epochs 4 5.0"
