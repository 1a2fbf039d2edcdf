"""`comparewarp batch`: what it says, and its exit codes."""

import logging
import shutil

import pytest
from click.testing import CliRunner
from distributed import LocalCluster
from patches import N_EPOCHS, patches_of, truncate_warps, write_plan, write_warps

from napari_comparewarp.batch import cluster
from napari_comparewarp.batch.patch_run import Summary, finished
from napari_comparewarp.cli import main

TRUNCATED = 'name = "bad"\nstack = "bad"\noutput = "made"\n'


def invoke(*words):
    return CliRunner().invoke(main, ["batch", *map(str, words)])


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Return the folder of a small night, one of its matched warps missing."""
    folder = tmp_path_factory.mktemp("batch") / "night"
    write_warps(folder)
    next((folder / "matched").iterdir()).unlink()
    return folder


@pytest.fixture
def folder(night, tmp_path):
    """Return a folder with that night, and one whose files are cut short."""
    shutil.copytree(night, tmp_path / "night")
    truncate_warps(night, tmp_path / "bad")
    return tmp_path


@pytest.fixture
def scheduler():
    """Return the address of a scheduler whose worker is a thread of this process."""
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as running:  # fmt: skip
        yield running.scheduler_address


def test_a_batch_says_what_became_of_each_patch_and_goes_on_where_it_was(folder, scheduler):
    plan = write_plan(folder, "one", TRUNCATED)
    outcome = invoke(plan, "--scheduler", scheduler)
    assert outcome.exit_code == 1
    told = finished(patches_of(plan)[0])
    assert outcome.stdout.splitlines()[0] == "one: done"
    header, one, bad = (line.split() for line in outcome.stdout.splitlines()[-3:])
    assert header == ["patch", "state", "epochs", "candidates", "clipped"]
    assert one == ["one", "done", str(N_EPOCHS), str(told.candidates), str(told.clipped)]
    assert bad == ["bad", "failed", "-", "-", "-"]
    notes = [line for line in outcome.stderr.splitlines() if line.startswith("one: note: ")]
    assert any("has no PSF-matched warp" in note for note in notes)
    failures = [line for line in outcome.stderr.splitlines() if line not in notes]
    assert len(failures) == 1
    assert failures[0].startswith(f"bad: failed: {folder / 'bad'}")

    plan = write_plan(folder, "one")
    again = invoke(plan, "--scheduler", scheduler)
    assert again.exit_code == 0
    assert again.stdout.splitlines()[0] == "one: skipped"
    assert again.stdout.splitlines()[-1].split() == ["one", "skipped", *one[2:]]
    assert again.stderr == ""


def test_a_quiet_batch_says_only_what_failed(folder, monkeypatch):
    def fail(patches, report, **_):
        outcomes = [
            cluster.Outcome(patches[0], "skipped", Summary(5, 2, 1, ())),
            cluster.Outcome(patches[1], "failed", None, "no room on the disk"),
        ]
        for outcome in outcomes:
            report(outcome)
        return outcomes

    monkeypatch.setattr(cluster, "run_batch", fail)
    outcome = invoke(write_plan(folder, "one", "two"), "--quiet")
    assert outcome.exit_code == 1
    assert outcome.stdout == ""
    assert outcome.stderr == "two: failed: no room on the disk\n"


def test_a_wrong_plan_is_one_line_before_any_work(folder):
    plan = write_plan(folder, "one", 'name = "two"\nstack = "nowhere"\noutput = "made"')
    outcome = invoke(plan)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"comparewarp: error: {plan}: patch 'two': ")
    assert len(outcome.stderr.splitlines()) == 1
    assert not (folder / "made").exists()


def test_files_of_others_are_kept_unless_told_to_replace_them(folder, monkeypatch):
    plan = write_plan(folder, "one")
    (folder / "made").mkdir()
    mine = folder / "made" / "one.fits"
    mine.write_text("years of work")
    outcome = invoke(plan)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"comparewarp: error: {mine} exists")
    assert len(outcome.stderr.splitlines()) == 1
    assert mine.read_text() == "years of work"
    asked = []
    monkeypatch.setattr(cluster, "run_batch", lambda *_, **options: asked.append(options) or [])
    assert invoke(plan, "--overwrite").exit_code == 0
    assert asked[0]["overwrite"] is True


def test_workers_of_this_machine_and_a_scheduler_exclude_each_other(folder):
    outcome = invoke(write_plan(folder, "one"), "--workers", 2, "--scheduler", "tcp://host:8786")
    assert outcome.exit_code == 2
    assert "--workers and --scheduler exclude each other" in outcome.stderr
