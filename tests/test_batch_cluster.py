"""Many patches on a cluster: workers that die, a batch that is killed and goes on."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer

import dask
import patches as helpers
import psutil
import pytest
from distributed import Client, LocalCluster
from patches import patches_of, write_plan, write_warps

from napari_comparewarp.batch import cluster
from napari_comparewarp.batch.cluster import run_batch
from napari_comparewarp.batch.patch_run import finished
from napari_comparewarp.batch.plan import PlanError

SCHEDULER = """
import asyncio
from distributed import Scheduler

async def serve():
    async with Scheduler(host="127.0.0.1", dashboard_address="127.0.0.1:0") as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()

asyncio.run(serve())
"""

SLOW_BATCH = """
import patches
from napari_comparewarp.batch import cluster
from napari_comparewarp.cli import main

if __name__ == "__main__":
    cluster.work_on = patches.begin_slowly
    main()
"""

TRUNCATED = 'name = "bad"\nstack = "bad"\noutput = "made"\n'


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a small night."""
    write_warps(tmp_path / "night")
    return tmp_path


def truncate_warps(night, folder):
    folder.mkdir()
    for warp in (night / "direct").iterdir():
        (folder / warp.name).write_bytes(warp.read_bytes()[:4000])


def test_a_patch_that_fails_stops_no_other_and_is_told_in_one_line(folder):
    truncate_warps(folder / "night", folder / "bad")
    plan = write_plan(folder, TRUNCATED, "one")
    reported = []
    bad, one = run_batch(patches_of(plan), report=reported.append)
    assert (bad.state, bad.summary) == ("failed", None)
    assert "header is truncated" in bad.error
    assert "\n" not in bad.error
    assert one.state == "done"
    assert finished(one.patch) == one.summary
    assert reported == [bad, one]


def test_a_patch_whose_worker_dies_is_given_to_another(folder, monkeypatch):
    monkeypatch.setattr(cluster, "work_on", helpers.die_once)
    (one,) = run_batch(patches_of(write_plan(folder, "one")))
    assert (folder / "one.died").exists()
    assert one.state == "done"
    assert finished(one.patch) == one.summary


def test_a_patch_that_no_worker_survives_fails_alone(folder, monkeypatch):
    monkeypatch.setattr(cluster, "work_on", helpers.die_of_the_big_one)
    outcomes = run_batch(patches_of(write_plan(folder, "big", "one", "two", "three")))
    assert [outcome.state for outcome in outcomes] == ["failed"] + 3 * ["skipped"]
    assert outcomes[0].error.startswith("its worker process died, 3 times in a row")
    assert (folder / "deaths").read_text() == "xxx"


def test_workers_share_the_cores(monkeypatch):
    monkeypatch.setenv("COMPAREWARP_THREADS", "6")
    with cluster.connect(workers=2) as client:
        assert sorted(client.nthreads().values()) == [1, 1]
        assert set(client.run(cluster.n_threads).values()) == {3}


def start(plan):
    """Start a batch, in a process group of its own, that pauses before each patch."""
    program = plan.with_name("slow_batch.py")
    program.write_text(SLOW_BATCH)
    return subprocess.Popen(
        [sys.executable, program, "batch", plan],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def slow(folder, monkeypatch):
    """Return a plan of two patches, the environment set for `start`."""
    tests = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", f"{tests}:{tests.parent}")
    monkeypatch.setenv(helpers.PAUSE, "0.5")
    return write_plan(folder, "one", "two")


def test_a_batch_that_is_killed_leaves_no_workers_and_goes_on_where_it_was(slow):
    process = start(slow)
    wait_for((slow.parent / "two.paused").exists)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    gone, alive = psutil.wait_procs(workers, timeout=10)
    assert gone
    assert not alive
    one, two = patches_of(slow)
    assert finished(one) is not None
    assert finished(two) is None
    assert [cluster.work_on(patch).state for patch in (one, two)] == ["skipped", "done"]


def test_ctrl_c_ends_a_batch_in_one_line(slow, monkeypatch):
    monkeypatch.setenv(helpers.PAUSE, "60")
    process = start(slow)
    wait_for((slow.parent / "one.paused").exists)
    workers = psutil.Process(process.pid).children(recursive=True)
    # As a terminal does: to the batch and to its workers.
    os.killpg(process.pid, signal.SIGINT)
    said, complained = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == ""
    assert complained.strip().splitlines() == [
        "comparewarp: error: interrupted; nothing half written is left"
    ]
    assert not psutil.wait_procs(workers, timeout=10)[1]


def running_cluster():
    """Return a cluster such as somebody may have started already."""
    return LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )


def test_an_existing_scheduler_is_used_and_left_running(folder, monkeypatch):
    monkeypatch.chdir(folder)
    write_plan(folder, "one")
    patches = patches_of("patches.toml")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    with running_cluster() as running, Client(running, set_as_default=False) as client:
        # As a worker on another machine would.
        client.run(os.chdir, elsewhere)
        (outcome,) = run_batch(patches, scheduler=running.scheduler_address)
        assert outcome.state == "done"
        assert client.submit(sum, [1, 2]).result(timeout=10) == 3
    assert (folder / "made" / "one.fits").exists()


def test_patches_fail_if_their_scheduler_is_lost(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", SCHEDULER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    address = process.stdout.readline().strip()
    # There is no worker: the patch waits until the scheduler goes.
    Timer(1.0, process.kill).start()
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        (outcome,) = run_batch(patches_of(write_plan(folder, "one")), scheduler=address)
    process.communicate()
    assert outcome.state == "failed"
    assert outcome.error == "the scheduler was lost before the patch was reported done"


@pytest.mark.parametrize("address", ["nowhere", "carrier-pigeon://roof:1", "tcp://127.0.0.1:1"])
def test_a_scheduler_that_is_not_there_is_told_in_one_line(folder, address):
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "300ms"}),
        pytest.raises(PlanError, match=f"{address}: no dask scheduler answers there; give"),
    ):
        run_batch(patches_of(write_plan(folder, "one")), scheduler=address)
