"""What tests of mutants share: one warm process for each process of the tests."""

import pytest
from fuzz.runner import CAN_FORK, Runner


@pytest.fixture(scope="session")
def runner():
    if not CAN_FORK:
        pytest.skip("a process for each mutant takes too long here; `make fuzz` does it anyway")
    made = Runner()
    yield made
    made.close()
