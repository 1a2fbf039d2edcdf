"""Margins say how far a candidate is from the other verdict, and their sign is the verdict."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from many_verdicts import many_verdicts

import napari_comparewarp as cw
from napari_comparewarp.algorithm.margins import epoch_limit, epochs_margin, epochs_needed
from napari_comparewarp.algorithm.verdicts import effective_maximum

RULE = {
    "temporal_threshold": st.floats(0, 1),
    "max_epochs": st.none() | st.integers(0, 30),
    "max_epochs_slope": st.floats(0, 1),
}


def test_a_candidate_needs_as_many_epochs_as_bring_its_fraction_above_the_threshold():
    cumulative = np.array([[0, 4, 5, 10], [0, 0, 0, 10], [0, 0, 5, 5], [0, 0, 0, 0]])
    needed = epochs_needed(cumulative, np.full(4, 10), 0.5)
    np.testing.assert_array_equal(needed, [3, 3, -1, -1])
    np.testing.assert_array_equal(epochs_needed(cumulative, np.full(4, 10), 0.4), [2, 3, 2, -1])


@given(rule=st.fixed_dictionaries(RULE), n=st.floats(0, 40))
def test_the_limit_rounded_down_is_the_effective_maximum(rule, n):
    n = np.array([n])
    assert epoch_limit(n, **rule).astype(int) == effective_maximum(n, **rule)


@given(rule=st.fixed_dictionaries(RULE), n=st.floats(0, 40), needed=st.integers(1, 40))
def test_the_margin_is_negative_just_where_the_effective_maximum_is_too_small(rule, n, needed):
    margin = epochs_margin(np.array([needed]), epoch_limit(np.array([n]), **rule))
    assert (margin >= 0) == (effective_maximum(n, **rule) >= needed)


def test_there_is_no_margin_where_no_limit_is_enough():
    assert np.isnan(epochs_margin(np.array([-1]), np.array([5.0])))


def test_the_table_shows_margins_whose_signs_are_the_verdict():
    for knobs in ({}, {"max_epochs": None}, {"spatial_threshold": 0.35}):
        table = cw.run(many_verdicts(), cw.CompareWarpConfig(**knobs)).footprints
        ruled = np.isin(table["verdict"], ["clipped", "persistent"])
        clipped = table["verdict"][ruled] == "clipped"
        assert clipped.any() and not clipped.all()
        np.testing.assert_array_equal(table["spatial_margin"][ruled] > 0, clipped)
        np.testing.assert_array_equal(table["epochs_margin"][ruled] >= 0, clipped)
        possible = table["epochs_needed"][ruled] >= 0
        assert (table["epochs_needed"][ruled] <= table["max_epochs"][ruled])[clipped].all()
        np.testing.assert_array_equal(np.isnan(table["epochs_margin"][ruled]), ~possible)
        assert (table["chi_margin"] >= 0).all()
