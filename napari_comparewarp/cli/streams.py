"""Standard streams that are closed, full, or read by nobody."""

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

__all__ = ["drop_unwritten", "fill_missing_streams"]


def fill_missing_streams() -> None:
    """Give the process its three streams, and have them take any text.

    Where one is closed, the next file that is opened would get its number, and
    whatever a library prints would be written into that file.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is taken, and those below are not.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
        # The name of a file may hold bytes that no encoding has.
        elif isinstance(stream, io.TextIOWrapper) and mode == "w":
            with suppress(OSError, ValueError):
                stream.reconfigure(errors="backslashreplace")


def drop_unwritten(stream: TextIO) -> None:
    """Drop what a stream holds, where it takes nothing more.

    The interpreter would try again when it ends, and complain.

    Parameters
    ----------
    stream : file
        Standard output or standard error.
    """
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
