"""What importing the package costs, and brings."""

import subprocess
import sys

import pytest

PROBE = """
import sys, time
start = time.perf_counter()
import napari_comparewarp
took = time.perf_counter() - start
loaded = [name for name in sys.argv[1:] if name in sys.modules]
assert not loaded, loaded
for name in napari_comparewarp.__all__:
    getattr(napari_comparewarp, name)
windows = [name for name in ("napari", "qtpy", "PyQt6", "PySide6") if name in sys.modules]
assert not windows, windows
print(took)
"""


def test_importing_loads_nothing_heavy_and_all_names_need_no_window():
    heavy = ["numba", "astropy", "scipy", "matplotlib", "pydantic", "napari", "qtpy"]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *heavy], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5


def test_the_layers_are_a_public_name_that_needs_napari_but_no_window():
    probe = (
        "import sys; from napari_comparewarp import inspection_to_layers; "
        "print([n for n in ('qtpy', 'PyQt6', 'PySide6') if n in sys.modules])"
    )
    pytest.importorskip("napari")
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_numbers_know_nothing_of_files_or_windows():
    probe = (
        "import sys; import napari_comparewarp.algorithm.stages; "
        "print([n for n in ('astropy', 'napari', 'qtpy', 'click', 'matplotlib') "
        "if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
