"""How kernels are compiled."""

import threading

import numba
import numpy as np
import pytest

from napari_comparewarp.algorithm import compiled
from napari_comparewarp.algorithm.compiled import kernel
from napari_comparewarp.errors import CompareWarpWarning


@kernel
def total(values):
    result = np.float32(0)
    for value in values:
        result += value
    return result


@kernel
def ratio(one, other):
    return one / other


@kernel
def many_steps(n):
    x = 0.5
    for _ in range(n):
        x = 3.7 * x * (1.0 - x)
    return x


def test_sums_run_in_the_order_of_the_values():
    values = np.array([1e8, 1.0, -1e8, 1.0] * 8, np.float32)
    expected = np.float32(0)
    for value in values:
        expected = np.float32(expected + value)
    assert total(values) == expected


def test_division_by_zero_is_as_in_numpy():
    assert ratio(1.0, 0.0) == np.inf
    assert np.isnan(ratio(0.0, 0.0))


def test_other_threads_run_while_a_kernel_does():
    many_steps(1)  # compiles
    thread = threading.Thread(target=many_steps, args=(100_000_000,))
    thread.start()
    steps = 0
    # With the interpreter's lock held by the kernel, there would be one step or two.
    while thread.is_alive():
        steps += 1
    assert steps > 100


def test_without_a_place_for_compiled_code_kernels_work_and_it_is_said_once(monkeypatch):
    original = numba.njit

    def no_place(*args, cache=False, **options):
        compile_ = original(*args, **options)
        if not cache:
            return compile_

        def refuse(function):
            raise RuntimeError(f"cannot cache function {function}: no locator available for file")

        return refuse

    monkeypatch.setattr(numba, "njit", no_place)
    compiled._warn_of_no_cache.cache_clear()
    with pytest.warns(CompareWarpWarning, match="set NUMBA_CACHE_DIR") as caught:
        kernels = [compiled.kernel(lambda x: x + 1), compiled.kernel(lambda x: x + 2)]
    assert len(caught) == 1
    assert [function(1) for function in kernels] == [2, 3]
