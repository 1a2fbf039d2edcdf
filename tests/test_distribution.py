"""What is built of the sources holds all that the program needs, and no more."""

import importlib.util
import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEEDED = ("build", "setuptools_scm", "twine")

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in NEEDED),
    reason=f"needs {', '.join(NEEDED)}, which the extra [test] brings",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build sdist and wheel of a copy of what git tracks, without a network."""
    folder = tmp_path_factory.mktemp("dist")
    copy = folder / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, tracked):
        if name.startswith(("napari_comparewarp/", "tests/test_")) or "/" not in name:
            source = ROOT / name
            if source.is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                (copy / name).write_bytes(source.read_bytes())
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(copy)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def wheel(built):
    with zipfile.ZipFile(built[0]) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_every_module_and_all_that_they_read(wheel):
    package = ROOT / "napari_comparewarp"
    modules = {path.relative_to(ROOT).as_posix() for path in package.rglob("*.py")}
    data = {
        "napari_comparewarp/py.typed",
        "napari_comparewarp/gui/napari.yaml",
        "napari_comparewarp/gui/icon.svg",
        *(
            path.relative_to(ROOT).as_posix()
            for path in (package / "report" / "templates").iterdir()
        ),
    }
    assert modules | data <= wheel.keys()


def test_the_wheel_brings_nothing_but_the_package(wheel):
    others = {
        name for name in wheel
        if not name.startswith("napari_comparewarp/") and ".dist-info/" not in name
    }  # fmt: skip
    assert others == set()


def test_the_wheel_names_commands_plugin_and_licence(wheel):
    (points,) = (text.decode() for name, text in wheel.items() if name.endswith("entry_points.txt"))
    assert "comparewarp = napari_comparewarp.cli:main" in points
    assert "napari-comparewarp = napari_comparewarp.gui:napari.yaml" in points
    assert any(name.endswith("licenses/LICENSE") for name in wheel)
    (metadata,) = (text.decode() for name, text in wheel.items() if name.endswith("METADATA"))
    fields = Parser().parsestr(metadata)
    assert fields["License-Expression"] == "BSD-3-Clause"
    # No git: the version is what the settings fall back on.
    assert fields["Version"] == "0.1.0"
    extras = fields.get_all("Provides-Extra")
    assert {"all", "batch", "napari", "pyqt6", "pyside6"} <= set(extras)


def test_the_sdist_can_be_built_again(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "napari_comparewarp/gui/icon.svg"} <= names
    assert not {name for name in names if name.endswith((".pyc", ".so", ".nbi", ".nbc"))}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the sources have no history here")
def test_the_sdist_of_a_clone_is_all_that_git_tracks(tmp_path):
    """Whoever packages it finds the tests in it, and what these read."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    build = ("build", "--no-isolation", "--sdist", "--outdir", str(tmp_path), str(clone))
    subprocess.run([sys.executable, "-m", *build], check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    with tarfile.open(sdist) as archive:
        names = {entry.name.partition("/")[2] for entry in archive if entry.isfile()}
    added = {name for name in names if ".egg-info/" not in name} - {"PKG-INFO", "setup.cfg"}
    assert added == set(filter(None, tracked))
    assert sdist.stat().st_size < 20_000_000


def test_both_are_what_the_index_of_packages_takes(built):
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *built], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


#: What uv says where no index of packages can be reached.
NO_INDEX = ("Failed to fetch", "Connect", "dns error", "offline", "timed out")


@pytest.mark.skipif(not importlib.util.find_spec("uv"), reason="needs uv, of the extra [test]")
@pytest.mark.parametrize("resolution", ["lowest-direct", "highest"])
def test_the_wheel_works_with_the_oldest_and_the_newest_dependencies(built, tmp_path, resolution):
    if resolution == "lowest-direct" and sys.version_info >= (3, 12):
        pytest.skip("the oldest dependencies are those of the oldest Python")
    environment = tmp_path / "environment"
    # Certificates of the system, as pip takes them; nothing of this package but the wheel.
    settings = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    settings.pop("PYTHONPATH", None)

    def call(*words):
        return subprocess.run(
            [str(word) for word in words], env=settings, cwd=tmp_path, capture_output=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip

    uv = (sys.executable, "-m", "uv", "--quiet")
    assert call(*uv, "venv", "--python", sys.executable, environment).returncode == 0
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    installed = call(
        *uv, "pip", "install", "--python", python, "--resolution", resolution, built[0]
    )
    if installed.returncode and any(sign in installed.stderr for sign in NO_INDEX):
        pytest.skip(f"no index of packages: {installed.stderr.strip().splitlines()[-1]}")
    assert installed.returncode == 0, installed.stderr
    command = scripts / "comparewarp"
    night = tmp_path / "night"
    done = call(command, "simulate", night, "--epochs", 4, "--size", 64, 64)
    assert done.returncode == 0, done.stderr
    done = call(command, "run", night, "-o", tmp_path / "coadd.fits")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "coadd.fits").is_file()
