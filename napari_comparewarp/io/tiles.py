"""Tiles are unpacked without leaving their own bytes.

The routines in C that astropy unpacks tiles with believe what a tile says of itself,
and read on where its bytes end: a damaged one ends the interpreter. No card tells,
so that each is looked at as it is unpacked. It then lies before room that may be read
without harm, as far as such a routine can go before it finds out.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io.fits.hdu.compressed import _codecs, _tiled_compression
from astropy.io.fits.hdu.compressed._compression import (
    decompress_hcompress_1_c,
    decompress_plio_1_c,
    decompress_rice_1_c,
)

__all__ = ["guarded_tiles", "unpacked"]

#: What a stream of HCOMPRESS begins with, the bytes of its header, and its deepest plane.
_MAGIC, _HEADER, _DEEPEST = b"\xdd\x99", 25, 64

#: 16-bit words of the header of a line list, and of its older form.
_WORDS, _OLD_WORDS = 7, 3


class _Rice(_codecs.Rice1):
    def decode(self, buf: Any) -> npt.NDArray:
        stream = _bytes_of(buf)
        if len(stream) < self.bytepix:
            raise ValueError(f"a tile of {len(stream)} bytes is no RICE stream")
        # It finds out after each block; bits that are set end its search for one.
        room = b"\xff" * (8 * min(self.blocksize, self.tilesize) + 64)
        values = decompress_rice_1_c(
            np.frombuffer(stream + room, np.uint8, len(stream)),
            self.blocksize, self.bytepix, self.tilesize,
        )  # fmt: skip
        return np.frombuffer(values, dtype=f"i{self.bytepix}")


class _Plio(_codecs.PLIO1):
    def decode(self, buf: Any) -> npt.NDArray:
        stream = _bytes_of(buf)
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
        return np.frombuffer(decompress_plio_1_c(values, self.tilesize), "i4")


class _HCompress(_codecs.HCompress1):
    def decode(self, buf: Any) -> npt.NDArray:
        stream = _bytes_of(buf)
        head = stream[:_HEADER]
        if len(head) < _HEADER or head[:2] != _MAGIC:
            raise ValueError("a tile is no HCOMPRESS stream")
        sides = int.from_bytes(head[2:6], "big"), int.from_bytes(head[6:10], "big")
        if sides != (self.nx, self.ny):
            raise ValueError(
                f"an HCOMPRESS stream of {sides[0]} x {sides[1]} pixels, in a tile of {self.nx} x "
                f"{self.ny}"
            )
        planes = max(head[22:25])
        if planes > _DEEPEST:
            raise ValueError(f"an HCOMPRESS stream of {planes} bit planes")
        # At most so many bytes a bit plane of a quadrant, and one bit a pixel for the signs.
        quadrant = (self.nx // 4 + 3) * (self.ny // 4 + 3)
        room = 8 * (planes + 1) * quadrant + self.nx * self.ny // 8 + 64
        # Memory that nothing is written to costs nothing.
        whole = np.empty(len(stream) + room, np.uint8)
        whole[: len(stream)] = np.frombuffer(stream, np.uint8)
        values = decompress_hcompress_1_c(
            whole[: len(stream)], self.nx, self.ny, self.scale, self.smooth, self.bytepix
        )
        return np.frombuffer(values, dtype="i4")


class _Gzip1(_codecs.Gzip1):
    most = 0

    def decode(self, buf: Any) -> npt.NDArray:
        return np.frombuffer(unpacked(_bytes_of(buf), self.most), np.uint8)


class _Gzip2(_codecs.Gzip2):
    most = 0

    def decode(self, buf: Any) -> npt.NDArray:
        values = np.frombuffer(unpacked(_bytes_of(buf), self.most), np.uint8)
        return values.reshape((self.itemsize, -1)).T.ravel()


@contextmanager
def guarded_tiles(largest_tile: int) -> Iterator[None]:
    """Have the tiles of astropy's compressed images unpacked with these checks.

    One thread at a time may be in it.

    Parameters
    ----------
    largest_tile : int
        Pixels of the largest tile that there is.
    """
    before_most = _Gzip1.most
    # Several files may be open: no tile of another one is refused.
    _Gzip1.most = _Gzip2.most = max(before_most, 8 * largest_tile)
    own = {
        "RICE_1": _Rice,
        "RICE_ONE": _Rice,
        "PLIO_1": _Plio,
        "HCOMPRESS_1": _HCompress,
        "GZIP_1": _Gzip1,
        "GZIP_2": _Gzip2,
    }
    # astropy has no public place for them; it asks this table for each tile.
    table = _tiled_compression.ALGORITHMS
    before = {name: table[name] for name in own}
    table.update(own)
    try:
        yield
    finally:
        table.update(before)
        _Gzip1.most = _Gzip2.most = before_most


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
