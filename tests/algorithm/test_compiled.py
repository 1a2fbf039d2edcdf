"""How kernels are compiled."""

import errno
import importlib
import os
import subprocess
import sys
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


def twice(values):
    return 2.0 * values[0]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for compiled code that is this test's own."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiled, "_SAID", [])
    return tmp_path


def call(function=twice):
    """Compile as a new process would, and return whether the code came from the disk."""
    compiled_function = kernel(function)
    assert compiled_function(np.array([21.0])) == function(np.array([21.0]))
    return bool(compiled_function.stats.cache_hits)


def files(place):
    return sorted(path for path in place.rglob("*") if path.is_file())


def test_compiled_code_is_kept_for_the_next_start(place):
    assert [call(), call(), call()] == [False, True, True]


def cut_short(content):
    return content[: len(content) // 2]


def empty(content):
    return b""


def other(content):
    return b"something else" * 100


def one_bit_changed(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [cut_short, empty, other, one_bit_changed])
def test_damaged_code_is_compiled_again(place, damage):
    call()
    (path,) = files(place)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert [call(), call()] == [False, True]


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_code_that_everybody_could_have_written_is_not_run(place):
    call()
    (path,) = files(place)
    path.chmod(0o666)
    assert [call(), call()] == [False, True]


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root gives files away")
def test_code_of_another_account_is_not_run(place):
    call()
    (path,) = files(place)
    os.chown(path, 12345, -1)
    assert [call(), call()] == [False, True]


def test_code_of_another_signature_is_not_run(place):
    numbers = kernel(twice)
    numbers(np.array([1.0]))
    (path,) = files(place)
    content = path.read_bytes()
    path.unlink()
    kernel(twice)(np.array([1], np.int8))
    (other,) = files(place)
    other.write_bytes(content)
    assert kernel(twice)(np.array([21], np.int8)) == 42


def test_a_folder_in_the_place_of_a_file_is_told_and_done_without(place):
    call()
    (path,) = files(place)
    path.unlink()
    path.mkdir()
    with pytest.warns(CompareWarpWarning, match="set NUMBA_CACHE_DIR") as caught:
        assert [call(), call()] == [False, False]
    assert len(caught) == 1
    assert files(place) == []


def test_a_full_disk_is_told_once_and_leaves_nothing(place, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(compiled.Path, "write_bytes", full)
    with pytest.warns(CompareWarpWarning, match=r"cannot be kept \(No space left") as caught:
        assert [call(), call()] == [False, False]
    assert len(caught) == 1
    assert files(place) == []


def test_without_a_place_for_compiled_code_kernels_work_and_it_is_said_once(place, monkeypatch):
    monkeypatch.setattr(numba.core.caching.CacheImpl, "_locator_classes", [])
    with pytest.warns(CompareWarpWarning, match="set NUMBA_CACHE_DIR") as caught:
        assert [call(), call()] == [False, False]
    assert len(caught) == 1


CALLER = """
from napari_comparewarp.algorithm.compiled import kernel
from callee import part

@kernel
def whole(x):
    return part(x) + 1
"""

CALLEE = """
from napari_comparewarp.algorithm.compiled import kernel

STEP = {step}

@kernel
def part(x):
    return x + STEP
"""


def test_a_kernel_is_compiled_again_when_one_that_it_calls_has_changed(place, monkeypatch):
    monkeypatch.syspath_prepend(place)
    (place / "caller.py").write_text(CALLER)
    values = []
    for step in (10, 2000):
        (place / "callee.py").write_text(CALLEE.format(step=step))
        for name in ("caller", "callee"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        values.append(importlib.import_module("caller").whole(0))
    assert values == [11, 2001]
    # What belongs to the state before is gone.
    assert len([path for path in files(place) if path.suffix == ".nbc"]) == 2


def test_what_a_killed_process_has_left_is_swept_once_it_is_old(place):
    call()
    (path,) = files(place)
    old, new = (path.with_name(f"{path.name}.{name}.part") for name in ("1", "2"))
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    path.unlink()
    call()
    assert files(place) == sorted([new, path])


AT_ONCE = """
import threading
import numba, numpy as np
from napari_comparewarp.algorithm.compiled import kernel

def twice(values):
    return 2 * values[0]

wrong, start = [], threading.Barrier(3)

def work(kind):
    start.wait()
    if function(np.array([21], kind)) != 42:
        wrong.append(kind)

for _ in range(5):
    function = kernel(twice)
    threads = [threading.Thread(target=work, args=(kind,)) for kind in ("i8", "f4", "i2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert not wrong, wrong
"""


def test_threads_and_processes_may_compile_at_once(place):
    script = place / "script.py"
    script.write_text(AT_ONCE)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(place)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", script], env=environment, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.communicate()[1] == b"" and process.returncode == 0
    assert len([path for path in files(place) if path.suffix == ".nbc"]) == 3
