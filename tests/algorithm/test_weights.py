"""One weight a warp."""

import numpy as np
import pytest
from goldens import load
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_comparewarp.algorithm.quantiles import quartiles, select_good
from napari_comparewarp.algorithm.weights import weight_of_variance

GOLDEN = load("unit_weights")
NAMES = [key[: -len("_variance")] for key in GOLDEN if key.endswith("_variance")]
CLIPS = {"direct": (256 | 1 | 2, 3.0, 2), "template": (256, 2.5, 3)}


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("name", NAMES)
def test_weights_equal_the_reference(name, clip):
    bad, sigma, iterations = CLIPS[clip]
    mask = GOLDEN.get(f"{name}_mask", GOLDEN["mask"])
    weight = weight_of_variance(
        GOLDEN[f"{name}_variance"], mask, bad, sigma=sigma, iterations=iterations
    )
    expected = GOLDEN[f"{name}_weight_{clip}"]
    assert weight == pytest.approx(0.0 if np.isnan(expected) else expected, rel=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 100, 5000, 40001])
@pytest.mark.parametrize("kind", ["normal", "ties", "constant", "huge range"])
def test_quartiles_equal_those_of_sorted_values(n, kind):
    rng = np.random.default_rng(n)
    values = {
        "normal": lambda: rng.normal(size=n),
        "ties": lambda: rng.integers(-3, 4, n),
        "constant": lambda: np.full(n, -0.1),
        "huge range": lambda: rng.normal(size=n) * 10.0 ** rng.integers(-30, 30, n),
    }[kind]().astype(np.float32)
    expected = np.percentile(values.astype(np.float64), [25, 50, 75])
    np.testing.assert_allclose(quartiles(values.copy()), expected, rtol=1e-12)


@given(arrays(np.float32, st.integers(1, 60), elements=st.floats(-1e6, 1e6, width=32)))
def test_quartiles_of_any_values(values):
    expected = np.percentile(values.astype(np.float64), [25, 50, 75])
    np.testing.assert_allclose(quartiles(values.copy()), expected, rtol=1e-12, atol=1e-30)


def test_only_finite_unflagged_values_are_selected():
    image = np.array([[1, np.nan, 3], [np.inf, 5, 6]], np.float32)
    mask = np.array([[0, 0, 1], [0, 2, 0]], np.int32)
    out = np.empty(7, np.float32)
    n = select_good(image, mask, 1, 0, 2, 0, 3, out)
    np.testing.assert_array_equal(out[:n], [1, 5, 6])
