"""Writing coadds, masks and tables of footprints: whole files with their checksums."""

import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.table import Column

from ..algorithm.coadd import Coadd
from ..algorithm.flux_scale import unscaled_unit
from ..config.knobs import CompareWarpConfig
from ..errors import OutputError
from .atomic import check_output, replacing
from .epoch_files import epoch_path
from .plain_files import write_table
from .provenance import card_text, creator, epoch_column, timestamp
from .sky import sky_of, wcs_cards

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = [
    "COADD_ENDINGS",
    "FOOTPRINT_ENDINGS",
    "grid_header",
    "grid_tables",
    "mask_path",
    "write_coadd",
    "write_footprints",
    "write_hdus",
    "write_mask",
]

#: What the file of a coadd, and of a table of footprints, may end in; the usual first.
COADD_ENDINGS = (".fits", ".fits.fz", ".fits.gz", ".fit")
FOOTPRINT_ENDINGS = (".ecsv", ".fits")

#: Bytes of a gzip file that hold the time of its making.
_GZIP_TIME = slice(4, 8)


def write_coadd(
    coadd: Coadd,
    path: Path,
    *,
    header: fits.Header,
    inputs: "Table",
    input_map: npt.NDArray[np.int64] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a coadd as one FITS file.

    HDUs: PRIMARY with the provenance, IMAGE, MASK with its ``MP_`` cards,
    VARIANCE, NIMAGE, INPUTS (a row an epoch), and INPUT_MAP where there is one.
    A name that ends in ``.fz`` has its images tile-compressed, without loss.

    Parameters
    ----------
    coadd : Coadd
    path : Path
    header : Header
        Cards of the primary HDU.
    inputs : Table
        A row an epoch.
    input_map : ndarray of int64, optional
        ``(word, y, x)``; bit k of word w stands for row 64 w + k of `inputs`.
    overwrite : bool

    Raises
    ------
    OutputError
        If the file exists, has another ending than FITS, or cannot be written.
    """
    if not path.name.lower().endswith(COADD_ENDINGS):
        raise OutputError(f"{path}: a coadd is written as {', '.join(COADD_ENDINGS)}")
    check_output(path, overwrite)
    compressed = path.name.lower().endswith(".fz")
    grid = grid_header(coadd.wcs, coadd.origin)
    scale = coadd.flux_scale
    unit = unscaled_unit(coadd.unit, scale)
    hdus: list[Any] = [
        fits.PrimaryHDU(header=header),
        _plane("IMAGE", _in_files(coadd.image, scale), grid, compressed, unit=unit),
        _mask(coadd.mask, coadd.mask_planes, grid, compressed),
        _plane(
            "VARIANCE", _in_files(coadd.variance, scale**2), grid, compressed, unit=_squared(unit)
        ),
        _plane("NIMAGE", coadd.n_image.astype(np.int16), grid, compressed),
        fits.BinTableHDU(inputs, name="INPUTS"),
    ]
    if input_map is not None:
        # Words of 64 bits are not compressed: cfitsio, and so DS9, could not read them.
        hdus.append(_plane("INPUT_MAP", input_map, grid, compressed=False))
        hdus[-1].header["COMMENT"] = "Bit k of word w: row 64 w + k of INPUTS went into the pixel."
    write_hdus([*hdus, *grid_tables(coadd.wcs)], path, overwrite)


def mask_path(folder: Path, epoch: Any) -> Path:
    """Return where the mask of an epoch is written."""
    return epoch_path(folder, "clipped", epoch, ".fits.fz")


def write_mask(
    mask: npt.NDArray[np.int32],
    planes: Mapping[str, int],
    path: Path,
    *,
    header: fits.Header,
    grid: fits.Header,
    tables: Sequence[fits.ImageHDU] = (),
    overwrite: bool = False,
) -> None:
    """Write one mask, compressed, its planes named in ``MP_`` cards.

    Parameters
    ----------
    mask : ndarray of int32
        ``(y, x)``
    planes : mapping of str to int
        Bit number of each plane.
    path : Path
    header, grid : Header
        Cards of the primary HDU, and of the mask's own; see `grid_header`.
    tables : sequence of ImageHDU
        What the grid needs besides, see `grid_tables`.
    overwrite : bool

    Raises
    ------
    OutputError
    """
    hdus = [fits.PrimaryHDU(header=header), _mask(mask, planes, grid, compressed=True)]
    write_hdus([*hdus, *tables], path, overwrite)


def write_footprints(
    table: "Table",
    path: Path,
    *,
    config: CompareWarpConfig,
    header: fits.Header,
    wcs: Any = None,
    overwrite: bool = False,
) -> None:
    """Write a table of footprints, as ECSV or FITS by its ending.

    Where there is a WCS, columns ``ra`` and ``dec`` give the centre of each
    bounding box, ICRS degrees. In ECSV the metadata hold the program, the date
    and the settings; in FITS the primary header does.

    Parameters
    ----------
    table : Table
        Left as it is.
    path : Path
        Ends in ``.ecsv`` or ``.fits``.
    config : CompareWarpConfig
        The settings, for ECSV.
    header : Header
        Cards of the primary HDU, for FITS.
    wcs : astropy.wcs.WCS, optional
    overwrite : bool

    Raises
    ------
    OutputError
    """
    suffix = path.suffix.lower()
    if suffix not in FOOTPRINT_ENDINGS:
        raise OutputError(
            f"{path}: a table of footprints is written as {' or '.join(FOOTPRINT_ENDINGS)}"
        )
    check_output(path, overwrite)
    table = table.copy()
    _add_sky_columns(table, wcs)
    if suffix == ".fits":
        table["epoch"] = epoch_column(table["epoch"].tolist())
        hdus = [fits.PrimaryHDU(header=header), fits.BinTableHDU(table, name="FOOTPRINTS")]
        write_hdus(hdus, path, overwrite)
        return
    table.meta.update(creator=creator(), date=timestamp(), config=config.model_dump(mode="json"))
    with replacing(path, overwrite) as temporary:
        write_table(temporary, table)


def _add_sky_columns(table: "Table", wcs: Any) -> None:
    """Add the sky position of the centre of each bounding box."""
    x, y = ((np.asarray(table[f"{a}0"]) + np.asarray(table[f"{a}1"]) - 1) / 2 for a in "xy")
    sky = sky_of(wcs, x, y)
    if sky is None:
        return
    sky = sky.icrs
    where = table.colnames.index("x1") + 1
    for name, values in (("dec", sky.dec.deg), ("ra", sky.ra.deg)):
        meaning = "ICRS position of the centre of the bounding box"
        table.add_column(Column(values, unit="deg", description=meaning), where, name)


def grid_header(wcs: Any, origin: tuple[int, int]) -> fits.Header:
    """Return the cards that say where the pixels lie on the sky and in the parent grid.

    The parent grid is given twice: as ``LTV`` cards, which DS9 knows, and as
    the linear WCS "A" of LSST files. A distortion that is a table needs
    `grid_tables` in the same file.
    """
    header = fits.Header() if wcs is None else wcs_cards(wcs)[0]
    for axis, start in enumerate(origin, start=1):
        header[f"LTV{axis}"] = (-float(start), "parent pixel = pixel - LTV")
        header[f"CTYPE{axis}A"] = ("LINEAR", "parent grid, counted from 0")
        header[f"CRPIX{axis}A"] = 1.0
        header[f"CRVAL{axis}A"] = float(start)
        header[f"CDELT{axis}A"] = 1.0
        header[f"CUNIT{axis}A"] = "pixel"
    return header


def grid_tables(wcs: Any) -> list[fits.ImageHDU]:
    """Return the HDUs with the lookup tables of a grid's distortion; most grids have none."""
    return [] if wcs is None else wcs_cards(wcs)[1]


def _plane(
    name: str, data: npt.NDArray, grid: fits.Header, compressed: bool, unit: str = ""
) -> Any:
    """Return an image HDU, compressed without loss if asked to."""
    if compressed:
        # Level 0 switches quantisation off: every bit, NaN among them, survives.
        hdu = fits.CompImageHDU(
            data, grid.copy(), name=name, compression_type="GZIP_2", quantize_level=0.0
        )
    else:
        hdu = fits.ImageHDU(data, grid.copy(), name=name)
    # The reference's reader tells the planes apart by this card.
    hdu.header["EXTTYPE"] = name
    if unit:
        hdu.header["BUNIT"] = card_text(unit)
    return hdu


def _in_files(plane: npt.NDArray[np.float32], scale: float) -> npt.NDArray:
    """Return a plane in the unit of the input files; in double precision where it has to be."""
    return plane if scale == 1 else plane.astype(np.float64) * scale


def _mask(mask: npt.NDArray[np.int32], planes: Any, grid: fits.Header, compressed: bool) -> Any:
    """Return the HDU of a mask, its planes named in ``MP_`` cards."""
    hdu = _plane("MASK", mask, grid, compressed)
    for name, bit in planes.items():
        key = f"MP_{name}"
        hdu.header[key if len(key) <= 8 else f"HIERARCH {key}"] = int(bit)
    return hdu


def _squared(unit: str) -> str:
    """Return the square of a unit in the words of the FITS standard."""
    if not unit:
        return ""
    return f"{unit}2" if unit.isalpha() else f"({unit})**2"


def write_hdus(hdus: list[Any], path: Path, overwrite: bool = False) -> None:
    """Write HDUs with their checksums; the file appears when it is whole.

    A name that ends in ``.gz`` is gzipped. The same HDUs make the same bytes
    where ``SOURCE_DATE_EPOCH`` is set.

    Parameters
    ----------
    hdus : list of HDU
        The primary first.
    path : Path
    overwrite : bool

    Raises
    ------
    OutputError
    """
    stored = fits.HDUList([_as_stored(hdu) for hdu in hdus])
    stored.update_extend()
    for hdu in stored:
        hdu.add_checksum(when=f"set {timestamp()}")
    with replacing(path, overwrite) as temporary, temporary.open("wb") as file:
        if path.name.lower().endswith(".gz"):
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                stored.writeto(packed)
        else:
            stored.writeto(file)


def _as_stored(hdu: Any) -> Any:
    """Return a compressed image as the table that stands in the file, other HDUs as they are.

    Only in that table can the times be set that the tiles and the checksums carry.
    """
    if not isinstance(hdu, fits.CompImageHDU):
        return hdu
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
    # Left open: what is not changed here is read from the buffer when the table is written.
    table = fits.open(io.BytesIO(buffer.getvalue()), disable_image_compression=True)[1]
    for tile in table.data["COMPRESSED_DATA"]:
        # Each is a gzip file of its own; 0 stands for no time (RFC 1952, section 2.3).
        tile[_GZIP_TIME] = 0
    return table
