"""Plans of small patches, and workers that are slow or die."""

import time

import psutil

from napari_comparewarp.batch import cluster
from napari_comparewarp.batch.plan import read_plan
from napari_comparewarp.io.config_file import read_config_file
from napari_comparewarp.simulation import simulate_night, write_night

#: Epochs of the night that the patches are made from.
N_EPOCHS = 3


def write_warps(folder):
    """Write a night as small as can be in which something is clipped."""
    write_night(simulate_night(N_EPOCHS, (64, 64), seed=1), folder)


def truncate_warps(night, folder):
    """Write the direct warps of a night cut short."""
    folder.mkdir()
    for warp in (night / "direct").iterdir():
        (folder / warp.name).write_bytes(warp.read_bytes()[:4000])


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


def certificates(security):
    """Return the settings of dask with which a client is let in."""
    return {
        "distributed.comm.tls.ca-file": security.tls_ca_file,
        "distributed.comm.tls.client.cert": security.tls_client_cert,
        "distributed.comm.tls.client.key": security.tls_client_key,
    }


def patches_of(plan):
    return read_plan(plan, read_config_file)


def pause_at_two(patch):
    """Work on a patch; before "two", pause longer than a test takes, which a file gives away."""
    if patch.name == "two":
        patch.output.with_name("two.paused").touch()
        time.sleep(60)
    return cluster.work_on(patch)


def die_by_name(patch):
    """Have "big" kill each worker and "frail" its first one; leave other patches as they are."""
    deaths = patch.output.with_name(f"{patch.name}.deaths")
    if patch.name == "big" or (patch.name == "frail" and not deaths.exists()):
        with deaths.open("a") as tally:
            tally.write("x")
        # One that dies while it begins may not be replaced.
        time.sleep(0.5)
        psutil.Process().kill()
    return cluster.Outcome(patch, "skipped", None)
