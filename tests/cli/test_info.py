"""`comparewarp info` says what a file holds."""

from click.testing import CliRunner

from napari_comparewarp.cli import main
from napari_comparewarp.simulation import simulate_night, write_night


def call(*words):
    """Run the command line and return what it said."""
    return CliRunner().invoke(main, ["info", *(str(word) for word in words)])


def test_each_file_is_described(tmp_path):
    warps = write_night(simulate_night(1, (64, 80), seed=1), tmp_path / "night")
    outcome = call(*warps)
    assert outcome.exit_code == 0, outcome.output
    for warp in warps:
        assert warp.name in outcome.stdout
    assert "401001" in outcome.stdout and "NO_DATA" in outcome.stdout


def test_a_file_that_is_no_fits_is_refused_in_one_line(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("not a picture")
    outcome = call(path)
    assert outcome.exit_code == 2
    (line,) = outcome.stderr.splitlines()
    assert str(path) in line
