"""`comparewarp simulate` writes a night that can be made again."""

import pytest
from click.testing import CliRunner

from napari_comparewarp.cli import main


def call(*words):
    """Run the command line and return what it said."""
    return CliRunner().invoke(main, ["simulate", *(str(word) for word in words)])


def test_a_night_has_its_warps_and_its_truth(tmp_path):
    outcome = call(tmp_path / "night", "--epochs", 3, "--size", 64, 80)
    assert outcome.exit_code == 0, outcome.output
    assert "3 epochs of 64 × 80 pixels" in outcome.stdout
    assert len(list((tmp_path / "night" / "direct").iterdir())) == 3
    assert len(list((tmp_path / "night" / "matched").iterdir())) == 3
    assert (tmp_path / "night" / "truth").is_dir()


def test_a_night_is_not_overwritten_unasked(tmp_path):
    words = [tmp_path / "night", "--epochs", 1, "--size", 64, 64]
    assert call(*words, "--quiet").stdout == ""
    (warp,) = (tmp_path / "night" / "direct").iterdir()
    before = warp.read_bytes()
    outcome = call(*words, "--seed", 2)
    assert outcome.exit_code == 2 and "--overwrite" in outcome.stderr
    assert warp.read_bytes() == before
    assert call(*words, "--seed", 2, "--overwrite").exit_code == 0
    assert warp.read_bytes() != before


@pytest.mark.parametrize("words", [["--epochs", 0], ["--size", 8, 64], ["--seed", -1]])
def test_a_night_that_cannot_be_is_refused_in_one_line(tmp_path, words):
    outcome = call(tmp_path / "night", *words)
    assert outcome.exit_code == 2
    assert len(outcome.stderr.splitlines()) == 1
    assert not (tmp_path / "night").exists()
