"""`comparewarp score` measures a coadd that `comparewarp run` wrote."""

import json

import pytest
from click.testing import CliRunner

from napari_comparewarp.cli import main
from napari_comparewarp.score import score
from napari_comparewarp.simulation import simulate_night, write_night


def call(*words):
    """Run the command line and return what it said."""
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a simulated stack, its coadd and its masks."""
    folder = tmp_path_factory.mktemp("night")
    write_night(simulate_night(6, (96, 112), seed=3), folder)
    outputs = ["-o", folder / "coadd.fits", "--masks", folder / "masks"]
    assert call("run", folder / "direct", folder / "matched", *outputs).exit_code == 0
    return folder


def test_the_report_and_the_json_hold_the_same_score(folder, tmp_path):
    words = ["score", folder / "coadd.fits", "--truth", folder, "--masks", folder / "masks"]
    outcome = call(*words, "--json", tmp_path / "score.json")
    assert outcome.exit_code == 0, outcome.output
    expected = score(folder / "coadd.fits", folder, folder / "masks")
    assert outcome.stdout == expected.summary() + "\n"
    assert json.loads((tmp_path / "score.json").read_text()) == json.loads(
        json.dumps(expected.to_dict())
    )


def test_an_existing_report_is_kept_unless_overwriting_is_asked_for(folder, tmp_path):
    there = tmp_path / "score.json"
    there.write_text("precious")
    words = ["score", folder / "coadd.fits", "--truth", folder, "--json", there]
    outcome = call(*words)
    assert outcome.exit_code == 2 and "--overwrite" in outcome.stderr
    assert there.read_text() == "precious"
    assert call(*words, "--overwrite", "--quiet").exit_code == 0
    assert "coadd" in json.loads(there.read_text())


def test_a_folder_without_a_truth_is_refused_in_one_line(folder, tmp_path):
    outcome = call("score", folder / "coadd.fits", "--truth", tmp_path)
    assert outcome.exit_code == 2
    (line,) = outcome.stderr.splitlines()
    assert str(tmp_path) in line
