"""Which files make a stack: a folder, a list of files, or a manifest."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Row

from ..algorithm.psf_kernels import PSF_WIDTH, is_psf_width
from ..config.fields import check_path
from ..config.text_file import shown, worded
from ..errors import StackError
from .butler import ButlerQuery, butler_query, find_in_butler
from .headers import as_epoch_id, kind_in_words
from .manifest import read_manifest
from .place import reading_places
from .source import Source
from .text_file import read_table

__all__ = ["FITS_SUFFIXES", "MANIFEST_SUFFIXES", "Source", "StackSource", "find_sources"]

FITS_SUFFIXES = tuple(
    f".{name}{packed}" for packed in ("", ".gz", ".fz") for name in ("fits", "fit", "fts")
)
MANIFEST_SUFFIXES = (".toml", ".ecsv", ".csv")

StackPart = str | os.PathLike[str] | ButlerQuery | Source
StackSource = str | os.PathLike[str] | ButlerQuery | Iterable[StackPart]


def find_sources(source: StackSource) -> list[Source]:
    """List the files of a stack.

    Parameters
    ----------
    source : path, query, or iterable of paths or of what is known of files
        A folder, a FITS file, several of these, or a manifest: ``.toml``, see
        `napari_comparewarp.io.manifest`; or a ``.csv`` or ``.ecsv`` table with the
        columns *path*, relative to the manifest, and optionally *visit*, *kind*
        and *psf_sigma*. In a folder, the FITS files
        in it and in its sub-folders ``direct`` and ``matched`` (or
        ``psfMatched``) count. Where there are both, nothing but those counts:
        what lies beside them was made from them. Text such as ``butler:REPO``, or
        a `ButlerQuery`, names warps of a Rubin Butler repository.

    Raises
    ------
    StackError
        If there is nothing there, or a manifest cannot be read.
    """
    source = butler_query(source)
    if isinstance(source, ButlerQuery):
        return find_in_butler(source)
    if not isinstance(source, (str, os.PathLike)):
        sources = [found for item in source for found in _listed(item)]
        if not sources:
            raise StackError("the list of files is empty; give at least one FITS file")
        return sources
    path = Path(source)
    with reading_places(path):
        if path.is_dir():
            return _in_folder(path)
        if not path.exists():
            # A loop of links, which is there and leads nowhere, says so itself.
            if path.is_symlink():
                path.stat()
            raise StackError(
                f"{path}: no such file or folder; give a folder of FITS files, or a manifest"
            )
    if path.suffix.lower() == ".toml":
        return read_manifest(path)
    if path.suffix.lower() in MANIFEST_SUFFIXES:
        return _in_manifest(path)
    return [Source(path, named=True)]


def _listed(item: StackPart) -> list[Source]:
    """Return what one entry of a list stands for."""
    if isinstance(item, Source):
        return [item]
    if isinstance(item, ButlerQuery):
        return find_in_butler(item)
    path = Path(item)
    with reading_places(path):
        return _in_folder(path) if path.is_dir() else [Source(path, named=True)]


def _in_folder(folder: Path) -> list[Source]:
    """List the FITS files of a folder and of its sub-folders of warps."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and not path.exists() and kind_in_words(path.name):
            _refuse_link(path)
    sub_folders = {
        sub: kind
        for sub in sorted(folder.iterdir())
        if sub.is_dir() and (kind := kind_in_words(sub.name)) and _fits_files(sub)
    }
    paths = [path for sub in sub_folders for path in _fits_files(sub)]
    if set(sub_folders.values()) != {"direct", "matched"}:
        paths = _fits_files(folder) + paths
    if not paths:
        raise StackError(
            f"{folder}: no FITS files ({', '.join(FITS_SUFFIXES)}) in it or in direct/ and matched/"
        )
    return [Source(path, named=False) for path in paths]


def _fits_files(folder: Path) -> list[Path]:
    """List the FITS files that lie directly in a folder, by name.

    Raises
    ------
    StackError
        If a link among them leads nowhere: an exposure would be missing.
    """
    paths = sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(FITS_SUFFIXES)
        and not path.name.startswith(".")
        and not path.is_dir()
    )
    for path in paths:
        if not path.exists():
            _refuse_link(path)
    return paths


def _refuse_link(path: Path) -> None:
    """Refuse a link that leads nowhere."""
    raise StackError(
        f"{path}: a link to {path.readlink()}, where nothing is; remove the link, or bring back "
        "what it leads to"
    )


def _in_manifest(manifest: Path) -> list[Source]:
    """List the files of a manifest, with what it says of each."""
    table = read_table(manifest)
    if "path" not in table.colnames:
        raise StackError(
            f"{manifest}: the manifest has no column 'path' (it has {', '.join(table.colnames)})"
        )
    if not len(table):
        raise StackError(f"{manifest}: the manifest has no rows")
    return [_manifest_row(manifest, number, row) for number, row in enumerate(table, start=1)]


def _manifest_row(manifest: Path, number: int, row: Row) -> Source:
    """Return what one row of a manifest says."""
    where = f"{manifest}, row {number}"
    path, visit = _cell(row, "path"), _cell(row, "visit")
    kind, psf_sigma = _cell(row, "kind"), _cell(row, "psf_sigma")
    if path is None:
        raise StackError(f"{where}: the path is empty")
    try:
        check_path(str(path))
    except ValueError as error:
        raise StackError(f"{where}: path is {shown(str(path))}; {error}") from error
    if kind is not None and kind_in_words(str(kind)) is None:
        raise StackError(f"{where}: kind is {shown(str(kind))}; it must be 'direct' or 'matched'")
    if psf_sigma is not None:
        try:
            psf_sigma = float(psf_sigma)
        except (TypeError, ValueError):
            psf_sigma = np.nan
        if not is_psf_width(psf_sigma):
            raise StackError(
                f"{where}: psf_sigma is {worded(str(row['psf_sigma']))}; it must be {PSF_WIDTH}"
            )
    return Source(
        path=manifest.parent / str(path),
        named=True,
        visit=None if visit is None else as_epoch_id(visit),
        kind=None if kind is None else kind_in_words(str(kind)),
        psf_sigma=psf_sigma,
    )


def _cell(row: Row, column: str) -> Any:
    """Return a value of a table as a plain object, None where it is missing or blank."""
    if column not in row.colnames:
        return None
    value = row[column]
    if value is np.ma.masked or not str(value).strip():
        return None
    return value.item() if isinstance(value, np.generic) else value
