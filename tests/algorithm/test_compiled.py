"""How kernels are compiled."""

import threading

import numpy as np

from napari_comparewarp.algorithm.compiled import kernel


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
