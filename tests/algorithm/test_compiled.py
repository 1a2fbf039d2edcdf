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
def wait_for(flag):
    while flag[0] == 0:
        if flag[1] == 1:
            flag[0] = 2
    return flag[0]


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
    flag = np.zeros(2, np.int64)
    wait_for(np.array([1, 0], np.int64))  # compiles
    thread = threading.Thread(target=wait_for, args=(flag,), daemon=True)
    thread.start()
    # With the interpreter's lock held by the kernel, this line would never run.
    flag[1] = 1
    thread.join(10)
    assert flag[0] == 2
