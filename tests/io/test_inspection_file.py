"""An inspection saved and brought back."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from stacks import PSF_SIGMA, stack

import napari_comparewarp as cw
from napari_comparewarp.algorithm.overrides import FootprintKey
from napari_comparewarp.errors import CompareWarpWarning, OutputError, StackError
from napari_comparewarp.io.job import read_job
from napari_comparewarp.simulation import simulate_night, write_night

BAD_OVERRIDE = {"epoch": 1, "y": 1, "x": 1, "streak": False, "decision": "?"}


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night") / "stack"
    write_night(simulate_night(n_epochs=5, shape=(96, 96), seed=3), folder)
    return folder


@pytest.fixture
def saved(night, tmp_path):
    """Return a folder with a stack and an inspection beside it."""
    shutil.copytree(night, tmp_path / "data" / "stack")
    inspection = cw.Inspection(cw.read_stack(tmp_path / "data" / "stack"))
    inspection.set(chi_threshold=5.0, max_epochs=None)
    if len(inspection.result.footprints):
        inspection.override(1, "keep")
    inspection.save(tmp_path / "data" / "mine.json")
    return tmp_path / "data"


def assert_same(one, other):
    np.testing.assert_array_equal(one.result.coadd.image, other.result.coadd.image)
    np.testing.assert_array_equal(one.result.coadd.mask, other.result.coadd.mask)
    assert one.config == other.config
    assert list(one.overrides.items()) == list(other.overrides.items())


def test_it_comes_back_with_config_and_decisions_in_another_place(saved, tmp_path):
    before = cw.Inspection.load(saved / "mine.json")
    assert before.config.chi_threshold == 5.0
    assert list(before.overrides.values()) == ["keep"]
    shutil.move(saved, tmp_path / "elsewhere")
    after = cw.Inspection.load(tmp_path / "elsewhere" / "mine.json")
    assert_same(before, after)
    np.testing.assert_array_equal(before.stack.psf_sigma, after.stack.psf_sigma)


def test_bright_objects_are_marked_as_in_a_run_and_come_back_from_the_file(saved, tmp_path):
    catalogue = saved / "bright.reg"
    catalogue.write_text("# Region file format: DS9\nimage\ncircle(40,50,9)\n")
    job = read_job(saved / "stack", bright_objects=catalogue)
    inspection = cw.Inspection.of_job(job)
    inspection.set(chi_threshold=6.0)
    run = cw.run(job.stack, inspection.config, bright_objects=job.bright_objects)
    plane = inspection.config.bright_object_plane
    marked = run.coadd.mask >> run.coadd.mask_planes[plane] & 1
    assert 200 < marked.sum() < 300
    np.testing.assert_array_equal(inspection.result.coadd.mask, run.coadd.mask)
    inspection.save(saved / "bright.json")
    shutil.move(saved, tmp_path / "elsewhere")
    again = cw.Inspection.load(tmp_path / "elsewhere" / "bright.json")
    assert_same(inspection, again)


def test_it_says_which_input_has_changed(saved):
    path = next((saved / "stack" / "direct").iterdir())
    with path.open("ab") as file:
        file.write(b"\0" * 2880)
    with pytest.warns(CompareWarpWarning, match=f"{path.name}: has changed"):
        cw.Inspection.load(saved / "mine.json")


def test_a_missing_input_is_named(saved):
    path = next((saved / "stack" / "matched").iterdir())
    path.unlink()
    with pytest.raises(StackError, match=f"{path.name}: .*o such file"):
        cw.Inspection.load(saved / "mine.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "reads version 1"),
        ({"surprise": 1}, r"unknown keys \['surprise'\]"),
        ({"format": "other"}, "is no inspection"),
        ({"config": {"chi_threshold": -1}}, "chi_threshold"),
        ({"config": {"unknown_knob": 1}}, "no knob 'unknown_knob'"),
        ({"overrides": [{"epoch": 1}]}, r"overrides\[0\]\.y: field required"),
        ({"overrides": [BAD_OVERRIDE]}, r"overrides\[0\]\.decision = '\?'; .*'clip' or 'keep'"),
    ],
)  # fmt: skip
def test_what_this_version_does_not_know_is_refused_in_one_line(saved, change, message):
    path = saved / "mine.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StackError, match=message) as error:
        cw.Inspection.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_text_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(StackError, match="not readable as JSON"):
        cw.Inspection.load(tmp_path / "a.json")
    with pytest.raises(StackError, match="No such file"):
        cw.Inspection.load(tmp_path / "b.json")


def test_an_inspection_of_arrays_needs_its_stack(tmp_path):
    inspection = cw.Inspection(stack(), variance_scale=[1, 2, 1, 1, 1, 1.5])
    inspection.override(1, "keep")
    inspection.save(tmp_path / "a.json")
    with pytest.raises(StackError, match="inspection of arrays"):
        cw.Inspection.load(tmp_path / "a.json")
    assert_same(inspection, cw.Inspection.load(tmp_path / "a.json", stack=stack()))


def test_direct_warps_alone_keep_their_given_psf_width(night, tmp_path):
    files = sorted((night / "direct").iterdir())
    inspection = cw.Inspection(cw.read_stack(files, psf_sigma=PSF_SIGMA))
    inspection.save(tmp_path / "a.json")
    assert_same(inspection, cw.Inspection.load(tmp_path / "a.json"))


def test_nothing_is_overwritten_unasked(tmp_path):
    inspection = cw.Inspection(stack())
    inspection.save(tmp_path / "a.json")
    with pytest.raises(OutputError, match="exists"):
        inspection.save(tmp_path / "a.json")
    inspection.save(tmp_path / "a.json", overwrite=True)
    with pytest.raises(OutputError, match=r"\.json"):
        inspection.save(tmp_path / "a.txt")


def test_an_old_file_is_still_good_after_a_kill_in_the_middle_of_a_save(tmp_path):
    path = tmp_path / "a.json"
    cw.Inspection(stack()).save(path)
    program = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "import napari_comparewarp as cw\n"
        "from stacks import stack\n"
        "inspection = cw.Inspection(stack())\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    inspection.save(Path(sys.argv[1]), overwrite=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path), str(Path(__file__).parents[1])],
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert cw.Inspection.load(path, stack=stack()).overrides == {}


def test_what_was_looked_at_comes_back_and_an_older_file_has_nothing_of_it(tmp_path):
    warps = stack()
    inspection = cw.Inspection(warps)
    key = FootprintKey(epoch=warps.epochs[1], y=3, x=4)
    inspection.look_at(key)
    inspection.save(tmp_path / "mine.json")
    assert cw.Inspection.load(tmp_path / "mine.json", warps).looked_at == {key}
    content = json.loads((tmp_path / "mine.json").read_text())
    del content["looked_at"]
    (tmp_path / "older.json").write_text(json.dumps(content))
    assert cw.Inspection.load(tmp_path / "older.json", warps).looked_at == set()
