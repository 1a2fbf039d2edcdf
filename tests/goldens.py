"""The outputs of the reference, where they are at hand."""

import json
from pathlib import Path

import numpy as np
import pytest

LARGE = Path(__file__).parents[2] / "shared" / "goldens"

#: All of them where they are at hand, else the few in the repository.
FOLDER = LARGE if LARGE.is_dir() else Path(__file__).parent / "goldens_small"


def load(name):
    """Return the arrays of one golden file."""
    if not (FOLDER / f"{name}.npz").exists():
        pytest.skip(f"{name} is one of the large golden files, which are not in the repository")
    with np.load(FOLDER / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def planes(golden):
    """Return bit numbers of the mask planes in a golden file."""
    return json.loads(str(golden["mask_planes_json"]))
