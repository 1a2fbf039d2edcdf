"""The pixels of a stack: read file by file, checked for copies, each put in its place."""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ..algorithm.array_planes import mark_no_data
from ..algorithm.psf import PsfModel
from ..algorithm.warps import Cube, Warps
from ..errors import StackError, working_on
from .exposure import Exposure
from .pixels import Pixels, read_pixels
from .place import open_regular
from .saying import gathered, say
from .spool import SpooledCube
from .treatment import Note

__all__ = ["allocate", "read_all", "say_copies"]

#: Exposures that may wait to be put in their place while the next is read.
MOST_WAITING = 1

_PLANE_TYPES = {"image": np.float32, "variance": np.float32, "mask": np.int32}


def allocate(count: int, shape: tuple[int, int], spooled: bool) -> Warps:
    """Return the planes of some warps, to be filled epoch by epoch.

    Parameters
    ----------
    count : int
        Epochs.
    shape : tuple of int
        ``(y, x)``.
    spooled : bool
        Keep them in scratch files.

    Raises
    ------
    StackError
        If a scratch file cannot be made.
    """
    cubes: dict[str, Cube] = {
        name: SpooledCube((count, *shape), dtype) if spooled else np.empty((count, *shape), dtype)
        for name, dtype in _PLANE_TYPES.items()
    }
    return Warps(**cubes)


def read_all(
    targets: Sequence[tuple[Exposure, Warps, int]],
    mask_planes: dict[str, int],
    progress: Callable[[str, int, int], None] | None,
) -> tuple[list[dict[Path, str]], list[PsfModel | None]]:
    """Fill the planes with the pixels of all exposures; return their checksums and PSFs.

    The checksums of an exposure are those of its files, that of the image first.
    Checksums and conversions are made beside the reading, as they leave the
    interpreter free. Unpacking compressed tiles does not: two threads of it
    are slower than one.

    Parameters
    ----------
    targets : sequence of tuple
        Each exposure, with the warps and the row that it is put into.
    mask_planes : dict of str to int
        The numbering of the masks; planes that are found are added.
    progress : callable, optional
        Called as ``progress("reading", done, total)``.

    Raises
    ------
    StackError
        If a file cannot be read.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        notes: list[Note] = []
        checksums: list[dict[Path, Future[str]]] = []
        psfs: list[PsfModel | None] = []
        placing: deque[Future[None]] = deque()
        try:
            for done, (exposure, warps, row) in enumerate(targets, start=1):
                checksums.append(
                    {path: pool.submit(_sha256, path) for path in exposure.layout.files}
                )
                with working_on(exposure.path):
                    pixels = read_pixels(exposure, mask_planes, is_marked=False)
                notes += [(exposure.path, note) for note in pixels.notes]
                psfs.append(pixels.psf)
                placing.append(pool.submit(_place, pixels, warps, row))
                if len(placing) > MOST_WAITING:
                    placing.popleft().result()
                if progress is not None:
                    progress("reading", done, len(targets))
            for placed in placing:
                placed.result()
            for text in gathered(notes):
                say(text)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [
            {path: checksum.result() for path, checksum in of_files.items()}
            for of_files in checksums
        ], psfs


def say_copies(exposures: Sequence[Exposure], checksums: Sequence[Mapping[Path, str]]) -> None:
    """Warn of warps of several visits that are one and the same file.

    An artifact in it is seen in as many epochs, and stays.

    Parameters
    ----------
    exposures : sequence of Exposure
    checksums : sequence of mapping
        Those of their files, by path.
    """
    seen: dict[str, Exposure] = {}
    for exposure, of_files in zip(exposures, checksums, strict=False):
        first = seen.setdefault(of_files[exposure.path], exposure)
        if first is not exposure:
            say(
                f"{first.path} and {exposure.path} hold the same bytes: one exposure counts as "
                f"visits {first.visit} and {exposure.visit}, so that its artifacts stay; leave one "
                "out"
            )


def _place(pixels: Pixels, warps: Warps, row: int) -> None:
    """Put the pixels of one file in their place, in the machine's own format."""
    with np.errstate(over="ignore"):  # what single precision does not hold, is no data
        warps.image[row] = pixels.image  # type: ignore[index]
        warps.variance[row] = pixels.variance  # type: ignore[index]
    if isinstance(warps.mask, np.ndarray) and isinstance(warps.variance, np.ndarray):
        warps.mask[row] = pixels.mask
        mark_no_data(warps.variance[row], warps.mask[row], pixels.no_data)
    else:
        warps.mask[row] = pixels.marked()  # type: ignore[index]


def _sha256(path: Path) -> str:
    """Return the checksum of a whole file."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StackError(f"{path}: cannot be read: {error.strerror}") from error
