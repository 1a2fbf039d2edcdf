"""How the per-pixel kernels are compiled, and how their machine code is kept on disk.

The library's own cache trusts what it finds: a file that is cut short is an
error, a changed bit is run as machine code, two processes that write at once
can leave one signature with the code of another, and a kernel is not compiled
anew when one that it calls has changed. So the files are written and read here;
where the folder is, and what is kept, the library decides.
"""

import functools
import glob
import hashlib
import os
import pickle
import secrets
import stat
import time
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.caching import FunctionCache
from numba.core.serialize import dumps

from ..errors import CompareWarpWarning, one_line

__all__ = ["kernel"]

#: Seconds after which a file that is still not whole has been left by a killed process.
_ABANDONED = 3600


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of arrays on its first call and keep the machine code on disk.

    Kernels release the GIL, so that bands of rows can be worked side by side,
    and divide like numpy. Sums are never reordered: the same pixel gives the
    same bits whatever its place in the array.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy")(function)
    try:
        compiled._cache = _KernelCache(function)
    except Exception:  # no folder can be written; or numba has no place for code without a file
        _warn_of_no_cache("no folder that can be written keeps the compiled code")
    return compiled


#: What has been said in this process.
_SAID: list[str] = []


def _warn_of_no_cache(reason: str) -> None:
    """Say once that compiled code is not kept."""
    if _SAID:
        return
    _SAID.append(reason)
    warnings.warn(
        f"{reason}, so that every start compiles anew (about half a minute): set "
        "NUMBA_CACHE_DIR to a folder that can be written",
        CompareWarpWarning,
        stacklevel=3,
    )


class _KernelCache(FunctionCache):
    """Machine code of one kernel, a file for each signature.

    A file begins with the digest of the rest, and names what it is the code of.
    Whatever is wrong with it, the kernel is compiled as if it were not there.

    Parameters
    ----------
    function : callable
        What is compiled.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was compiled for a signature, or None."""
        target_context.refresh()
        try:
            key = self._key(sig, target_context.codegen())
            content = _read(self._file(key), Path(self._py_func.__code__.co_filename))
            digest, content = content[:32], content[32:]
            if hashlib.sha256(content).digest() != digest:
                return None
            kept_key, data = pickle.loads(content)
            return self._impl.rebuild(target_context, data) if kept_key == key else None
        except Exception:  # no such file, or one that cannot be used
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled for a signature."""
        try:
            if not self._impl.check_cachable(data):
                return
            key = self._key(sig, data.codegen)
            content = dumps((key, self._impl.reduce(data)))
            path = self._file(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._sweep()
            temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
            try:
                temporary.write_bytes(hashlib.sha256(content).digest() + content)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except Exception as error:  # the result is there; that it is not kept costs time alone
            reason = one_line(error) if isinstance(error, OSError) else type(error).__name__
            _warn_of_no_cache(f"{self._cache_path}: compiled code cannot be kept ({reason})")

    def flush(self) -> None:
        """Remove what is kept of this kernel."""
        for path in self._files():
            path.unlink(missing_ok=True)

    def _key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        """Return what the machine code depends on."""
        return sig, codegen.magic_tuple(), numba.__version__, self._source

    @functools.cached_property
    def _source(self) -> str:
        """Digest of the function and of all that it calls or takes from its module."""
        digest = hashlib.sha256(repr(self._impl.locator.get_source_stamp()).encode())
        for part in _parts(self._py_func, set()):
            digest.update(part)
        return digest.hexdigest()

    def _file(self, key: tuple[Any, ...]) -> Path:
        """Return where the code of a key is kept."""
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        base = self._impl.filename_base
        return Path(self._cache_path, f"{base}.{self._source[:16]}.{name}.nbc")

    def _files(self) -> Iterator[Path]:
        """Find the files of this kernel, of whatever state of the source."""
        return Path(self._cache_path).glob(f"{glob.escape(self._impl.filename_base)}.*")

    def _sweep(self) -> None:
        """Remove the code of earlier states of the source, and what killed processes have left."""
        current = f"{self._impl.filename_base}.{self._source[:16]}."
        for path in self._files():
            # Another process may be faster.
            with suppress(OSError):
                is_part = path.name.endswith(".part")
                if is_part and time.time() - path.stat().st_mtime < _ABANDONED:
                    continue
                if is_part or not path.name.startswith(current):
                    path.unlink()


def _read(path: Path, source: Path) -> bytes:
    """Return what a file holds, where nobody could have written it who could not have the source.

    It is run as it stands; a folder for temporary files, say, is open to every account.
    """
    with path.open("rb") as file:
        found, of_source = os.fstat(file.fileno()), source.stat()
        if hasattr(os, "getuid"):
            if found.st_uid not in (os.getuid(), 0, of_source.st_uid):
                raise PermissionError(f"{path} belongs to another account")
            if found.st_mode & ~of_source.st_mode & stat.S_IWOTH:
                raise PermissionError(f"{path} can be written by everybody")
        return file.read()


def _parts(function: Any, seen: set[int]) -> Iterator[bytes]:
    """Yield what decides on the machine code of a function: its own code, and all it refers to."""
    if id(function) in seen:
        return
    seen.add(id(function))
    codes = [function.__code__]
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    values: list[Any] = [*cells, *(function.__defaults__ or ())]
    for code in codes:
        yield code.co_code
        yield repr(code.co_names).encode()
        codes += [value for value in code.co_consts if isinstance(value, types.CodeType)]
        values += [value for value in code.co_consts if not isinstance(value, types.CodeType)]
        values += [function.__globals__.get(name) for name in code.co_names]
    for value in values:
        if callee := getattr(value, "py_func", None):
            yield from _parts(callee, seen)
        elif isinstance(value, (bool, int, float, complex, str, bytes, tuple, type(None))):
            yield repr(value).encode()
        elif isinstance(value, (np.ndarray, np.generic)):
            yield value.tobytes() + str(value.dtype).encode()
