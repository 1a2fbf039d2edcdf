"""`comparewarp config` shows, compares and converts configurations of every kind."""

import json

import pytest
from click.testing import CliRunner

from napari_comparewarp.cli import main
from napari_comparewarp.config.knobs import PRESETS, CompareWarpConfig


def call(*words):
    """Run the command line and return what it said."""
    return CliRunner().invoke(main, [str(word) for word in words])


def refusal(*words):
    """Return the one line with which a command line is refused."""
    outcome = call(*words)
    assert outcome.exit_code == 2, outcome.output
    assert outcome.stdout == ""
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("comparewarp: error: ")
    return line


@pytest.fixture
def files(tmp_path):
    """Write one configuration in each form, and return the files with it."""
    config = CompareWarpConfig(chi_threshold=5, max_epochs=1, bad_planes=("NO_DATA", "SAT"))
    texts = {
        "knobs.json": json.dumps(config.model_dump()),
        "knobs.toml": 'chi_threshold = 5\nmax_epochs = 1\nbad_planes = ["NO_DATA", "SAT"]\n',
        "overrides.py": config.to_lsst(),
        "overrides.txt": "# by hand\nconfig.detect.thresholdValue = 5\nconfig.maxNumEpochs = 1\n"
        "config.badMaskPlanes = ['NO_DATA', 'SAT']\n",
        "overrides.json": '{"detect.thresholdValue": 5, "maxNumEpochs": 1, '
        '"badMaskPlanes": ["NO_DATA", "SAT"]}',
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return config, [tmp_path / name for name in texts]


def test_show_lists_every_knob_with_its_meaning():
    outcome = call("config", "show")
    header, *lines = outcome.stdout.splitlines()
    assert header.split() == ["name", "value", "default", "unit", "LSST", "name", "meaning"]
    assert [line.split()[0] for line in lines] == list(CompareWarpConfig.model_fields)
    line = next(line for line in lines if line.startswith("chi_threshold"))
    assert line.split()[1:5] == ["7.5", "7.5", "sigma", "detect.thresholdValue"]
    assert CompareWarpConfig.model_fields["chi_threshold"].description in line


def test_show_tells_a_presets_values_from_the_defaults():
    lines = call("config", "show", "--preset", "dmtn-080").stdout.splitlines()
    line = next(line for line in lines if line.startswith("protect_sources"))
    assert line.split()[1:3] == ["false", "true"]


@pytest.mark.parametrize("name", PRESETS)
def test_show_lsst_prints_an_override_file_of_the_preset(name):
    text = call("config", "show", "--preset", name, "--lsst").stdout
    assert CompareWarpConfig.from_lsst(text) == CompareWarpConfig.preset(name)


def test_convert_reads_every_form_and_writes_both(files):
    config, paths = files
    for path in paths:
        as_json = call("config", "convert", path, "--to", "json").stdout
        assert CompareWarpConfig(**json.loads(as_json)) == config, path.name
        as_lsst = call("config", "convert", path, "--to", "lsst").stdout
        assert CompareWarpConfig.from_lsst(as_lsst) == config, path.name


def test_diff_shows_only_what_differs(files):
    _, paths = files
    outcome = call("config", "diff", "lsst-v30", paths[0])
    assert [line.split()[0] for line in outcome.stdout.splitlines()[1:]] == [
        "chi_threshold",
        "max_epochs",
        "bad_planes",
    ]
    assert call("config", "diff", paths[0], paths[2]).stdout == "no difference\n"


def test_no_limit_of_epochs_can_be_said_in_toml(tmp_path):
    path = tmp_path / "knobs.toml"
    path.write_text('max_epochs = "none"\n')
    text = call("config", "convert", path).stdout
    assert json.loads(text)["max_epochs"] is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", '{"chi_treshold": 5}', "chi_threshold"),
        ("a.json", '{"chi_threshold": -5}', "greater than 0"),
        ("a.json", "{", "not JSON"),
        ("a.toml", "chi_threshold = = 5", "line 1"),
        ("a.toml", "spatial_threshold = 7", "less than or equal to 1"),
        ("a.py", "config.maxNumEpochs = 1\nconfig.load('b')", "line 2"),
        ("a.py", "config.maxNumEpoch = 1", "maxNumEpochs"),
        ("a.dat", b"\xff\xfe\x00\x81", "no text in UTF-8"),
    ],
)
def test_a_file_that_is_no_config_is_named_with_what_is_wrong(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    line = refusal("config", "convert", path)
    assert str(path) in line and said in line


def test_what_is_neither_preset_nor_file_is_refused_with_the_presets():
    assert "lsst-v29" in refusal("config", "diff", "lsst-v27", "lsst-v30")
    assert "lsst-v29" in refusal("config", "show", "--preset", "lsst-v27")


def test_a_missing_file_is_named(tmp_path):
    assert "No such file" in refusal("config", "convert", tmp_path / "no.json")


def test_a_preset_and_a_file_together_are_refused(files):
    _, paths = files
    assert "exclude" in refusal("config", "show", "--preset", "lsst-v29", "--config", paths[0])
