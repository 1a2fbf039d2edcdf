"""The fuzzers see what they are to see: their tools are right, and each kind of harm is found."""

import io
import json

import pytest
from astropy.io import fits
from fuzz import fits_bytes, fits_edits, guided, oracle, text_edits
from fuzz.layouts import LAYOUTS, files_of
from fuzz.recipes import COMMANDS, made
from fuzz.runner import Outcome
from fuzz.texts import SEEDS, SLOW
from fuzz.trial import tried


def ended(code=0, stderr="", **more):
    """Return the end of a child."""
    usual = {"hung": False, "seconds": 0.1, "memory": 0, "left_running": False, "stdout": ""}
    return Outcome(code=code, stderr=stderr, **usual | more)


def kinds(outcome):
    return [failure.kind for failure in oracle.failures(outcome)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_that_is_taken_apart_and_put_together_is_the_same(layout):
    for name, content in files_of(layout).items():
        if not name.endswith(".gz"):
            assert fits_bytes.assemble(fits_bytes.parse(content)) == content


def test_signed_damage_has_right_checksums():
    content = next(iter(files_of("lsst_signed").values()))
    edits = [("set", 1, "BSCALE", "2.0"), ("data", 0, 0.5, 3), ("sign",)]
    with fits.open(io.BytesIO(fits_bytes_of(content, edits)), checksum=True) as hdus:
        assert hdus[1].header["BSCALE"] == 2
        assert all(hdu.verify_checksum() == 1 and hdu.verify_datasum() == 1 for hdu in hdus)


def fits_bytes_of(content, edits):
    return fits_edits.edited(content, edits)


def test_only_damage_that_is_not_signed_has_to_be_seen():
    assert fits_edits.only_data([("data", 0, 0.5, 1)])
    assert not fits_edits.only_data([("data", 0, 0.5, 1), ("sign",)])


def test_every_seed_is_read_where_nothing_is_damaged(runner):
    """A seed that is refused would make all its mutants worth nothing."""
    recipes = [
        {"layout": layout, "file": 0, "edits": [], "command": "run"}
        for layout in LAYOUTS
        if layout != "unnamed_chips"
    ]
    recipes += [{"format": name, "edits": [], "command": 0} for name in SEEDS if name not in SLOW]
    refused = []
    for recipe in recipes:
        outcome, found = tried(recipe, runner)
        if outcome.code != 0 or found:
            refused.append((recipe, outcome.stderr, found))
    assert not refused, "\n".join(map(str, refused))


def test_a_recipe_is_json_and_gives_the_same_files_again():
    recipe = {"layout": "lsst", "file": 1, "edits": [("cut", 0.5)], "command": "run"}
    again = json.loads(json.dumps(recipe))
    with made(recipe) as one, made(again) as other:
        assert oracle.snapshot(one.folder) == oracle.snapshot(other.folder)
        assert one.words[: len(COMMANDS["run"])] == COMMANDS["run"]


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (ended(-11, "Fatal Python error: Segmentation fault"), "crash"),
        (ended(-6, hung=True), "hang"),
        (ended(1, "comparewarp: error: x"), "exit code 1"),
        (ended(2, ""), None),
        (ended(2, "comparewarp: error: KeyError: 'x'"), "a foreign error"),
        (ended(2, "comparewarp: error: a\ncomparewarp: error: b"), "not one error line"),
        (ended(0, "RuntimeWarning: divide by zero"), "a foreign line"),
        (ended(2, "comparewarp: error: a\x1b[2Jb"), "control characters"),
        (ended(2, "comparewarp: error: " + "a" * 400), "too long"),
        (ended(0, memory=10**10), "memory"),
        (ended(0, left_running=True), "processes left"),
        (ended(0, "warning: a.fits: no DATE-OBS"), None),
        (ended(2, "comparewarp: error: a.fits: no such file"), None),
    ],
)
def test_each_kind_of_harm_is_seen(outcome, kind):
    assert (kinds(outcome)[:1] or [None]) == [kind]


def test_what_is_left_on_the_disk_is_seen(tmp_path):
    before, after = {"a": b"1"}, {"a": b"2", "out.fits": b"", ".out.fits.12ab.part": b""}
    (tmp_path / "spool").touch()
    seen = [one.kind for one in oracle.left_over(before, after, tmp_path, 2)]
    assert seen == [
        "an input changed", "output of a failed run", "a temporary file left", "TMPDIR not empty",
    ]  # fmt: skip


def test_values_of_a_text_are_found_and_names_are_left():
    text = '{"a": 1.5, "b": ["x 2", true], "c": null}'
    found = {text_edits.edited(text, [("value", place, "NEW")]) for place in range(20)}
    assert found == {
        b'{"a": NEW, "b": ["x 2", true], "c": null}', b'{"a": 1.5, "b": [NEW, true], "c": null}',
        b'{"a": 1.5, "b": ["x 2", NEW], "c": null}', b'{"a": 1.5, "b": ["x 2", true], "c": NEW}',
    }  # fmt: skip


@pytest.mark.parametrize("name", guided.PARSERS)
def test_a_parser_that_is_fuzzed_with_coverage_takes_its_seeds(name, tmp_path):
    guided.write_seeds(name, tmp_path)
    seeds = list(tmp_path.iterdir())
    assert len(seeds) == len(guided.PARSERS[name][2])
    for seed in seeds:
        guided.parse(name, seed.read_bytes(), tmp_path)
        guided.parse(name, b"\0", tmp_path)
