"""Plans of small patches, and workers that are slow or die."""

import os
import signal
import time

from napari_comparewarp.batch import cluster
from napari_comparewarp.batch.plan import read_plan
from napari_comparewarp.cli.knobs import read_config_file
from napari_comparewarp.simulation import simulate_night, write_night

PAUSE = "PAUSE_BEFORE_A_PATCH"


def write_warps(folder, seed=3):
    """Write a night of five epochs."""
    write_night(simulate_night(5, (96, 96), seed=seed), folder)


def write_plan(folder, *patches, defaults=""):
    """Write a plan; each patch is its name, or a table in TOML."""
    tables = [
        f'name = "{patch}"\nstack = "night"\noutput = "made"\n' if "=" not in patch else patch
        for patch in patches
    ]
    text = "".join(f"[[patch]]\n{table}\n" for table in tables)
    plan = folder / "patches.toml"
    plan.write_text(f"[defaults]\n{defaults}\n{text}")
    return plan


def patches_of(plan):
    return read_plan(plan, read_config_file)


def begin_slowly(patch):
    """Work on a patch, after a pause that a file gives away."""
    patch.output.with_name(f"{patch.name}.paused").touch()
    time.sleep(float(os.environ[PAUSE]))
    return cluster.work_on(patch)


def die_once(patch):
    """Die; and, when asked again, work on the patch."""
    died = patch.output.with_name(f"{patch.name}.died")
    if not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return cluster.work_on(patch)


def die_of_the_big_one(patch):
    """Work on a patch, unless it is the one that no worker survives."""
    if patch.name == "big":
        with patch.output.with_name("deaths").open("a") as deaths:
            deaths.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    return cluster.Outcome(patch, "skipped", None)
