"""Epoch counts of pixels, and what they mean for each candidate."""

import numpy as np
from candidates import candidates_of
from hypothesis import given
from hypothesis import strategies as st

from napari_comparewarp.algorithm.counts import count_epochs


@given(st.integers(1, 6), st.integers(0, 2**16))
def test_counts_are_those_of_the_images(n_epochs, seed):
    rng = np.random.default_rng(seed)
    labels = []
    for _ in range(n_epochs):
        image = np.zeros((8, 9), np.int64)
        for number in range(1, rng.integers(0, 4) + 1):
            # Bands of rows, so that candidates of one epoch do not overlap.
            y, x = 2 * number - 1, rng.integers(0, 6)
            image[y : y + 2, x : x + rng.integers(1, 4)] = number
        labels.append(image)
    stays = [rng.random(image.max()) < 0.7 for image in labels]
    n_matched = rng.integers(0, n_epochs + 1, (8, 9)).astype(np.uint16)
    counts = count_epochs(
        [candidates_of(*pair) for pair in zip(labels, stays, strict=True)], n_matched
    )
    inside = [
        np.isin(image, 1 + np.flatnonzero(keeps))
        for image, keeps in zip(labels, stays, strict=True)
    ]
    epoch_count = np.sum(inside, axis=0)
    np.testing.assert_array_equal(counts.epoch_count, epoch_count)
    for index, image in enumerate(labels):
        for number in range(1, image.max() + 1):
            of_it = image == number
            assert counts.n_mean[index][number - 1] == n_matched[of_it].mean()
            few = [
                np.count_nonzero((epoch_count[of_it] > 0) & (epoch_count[of_it] <= k))
                for k in range(n_epochs + 1)
            ]
            np.testing.assert_array_equal(counts.cumulative[index][number - 1], few)


def test_what_the_prefilter_drops_is_measured_but_does_not_count():
    image = np.zeros((4, 6), np.int64)
    image[1:3, 1:4] = 1
    counts = count_epochs([candidates_of(image, [False])], np.ones((4, 6), np.uint16))
    assert not counts.epoch_count.any()
    np.testing.assert_array_equal(counts.cumulative[0], [[0, 0]])
    assert counts.n_mean[0][0] == 1
