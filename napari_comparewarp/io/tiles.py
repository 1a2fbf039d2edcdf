"""Tiles are unpacked without leaving their own bytes.

The routines in C that astropy unpacks tiles with believe what a tile says of itself,
and read on where its bytes end: a damaged one ends the interpreter. No card tells,
so that each is looked at as it is unpacked. It then lies before room that may be read
without harm, as far as such a routine can go before it finds out.
"""

import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

# astropy has no public place for the routines, nor for what it calls for each tile.
try:
    from astropy.io.fits.hdu.compressed._compression import (
        decompress_hcompress_1_c,
        decompress_plio_1_c,
        decompress_rice_1_c,
    )
    from astropy.io.fits.hdu.compressed._tiled_compression import ALGORITHMS as _TABLE
except ImportError:
    _TABLE = {}

__all__ = ["guarded_tiles", "tiles_are_guarded", "unpacked"]

#: What a stream of HCOMPRESS begins with, the bytes of its header, and its deepest plane.
_MAGIC, _HEADER, _DEEPEST = b"\xdd\x99", 25, 64

#: 16-bit words of the header of a line list, and of its older form.
_WORDS, _OLD_WORDS = 7, 3


#: Set in the thread that reads: whatever else the program unpacks goes astropy's own way.
_READING = threading.local()


def _rice(codec: Any, stream: bytes) -> npt.NDArray:
    if len(stream) < codec.bytepix:
        raise ValueError(f"a tile of {len(stream)} bytes is no RICE stream")
    # It finds out after each block; bits that are set end its search for one.
    room = b"\xff" * (8 * min(codec.blocksize, codec.tilesize) + 64)
    values = decompress_rice_1_c(
        np.frombuffer(stream + room, np.uint8, len(stream)),
        codec.blocksize, codec.bytepix, codec.tilesize,
    )  # fmt: skip
    return np.frombuffer(values, dtype=f"i{codec.bytepix}")


def _plio(codec: Any, stream: bytes) -> npt.NDArray:
    words = np.frombuffer(stream, np.int16, len(stream) // 2)
    # Positions count from 1, as in the line lists of IRAF.
    if len(words) >= _OLD_WORDS and words[2] > 0:
        length, first = int(words[2]), 4
    elif len(words) >= _WORDS:
        length, first = (int(words[4]) << 15) + int(words[3]), int(words[1]) + 1
    else:
        raise ValueError(f"a tile of {len(stream)} bytes is no PLIO line list")
    if not (0 <= length <= len(words) and first > 0):
        raise ValueError(
            f"a PLIO line list of {length} words from {first} on, in a tile of {len(words)}"
        )
    values = np.frombuffer(stream + bytes(8), np.uint8, len(stream))
    return np.frombuffer(decompress_plio_1_c(values, codec.tilesize), "i4")


def _hcompress(codec: Any, stream: bytes) -> npt.NDArray:
    head = stream[:_HEADER]
    if len(head) < _HEADER or head[:2] != _MAGIC:
        raise ValueError("a tile is no HCOMPRESS stream")
    nx, ny = codec.nx, codec.ny
    sides = int.from_bytes(head[2:6], "big"), int.from_bytes(head[6:10], "big")
    if sides != (nx, ny):
        raise ValueError(
            f"an HCOMPRESS stream of {sides[0]} x {sides[1]} pixels, in a tile of {nx} x {ny}"
        )
    planes = max(head[22:25])
    if planes > _DEEPEST:
        raise ValueError(f"an HCOMPRESS stream of {planes} bit planes")
    # At most so many bytes a bit plane of a quadrant, and one bit a pixel for the signs.
    room = 8 * (planes + 1) * (nx // 4 + 3) * (ny // 4 + 3) + nx * ny // 8 + 64
    # Memory that nothing is written to costs nothing.
    whole = np.empty(len(stream) + room, np.uint8)
    whole[: len(stream)] = np.frombuffer(stream, np.uint8)
    values = decompress_hcompress_1_c(
        whole[: len(stream)], nx, ny, codec.scale, codec.smooth, codec.bytepix
    )
    return np.frombuffer(values, dtype="i4")


def _gzip_1(codec: Any, stream: bytes) -> npt.NDArray:
    return np.frombuffer(unpacked(stream, _READING.most), np.uint8)


def _gzip_2(codec: Any, stream: bytes) -> npt.NDArray:
    values = np.frombuffer(unpacked(stream, _READING.most), np.uint8)
    return values.reshape((codec.itemsize, -1)).T.ravel()


_GUARDS: dict[str, Callable[[Any, bytes], npt.NDArray]] = {
    "RICE_1": _rice,
    "RICE_ONE": _rice,
    "PLIO_1": _plio,
    "HCOMPRESS_1": _hcompress,
    "GZIP_1": _gzip_1,
    "GZIP_2": _gzip_2,
}


class _Guarded:
    """What stands in astropy's table meanwhile: it makes the same codecs, guarded where we read."""

    def __init__(self, own: Callable[..., Any], guard: Callable[[Any, bytes], npt.NDArray]) -> None:
        self._own, self._guard = own, guard

    def __call__(self, **settings: Any) -> Any:
        codec = self._own(**settings)
        if hasattr(_READING, "most"):
            codec.decode = partial(_decoded, self._guard, codec)
        return codec


def _decoded(guard: Callable[[Any, bytes], npt.NDArray], codec: Any, buf: Any) -> npt.NDArray:
    return guard(codec, _bytes_of(buf))


def tiles_are_guarded() -> bool:
    """Tell whether this astropy is one whose tiles can be looked at before they are unpacked."""
    return all(name in _TABLE for name in _GUARDS)


@contextmanager
def guarded_tiles(largest_tile: int) -> Iterator[None]:
    """Have the tiles of astropy's compressed images unpacked with these checks, in this thread.

    One thread at a time may be in it.

    Parameters
    ----------
    largest_tile : int
        Pixels of the largest tile that there is.
    """
    outer = getattr(_READING, "most", None)
    # Several files may be open: no tile of another one is refused.
    _READING.most = max(outer or 0, 8 * largest_tile)
    own = {name: _TABLE[name] for name in _GUARDS if name in _TABLE} if outer is None else {}
    _TABLE.update({name: _Guarded(codec, _GUARDS[name]) for name, codec in own.items()})
    try:
        yield
    finally:
        _TABLE.update(own)
        if outer is None:
            del _READING.most
        else:
            _READING.most = outer


def unpacked(stream: Any, most: int) -> bytes:
    """Return what a gzip stream holds.

    Parameters
    ----------
    stream : bytes-like
        One member or several; zeros may follow.
    most : int
        Bytes that it may become.

    Raises
    ------
    ValueError
        If it becomes more, is cut short, or is no gzip stream.
    """
    parts, left, rest = [], most, stream
    while True:
        member = zlib.decompressobj(wbits=31)
        part = member.decompress(rest, left + 1)
        left -= len(part)
        parts.append(part)
        if left < 0:
            raise ValueError(f"a gzip stream becomes more than the {most} bytes that it may")
        if not member.eof:
            raise ValueError("a gzip stream is cut short")
        rest = member.unused_data.lstrip(b"\0")
        if not rest:
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _bytes_of(buf: Any) -> bytes:
    """Return the bytes of a tile, its words in the machine's order."""
    values = np.asarray(buf)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    return values.tobytes()
