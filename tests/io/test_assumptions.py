"""What a user says of files."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from fits_files import make_planes, write_plain, write_stack

import napari_comparewarp as cw
from napari_comparewarp.cli import main
from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io.assumptions import Assumptions


def test_words_and_mappings_say_the_same():
    words = Assumptions.of(["sky=keep", "read-noise = 4.5", "dialect=hst"])
    assert words == Assumptions.of({"sky": "keep", "read_noise": 4.5, "dialect": "hst"})
    assert Assumptions.of(words) is words
    assert Assumptions.of(None).told() == {}
    assert words.told() == {"sky": "keep", "read_noise": 4.5, "dialect": "hst"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sky"], "write NAME=VALUE, such as sky=keep"),
        (["skies=keep"], "assume skies: not known; it is one of dialect, detector, variance"),
        (["sky=high"], "assume sky = 'high': .*'auto', 'subtract' or 'keep'"),
        (["gain=-1"], "assume gain = '-1': .*greater than 0"),
        (["gain=many"], "assume gain = 'many': .*number"),
    ],
)
def test_what_is_not_known_is_refused_in_one_line(words, message):
    with pytest.raises(StackError, match=message) as error:
        Assumptions.of(words)
    assert "\n" not in str(error.value)


def write_weighted(folder, n=4, scale=400.0):
    """Write exposures with a weight map of another scale than the inverse variance."""
    for visit in range(n):
        image = np.random.default_rng(visit).normal(0, 3, (64, 80)).astype(np.float32)
        weight = np.full((64, 80), scale, np.float32)
        write_plain(folder / f"visit_{visit}.fits", "WHT", weight, image=image)
    return folder


def test_an_inspection_remembers_what_was_said(tmp_path):
    folder = write_weighted(tmp_path / "night")
    stack = cw.read_stack(folder, assume={"variance": "inverse-variance", "noise": "ignore"})
    np.testing.assert_allclose(stack.direct.variance[0], 1 / 400)
    inspection = cw.Inspection(stack)
    inspection.save(tmp_path / "i.json")
    again = cw.Inspection.load(tmp_path / "i.json")
    np.testing.assert_array_equal(again.stack.direct.variance[0], stack.direct.variance[0])
    content = json.loads((tmp_path / "i.json").read_text())
    assert content["assume"] == {"variance": "inverse-variance", "noise": "ignore"}
    content["assume"] = {"sky": "high"}
    (tmp_path / "i.json").write_text(json.dumps(content))
    with pytest.raises(StackError, match=r"i\.json: assume: "):
        cw.Inspection.load(tmp_path / "i.json")


def test_the_command_line_takes_them(tmp_path):
    folder = write_weighted(tmp_path / "night")
    words = ["run", str(folder), "-o", str(tmp_path / "c.fits"), "--quiet"]
    plain = CliRunner().invoke(main, words)
    assert plain.exit_code == 0
    done = CliRunner().invoke(
        main, [*words, "--overwrite", "--assume", "variance=inverse-variance"]
    )
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit)
    done = CliRunner().invoke(main, [*words, "--overwrite", "--assume", "sky=high"])
    assert done.exit_code == 2
    inspection = tmp_path / "i.json"
    with pytest.warns(CompareWarpWarning, match="relative weight"):
        cw.Inspection(cw.read_stack(folder)).save(inspection)
    done = CliRunner().invoke(
        main, ["run", str(inspection), "-o", "x.fits", "--assume", "sky=keep"]
    )
    assert done.exit_code == 2


def test_info_takes_them_too(tmp_path):
    path = write_plain(tmp_path / "a.fits", "WHT", np.full((20, 30), 400.0, np.float32))
    done = CliRunner().invoke(main, ["info", str(path), "--assume", "variance=error",
                                     "--assume", "noise=ignore"])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "error; the variance is its square" in done.output


def test_a_batch_takes_them(tmp_path):
    write_weighted(tmp_path / "night")
    (tmp_path / "plan.toml").write_text(
        '[defaults]\nassume = { sky = "keep" }\n\n[[patch]]\nname = "a"\nstack = "night"\n'
        'output = "out"\nassume = { variance = "relative" }\n'
    )
    done = CliRunner().invoke(main, ["batch", str(tmp_path / "plan.toml")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "a.fits").exists()
    text = (tmp_path / "plan.toml").read_text().replace('"keep"', '"high"')
    (tmp_path / "plan.toml").write_text(text)
    done = CliRunner().invoke(main, ["batch", str(tmp_path / "plan.toml")])
    assert done.exit_code == 2


def test_files_that_say_everything_need_no_word(tmp_path):
    write_stack(tmp_path)
    stack = cw.read_stack(tmp_path)
    assert stack.assumptions == {}
    np.testing.assert_array_equal(stack.direct.image[0], make_planes(0)[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gain=inf"], "assume gain = 'inf': .*finite"),
        (["gain=nan"], "assume gain = 'nan': .*finite"),
        (["gain=" + "1" * 5000], "assume gain = '111.*finite"),
        (["read_noise=-1"], "assume read_noise = '-1'"),
        (["x" * 5000 + "=1"], "assume 'xxx.*: not known"),
        (["\x1b[31m"], r"assume '\\x1b\[31m'; write NAME=VALUE"),
        ({"gain": True}, "assume gain = True: a number, not a switch"),
        ({"self": 1}, "assume self: not known"),
        ({"gain": 10**400}, "assume gain = 1000"),
    ],
)
def test_each_assumption_has_a_type_and_a_range(words, message):
    with pytest.raises(StackError, match=message) as error:
        Assumptions.of(words)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 250
