"""The temporal and spatial rules."""

import numpy as np
import pytest
from candidates import candidates_of
from hypothesis import given
from hypothesis import strategies as st

from napari_comparewarp.algorithm.counts import count_epochs
from napari_comparewarp.algorithm.verdicts import Verdict, decide, effective_maximum

RULE = {"temporal_threshold": 0.4, "max_epochs": 2, "max_epochs_slope": 0.03}


@given(st.floats(0, 400), st.floats(0, 1), st.none() | st.integers(0, 20), st.floats(0, 1))
def test_the_effective_maximum_is_the_smaller_limit_rounded_down(n, low, maximum, slope):
    found = effective_maximum(n, temporal_threshold=low, max_epochs=maximum, max_epochs_slope=slope)
    limit = low * n if maximum is None else min(low * n, maximum + slope * n)
    assert found == int(limit)


def stack_of(n_epochs, in_epochs, stays=True, columns=6):
    """One candidate in epoch 0, of which `in_epochs[x]` epochs deviate in column x."""
    labels = np.zeros((n_epochs, 3, columns), np.int64)
    for column, count in enumerate(in_epochs):
        labels[:count, 1, column] = 1
    found = [candidates_of(image, [stays] * int(image.max())) for image in labels]
    return found, count_epochs(found, np.full((3, columns), n_epochs, np.uint16))


def verdict(in_epochs, n_epochs=10, inside=False, spatial=0.5, **options):
    found, counts = stack_of(n_epochs, in_epochs, **options)
    sources = [np.full(len(each), inside) for each in found]
    return decide(found, counts, sources, spatial_threshold=spatial, **RULE)[0]


def test_few_epochs_over_most_of_the_area_are_clipped():
    decided = verdict([1, 1, 2, 2, 5, 5])
    assert decided.verdict[0] == Verdict.CLIPPED
    assert decided.max_epochs[0] == 2
    assert decided.fraction[0] == pytest.approx(4 / 6)


def test_exactly_the_spatial_threshold_is_kept():
    assert verdict([1, 1, 1, 5, 5, 5]).verdict[0] == Verdict.PERSISTENT
    assert verdict([1, 1, 1, 5, 5, 5], spatial=0.499).verdict[0] == Verdict.CLIPPED


def test_what_lies_inside_a_source_is_protected_only_if_it_would_be_clipped():
    assert verdict([1] * 6, inside=True).verdict[0] == Verdict.PROTECTED
    assert verdict([9] * 6, inside=True).verdict[0] == Verdict.PERSISTENT


def test_what_the_prefilter_dropped_is_prefiltered_whatever_it_counts():
    found, counts = stack_of(10, [1] * 6, stays=False)
    decided = decide(
        found, counts, [np.zeros(len(each), np.bool_) for each in found],
        spatial_threshold=0.0, **RULE,
    )[0]  # fmt: skip
    assert decided.verdict[0] == Verdict.PREFILTERED
    assert not decided.by_hand.any()


def test_of_one_or_two_epochs_nothing_is_clipped():
    for n_epochs in (1, 2):
        assert verdict([1] * 6, n_epochs=n_epochs).verdict[0] == Verdict.PERSISTENT
