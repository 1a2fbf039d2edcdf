"""The bytes of a FITS file, plain or in gzip, no more of them than its headers ask for."""

import io
import zlib
from typing import BinaryIO

from .limits import check_size

__all__ = ["Plain", "Unpacked", "content_of"]

_GZIP = b"\x1f\x8b"

#: Bytes that are read, and unpacked, at once.
_PIECE = 1 << 20

#: Bytes after the last HDU that are looked at for the checksum of the gzip stream.
_TAIL = 1 << 20


def content_of(path: object, file: BinaryIO) -> "Plain | Unpacked":
    """Return the content of an open file; gzip is known by its first bytes.

    Parameters
    ----------
    path : path
        For messages.
    file : binary file
    """
    is_packed = file.read(2) == _GZIP
    file.seek(0)
    return Unpacked(path, file) if is_packed else Plain(file)


class Plain:
    """The bytes of a file as they are.

    Parameters
    ----------
    file : binary file
    """

    packed: int | None = None

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)

    def part(self, start: int, length: int) -> bytes:
        """Return some bytes, fewer where the file ends."""
        self._file.seek(start)
        return self._file.read(max(0, min(length, self._size - start)))

    def reaches(self, end: int) -> bool:
        """Tell whether there are so many bytes."""
        return end <= self._size

    def size(self) -> int:
        """Return the number of bytes."""
        return self._size

    def stream(self, end: int) -> BinaryIO:
        """Return a file that ends there, or before."""
        self._file.seek(0)
        if end >= self._size:
            return self._file
        return io.BufferedReader(_Part(self._file, end))


class Unpacked:
    """The bytes of a gzip stream, unpacked as far as they are asked for.

    They are kept, as HDUs are read in any order and gzip only forwards.

    Parameters
    ----------
    path : path
        For messages.
    file : binary file
    """

    def __init__(self, path: object, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self.packed: int | None = file.seek(0, io.SEEK_END)
        file.seek(0)
        self._member = zlib.decompressobj(wbits=31)
        self._rest = b""
        self._is_done = False
        self._unpacked = io.BytesIO()
        self._size = 0

    def part(self, start: int, length: int) -> bytes:
        """Return some bytes, fewer where the stream ends."""
        self.reaches(start + length)
        self._unpacked.seek(start)
        return self._unpacked.read(length)

    def reaches(self, end: int) -> bool:
        """Tell whether there are so many bytes; they are unpacked for it."""
        if end > self._size:
            check_size(str(self._path), end, self.packed)
        while self._size < end and not self._is_done:
            self._unpack(end - self._size)
        return self._size >= end

    def size(self) -> int:
        """Return the number of bytes, unpacking them all."""
        while not self._is_done:
            check_size(str(self._path), self._size + _PIECE, self.packed)
            self._unpack(_PIECE)
        return self._size

    def stream(self, end: int) -> BinaryIO:
        """Return a file that ends there, or before."""
        # What follows the last HDU is of no use but for the checksum of the stream.
        while not self._is_done and self._size <= end + _TAIL:
            self._unpack(_TAIL)
        self._unpacked.truncate(min(end, self._size))
        self._unpacked.seek(0)
        return self._unpacked

    def _unpack(self, wanted: int) -> None:
        """Unpack a piece, of no more than so many bytes."""
        if not self._rest:
            self._rest = self._file.read(_PIECE)
            if not self._rest:
                raise EOFError("the gzip stream is cut short")
        piece = self._member.decompress(self._rest, min(wanted, _PIECE))
        self._unpacked.seek(self._size)
        self._size += self._unpacked.write(piece)
        self._rest = self._member.unconsumed_tail
        if not self._member.eof:
            return
        # Another member may follow, and zeros may fill the last block of a tape.
        self._rest = self._member.unused_data.lstrip(b"\0")
        while len(self._rest) < len(_GZIP):
            more = self._file.read(_PIECE)
            if not more:
                break
            self._rest = (self._rest + more).lstrip(b"\0")
        self._is_done = not self._rest.startswith(_GZIP)
        if not self._is_done:
            self._member = zlib.decompressobj(wbits=31)


class _Part(io.RawIOBase):
    """A file that ends before its end, so that nobody looks at what follows."""

    mode = "rb"

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file, self._end, self._at = file, end, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        self._file.seek(self._at)
        piece = self._file.read(max(0, min(len(buffer), self._end - self._at)))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at
