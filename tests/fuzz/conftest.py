"""What tests of mutants share: one warm process for each process of the tests."""

import pytest
from fuzz.runner import Runner


@pytest.fixture(scope="session")
def runner():
    made = Runner()
    yield made
    made.close()
