"""The truth of a simulated night as FITS images and ECSV tables."""

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.io.fits.hdu.compressed import NO_DITHER
from astropy.table import Table

from ..errors import StackError, TruthError
from ..io.open_fits import image_shape, open_fits
from .artifacts import Artifact
from .truth import Truth, tabulate_artifacts
from .truth_tables import TABLES, check_truth_tables, read_truth_table

__all__ = ["find_truth", "read_truth", "write_truth"]

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
    for name in set(TABLES) - {"artifacts"}:
        getattr(truth, name).write(folder / f"{name}.ecsv", format="ascii.ecsv")
    artifacts = tabulate_artifacts(truth.artifacts, truth.visits)
    artifacts.write(folder / _ARTIFACTS, format="ascii.ecsv")
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
    tables = {name: read_truth_table(folder, name) for name in TABLES}
    artifacts = tables.pop("artifacts")
    try:
        with open_fits(folder / _STATIC_SKY, verify=True) as hdus:
            static_sky = _plane(hdus, folder / _STATIC_SKY, "STATIC_SKY")
        check_truth_tables(folder, {**tables, "artifacts": artifacts}, static_sky.shape)
        with open_fits(folder / _ARTIFACT_IMAGES, verify=True) as hdus:
            planted = tuple(
                _read_artifact(hdus, folder / _ARTIFACT_IMAGES, row) for row in artifacts
            )
    except StackError as error:
        raise TruthError(f"{folder}: cannot read the truth's images: {error}") from error
    return Truth(static_sky=static_sky, artifacts=planted, **tables)


def _plane(hdus: fits.HDUList, path: Path, name: str) -> np.ndarray:
    """Return an image of two axes of finite numbers."""
    if name not in hdus or len(image_shape(hdus[name])) != 2:
        raise TruthError(f"{path}: no image {name} of two axes; the truth has one")
    plane = np.array(hdus[name].data, np.float32)
    if not np.isfinite(plane).all():
        raise TruthError(f"{path}, HDU {name}: pixels without a value; all have one in a truth")
    return plane


def _read_artifact(hdus: fits.HDUList, path: Path, row: Table.Row) -> Artifact:
    name = f"ARTIFACT_{row['id']}"
    cutout = _plane(hdus, path, name)
    shape = int(row["y1"] - row["y0"]), int(row["x1"] - row["x0"])
    if cutout.shape != shape:
        raise TruthError(
            f"{path}, HDU {name}: {cutout.shape[0]} × {cutout.shape[1]} pixels; its box in "
            f"{_ARTIFACTS} has {shape[0]} × {shape[1]}"
        )
    y, x = np.nonzero(cutout > 0)
    return Artifact(
        id=int(row["id"]),
        kind=str(row["kind"]),
        visit=int(row["visit"]),
        y=(y + row["y0"]).astype(np.int32),
        x=(x + row["x0"]).astype(np.int32),
        signal=cutout[y, x].astype(np.float32),
    )
