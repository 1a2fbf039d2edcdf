"""An inspection saved and brought back."""

import json
import os
import shutil
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
from napari_comparewarp.io.inspection_file import read_inspection
from napari_comparewarp.io.job import read_job
from napari_comparewarp.io.source import PlanePlace
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
    process.kill()
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


KEY = {"epoch": 1, "y": 1, "x": 2, "streak": False}
INPUT = {"path": "a.fits", "role": "direct", "epoch": 7, "sha256": "", "psf_sigma": 2.0}
EMPTY = {
    "format": "comparewarp inspection", "version": 1, "program": "napari-comparewarp 0.1",
    "config": {}, "overrides": [], "variance_scale": None, "inputs": [],
}  # fmt: skip


def override(**changes):
    return {"overrides": [{**KEY, "decision": "keep", **changes}]}


def input_with(**changes):
    return {"inputs": [{**INPUT, **changes}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (input_with(psf_sigma=-1), r"inputs\[0\].psf_sigma = -1; a width in pixels, above 0"),
        (input_with(psf_sigma=0), r"inputs\[0\].psf_sigma = 0; a width in pixels"),
        (input_with(psf_sigma="2"), r"inputs\[0\].psf_sigma = '2'; a width in pixels"),
        (input_with(psf_sigma=True), r"inputs\[0\].psf_sigma = True; a width in pixels"),
        (input_with(psf_sigma=10**400), "psf_sigma = 1000.*64 bits"),
        (input_with(role="both"), r"inputs\[0\].role = 'both'; direct or matched"),
        (input_with(role=1), r"inputs\[0\].role = 1; direct or matched"),
        (input_with(epoch=1.5), r"inputs\[0\].epoch = 1.5; an id is a whole number"),
        (input_with(epoch=True), r"inputs\[0\].epoch = True; an id is a whole number"),
        (input_with(epoch=""), r"inputs\[0\].epoch = ''; an id is a whole number"),
        (input_with(epoch="a\nb"), r"inputs\[0\].epoch = 'a\\nb'; an id is a whole number"),
        (input_with(epoch=2**70), r"inputs\[0\].epoch = .*64 bits"),
        (input_with(sha256="xyz"), r"inputs\[0\].sha256 = 'xyz'; a checksum of 64"),
        (input_with(path=""), r"inputs\[0\].path = ''; the path of a file"),
        (input_with(path="a\0b"), r"inputs\[0\].path = 'a\\x00b'; a text cannot hold"),
        (input_with(path="x" * 300), r"inputs\[0\].path = 'xxx.*names of at most 255 bytes"),
        (input_with(path="\ud800"), r"inputs\[0\].path = '\\ud800'; .*half a character"),
        (input_with(path=["a"]), r"inputs\[0\].path = \['a'\]"),
        (input_with(told={"zero_point": 1e9}), r"told.zero_point = 1000000000.0; a magnitude"),
        (input_with(told={"planes": {"mask": ["a", -1]}}), r"told.planes.mask\[1\] = -1; file and"),
        (input_with(told={"planes": {"zoo": ["a", 1]}}), "told.planes.zoo = .*there are image"),
        (input_with(told={"assume": {"sky": "up"}}), "assume: assume sky = 'up'"),
        (input_with(told={"told": 1}), "told.told: extra inputs are not permitted"),
        (input_with(told=[]), "told = .*a table with zero_point, planes, assume"),
        (input_with(extra=1), r"inputs\[0\].extra: extra inputs are not permitted"),
        ({"inputs": {}}, "inputs = {}; .*list"),
        ({"inputs": ["a.fits"]}, r"inputs\[0\] = 'a.fits'; a table with path, role"),
        ({"inputs": [INPUT, INPUT]}, r"inputs\[1\] is that of inputs\[0\] again"),
        ({"inputs": [INPUT, {**INPUT, "path": "b"}]}, r"inputs\[1\] is that of inputs\[0\] again"),
        ({"variance_scale": [1.0, -1.0]}, r"variance_scale\[1\] = -1.0; factors .* above 0"),
        ({"variance_scale": [0]}, r"variance_scale\[0\] = 0; factors"),
        ({"variance_scale": ["1"]}, r"variance_scale\[0\] = '1'; factors"),
        ({"variance_scale": 1.5}, "variance_scale = 1.5; factors"),
        (override(y=-1), r"overrides\[0\].y = -1; the index of a row, from 0"),
        (override(x=2**40), r"overrides\[0\].x = 1099511627776; the index of a column"),
        (override(y=1.0), r"overrides\[0\].y = 1.0; the index of a row"),
        (override(streak=0), r"overrides\[0\].streak = 0; .*boolean"),
        (override(decision=["clip"]), r"overrides\[0\].decision = \['clip'\]"),
        ({"overrides": override()["overrides"] * 2}, r"overrides\[1\] is that of overrides\[0\]"),
        ({"looked_at": [{**KEY, "y": "1"}]}, r"looked_at\[0\].y = '1'"),
        ({"looked_at": [{**KEY, "decision": "keep"}]}, r"looked_at\[0\].decision: extra inputs"),
        ({"bright_objects": 5}, "bright_objects = 5; the path of a catalogue"),
        ({"bright_objects": ""}, "bright_objects = ''; the path of a catalogue"),
        ({"config": []}, "config = .*dictionary"),
        ({"config": {"self": 1}}, "no knob 'self'"),
        ({"config": {"chi_threshold": True}}, "chi_threshold = true.*|chi_threshold = True"),
        ({"assume": {"gain": True}}, "assume gain = True"),
        ({"assume": []}, "assume = "),
        ({"version": True}, "inspection of version True"),
        ({"version": 1.0}, "version = 1.0"),
        ({"program": 3}, "program = 3"),
    ],
)  # fmt: skip
def test_each_field_has_a_type_and_a_range(tmp_path, change, message):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(EMPTY | change))
    with pytest.raises(StackError, match=message) as error:
        read_inspection(path)
    assert str(error.value).startswith(f"{path}: ")
    assert len(str(error.value)) < len(str(path)) + 300
    assert str(error.value).isprintable()


@pytest.mark.parametrize("key", sorted(EMPTY))
def test_none_of_what_every_inspection_has_may_be_missing(tmp_path, key):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({name: EMPTY[name] for name in EMPTY if name != key}))
    with pytest.raises(StackError, match=key):
        read_inspection(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version"', '"inputs": [], "version"', "the key 'inputs' stands twice"),
        ("null", "[NaN]", r"variance_scale\[0\] = nan; a number has to be finite"),
        ("null", "[Infinity]", r"variance_scale\[0\] = inf"),
        ("null", "9" * 5000, "too many digits"),
        ("null", "[" * 100_000, "deeper than 64"),
        ("null", '{"a":' * 100_000, "deeper than 64"),
    ],
)
def test_json_with_more_in_it_than_values_is_refused(tmp_path, old, new, message):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(EMPTY).replace(old, new, 1))
    with pytest.raises(StackError, match=rf"mine\.json: not readable as JSON: .*{message}"):
        read_inspection(path)


def test_an_old_inspection_without_what_came_later_is_read(tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(EMPTY | {"inputs": [INPUT, {**INPUT, "role": "direct MASK"}]}))
    old = read_inspection(path)
    assert (old.looked_at, old.assume, old.bright_objects) == (frozenset(), {}, None)
    assert [item.path for item in old.inputs] == [tmp_path / "a.fits"] * 2


def test_names_that_are_no_utf8_come_back_from_an_inspection(tmp_path):
    name = os.fsdecode(b"caf\xe9.fits")
    told = {"planes": {"mask": [name, "X"]}}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(EMPTY | input_with(path=name, told=told)))
    (item,) = read_inspection(path).inputs
    assert item.path == tmp_path / name
    assert item.told.places(tmp_path)["mask"] == PlanePlace(tmp_path / name, "X")


@pytest.mark.parametrize("factor", [-1.0, 0.0, np.inf])
def test_factors_of_variances_are_finite_and_above_0(factor):
    with pytest.raises(StackError, match="factors are finite and above 0"):
        _ = cw.Inspection(stack(), variance_scale=[1, factor, 1, 1, 1, 1]).result
