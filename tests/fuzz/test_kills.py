"""A kill at any moment leaves the old file or the new one; `make fuzz` kills more often."""

import pytest
from fuzz import writers
from fuzz.kills import COMMANDS, Kills
from fuzz.runner import CAN_FORK

#: Each test kills these, one after the other.
GROUPS = {
    "files": ["coadd", "footprints", "regions", "lsst_config", "inspection", "manifest"],
    "folders": ["masks", "artifact_masks", "simulate", "batch"],
}

#: Those take seconds, and are killed by `make fuzz` alone.
SLOW = ["report", "debug_products"]

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="a writer is killed in a forked process")


def test_every_writer_has_its_place_in_a_group():
    grouped = [name for group in GROUPS.values() for name in group]
    assert sorted([*grouped, *SLOW]) == sorted(writers.names())


@pytest.mark.parametrize("group", GROUPS)
def test_a_killed_writer_leaves_whole_files_and_the_next_run_sweeps(group, runner):
    with Kills(runner, number=1) as kills:
        wrong = [line for name in GROUPS[group] for line in kills.kill_writer(name)]
    assert not wrong, "\n".join(wrong)


def test_a_terminated_command_says_so_and_leaves_nothing(runner):
    with Kills(runner, number=1) as kills:
        wrong = [line for name in COMMANDS for line in kills.terminate_command(name)]
    assert not wrong, "\n".join(wrong)
