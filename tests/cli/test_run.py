"""`comparewarp run` checks first, then makes a coadd and says what it found."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from click.testing import CliRunner

import napari_comparewarp as cw
import napari_comparewarp.result.result
from napari_comparewarp.cli import main
from napari_comparewarp.cli.knobs import choose_config
from napari_comparewarp.config.knobs import CompareWarpConfig
from napari_comparewarp.errors import ConfigError
from napari_comparewarp.simulation import simulate_night, write_night


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Return a folder with a small simulated stack."""
    folder = tmp_path_factory.mktemp("night")
    write_night(simulate_night(6, (96, 112), seed=3), folder)
    return folder


def call(*words):
    """Run the command line and return what it said."""
    return CliRunner().invoke(main, ["run", *(str(word) for word in words)])


def refusal(*words):
    """Return the one line with which a command line is refused."""
    outcome = call(*words)
    assert outcome.exit_code == 2, outcome.output
    assert outcome.stdout == ""
    assert len(outcome.stderr.splitlines()) == 1
    return outcome.stderr


def test_a_run_writes_all_that_was_asked_for_and_lists_it(night, tmp_path):
    paths = {
        "-o": tmp_path / "coadd.fits",
        "--masks": tmp_path / "masks",
        "--footprints": tmp_path / "footprints.ecsv",
        "--regions": tmp_path / "footprints.reg",
    }
    words = [word for pair in paths.items() for word in pair]
    outcome = call(night, *words, "--set", "chi_threshold=5")
    assert outcome.exit_code == 0, outcome.output
    table = Table.read(paths["--footprints"])
    assert f"{len(table)} candidates" in outcome.stdout
    for verdict in set(table["verdict"]):
        assert f"{np.sum(table['verdict'] == verdict)} {verdict}" in outcome.stdout
    assert outcome.stdout.startswith("6 epochs of 96 × 112 pixels, 0 skipped\n")
    for path in paths.values():
        assert path.exists() and f"wrote {path}" in outcome.stdout
    for visit in range(401001, 401007):
        assert str(visit) in outcome.stdout
    assert len(list(paths["--masks"].glob("*.fits*"))) == 6
    with fits.open(paths["-o"]) as hdus:
        assert hdus["IMAGE"].data.shape == (96, 112)


def test_debug_products_are_pictures_in_a_folder_of_their_own(night, tmp_path):
    words = ["-o", tmp_path / "coadd.fits", "--debug-products", tmp_path / "steps"]
    outcome = call(night, *words)
    assert outcome.exit_code == 0, outcome.output
    assert f"wrote {tmp_path / 'steps'}" in outcome.stdout
    assert list((tmp_path / "steps").glob("*.png"))


def test_a_stack_kept_on_disk_gives_the_same_coadd(night, tmp_path):
    for name, limit in (("memory", "1GB"), ("disk", "1MB")):
        path = tmp_path / f"{name}.fits"
        assert call(night, "-o", path, "--memory", limit, "--quiet").exit_code == 0
    with fits.open(tmp_path / "memory.fits") as one, fits.open(tmp_path / "disk.fits") as two:
        for plane in ("IMAGE", "MASK", "VARIANCE"):
            np.testing.assert_array_equal(one[plane].data, two[plane].data)


def test_the_config_of_a_coadd_can_be_used_again(night, tmp_path):
    first, second = tmp_path / "first.fits", tmp_path / "second.fits"
    assert call(night, "-o", first, "--set", "chi_threshold=5.5", "--quiet").exit_code == 0
    assert call(night, "-o", second, "--config", first, "--quiet").exit_code == 0
    assert choose_config(second, None, ()) == CompareWarpConfig(chi_threshold=5.5)
    with fits.open(first) as one, fits.open(second) as two:
        np.testing.assert_array_equal(one["IMAGE"].data, two["IMAGE"].data)


def test_quiet_says_nothing(night, tmp_path):
    outcome = call(night, "-o", tmp_path / "coadd.fits", "--quiet")
    assert outcome.exit_code == 0
    assert outcome.stdout == ""


def test_two_epochs_run_and_the_summary_says_that_nothing_can_be_clipped(tmp_path):
    write_night(simulate_night(2, (64, 64), seed=1), tmp_path / "night")
    outcome = call(tmp_path / "night", "-o", tmp_path / "coadd.fits")
    assert outcome.exit_code == 0, outcome.output
    assert "nothing is ever clipped" in outcome.stdout


@pytest.mark.parametrize("option", ["-o", "--footprints", "--regions"])
def test_an_existing_file_is_kept_unless_overwriting_is_asked_for(night, tmp_path, option):
    suffix = {"-o": "fits", "--footprints": "ecsv", "--regions": "reg"}[option]
    there = tmp_path / f"there.{suffix}"
    there.write_text("precious")
    outputs = {"-o": tmp_path / "coadd.fits", option: there}
    words = [word for pair in outputs.items() for word in pair]
    message = refusal(night, *words)
    assert str(there) in message and "--overwrite" in message
    assert there.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [there]
    assert call(night, *words, "--overwrite").exit_code == 0
    assert there.read_bytes() != b"precious"


def test_outputs_are_checked_before_the_inputs_are_read(tmp_path):
    (tmp_path / "coadd.fits").write_text("precious")
    (tmp_path / "warp.fits").write_text("no FITS")
    message = refusal(tmp_path / "warp.fits", "-o", tmp_path / "coadd.fits")
    assert "coadd.fits exists" in message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "{tmp}/no/coadd.fits"], "there is no folder"),
        (["-o", "{tmp}/a.fits", "--footprints", "{tmp}/a.fits"], "both -o and --footprints"),
        (["-o", "{tmp}/a.fits", "--footprints", "{tmp}/x/../a.fits"], "both -o"),
        (["-o", "{tmp}/a.fits", "--footprints", "{tmp}/a.txt"], ".ecsv, .fits"),
        (["-o", "{tmp}/a.png"], "-o takes .fits"),
        (["-o", "{tmp}/folder.fits"], "is a folder"),
        (["-o", "{tmp}/a.fits", "--regions", "{tmp}/a.txt"], "--regions takes .reg"),
        (["-o", "{tmp}/a.fits", "--debug-products", "{tmp}/no/steps"], "there is no folder"),
        (["-o", "{tmp}/a.fits", "--masks", "{tmp}/file"], "--masks takes a folder"),
    ],
)
def test_outputs_that_cannot_be_are_refused(tmp_path, words, said):
    (tmp_path / "file").write_text("a file")
    (tmp_path / "folder.fits").mkdir()
    (tmp_path / "warp.fits").write_text("no FITS")
    assert said in refusal(tmp_path / "warp.fits", *(word.format(tmp=tmp_path) for word in words))


def test_an_input_is_never_overwritten(night, tmp_path):
    warp = sorted((night / "direct").iterdir())[0]
    before = warp.read_bytes()
    message = refusal(night, "-o", warp, "--overwrite")
    assert str(warp) in message and "inputs" in message
    assert warp.read_bytes() == before


def test_a_stack_that_is_not_there_is_named(tmp_path):
    assert "no stack" in refusal(tmp_path / "no stack", "-o", tmp_path / "coadd.fits")


def test_a_truncated_warp_is_named_and_nothing_is_written(night, tmp_path):
    warp = sorted((night / "direct").iterdir())[0]
    cut = tmp_path / warp.name
    cut.write_bytes(warp.read_bytes()[: warp.stat().st_size * 2 // 3])
    assert str(cut) in refusal(cut, night / "matched", "-o", tmp_path / "coadd.fits")
    assert list(tmp_path.iterdir()) == [cut]


def test_an_interrupt_leaves_no_file(night, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(napari_comparewarp.result.result, "run_job", interrupted)
    outcome = call(night, "-o", tmp_path / "coadd.fits")
    assert outcome.exit_code == 130
    assert list(tmp_path.iterdir()) == []


def test_settings_come_by_either_name_and_the_last_holds():
    config = choose_config(
        None,
        "dmtn-080",
        (
            "chi_threshold=4",
            "detect.thresholdValue=6",
            "config.maxNumEpochs=1",
            "bad_planes=NO_DATA,SAT",
            "mask_propagation={'SAT': 0.2}",
            "protect_sources=true",
        ),
    )
    assert config == CompareWarpConfig.preset("dmtn-080").replace(
        chi_threshold=6,
        max_epochs=1,
        bad_planes=("NO_DATA", "SAT"),
        mask_propagation={"SAT": 0.2},
        protect_sources=True,
    )


def test_no_limit_of_epochs_can_be_set():
    assert choose_config(None, None, ("max_epochs=none",)).max_epochs is None


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("chi_threshold=-1", "a number > 0 and <= 1000"),
        ("min_pixels=2.5", "a whole number >= 1"),
        ("prefilter=maybe", "true or false"),
        ("polarity=up", "one of both, positive, negative"),
        ("max_epochs=-1", "none or a whole number >= 0"),
        ("bad_planes=3", "plane names"),
        ("chi_treshold=5", "chi_threshold"),
        ("maxNumEpoch=5", "maxNumEpochs"),
        ("detect.thresholdType=stdev", "'pixel_stdev'"),
        ("spatialThreshold=7", "less than or equal to 1"),
        ("chi_threshold", "NAME=VALUE"),
    ],
)
def test_a_wrong_setting_says_what_is_accepted(setting, said):
    with pytest.raises(ConfigError) as caught:
        choose_config(None, None, (setting,))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_settings_are_checked_before_anything_else(tmp_path):
    message = refusal(tmp_path / "no", "-o", tmp_path / "a.fits", "--set", "chi_threshold=x")
    assert "chi_threshold" in message


def test_a_file_of_settings_rules_and_set_goes_before_it(tmp_path):
    path = tmp_path / "knobs.json"
    path.write_text(json.dumps({"chi_threshold": 5, "max_epochs": 3}))
    config = choose_config(path, None, ("max_epochs=1",))
    assert (config.chi_threshold, config.max_epochs) == (5, 1)


def test_an_inspection_runs_to_the_same_pixels_and_header_as_in_a_script(
    night, tmp_path, monkeypatch
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    inspection = cw.Inspection(cw.read_stack(night))
    inspection.set(chi_threshold=5.0)
    inspection.override(1, "clip")
    inspection.save(tmp_path / "mine.json")
    inspection.result.write(tmp_path / "script.fits")
    outcome = call(tmp_path / "mine.json", "-o", tmp_path / "shell.fits")
    assert outcome.exit_code == 0, outcome.output
    with fits.open(tmp_path / "script.fits") as one, fits.open(tmp_path / "shell.fits") as other:
        assert one[0].header["NBYHAND"] == 1
        for a, b in zip(one, other, strict=True):
            assert fits.HDUDiff(a, b, ignore_comments=["CHECKSUM", "DATASUM"]).identical


def test_an_inspection_brings_its_own_settings(night, tmp_path):
    cw.Inspection(cw.read_stack(night)).save(tmp_path / "mine.json")
    line = refusal(tmp_path / "mine.json", "-o", tmp_path / "c.fits", "--set", "chi_threshold=5")
    assert "brings its own settings" in line


def test_a_damaged_inspection_is_refused(tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    assert "is no inspection" in refusal(tmp_path / "mine.json", "-o", tmp_path / "c.fits")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mine.json", "[" * 100_000),
        ("mine.json", "9" * 5000),
        ("mine.toml", "a = " + "[" * 100_000),
        ("mine.toml", "a" + ".a" * 100_000 + " = 1"),
        ("mine.csv", "path,path\na,b\n"),
        ("mine.csv", f"path\n{'x' * 300}\n"),
    ],
)
def test_any_text_that_is_no_stack_is_refused_in_one_short_line(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    line = refusal(path, "-o", tmp_path / "c.fits")
    assert name in line
    assert len(line) < 300 + len(str(tmp_path))
    assert not (tmp_path / "c.fits").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"chi_threshold": ' + "[" * 100_000),
        ("a.json", '{"chi_threshold": 5, "chi_threshold": 6}'),
        ("a.toml", "chi_threshold = " + "9" * 5000),
        ("a.py", "config.maxNumEpochs = " + "(" * 100_000),
        ("a.py", "config.badMaskPlanes = ['A'] * 10**10"),
    ],
)
def test_any_text_that_is_no_config_is_refused_in_one_short_line(night, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    line = refusal(night, "-o", tmp_path / "c.fits", "--config", path)
    assert name in line
    assert len(line) < 300 + len(str(tmp_path))
