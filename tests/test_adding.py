"""A new step and a new output are one file, and one entry in a list."""

import importlib
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp import outputs
from napari_comparewarp.algorithm import stages
from napari_comparewarp.outputs import Outputs, Product, Source

STEP = '''
"""A step that takes half a sigma away from each difference."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Offset:
    def apply(self, row, y0, image, variance):
        image -= np.float32(0.5) * np.sqrt(variance)


def take_offset_away(inputs, products):
    return {"difference_terms": (*products.difference_terms, Offset())}
'''

WRITER = '''
"""An output: how many epochs were stacked."""


def write_depth(source, path, overwrite):
    path.write_text(str(int((source.result.weights > 0).sum())))


def size(result, path):
    return 3
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Make a module of some text, and forget it at the end."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        made.append(name)
        return importlib.import_module(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)


def test_a_step_is_a_file_and_a_stage(module, monkeypatch):
    plain = cw.run(stack())
    step = stages.Stage("offset", module("offset_step", STEP).take_offset_away)
    place = stages.stage_index("detections")
    monkeypatch.setattr(stages, "STAGES", (*stages.STAGES[:place], step, *stages.STAGES[place:]))
    result = cw.run(stack())
    np.testing.assert_allclose(result.chi(0), plain.chi(0) - 0.5, atol=1e-4)
    inspection = cw.Inspection(stack())
    np.testing.assert_array_equal(inspection.result.coadd.image, result.coadd.image)
    inspection.set(temporal_threshold=0.2)
    again = cw.run(stack(), inspection.config)
    np.testing.assert_array_equal(inspection.result.coadd.image, again.coadd.image)


@pytest.fixture
def depth(module, monkeypatch):
    """Add an output to the list."""
    writer = module("depth_writer", WRITER)
    product = Product(
        "depth", (".txt",), writer.write_depth, writer.size, options=("--depth",),
        help="Write the number of epochs.", suffix="_depth", in_batch="_depth.txt",
    )  # fmt: skip
    monkeypatch.setitem(outputs.PRODUCTS, "depth", product)
    yield
    monkeypatch.undo()
    for name in ("napari_comparewarp.cli.run", "napari_comparewarp.batch.plan"):
        importlib.reload(importlib.import_module(name))


def test_an_output_is_a_writer_and_an_entry(depth, tmp_path):
    Outputs({"depth": tmp_path / "depth.txt"}).write(Source(cw.run(stack())), overwrite=False)
    assert (tmp_path / "depth.txt").read_text() == "6"


def test_an_output_of_the_list_is_an_option_of_the_command_line(depth):
    run = importlib.reload(importlib.import_module("napari_comparewarp.cli.run")).run
    text = CliRunner().invoke(run, ["--help"]).output
    assert "--depth FILE" in text and "Write the number of epochs." in text


def test_an_output_of_the_list_may_stand_in_a_plan(depth):
    plan = importlib.reload(importlib.import_module("napari_comparewarp.batch.plan"))
    assert "depth" in plan.OPTIONAL_PRODUCTS
    assert "depth" in plan._PlanFile.model_fields["defaults"].annotation.model_fields
