"""A simulated night with known truth, for tests and demonstrations."""

from ..errors import TruthError
from .artifacts import KINDS, Artifact
from .night import Night, simulate_night
from .truth import Truth
from .truth_files import read_truth
from .write import check_night_folder, write_night

__all__ = [
    "KINDS",
    "Artifact",
    "Night",
    "Truth",
    "TruthError",
    "check_night_folder",
    "read_truth",
    "simulate_night",
    "write_night",
]
