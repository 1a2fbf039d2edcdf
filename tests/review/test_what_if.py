"""What another setting would clip is what a run at that setting clips."""

import numpy as np
import pytest
from many_verdicts import ARTIFACT, STREAKS, footprint_at, many_verdicts

import napari_comparewarp as cw
from napari_comparewarp.errors import InspectionError
from napari_comparewarp.review.what_if import clipping_at


@pytest.fixture(scope="module")
def inspection():
    made = cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**STREAKS))
    epoch, y, x = ARTIFACT
    made.override(footprint_at(made.result, epoch, y + 1, x + 1), "keep")
    table = made.result.footprints
    made.override(int(table["id"][table["verdict"] == "streak"][0]), "keep")
    return made


def assert_clips_like_a_run(inspection, config, overrides, products):
    run = cw.run(inspection.stack, config, overrides=overrides)
    for epoch in range(inspection.stack.n_epochs):
        region = products.direct_masks.clipped[epoch]
        np.testing.assert_array_equal(region.mask(inspection.stack.shape), run.clipped(epoch))
    for made, fresh in zip(products.verdicts, run.products.verdicts, strict=True):
        np.testing.assert_array_equal(made.verdict, fresh.verdict)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"spatial_threshold": 0.2},
        {"max_epochs": None},
        {"chi_threshold": 4.0, "grow_sigma": 1.0},
        {"filter_streaks": False},
        {"prefilter": False},
    ],
)
def test_it_is_what_a_run_clips(inspection, knobs):
    config = inspection.config.replace(**knobs)
    result = inspection.result
    assert_clips_like_a_run(
        inspection, config, inspection.overrides, clipping_at(inspection, config)
    )
    assert_clips_like_a_run(inspection, config, {}, clipping_at(inspection, config, {}))
    assert inspection.result is result


def test_candidates_are_those_of_the_inspection_where_only_verdicts_change(inspection):
    made = clipping_at(inspection, inspection.config.replace(spatial_threshold=0.1))
    assert made.candidates is inspection.result.products.candidates


def test_what_needs_another_look_at_the_images_is_refused(inspection):
    with pytest.raises(InspectionError, match="template_statistic = 'MEDIAN': it is read before"):
        clipping_at(inspection, inspection.config.replace(template_statistic="MEDIAN"))
    with pytest.raises(InspectionError, match="remembered from 3 sigma on; it must not be lower"):
        clipping_at(inspection, inspection.config.replace(chi_threshold=2.5))
