"""A footprint is one thing to a click, a key, a number and a decision."""

import copy

import numpy as np
import pytest
from many_verdicts import STREAKS, many_verdicts

import napari_comparewarp as cw
from napari_comparewarp.algorithm.overrides import FootprintKey, apply_overrides, streak_keys
from napari_comparewarp.algorithm.spans import Spans, paint
from napari_comparewarp.algorithm.streaks.stage import StreakFootprints
from napari_comparewarp.cli.run import summarise
from napari_comparewarp.result.footprints import FootprintSet, State


@pytest.fixture(scope="module")
def inspection():
    return cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**STREAKS))


def region(shape, rows, columns):
    mask = np.zeros(shape, np.bool_)
    mask[rows, columns] = True
    return Spans.of_mask(mask)


@pytest.fixture
def crossing(inspection):
    """Footprints with two streaks in epoch 0 that cross in the middle of both."""
    result = inspection.result
    shape = result.stack.shape
    groups = (
        region(shape, slice(54, 57), slice(0, 150)),
        region(shape, slice(0, 110), slice(74, 77)),
    )
    streaks = StreakFootprints(Spans.union_of(groups), groups, (9.0, 8.0), (False, False))
    products = copy.copy(result.products)
    products.streaks = (streaks, *result.products.streaks[1:])
    return FootprintSet(result.job, products)


def decided(footprints, key, decision):
    """Return the footprints with a manual decision on one of them."""
    products = copy.copy(footprints.products)
    products.verdicts, products.streaks, lost = apply_overrides(
        {key: decision}, footprints.job.stack.epochs, products.candidates, products.verdicts,
        products.streaks,
    )  # fmt: skip
    assert not lost
    return FootprintSet(footprints.job, products)


def painted(footprints, rows=slice(None)):
    """Return the states of the footprints of epoch 0 as an image."""
    image = np.zeros(footprints.job.stack.shape, np.uint8)
    for spans, states in footprints.layers_of_states(0, rows):
        paint(spans.y, spans.x0, spans.x1, states, image)
    return image


def test_key_and_number_lead_to_each_other(inspection):
    footprints = inspection.result.footprint_set
    numbers = np.arange(1, len(footprints) + 1)
    keys = [footprints.key(number) for number in numbers]
    assert footprints.n_streaks > 0
    np.testing.assert_array_equal(footprints.numbers(keys), numbers)
    for number, key in zip(numbers, keys, strict=True):
        epoch_index, pixels = footprints.pixels(number)
        assert inspection.stack.epochs[epoch_index] == key.epoch
        assert pixels.mask(inspection.stack.shape)[key.y, key.x]


def test_where_streaks_cross_click_key_and_decision_mean_the_same_one(crossing):
    products, epochs = crossing.products, crossing.job.stack.epochs
    first = int(crossing.first[0]) + len(products.candidates[0])
    keys = streak_keys(epochs[0], products.streaks[0])
    assert list(crossing.numbers(keys)) == [first, first + 1]
    labels = crossing.labels(0)
    for place, key in enumerate(keys):
        assert crossing.at(0, key.y, key.x) == labels[key.y, key.x] == first + place
        _, streaks, lost = apply_overrides(
            {key: "keep"}, epochs, products.candidates, products.verdicts, products.streaks
        )
        assert not lost
        assert streaks[0].kept == tuple(other == place for other in range(2))


def test_the_crossing_itself_belongs_to_the_first_streak(crossing):
    first = int(crossing.first[0]) + len(crossing.products.candidates[0])
    epoch = crossing.job.stack.epochs[0]
    assert crossing.number(FootprintKey(epoch, 55, 75, streak=True)) == first
    assert crossing.at(0, 55, 75) == crossing.labels(0)[55, 75] == first


@pytest.mark.parametrize("place", [0, 1])
def test_a_decision_on_what_was_clicked_changes_the_state_of_that_one_only(crossing, place):
    n_candidates = len(crossing.products.candidates[0])
    labels = crossing.labels(0)
    y, x = np.argwhere(labels == crossing.first[0] + n_candidates + place)[0]
    key = crossing.key(crossing.at(0, int(y), int(x)))
    after = decided(crossing, key, "keep")
    expected = crossing.states(0)
    expected[n_candidates + place] = State.KEPT_MANUALLY
    np.testing.assert_array_equal(after.states(0), expected)


@pytest.mark.parametrize("place", [0, 1])
def test_the_state_that_is_painted_is_that_of_the_footprint_at_the_pixel(crossing, place):
    keys = crossing.streak_keys(0)
    after = decided(crossing, keys[place], "keep")
    image = painted(after, slice(None))
    n_candidates = len(after.products.candidates[0])
    labels = after.labels(0) - int(after.first[0]) - n_candidates
    for streak, state in enumerate(after.states(0)[n_candidates:]):
        assert set(np.unique(image[labels == streak])) == {state}


@pytest.mark.parametrize("rows", [slice(0, 40), slice(54, 57), slice(100, 110), slice(7, 7)])
def test_states_of_some_rows_are_those_of_the_whole_patch(crossing, rows):
    np.testing.assert_array_equal(painted(crossing, rows)[rows], painted(crossing)[rows])
    layers = crossing.layers_of_states(0, rows)
    assert all(((spans.y >= rows.start) & (spans.y < rows.stop)).all() for spans, _ in layers)


@pytest.mark.parametrize("decision", ["clip", "keep"])
def test_any_pixel_of_a_footprint_names_it_as_its_number_does(decision):
    stack, config = many_verdicts(), cw.CompareWarpConfig(**STREAKS)
    by_number, by_key = cw.Inspection(stack, config), cw.Inspection(stack, config)
    footprints = by_number.result.footprint_set
    number = max(
        range(1, len(footprints) + 1),
        key=lambda each: footprints.pixels(each)[1].area * (not footprints.key(each).streak),
    )
    canonical, pixels = footprints.key(number), footprints.pixels(number)[1]
    other = FootprintKey(canonical.epoch, int(pixels.y[0]), int(pixels.x0[0]))
    assert other != canonical
    by_number.override(number, decision)
    by_key.override(other, decision)
    assert by_key.overrides == by_number.overrides == {canonical: decision}
    by_key.override(other, None)
    assert by_key.overrides == {}


def test_a_key_finds_its_footprint_in_a_result_that_numbers_otherwise(inspection):
    before = inspection.result.footprint_set
    other = cw.Inspection(inspection.stack, inspection.config.replace(chi_threshold=12.0))
    after = other.result.footprint_set
    keys = [before.key(number) for number in range(1, len(before) + 1)]
    numbers = after.numbers(keys)
    moved = np.flatnonzero((numbers > 0) & (numbers != np.arange(1, len(before) + 1)))
    assert moved.size
    key, number = keys[moved[-1]], int(numbers[moved[-1]])
    assert (key.epoch, key.streak) == (after.key(number).epoch, after.key(number).streak)
    other.override(key, "keep")
    assert other.result.footprint_set.state(number) == State.KEPT_MANUALLY


def test_a_number_that_is_not_there_is_refused_in_one_line(inspection):
    with pytest.raises(cw.CompareWarpError, match=r"footprint 99999: there is none"):
        inspection.result.footprint_set.key(99999)


def test_streaks_are_no_candidates_in_the_command_lines_count(inspection):
    result = inspection.result
    footprints, table = result.footprint_set, result.footprints
    n_streaks = int((table["verdict"] == "streak").sum())
    assert footprints.n_streaks == n_streaks > 0
    assert footprints.n_candidates == len(table) - n_streaks
    assert footprints.n_clipped == int((table["verdict"] == "clipped").sum())
    counted = f"{footprints.n_candidates} candidates and {n_streaks} streaks: "
    assert counted in summarise(result, [])


def test_reasons_of_single_footprints_are_those_of_the_table(inspection):
    table = inspection.result.footprints
    footprints = inspection.result.footprint_set
    for row in table[:: max(len(table) // 20, 1)]:
        assert footprints.reason(int(row["id"])) == row["reason"]
    assert footprints.reason(len(table)) == table["reason"][-1]
