"""The outputs of the reference, where they are at hand."""

import json
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "goldens"

needs_goldens = pytest.mark.skipif(not FOLDER.is_dir(), reason="the golden files are not here")


def load(name):
    """Return the arrays of one golden file."""
    with np.load(FOLDER / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def planes(golden):
    """Return bit numbers of the mask planes in a golden file."""
    return json.loads(str(golden["mask_planes_json"]))
