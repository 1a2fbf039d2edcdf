"""FITS files that are whole: opened, checked, and their errors made one line."""

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from ..errors import ConfigError, StackError, plain_reason
from .content import content_of
from .odd_cards import mend_cards
from .place import open_regular
from .structure import check_structure
from .tiles import guarded_tiles, tiles_are_guarded

__all__ = ["NO_NAME", "OpenFiles", "image_shape", "image_values", "open_fits", "reading"]

#: Held by the thread that has changed the warning filters.
_WARNING_FILTERS = threading.RLock()

#: Said where tiles are unpacked by routines that may leave them.
_UNGUARDED = "this astropy unpacks tiles unchecked: a damaged one may end the program"

#: Names of an HDU without a name; astropy calls a compressed image so.
NO_NAME = ("", "COMPRESSED_IMAGE")


@contextmanager
def open_fits(
    path: Path, verify: bool = False, notes: list[str] | None = None
) -> Iterator[fits.HDUList]:
    """Open a FITS file whose headers are all there and whose data are not cut short.

    One thread opens files at a time: astropy's warnings are held back meanwhile,
    and Python keeps its warning filters for all threads together.

    Parameters
    ----------
    path : Path
        The file; gzip is known by its content.
    verify : bool
        Compare the data with the DATASUM cards, and the headers with the CHECKSUM
        cards, where there are any.
    notes : list of str, optional
        What is found so, and does not stop the reading, is added to it.

    Raises
    ------
    StackError
        If the file is missing, unreadable, truncated or corrupt, or larger than
        `napari_comparewarp.io.limits` allows. It names the HDU. Whatever astropy
        raises while the file is open becomes one.
    """
    with _WARNING_FILTERS, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", r"(Datas|Checks)um verification failed", AstropyWarning)
        with reading(path), open_regular(path) as file:
            content = content_of(path, file)
            structure = check_structure(path, content)
            stream = content.stream(structure.end)
            with (
                guarded_tiles(structure.largest_tile),
                fits.open(stream, memmap=False, checksum=verify) as hdus,
            ):
                if len(hdus) != structure.count:
                    raise StackError(f"{path}, HDU {len(hdus)}: its header is truncated or corrupt")
                for number, names in structure.odd_cards.items():
                    mend_cards(hdus[number].header, names)
                found = _check_sums(path, [str(warning.message) for warning in caught])
                if structure.largest_tile and not tiles_are_guarded():
                    found.append(_UNGUARDED)
                if notes is not None:
                    notes += found
                yield hdus


def _check_sums(path: Path, failures: list[str]) -> list[str]:
    """Refuse data that are not those of their DATASUM; return what is to be said of headers."""
    changed = list[str]()
    for failure in failures:
        if failure.startswith("Data"):
            raise StackError(f"{path}: the data are corrupt: {failure.strip().rstrip('.')}")
        named = re.search(r"\('(.*)', \d+\)", failure)
        changed.append(named[1] if named and named[1] not in NO_NAME else "without a name")
    if not changed:
        return []
    return [
        f"the header of HDU {', '.join(dict.fromkeys(changed))} was changed after its CHECKSUM "
        "was written"
    ]


class OpenFiles:
    """FITS files that are opened when they are first asked for, and closed together.

    Parameters
    ----------
    verify : bool
        As for `open_fits`.

    Examples
    --------
    >>> with OpenFiles() as files:  # doctest: +SKIP
    ...     header = files[Path("warp.fits")][0].header
    """

    def __init__(self, verify: bool = False) -> None:
        self._verify = verify
        self._notes: list[str] = []
        self._stack = ExitStack()
        self._hdus: dict[Path, fits.HDUList] = {}

    def __enter__(self) -> "OpenFiles":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._stack.__exit__(kind, error, traceback)

    def __getitem__(self, path: Path) -> fits.HDUList:
        """Return the HDUs of a file; raises what `open_fits` does."""
        if path not in self._hdus:
            opened = open_fits(path, self._verify, self._notes)
            self._hdus[path] = self._stack.enter_context(opened)
        return self._hdus[path]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found on opening them, a clause each."""
        return tuple(dict.fromkeys(self._notes))


@contextmanager
def reading(path: Path, hdu: str = "") -> Iterator[None]:
    """Turn whatever a damaged file makes astropy raise into one line with its name."""
    where = f"{path}, HDU {hdu}" if hdu else str(path)
    try:
        yield
    except (StackError, ConfigError):
        raise
    except MemoryError as error:
        raise StackError(f"{where}: there is not enough memory to read it") from error
    except OSError as error:
        reason = error.strerror or plain_reason(error)
        raise StackError(f"{where}: cannot be read: {reason}") from error
    except Exception as error:
        raise StackError(f"{where}: not a valid FITS file: {plain_reason(error)}") from error


def image_shape(hdu: Any) -> tuple[int, ...]:
    """Return the shape of the image in an HDU, empty where there is none.

    A plane of one value may be stored without pixels, as Hubble files do: the
    cards NPIX1, NPIX2 and PIXVALUE tell it.
    """
    if not hdu.is_image:
        return ()
    if hdu.header["NAXIS"]:
        return tuple(hdu.shape)
    size = [hdu.header.get(f"NPIX{axis}") for axis in (2, 1)]
    if all(isinstance(n, int) and n > 0 for n in size) and "PIXVALUE" in hdu.header:
        return tuple(size)
    return ()


def image_values(
    hdu: Any, rows: slice = slice(None), columns: slice = slice(None)
) -> tuple[Any, Any]:
    """Return the pixels of an image HDU, and which of them the file calls blank.

    Whole numbers stay whole: a BLANK card, which has no meaning for real
    numbers, neither makes real numbers of a mask nor is forgotten in unsigned
    numbers, as it is by astropy.

    Parameters
    ----------
    hdu : ImageHDU, CompImageHDU or PrimaryHDU
    rows, columns : slice
        The part to read; of a part, only the rows that are needed are read.

    Returns
    -------
    values : ndarray or None
        As stored, with BSCALE and BZERO applied; None where there are none.
    blank : ndarray of bool or None
        None where no pixel is.
    """
    header = hdu.header
    blank, bits = header.get("BLANK"), header["BITPIX"]
    scale, zero = header.get("BSCALE", 1), header.get("BZERO", 0)
    if not header["NAXIS"] and (shape := image_shape(hdu)):
        constant = np.full(shape, header["PIXVALUE"])
        return constant.astype(np.float32 if constant.dtype.kind == "f" else np.int32), None
    is_whole = rows == slice(None) and columns == slice(None)
    values = hdu.data if is_whole or hdu.shape is None else hdu.section[rows, columns]
    if values is None or bits < 0 or not isinstance(blank, int) or isinstance(blank, bool):
        return values, None
    if values.dtype.kind in "iu":
        missing = values == blank + int(zero)
    else:
        missing = np.isnan(values)
        if scale == 1 and zero == 0:
            # Single precision holds 16 bits, double precision 32: nothing was lost.
            values = np.where(missing, 0, values).astype(f"i{bits // 8}" if bits > 8 else "u1")
    return values, missing if missing.any() else None
