"""How much one input may be and become: the one place where it is stated.

What a file says it is, is compared with what it has and with these before anything
is allocated for it.
"""

import math
import os
from contextlib import suppress
from pathlib import Path

from pydantic import ByteSize

from ..errors import StackError
from .spool import parse_memory

__all__ = [
    "LARGEST_VARIABLE",
    "MOST_CARDS",
    "MOST_HDUS",
    "check_size",
    "memory_there",
    "size_in_words",
]

#: Bytes that an image, a table or an unpacked file may take: text such as ``64GB``.
LARGEST_VARIABLE = "COMPAREWARP_LARGEST_INPUT"

#: Cards of a header, and HDUs of a file.
MOST_CARDS = 100_000
MOST_HDUS = 10_000

#: What is packed may always become so many bytes, and beyond that so many times its own.
UNPACKED = 1 << 30
UNPACKED_TIMES = 200

#: The part of the memory that one image may take: what is done with it needs as much again.
PART_OF_MEMORY = 0.5

#: Memory of a container, by version 2 and 1 of Linux' control groups.
_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_there() -> float:
    """Return the memory that this process could have, bytes; infinite where it is not known."""
    sizes = [math.inf]
    if hasattr(os, "sysconf"):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(ImportError):
        import resource  # not of Windows

        soft = resource.getrlimit(resource.RLIMIT_AS)[0]
        if soft != resource.RLIM_INFINITY:
            sizes.append(soft)
    for name in _CONTAINER:
        try:
            sizes.append(int(Path(name).read_text("ascii")))
        except (OSError, ValueError):
            continue
    return min(size for size in sizes if size > 0)


def check_size(where: str, nbytes: int, packed: int | None = None) -> None:
    """Refuse what would take more memory than an input may.

    Parameters
    ----------
    where : str
        File and HDU, for the message.
    nbytes : int
        What it takes in memory.
    packed : int, optional
        Bytes of the file that it is unpacked, or made up, from; None where the
        file has all bytes as they are.

    Raises
    ------
    StackError
        If it is too much.
    ConfigError
        If `LARGEST_VARIABLE` is no size.
    """
    # Nearly all inputs: nothing is looked up for them.
    if nbytes <= _ALWAYS:
        return
    told = os.environ.get(LARGEST_VARIABLE)
    if told:
        largest, why = float(parse_memory(told, LARGEST_VARIABLE)), f"{LARGEST_VARIABLE} is {told}"
    else:
        memory = memory_there()
        largest, why = PART_OF_MEMORY * memory, f"half of the memory is {size_in_words(memory / 2)}"
        if packed is not None and max(UNPACKED, UNPACKED_TIMES * packed) < largest:
            largest = max(UNPACKED, UNPACKED_TIMES * packed)
            why = f"a file of {size_in_words(packed)} may become {size_in_words(largest)}"
    if nbytes > largest:
        raise StackError(
            f"{where}: it would take {size_in_words(nbytes)} of memory, and {why}; set "
            f"{LARGEST_VARIABLE} to a size such as 64GB if it is meant"
        )


#: So few bytes are never too much.
_ALWAYS = 1 << 26


def size_in_words(nbytes: float) -> str:
    """Return a number of bytes as people read it."""
    if nbytes >= 1 << 80:
        return f"{nbytes:.1e} bytes" if nbytes < 1e300 else "more bytes than can be counted"
    return ByteSize(nbytes).human_readable()
