"""`comparewarp report` writes the page of a stack or of an inspection."""

import pytest
from click.testing import CliRunner

import napari_comparewarp as cw
from napari_comparewarp.cli import main
from napari_comparewarp.simulation import simulate_night, write_night


def call(*words):
    """Run the command line and return what it said."""
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a simulated night of five visits."""
    folder = tmp_path_factory.mktemp("night")
    write_night(simulate_night(5, (96, 96), seed=3), folder)
    return folder


def test_a_stack_with_settings_and_a_truth_becomes_a_page(folder, tmp_path):
    out = tmp_path / "report.html"
    words = ["--set", "chi_threshold=6.25", "--truth", folder]
    outcome = call("report", folder, "-o", out, *words)
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout == f"wrote {out}\n"
    page = out.read_text("utf-8")
    assert "6.25" in page.partition('id="visits"')[0]
    assert "Score against the truth" in page
    assert "star is the present setting" in page
    assert all(item.sha256 in page for item in cw.read_stack(folder).inputs)


def test_an_inspection_brings_its_settings_and_decisions(folder, tmp_path):
    inspection = cw.Inspection(cw.read_stack(folder), cw.CompareWarpConfig(min_pixels=3))
    clipped = inspection.result.footprints["verdict"] == "clipped"
    inspection.override(int(inspection.result.footprints["id"][clipped][0]), "keep")
    inspection.save(tmp_path / "inspection.json")
    out = tmp_path / "report.html"
    outcome = call("report", tmp_path / "inspection.json", "-o", out, "--quiet")
    assert (outcome.exit_code, outcome.stdout) == (0, ""), outcome.output
    page = out.read_text("utf-8")
    assert "min_pixels" in page.partition('id="visits"')[0]
    assert "Kept manually; the rules would clip it" in page


def refusal(*words):
    """Return the one line with which a command line is refused."""
    outcome = call("report", *words)
    assert outcome.exit_code == 2, outcome.output
    (line,) = outcome.stderr.splitlines()
    return line


def test_settings_beside_an_inspection_are_refused(folder, tmp_path):
    path = tmp_path / "inspection.json"
    cw.Inspection(cw.read_stack(folder)).save(path)
    assert "--set" in refusal(path, "-o", tmp_path / "a.html", "--set", "min_pixels=3")


@pytest.mark.parametrize(
    ("name", "words"), [("report.pdf", ".html"), ("none/report.html", "no folder")]
)
def test_a_page_that_cannot_be_written_is_refused_before_the_work(folder, tmp_path, name, words):
    assert words in refusal(folder, "-o", tmp_path / name)


def test_an_existing_page_is_kept_unless_overwriting_is_asked_for(folder, tmp_path):
    there = tmp_path / "report.html"
    there.write_text("precious")
    assert "--overwrite" in refusal(folder, "-o", there)
    assert there.read_text() == "precious"


def test_an_input_is_never_replaced(folder, tmp_path):
    manifest = tmp_path / "stack.html"
    manifest.write_text("mine")
    assert "one of the inputs" in refusal(
        manifest, folder / "direct", "-o", manifest, "--overwrite"
    )
    assert manifest.read_text() == "mine"


def test_a_folder_without_a_truth_is_refused_before_the_work(folder, tmp_path):
    line = refusal(folder, "-o", tmp_path / "report.html", "--truth", tmp_path)
    assert str(tmp_path) in line
    assert not list(tmp_path.iterdir())


def test_a_knob_that_does_not_exist_is_refused(folder, tmp_path):
    assert "nearest" in refusal(folder, "-o", tmp_path / "a.html", "--set", "chi_treshold=5")
