"""Work side by side, in order, and given up when a report says so."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_comparewarp.algorithm.parallel import (
    BAND_BYTES,
    THREADS_VARIABLE,
    block,
    for_each,
    for_each_band,
    n_threads,
    no_progress,
    row_bands,
)
from napari_comparewarp.errors import CompareWarpWarning


@given(st.integers(1, 5000), st.integers(1, 10 * BAND_BYTES))
def test_bands_cover_all_rows_once_and_fit_the_cache(n_rows, row_bytes):
    bands = row_bands(n_rows, row_bytes)
    assert [y for start, stop in bands for y in range(start, stop)] == list(range(n_rows))
    assert all((stop - start) * row_bytes <= max(BAND_BYTES, row_bytes) for start, stop in bands)


def test_results_come_in_the_order_of_the_items_whichever_ends_first():
    gate = threading.Event()

    def work(item):
        if item == 0:
            assert gate.wait(10)
        else:
            gate.set()
        return item * item

    assert for_each(work, range(4), "squares", no_progress) == [0, 1, 4, 9]


def test_progress_is_reported_from_the_calling_thread_and_ends_with_all():
    reports = []

    def report(stage, done, total):
        assert threading.current_thread() is threading.main_thread()
        reports.append((stage, done, total))

    for_each(lambda item: item, range(5), "work", report)
    assert reports[0] == ("work", 0, 5)
    assert reports[-1] == ("work", 5, 5)
    assert for_each(lambda item: item, [], "nothing", report) == []


def test_a_report_that_raises_stops_what_has_not_begun():
    begun, gate = [], threading.Event()

    def work(item):
        begun.append(item)
        assert gate.wait(10)

    def report(stage, done, total):
        if begun:
            gate.set()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        for_each(work, range(100), "long", report)
    assert len(begun) < 100


def test_an_error_of_a_step_is_raised():
    def work(y0, y1):
        raise ArithmeticError(f"rows {y0} to {y1}")

    with pytest.raises(ArithmeticError, match="rows 0 to"):
        for_each_band(work, 100, 10, "bands", no_progress)


@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("", None)])
def test_the_number_of_threads_can_be_set(monkeypatch, value, expected):
    monkeypatch.delenv(THREADS_VARIABLE, raising=False)
    cores = n_threads()
    monkeypatch.setenv(THREADS_VARIABLE, value)
    assert n_threads() == (expected or cores)


@pytest.mark.parametrize("value", ["0", "many", "²", "9" * 5000, "-3"])
def test_what_is_no_number_of_threads_is_said_once_and_ignored(monkeypatch, value):
    monkeypatch.delenv(THREADS_VARIABLE, raising=False)
    cores = n_threads()
    monkeypatch.setenv(THREADS_VARIABLE, value)
    with pytest.warns(CompareWarpWarning, match="is no number of threads") as said:
        assert [n_threads(), n_threads()] == [cores, cores]
    assert len(said) == 1


def test_an_array_is_handed_on_whole_and_anything_else_is_read():
    cube = np.arange(60).reshape(3, 4, 5)
    whole, start = block(cube, 1, 3)
    assert whole is cube
    assert start == 1

    class OnDisk:
        def __getitem__(self, index):
            return cube[index].copy()

    part, start = block(OnDisk(), 1, 3)
    np.testing.assert_array_equal(part, cube[:, 1:3])
    assert start == 0
