"""Many patches on a cluster: workers that die, a batch that is killed and goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Timer

import dask
import patches as helpers
import psutil
import pytest
from distributed import Client
from patches import certificates, patches_of, truncate_warps, write_plan, write_warps

from napari_comparewarp.algorithm import parallel
from napari_comparewarp.batch import cluster
from napari_comparewarp.batch.cluster import run_batch
from napari_comparewarp.batch.patch_run import finished
from napari_comparewarp.batch.plan import PlanError
from napari_comparewarp.errors import CompareWarpWarning

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
from napari_comparewarp.algorithm import parallel
from napari_comparewarp.batch import cluster
from napari_comparewarp.cli import main

if __name__ == "__main__":
    cluster.work_on = patches.pause_at_two
    main()
"""

TRUNCATED = 'name = "bad"\nstack = "bad"\noutput = "made"\n'


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Return the folder of a small night, which no test changes."""
    folder = tmp_path_factory.mktemp("batch") / "night"
    write_warps(folder)
    return folder


@pytest.fixture
def folder(night, tmp_path):
    """Return a folder with that night in it."""
    shutil.copytree(night, tmp_path / "night")
    return tmp_path


@pytest.fixture(scope="module")
def running():
    """Return the client of a cluster that was started for a batch of two workers."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COMPAREWARP_THREADS", "6")
        with cluster.connect(workers=2) as client:
            yield client


@pytest.fixture
def address(running):
    """Return the address of the scheduler of that cluster, whose certificate is configured."""
    with dask.config.set(certificates(running.security)):
        yield running.scheduler.address


def test_workers_share_the_cores(running):
    assert sorted(running.nthreads().values()) == [1, 1]
    assert set(running.run(parallel.n_threads).values()) == {3}


def test_a_patch_that_fails_stops_no_other_and_is_told_in_one_line(folder, address):
    truncate_warps(folder / "night", folder / "bad")
    reported = []
    outcomes = run_batch(
        patches_of(write_plan(folder, TRUNCATED, "one")), scheduler=address, report=reported.append
    )
    bad, one = outcomes
    assert (bad.state, bad.summary) == ("failed", None)
    assert "header is truncated" in bad.error
    assert "\n" not in bad.error
    assert one.state == "done"
    assert finished(one.patch) == one.summary
    assert sorted(outcome.patch.name for outcome in reported) == ["bad", "one"]


def test_an_existing_scheduler_is_used_and_left_running(folder, running, address, monkeypatch):
    monkeypatch.chdir(folder)
    write_plan(folder, "one")
    patches = patches_of("patches.toml")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    # As workers on other machines would.
    running.run(os.chdir, elsewhere)
    (outcome,) = run_batch(patches, scheduler=address)
    assert outcome.state == "done"
    assert (folder / "made" / "one.fits").exists()
    with Client(address, set_as_default=False) as client:
        assert client.submit(sum, [1, 2]).result(timeout=10) == 3


def test_a_worker_that_dies_costs_no_patch_but_one_that_no_worker_survives(
    folder, address, monkeypatch
):
    monkeypatch.setattr(cluster, "work_on", helpers.die_by_name)
    patches = patches_of(write_plan(folder, "big", "frail", "one", "two"))
    outcomes = run_batch(patches, scheduler=address)
    assert [outcome.state for outcome in outcomes] == ["failed"] + 3 * ["skipped"]
    assert outcomes[0].error.startswith("its worker process died, 3 times in a row")
    assert (folder / "big.deaths").read_text() == "xxx"
    assert (folder / "frail.deaths").read_text() == "x"


def start(plan):
    """Start a batch, in a process group of its own, that pauses at its patch "two"."""
    program = plan.with_name("slow_batch.py")
    program.write_text(SLOW_BATCH)
    tests = Path(__file__).parents[1]
    return subprocess.Popen(
        [sys.executable, program, "batch", plan],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_patches_fail_if_no_worker_is_left(folder, running, address):
    def hurry(dask_scheduler):
        waited, dask_scheduler.no_workers_timeout = dask_scheduler.no_workers_timeout, 0.5
        return waited

    assert running.run_on_scheduler(hurry) == 60
    running.cluster.scale(0)
    wait_for(lambda: not running.scheduler_info()["workers"])
    (outcome,) = run_batch(patches_of(write_plan(folder, "one")), scheduler=address)
    assert outcome.state == "failed"
    assert "without any running workers" in outcome.error


@pytest.fixture(scope="module")
def slow(night, tmp_path_factory):
    """Start two batches at a time, and return the plan and the process of each."""
    begun = []
    for names in (["one", "two"], ["two"]):
        folder = tmp_path_factory.mktemp("slow")
        shutil.copytree(night, folder / "night")
        plan = write_plan(folder, *names)
        begun.append((plan, start(plan)))
    yield begun
    for _, process in begun:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
        process.communicate()


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_batch_that_is_killed_leaves_no_workers_and_goes_on_where_it_was(slow):
    plan, process = slow[0]
    wait_for(plan.with_name("two.paused").exists)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    gone, alive = psutil.wait_procs(workers, timeout=30)
    assert gone
    assert not alive
    one, two = patches_of(plan)
    assert finished(one) is not None
    assert finished(two) is None
    assert [cluster.work_on(patch).state for patch in (one, two)] == ["skipped", "done"]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no signals to a group of processes")
def test_ctrl_c_ends_a_batch_in_one_line(slow):
    plan, process = slow[1]
    wait_for(plan.with_name("two.paused").exists)
    workers = psutil.Process(process.pid).children(recursive=True)
    # As a terminal does: to the batch and to its workers.
    os.killpg(process.pid, signal.SIGINT)
    said, complained = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == ""
    assert complained.strip().splitlines() == [
        "comparewarp: error: interrupted; nothing half written is left"
    ]
    assert not psutil.wait_procs(workers, timeout=30)[1]


def test_patches_fail_if_their_scheduler_is_lost(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", SCHEDULER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    address = process.stdout.readline().strip()
    # There is no worker: the patch waits until the scheduler goes.
    Timer(0.5, process.kill).start()
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.warns(CompareWarpWarning, match="without TLS"),
    ):
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
