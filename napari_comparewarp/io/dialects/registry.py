"""All dialects that are read, and which of them a file is in."""

from collections.abc import Iterable
from pathlib import Path

from ...errors import StackError
from ..open_fits import OpenFiles
from .dialect import Dialect, Layout, Missing
from .lsst import Lsst
from .sci_err_dq import SciErrDq
from .sci_wht import SciWht

__all__ = ["DIALECTS", "NotAnExposure", "has_variance_name", "recognise"]

#: In this order they are asked; the first that recognises a file reads it.
DIALECTS: tuple[Dialect, ...] = (Lsst(), SciErrDq(), SciWht())


class NotAnExposure(StackError):  # noqa: N818
    """A FITS file that holds no image with its variance."""


def recognise(path: Path, files: OpenFiles) -> tuple[Dialect, Layout]:
    """Return the dialect that a file is in, and where the planes of its exposure lie.

    Parameters
    ----------
    path : Path
        The file with the image.
    files : OpenFiles
        Gives its HDUs, and those of files beside it.

    Raises
    ------
    NotAnExposure
        If the file holds no image.
    StackError
        If it has no variance, or cannot be meant.
    """
    missing = set()
    for dialect in DIALECTS:
        found = dialect.recognise(path, files)
        if isinstance(found, Layout):
            return dialect, found
        missing.add(found)
    if Missing.VARIANCE in missing:
        names = _alternatives(dialect.variance_names[0] for dialect in DIALECTS)
        raise StackError(f"{path}: an image without its variance; an HDU named {names} is needed")
    names = _alternatives(dialect.image_name for dialect in DIALECTS)
    raise NotAnExposure(f"{path}: no HDU named {names}, so it is no exposure")


def has_variance_name(name: str) -> bool:
    """Tell whether an HDU of this name holds the variance in any dialect."""
    return any(name.upper() in dialect.variance_names for dialect in DIALECTS)


def _alternatives(names: Iterable[str]) -> str:
    """Return names as in a sentence, each once."""
    *others, last = dict.fromkeys(names)
    return f"{', '.join(others)} or {last}" if others else last
