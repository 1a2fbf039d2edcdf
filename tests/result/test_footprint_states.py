"""The image of footprint states."""

import numpy as np
import pytest
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.result.footprint_states import OUTLINE, SELECTED, draw_states
from napari_comparewarp.result.footprints import State

TRAIL = 1


@pytest.fixture(scope="module")
def inspection():
    return cw.Inspection(stack())


def without_rims(image):
    return np.where(image == SELECTED, State.NONE, image % OUTLINE)


def test_what_is_clipped_is_drawn_as_clipped_and_nothing_else_is(inspection):
    for epoch in range(inspection.stack.n_epochs):
        image = without_rims(draw_states(inspection.result, epoch))
        np.testing.assert_array_equal(image == State.CLIPPED, inspection.result.clipped(epoch))


def test_the_rim_of_a_footprint_is_told_from_its_inside(inspection):
    image = draw_states(inspection.result, TRAIL)
    clipped = np.pad(inspection.result.clipped(TRAIL), 1)
    neighbours = clipped[:-2, 1:-1] & clipped[2:, 1:-1] & clipped[1:-1, :-2] & clipped[1:-1, 2:]
    np.testing.assert_array_equal(image == State.CLIPPED, neighbours & clipped[1:-1, 1:-1])


def test_a_decision_by_hand_has_a_state_of_its_own(inspection):
    table = inspection.result.footprints
    row = table[table["verdict"] == "clipped"][0]
    inspection.override(int(row["id"]), "keep")
    image = without_rims(draw_states(inspection.result, int(row["epoch_index"])))
    labels = inspection.result.labels(int(row["epoch_index"]))
    assert set(np.unique(image[labels == row["id"]])) == {State.KEPT_MANUALLY}
    inspection.undo()
    inspection.override(int(row["id"]), "clip")
    image = without_rims(draw_states(inspection.result, int(row["epoch_index"])))
    assert set(np.unique(image[labels == row["id"]])) == {State.CLIPPED_MANUALLY}
    inspection.undo()


def test_the_selected_footprint_has_a_ring_around_it_in_its_own_epoch_only(inspection):
    row = inspection.result.footprints[0]
    epoch = int(row["epoch_index"])
    ring = draw_states(inspection.result, epoch, int(row["id"])) == SELECTED
    assert ring.any()
    assert not (ring & (inspection.result.labels(epoch) == row["id"])).any()
    other = (epoch + 1) % inspection.stack.n_epochs
    assert not (draw_states(inspection.result, other, int(row["id"])) == SELECTED).any()


def test_the_pixels_of_each_footprint_are_those_of_its_label(inspection):
    for row in inspection.result.footprints:
        epoch, pixels = inspection.result.footprint_set.pixels(int(row["id"]))
        assert epoch == row["epoch_index"]
        labels = inspection.result.labels(epoch)
        np.testing.assert_array_equal(pixels.mask(labels.shape), labels == row["id"])


def test_a_footprint_that_is_not_there_is_named(inspection):
    with pytest.raises(cw.CompareWarpError, match="footprint 100000"):
        inspection.result.footprint_set.pixels(100000)


def test_streaks_are_drawn_over_what_is_kept_and_under_what_is_clipped():
    made = cw.run(
        stack(n_epochs=6, shape=(200, 220), trail_epoch=TRAIL, seed=2),
        cw.CompareWarpConfig(filter_streaks=True, temporal_threshold=0.0, max_epochs=0,
                             max_epochs_slope=0.0),
    )  # fmt: skip
    assert len(made.products.streaks[TRAIL].groups)
    image = without_rims(draw_states(made, TRAIL))
    np.testing.assert_array_equal(
        np.isin(image, (State.STREAK, State.CLIPPED)), made.clipped(TRAIL)
    )
    assert (image == State.STREAK).any()
