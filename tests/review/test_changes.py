"""What differs between two settings is told by footprint and by area."""

import numpy as np
import pytest
from many_verdicts import ARTIFACT, STREAKS, VARIABLE, footprint_at, many_verdicts
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.errors import InspectionError
from napari_comparewarp.review.changes import compare_results, compare_settings

KINDS = {"newly clipped": "id_after", "newly kept": "id_before"}


@pytest.fixture(scope="module")
def result():
    return cw.run(many_verdicts())


def at(result, place):
    epoch, y, x = place
    return footprint_at(result, epoch, y + 1, x + 1)


def changed(changes, kind):
    """Return the ids of what is newly clipped, or newly kept."""
    rows = changes.footprints[changes.footprints["change"] == kind]
    return rows[KINDS[kind]].tolist()


def clipped_ids(result):
    table = result.footprints
    return set(table["id"][np.isin(table["verdict"], ["clipped", "streak"])].tolist())


def assert_areas_agree(changes, before, after):
    for epoch in range(after.stack.n_epochs):
        was, now = before.clipped(epoch), after.clipped(epoch)
        assert changes.area_before[epoch] == was.sum()
        assert changes.area_after[epoch] == now.sum()
        assert changes.gained[epoch] == (now & ~was).sum()
        assert changes.lost[epoch] == (was & ~now).sum()


def test_equal_results_do_not_differ(result):
    changes = compare_results(result, cw.run(many_verdicts()))
    assert len(changes.footprints) == 0
    assert changes.footprints.colnames[0] == "change"
    assert not changes.gained.any() and not changes.lost.any()
    assert_areas_agree(changes, result, result)


def test_where_the_detection_is_the_same_the_changes_are_those_of_the_verdicts(result):
    after = cw.run(many_verdicts(), cw.CompareWarpConfig(max_epochs=3, spatial_threshold=0.9))
    changes = compare_results(result, after)
    was, now = clipped_ids(result), clipped_ids(after)
    assert now - was and was - now
    assert set(changed(changes, "newly clipped")) == now - was
    assert set(changed(changes, "newly kept")) == was - now
    table = after.footprints
    for row in changes.footprints:
        assert row["id_before"] == row["id_after"]
        assert row["area"] == table["area"][row["id_after"] - 1]
        assert row["epoch"] == table["epoch"][row["id_after"] - 1]
        assert footprint_at(after, row["epoch_index"], row["y"], row["x"]) == row["id_after"]
    assert_areas_agree(changes, result, after)


def test_across_detections_a_footprint_is_found_again_by_the_pixels_it_shares(result):
    overrides = {cw.Inspection(many_verdicts()).key_of(at(result, VARIABLE)): "clip"}
    after = cw.run(
        many_verdicts(),
        cw.CompareWarpConfig(chi_threshold=5.0, grow_sigma=2.0),
        overrides=overrides,
    )
    changes = compare_results(result, after)
    rows = {row["id_after"]: row for row in changes.footprints}
    variable = rows[at(after, VARIABLE)]
    assert variable["change"] == "newly clipped"
    assert variable["id_before"] == at(result, VARIABLE)
    # It has grown, but it was clipped before.
    assert at(after, ARTIFACT) not in rows
    assert changes.gained[ARTIFACT[0]] > 0
    assert_areas_agree(changes, result, after)


def test_a_clipped_footprint_that_is_no_longer_found_is_newly_kept(result):
    after = cw.run(many_verdicts(), cw.CompareWarpConfig(min_pixels=60))
    changes = compare_results(result, after)
    kept = changes.footprints[changes.footprints["id_before"] == at(result, ARTIFACT)]
    assert kept["change"].tolist() == ["newly kept"]
    assert kept["id_after"].tolist() == [0]
    back = compare_results(after, result)
    again = back.footprints[back.footprints["id_after"] == at(result, ARTIFACT)]
    assert (again["change"][0], again["id_before"][0]) == ("newly clipped", 0)


def test_streaks_are_compared_with_streaks(result):
    inspection = cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**STREAKS))
    before = inspection.result
    table = before.footprints
    streaks = set(table["id"][table["verdict"] == "streak"].tolist())
    found = compare_results(cw.run(many_verdicts(), cw.CompareWarpConfig(chi_threshold=6)), before)
    assert set(changed(found, "newly clipped")) == streaks
    assert found.footprints["streak"].all()
    inspection.override(min(streaks), "keep")
    kept = compare_results(before, inspection.result)
    assert changed(kept, "newly kept") == [min(streaks)]
    assert_areas_agree(kept, before, inspection.result)


def test_another_setting_is_compared_with_the_present_one_without_a_run():
    inspection = cw.Inspection(many_verdicts())
    pinned, was = inspection.config, inspection.result
    inspection.set(chi_threshold=6.0, max_epochs=4)
    inspection.override(at(inspection.result, ARTIFACT), "keep")
    changes = compare_settings(inspection, pinned, {})
    expected = compare_results(was, inspection.result)
    assert changes.footprints.pformat() == expected.footprints.pformat()
    np.testing.assert_array_equal(changes.gained, expected.gained)
    assert at(was, ARTIFACT) in changed(changes, "newly kept")


def test_results_of_different_stacks_are_not_compared(result):
    with pytest.raises(InspectionError, match=r"results of 9 epochs .* and of 6 epochs"):
        compare_results(result, cw.run(stack()))
