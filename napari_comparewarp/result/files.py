"""The files that a result is written to: each is put together here, and written by `io`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..errors import OutputError
from ..io.atomic import check_output, check_output_folder, replacing
from ..io.plain_files import write_text
from ..io.provenance import card_text
from ..io.regions_file import Outlined
from ..io.regions_file import write_regions as write_region_file
from ..io.write import grid_header, grid_tables, mask_path, write_mask
from ..io.write import write_footprints as write_footprint_file
from .result import CompareWarpResult

__all__ = [
    "write_footprints",
    "write_lsst_config",
    "write_mask_files",
    "write_masks",
    "write_regions",
]


#: Text beside which a card has room for a comment.
_SHORT = 40


def write_masks(result: CompareWarpResult, folder: Path, overwrite: bool = False) -> None:
    """Write the mask of each direct warp with CLIPPED, NO_DATA and EDGE set.

    Parameters
    ----------
    result : CompareWarpResult
    folder : Path
        Made if need be; a file ``clipped_<epoch>.fits.fz`` for each epoch.
    overwrite : bool

    Raises
    ------
    OutputError
        If one of the files exists, before any is written.
    """
    folder = Path(folder)
    paths = [mask_path(folder, epoch) for epoch in result.stack.epochs]
    write_mask_files(result, folder, paths, overwrite)


def write_mask_files(
    result: CompareWarpResult, folder: Path, paths: Sequence[Path], overwrite: bool
) -> None:
    """Write the mask of each direct warp to a path of its own.

    Parameters
    ----------
    result : CompareWarpResult
    folder : Path
        Made if need be.
    paths : sequence of Path
        One for each epoch, in the folder.
    overwrite : bool

    Raises
    ------
    OutputError
        If one of the files exists, before any is written.
    """
    check_output_folder(folder)
    for path in paths:
        check_output(path, overwrite)
    coadd = result.coadd
    grid, tables = grid_header(coadd.wcs, coadd.origin), grid_tables(coadd.wcs)
    for index, (epoch, path) in enumerate(zip(result.stack.epochs, paths, strict=True)):
        header = result.header()
        visit = card_text(epoch) if isinstance(epoch, str) else epoch
        header["VISIT"] = visit
        if len(str(visit)) <= _SHORT:
            header.comments["VISIT"] = "id of the epoch"
        header["CLIPFRAC"] = (float(result.clipped_fraction[index]), "part of the patch clipped")
        write_mask(
            result.direct_mask(index), coadd.mask_planes, path, header=header, grid=grid,
            tables=tables, overwrite=overwrite,
        )  # fmt: skip


def write_footprints(result: CompareWarpResult, path: Path, overwrite: bool = False) -> None:
    """Write the table of footprints, as ECSV or FITS by its ending.

    Parameters
    ----------
    result : CompareWarpResult
    path : Path
        Ends in ``.ecsv`` or ``.fits``.
    overwrite : bool

    Raises
    ------
    OutputError
    """
    write_footprint_file(
        result.footprints, Path(path), config=result.config, header=result.header(),
        wcs=result.coadd.wcs, overwrite=overwrite,
    )  # fmt: skip


def write_regions(result: CompareWarpResult, path: Path, overwrite: bool = False) -> None:
    """Write the outlines of all footprints as DS9 regions in image coordinates.

    Parameters
    ----------
    result : CompareWarpResult
    path : Path
        Ends in ``.reg``.
    overwrite : bool

    Raises
    ------
    OutputError
    """
    write_region_file(_outlined(result), Path(path), overwrite)


def _outlined(result: CompareWarpResult) -> Iterator[Outlined]:
    """Yield the footprints of a result to outline; where they overlap, as in `labels`."""
    table = result.footprints
    for index in np.unique(table["epoch_index"]):
        labels = result.labels(int(index))
        for row in table[table["epoch_index"] == index]:
            yield Outlined(
                mask=labels[row["y0"] : row["y1"], row["x0"] : row["x1"]] == row["id"],
                y0=int(row["y0"]), x0=int(row["x0"]), text=str(row["id"]),
                verdict=str(row["verdict"]), epoch=row["epoch"],
            )  # fmt: skip


def write_lsst_config(result: CompareWarpResult, path: Path, overwrite: bool = False) -> None:
    """Write the settings of a run as an override file of the LSST pipelines.

    Parameters
    ----------
    result : CompareWarpResult
    path : Path
        Ends in ``.py``.
    overwrite : bool

    Raises
    ------
    OutputError
    """
    if path.suffix.lower() != ".py":
        raise OutputError(f"{path}: an LSST config override is written as .py")
    with replacing(path, overwrite) as temporary:
        write_text(temporary, result.config.to_lsst())
