"""Many patches side by side, stopped and resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from napari_comparewarp.batch.cluster import run_batch
from napari_comparewarp.batch.patch_run import is_done, run_patch
from napari_comparewarp.batch.plan import PlanError, read_plan
from napari_comparewarp.cli import main
from napari_comparewarp.simulation import simulate_night, write_night

PLAN = """
[defaults]
preset = "lsst-v29"
knobs = {{spatial_threshold = 0.4}}

[[patch]]
name = "one"
stack = "night"
output = "made"

[[patch]]
name = "two"
stack = "night"
output = "made"
masks = false
knobs = {{chi_threshold = 6.0}}
{more}
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a small night and a plan of two patches."""
    write_night(simulate_night(5, (96, 96), seed=3), tmp_path / "night")
    (tmp_path / "patches.toml").write_text(PLAN.format(more=""))
    return tmp_path


def with_more(folder, text):
    (folder / "patches.toml").write_text(PLAN.format(more=text))
    return folder / "patches.toml"


def test_a_plan_gives_each_patch_its_own_settings_over_the_defaults(folder):
    one, two = read_plan(folder / "patches.toml")
    assert (one.config.chi_threshold, two.config.chi_threshold) == (5.0, 6.0)
    assert one.config.spatial_threshold == two.config.spatial_threshold == 0.4
    assert one.config.protect_threshold == 50
    assert (one.masks, two.masks) == (True, False)
    assert one.source == folder / "night"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[patch]]\nname = "x"\nstack = "nowhere"\noutput = "o"\n', "nowhere: no such file"),
        ('[[patch]]\nname = "one"\nstack = "night"\noutput = "made"\n', "one and one both write"),
        ('[[patch]]\nname = "x"\nstack = "night"\noutput = "o"\ncolour = 1\n', "patch.2.colour"),
        (
            '[[patch]]\nname = "x"\nstack = "night"\noutput = "o"\nknobs = {chi_threshold = -1}\n',
            "patch x: config: chi_threshold",
        ),
        ('[[patch]]\nname = "x"\nstack = "night"\noutput = "o"\npreset = "v9"\n', "no preset 'v9'"),
        ("[[patch]\n", "not readable as TOML"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line(folder, text, message):
    plan = with_more(folder, text)
    with pytest.raises(PlanError, match=message) as error:
        read_plan(plan)
    assert "\n" not in str(error.value)
    outcome = CliRunner().invoke(main, ["batch", str(plan)])
    assert outcome.exit_code == 2
    assert len(outcome.stderr.splitlines()) == 1


def test_a_patch_is_done_only_from_the_same_files_and_settings(folder):
    one, _ = read_plan(folder / "patches.toml")
    assert not is_done(one)
    summary = run_patch(one)
    assert summary["epochs"] == 5
    assert is_done(one)
    receipt = json.loads(one.receipt_path.read_text())
    assert len(receipt["inputs"]) == 10
    assert {"one.fits", "one.ecsv", "one.reg"} <= set(receipt["outputs"])
    changed = one.model_copy(update={"config": one.config.replace(chi_threshold=9)})
    assert not is_done(changed)


def test_a_changed_input_or_a_damaged_output_is_work_again(folder):
    one, _ = read_plan(folder / "patches.toml")
    run_patch(one)
    mask = next((folder / "made" / "one_masks").iterdir())
    content = mask.read_bytes()
    mask.write_bytes(content[:-1] + b"x")
    assert not is_done(one)
    mask.write_bytes(content)
    assert is_done(one)
    next((folder / "night" / "direct").iterdir()).unlink()
    assert not is_done(one)


def test_a_patch_that_fails_is_reported_and_the_others_go_on(folder):
    (folder / "empty").mkdir()
    plan = with_more(folder, '[[patch]]\nname = "bad"\nstack = "empty"\noutput = "made"\n')
    outcome = CliRunner().invoke(main, ["batch", str(plan)])
    assert outcome.exit_code == 1, outcome.output
    assert "bad: failed:" in outcome.stderr
    assert "no FITS files" in outcome.stderr
    assert "one: done" in outcome.stdout
    assert all(is_done(patch) for patch in read_plan(plan)[:2])
    again = CliRunner().invoke(main, ["batch", str(plan)])
    assert again.exit_code == 1
    assert "one: skipped" in again.stdout
    assert "two: skipped" in again.stdout


def workers_of(process):
    """Return the processes that work for a batch."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def start(plan, pause):
    """Start a batch whose patches wait a while before they begin."""
    program = (
        "import sys, time\n"
        "from napari_comparewarp.batch import cluster\n"
        "from napari_comparewarp.batch.plan import read_plan\n"
        "from slow_patch import slow\n"
        "if __name__ == '__main__':\n"
        "    cluster.run_patch = slow\n"
        "    for outcome in cluster.run_batch(read_plan(sys.argv[1])):\n"
        "        print(outcome.patch.name, outcome.state, outcome.error, flush=True)\n"
    )
    script = plan.parent / "batch_script.py"
    script.write_text(program)
    (plan.parent / "slow_patch.py").write_text(
        "import time\n"
        "from napari_comparewarp.batch.patch_run import run_patch\n"
        "def slow(patch):\n"
        "    (patch.output.parent / f'{patch.name}.begun').touch()\n"
        f"    time.sleep({pause})\n"
        "    return run_patch(patch)\n"
    )
    path = os.pathsep.join([str(plan.parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, str(script), str(plan)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        start_new_session=True,
    )


def wait_for(path, seconds=60):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.05)


def test_a_worker_that_dies_is_survived(folder):
    process = start(folder / "patches.toml", pause=2)
    wait_for(folder / "one.begun")
    (worker,) = workers_of(process)
    worker.kill()
    said, _ = process.communicate(timeout=120)
    assert [line.split()[:2] for line in said.splitlines()] == [["one", "done"], ["two", "done"]]
    assert all(is_done(patch) for patch in read_plan(folder / "patches.toml"))


def test_a_batch_that_is_killed_goes_on_where_it_was(folder):
    plan = folder / "patches.toml"
    process = start(plan, pause=1)
    wait_for(folder / "two.begun")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    one, two = read_plan(plan)
    assert is_done(one)
    assert not is_done(two)
    outcomes = run_batch(read_plan(plan))
    assert [outcome.state for outcome in outcomes] == ["skipped", "done"]
    assert not list(Path(folder / "made").glob(".*"))


def test_an_existing_scheduler_is_used(folder):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        outcomes = run_batch(
            read_plan(folder / "patches.toml"), scheduler=cluster.scheduler_address
        )
    assert [outcome.state for outcome in outcomes] == ["done", "done"]
