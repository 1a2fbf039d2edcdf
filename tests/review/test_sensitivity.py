"""The sensitivity sheet is, in every cell, what a run at that setting would give."""

from functools import cache

import numpy as np
import pytest
from many_verdicts import ARTIFACT, STREAKS, VARIABLE, footprint_at, many_verdicts

import napari_comparewarp as cw
from napari_comparewarp.errors import ConfigError, InspectionError
from napari_comparewarp.review.sensitivity import chi_sensitivity, verdict_sensitivity


@cache
def inspection(with_streaks=False):
    """Return an inspection with manual decisions."""
    made = cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**(STREAKS if with_streaks else {})))
    for decision, (epoch, y, x) in {"keep": ARTIFACT, "clip": VARIABLE}.items():
        made.override(footprint_at(made.result, epoch, y + 1, x + 1), decision)
    if with_streaks:
        table = made.result.footprints
        made.override(int(table["id"][table["verdict"] == "streak"][0]), "keep")
    return made


def assert_cell_is_a_run(sheet, place, made, **knobs):
    """Assert that a cell of a sheet says what a run from scratch says."""
    run = cw.run(made.stack, made.config.replace(**knobs), overrides=made.overrides)
    table = run.footprints
    n_clipped = np.isin(table["verdict"], ["clipped", "streak"]).sum()
    assert sheet.n_clipped[place] == n_clipped
    areas = [run.clipped(epoch).sum() for epoch in range(made.stack.n_epochs)]
    np.testing.assert_array_equal(sheet.clipped_area[place], areas)
    all_pixels = run.unclipped().n_image.sum(dtype=int)
    assert sheet.stacked.sum() == all_pixels
    lost = all_pixels - run.coadd.n_image.sum(dtype=int)
    assert sheet.lost[place].sum() == lost
    assert sheet.lost_fraction[place] == pytest.approx(lost / all_pixels)


@pytest.mark.parametrize("with_streaks", [False, True])
@pytest.mark.parametrize(
    ("knob", "values"),
    [
        ("temporal_threshold", [0.12, 0.4, 0.95]),
        ("max_epochs", [0, 3, 9]),
        ("max_epochs_slope", [0.0, 0.15]),
    ],
)
def test_every_cell_of_the_plane_is_what_a_run_gives(knob, values, with_streaks):
    made = inspection(with_streaks)
    sheet = verdict_sensitivity(made, knob, values, [0.0, 0.35, 0.5, 1.0])
    assert sheet.knobs == (knob, "spatial_threshold")
    assert sheet.n_clipped.min() < sheet.n_clipped.max()
    for i, value in enumerate(sheet.values[0]):
        for j, spatial in enumerate(sheet.values[1]):
            if (i + j) % 2 == 0:
                assert_cell_is_a_run(
                    sheet, (i, j), made, **{knob: value}, spatial_threshold=spatial
                )


@pytest.mark.parametrize("with_streaks", [False, True])
def test_every_step_along_chi_is_what_a_run_gives(with_streaks):
    made = inspection(with_streaks)
    sheet = chi_sensitivity(made, [3.0, 5.0, 11.0])
    assert sheet.lost.sum() > 0
    for i, chi in enumerate(sheet.values[0]):
        assert_cell_is_a_run(sheet, i, made, chi_threshold=chi)


def test_masked_pixels_are_clipped_but_cost_no_depth():
    sheet = verdict_sensitivity(cw.Inspection(many_verdicts()), values=[0.4], spatial=[0.5])
    epoch = ARTIFACT[0]
    # 18 pixels of the artifact are saturated.
    assert sheet.clipped_area[0, 0, epoch] - sheet.lost[0, 0, epoch] == 18


def test_the_present_setting_is_marked_and_is_what_the_result_says():
    made = inspection()
    plane = verdict_sensitivity(made, "max_epochs", [0, 5], [0.2, 0.8])
    np.testing.assert_array_equal(plane.values[0], [0, 2, 5])
    np.testing.assert_array_equal(plane.values[1], [0.2, 0.5, 0.8])
    assert plane.present == (1, 1)
    line = chi_sensitivity(made, [5.0, 10.0])
    assert (line.present, line.values[0][1]) == ((1,), 7.5)
    areas = [made.result.clipped(epoch).sum() for epoch in range(made.stack.n_epochs)]
    np.testing.assert_array_equal(plane.clipped_area[plane.present], areas)
    np.testing.assert_array_equal(line.clipped_area[line.present], areas)


def test_without_max_epochs_no_place_on_its_axis_is_the_present_one():
    made = cw.Inspection(many_verdicts(), cw.CompareWarpConfig(max_epochs=None))
    sheet = verdict_sensitivity(made, "max_epochs", [1, 2])
    assert sheet.present[0] == -1
    np.testing.assert_array_equal(sheet.values[0], [1, 2])


def test_losing_half_of_equal_weights_costs_the_root_of_two_in_depth():
    image = np.zeros((4, 20, 20), np.float32)
    image[0, 5:15, 5:15] = 100
    stack = cw.WarpStack.from_arrays(image, np.ones_like(image), psf_sigma=1.0)
    config = cw.CompareWarpConfig(grow_sigma=0, scale_variance=False, protect_sources=False)
    sheet = verdict_sensitivity(cw.Inspection(stack, config), values=[0.4], spatial=[0.5])
    lost = 100 / 1600
    assert sheet.lost_fraction[0, 0] == pytest.approx(lost)
    assert sheet.depth_change[0, 0] == pytest.approx(1.25 * np.log10(1 - lost), abs=1e-3)


def test_the_inspection_stays_as_it_is():
    made = inspection()
    result, overrides = made.result, made.overrides
    verdicts = [v.verdict.copy() for v in result.products.verdicts]
    verdict_sensitivity(made, "temporal_threshold", [0.1], [0.9])
    chi_sensitivity(made, [4.0])
    assert made.result is result and made.overrides == overrides
    for before, after in zip(verdicts, result.products.verdicts, strict=True):
        np.testing.assert_array_equal(before, after.verdict)


@pytest.mark.parametrize("sheet", [verdict_sensitivity, chi_sensitivity])
def test_a_report_of_progress_may_cancel(sheet):
    class CancelledError(Exception):
        pass

    def stop(stage, done, total):
        if stage == "sensitivity" and done:
            raise CancelledError

    with pytest.raises(CancelledError):
        sheet(inspection(), progress=stop)


def test_settings_that_cannot_be_are_refused():
    made = inspection()
    with pytest.raises(ConfigError, match=r"spatial_threshold = 1\.5"):
        verdict_sensitivity(made, spatial=[1.5])
    with pytest.raises(ConfigError, match=r"max_epochs = 2\.5"):
        verdict_sensitivity(made, "max_epochs", [2.5])
    with pytest.raises(InspectionError, match="knob 'grow_sigma': the plane is of one of temporal"):
        verdict_sensitivity(made, "grow_sigma", [1])
    with pytest.raises(InspectionError, match=r"chi_threshold = 2: .* from 3 sigma on"):
        chi_sensitivity(made, [2.0])
