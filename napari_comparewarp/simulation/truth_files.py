"""The truth of a simulated night as FITS images and ECSV tables."""

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.io.fits.hdu.compressed import NO_DITHER
from astropy.table import Table

from ..errors import TruthError, one_line
from ..io.plain_files import write_table
from .artifacts import Artifact
from .truth import Truth, tabulate_artifacts

__all__ = ["find_truth", "read_truth", "write_truth"]

_TABLES = ("visits", "stars", "galaxies", "variables", "light_curves")
_ARTIFACTS = "artifacts.ecsv"
_ARTIFACT_IMAGES = "artifacts.fits.fz"
_STATIC_SKY = "static_sky.fits.fz"

#: Steps in which noise-free images are stored, in units of the sky noise.
_STEP = 0.01

#: Rows of a compressed tile.
_TILE_ROWS = 64


def write_truth(truth: Truth, folder: Path, wcs: Any) -> None:
    """Write a truth into an existing folder.

    Parameters
    ----------
    truth : Truth
        What to write.
    folder : Path
        Folder without files of the same names.
    wcs : astropy.wcs.WCS
        Sky coordinates of array pixels.
    """
    for name in _TABLES:
        write_table(folder / f"{name}.ecsv", getattr(truth, name))
    artifacts = tabulate_artifacts(truth.artifacts, truth.visits)
    write_table(folder / _ARTIFACTS, artifacts)
    quietest = float(np.min(truth.visits["sky_sigma"]))
    images = [_noiseless("STATIC_SKY", truth.static_sky, quietest, wcs.to_header())]
    _write(folder / _STATIC_SKY, images)
    images = []
    for artifact in truth.artifacts:
        rows, columns = artifact.box
        cutout = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
        cutout[artifact.y - rows.start, artifact.x - columns.start] = artifact.signal
        header = wcs[rows, columns].to_header()
        header["VISIT"] = (artifact.visit, "the visit that has it")
        header["KIND"] = (artifact.kind, "what it is")
        header["X0"] = (columns.start, "array pixel of the first column")
        header["Y0"] = (rows.start, "array pixel of the first row")
        images.append(_noiseless(f"ARTIFACT_{artifact.id}", cutout, quietest, header))
    _write(folder / _ARTIFACT_IMAGES, images)


def _noiseless(
    name: str, image: np.ndarray, sky_sigma: float, header: fits.Header
) -> fits.CompImageHDU:
    """Return an image compressed in steps that are small compared with the noise."""
    hdu = fits.CompImageHDU(
        image,
        header,
        name=name,
        compression_type="GZIP_2",
        tile_shape=(min(_TILE_ROWS, image.shape[0]), image.shape[1]),
        # A negative level is an absolute step; without dithering zeros stay zeros.
        quantize_level=-_STEP * sky_sigma,
        quantize_method=NO_DITHER,
    )
    hdu.header["BUNIT"] = "nJy"
    return hdu


def _write(path: Path, images: list[fits.CompImageHDU]) -> None:
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path, checksum=True)


def find_truth(folder: Path) -> Path:
    """Return the folder that contains the truth: this one, or its subfolder ``truth``.

    Raises
    ------
    TruthError
        If neither contains it.
    """
    for candidate in (folder, folder / "truth"):
        if (candidate / "visits.ecsv").is_file():
            return candidate
    raise TruthError(
        f"{folder}: no truth here; give the folder that `comparewarp simulate` wrote, or its "
        "truth folder"
    )


def read_truth(folder: str | Path) -> Truth:
    """Read the truth of a simulated night.

    Parameters
    ----------
    folder : path
        Folder written by `write_night`, or its ``truth`` subfolder.

    Raises
    ------
    TruthError
        If it is missing, or one of its files cannot be read.
    """
    folder = find_truth(Path(folder))
    tables = {name: _read_table(folder / f"{name}.ecsv") for name in _TABLES}
    artifacts = _read_table(folder / _ARTIFACTS)
    try:
        static_sky = np.array(fits.getdata(folder / _STATIC_SKY, "STATIC_SKY"), np.float32)
        with fits.open(folder / _ARTIFACT_IMAGES) as hdus:
            planted = tuple(_read_artifact(hdus, row) for row in artifacts)
    except (OSError, KeyError) as error:
        raise TruthError(f"{folder}: cannot read the truth's images: {error}") from error
    return Truth(static_sky=static_sky, artifacts=planted, **tables)


def _read_table(path: Path) -> Table:
    try:
        return Table.read(path, format="ascii.ecsv")
    except (OSError, ValueError) as error:
        raise TruthError(f"{path}: cannot read this table: {one_line(error)}") from error


def _read_artifact(hdus: fits.HDUList, row: Table.Row) -> Artifact:
    cutout = hdus[f"ARTIFACT_{row['id']}"].data
    y, x = np.nonzero(cutout > 0)
    return Artifact(
        id=int(row["id"]),
        kind=str(row["kind"]),
        visit=int(row["visit"]),
        y=(y + row["y0"]).astype(np.int32),
        x=(x + row["x0"]).astype(np.int32),
        signal=cutout[y, x].astype(np.float32),
    )
