"""Which files make a stack: a folder, a list, or a manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..algorithm.warps import EpochId
from .exposure import FileError, Kind, as_id

__all__ = ["Source", "find_sources"]

_SUFFIXES = (".fits", ".fit", ".fits.gz", ".fit.gz", ".fits.fz", ".fit.fz")
_MANIFEST_SUFFIXES = (".ecsv", ".csv", ".txt")

#: Folders of a stack's folder in which warps are looked for.
_SUBFOLDERS = ("direct", "matched", "psfMatched", "psf_matched")


@dataclass(frozen=True)
class Source:
    """One file of a stack, and what a manifest says of it.

    Attributes
    ----------
    path : Path
    kind : {"direct", "matched"} or None
    visit : int, str or None
    psf_sigma : float or None
    named : bool
        Whether the user named this file, or it was found in a folder.
    """

    path: Path
    kind: Kind | None = None
    visit: EpochId | None = None
    psf_sigma: float | None = None
    named: bool = True


def find_sources(source: str | Path | Sequence[str | Path | Source]) -> list[Source]:
    """List the files of a stack.

    Parameters
    ----------
    source : path or sequence of paths
        A folder with FITS files in it, or in its ``direct`` and ``matched``
        folders; FITS files, or what is known of them; or a manifest: an ECSV
        or CSV table with columns ``path``, and if need be ``kind`` ("direct"
        or "matched"), ``visit`` and ``psf_sigma``. Paths in it are relative
        to the manifest.

    Raises
    ------
    FileError
        If there is nothing to read.
    """
    if not isinstance(source, (str, Path)):
        if not len(source):
            raise FileError("no files are given: a stack is made of at least one warp")
        return [
            found
            for item in source
            for found in ([item] if isinstance(item, Source) else find_sources(Path(item)))
        ]
    path = Path(source)
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        raise FileError(f"{path}: no such file or folder")
    if path.name.lower().endswith(_MANIFEST_SUFFIXES):
        return _in_manifest(path)
    return [Source(path)]


def _in_folder(folder: Path) -> list[Source]:
    folders = [folder, *(folder / name for name in _SUBFOLDERS)]
    found = [
        Source(path, named=False)
        for place in folders
        if place.is_dir()
        for path in sorted(place.iterdir())
        if path.name.lower().endswith(_SUFFIXES) and path.is_file()
    ]
    if not found:
        raise FileError(
            f"{folder}: no FITS files in it, nor in {' or '.join(_SUBFOLDERS[:2])} below it"
        )
    return found


def _in_manifest(path: Path) -> list[Source]:
    from astropy.table import Table

    try:
        table = Table.read(path, format="ascii.ecsv" if path.suffix == ".ecsv" else "ascii.csv")
    except Exception as error:  # the table readers raise all kinds
        raise FileError(f"{path}: not a readable table: {error}".splitlines()[0]) from error
    if "path" not in table.colnames:
        raise FileError(
            f"{path}: columns {', '.join(table.colnames)}; a manifest has path, and if need be "
            "kind, visit, psf_sigma"
        )
    sources = []
    for number, row in enumerate(table, start=1):
        kind = str(row["kind"]).strip() if "kind" in table.colnames else None
        if kind not in ("direct", "matched", None):
            raise FileError(f"{path}: row {number}: kind {kind!r}; it is direct or matched")
        sources.append(
            Source(
                path.parent / str(row["path"]).strip(),
                cast("Kind | None", kind),
                as_id(row["visit"]) if "visit" in table.colnames else None,
                float(row["psf_sigma"]) if "psf_sigma" in table.colnames else None,
            )
        )
    if not sources:
        raise FileError(f"{path}: the manifest has no rows")
    return sources
