"""The list of stages: where a change begins, and how they are run."""

import copy

import numpy as np
import pytest
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.algorithm import stages
from napari_comparewarp.algorithm.products import Inputs, Job, Products
from napari_comparewarp.algorithm.stages import STAGES, Stage, first_stage, run_stages, stage_index

CONFIG = cw.CompareWarpConfig()


def first_name(changes, floor=3.0, overrides_changed=False):
    first = first_stage(
        CONFIG, CONFIG.replace(**changes), floor=floor, overrides_changed=overrides_changed
    )
    return STAGES[first].name if first < len(STAGES) else None


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({}, None),
        ({"chi_threshold": 5.0}, "candidates"),
        ({"chi_threshold": 2.9}, "detections"),
        ({"spatial_threshold": 0.1}, "verdicts"),
        ({"spatial_threshold": 0.1, "chi_threshold": 5.0}, "candidates"),
        ({"statistic": "MEDIAN"}, "coadd"),
        ({"interpolate": True}, "finish"),
        ({"template_sigma_clip": 3.0}, "matched weights"),
        ({"bad_planes": ("BAD",), "interpolate": True}, "direct weights"),
    ],
)
def test_a_change_begins_at_the_first_stage_that_reads_it(changes, stage):
    assert first_name(changes) == stage


def test_other_decisions_begin_at_the_overrides_or_before():
    assert first_name({}, overrides_changed=True) == "overrides"
    assert first_name({"chi_threshold": 5.0}, overrides_changed=True) == "candidates"
    assert first_name({"interpolate": True}, overrides_changed=True) == "overrides"


def test_a_threshold_below_the_floor_looks_at_the_images_again_even_if_it_is_no_change():
    assert first_stage(CONFIG, CONFIG, floor=8.0) == stage_index("detections")


def test_each_stage_has_a_name_of_its_own_and_an_unknown_one_is_refused():
    names = [stage.name for stage in STAGES]
    assert len(set(names)) == len(names)
    assert [stage_index(name) for name in names] == list(range(len(names)))
    with pytest.raises(ValueError, match="lunch"):
        stage_index("lunch")


def test_stages_leave_the_products_that_they_are_given_as_they_are():
    inputs = Inputs(Job(stack()))
    kept = []
    whole = run_stages(inputs, keep=kept)
    before = copy.copy(vars(kept[-2]))
    again = run_stages(inputs, kept[-2], STAGES[-1:])
    assert vars(kept[-2]) == before
    np.testing.assert_array_equal(again.coadd.image, whole.coadd.image)
    assert [hasattr(products, "coadd") for products in kept] == [False] * (len(kept) - 1) + [True]


def test_a_stage_updates_only_where_there_is_an_earlier_run():
    calls = []
    stage = Stage(
        "one", lambda inputs, products: calls.append("compute") or {},
        lambda inputs, products, *before: calls.append("update") or {},
    )  # fmt: skip
    inputs = Inputs(Job(stack(n_epochs=3)))
    run_stages(inputs, Products(), [stage])
    run_stages(inputs, Products(), [stage], before=(inputs, Products()))
    assert calls == ["compute", "update"]


def test_every_knob_begins_at_a_stage_of_the_list():
    names = {stage.name for stage in stages.STAGES}
    for name in cw.CompareWarpConfig.model_fields:
        assert cw.CompareWarpConfig.model_fields[name].json_schema_extra["stage"] in names
