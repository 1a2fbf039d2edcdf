"""The truth of a simulated night as FITS images and ECSV tables."""

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.io.fits.hdu.compressed import NO_DITHER
from astropy.table import Table

from ..errors import StackError, TruthError, plain_reason
from ..io.open_fits import open_fits
from ..io.plain_files import write_table
from ..io.text_file import read_table
from .artifacts import KINDS, Artifact
from .truth import Truth, tabulate_artifacts

__all__ = ["find_truth", "read_truth", "write_truth"]

_TABLES = ("visits", "stars", "galaxies", "variables", "light_curves")
_ARTIFACTS = "artifacts.ecsv"
_ARTIFACT_IMAGES = "artifacts.fits.fz"
_STATIC_SKY = "static_sky.fits.fz"

#: The columns that are used, with the range of their numbers; those without are ids and texts.
_ID = (None, None)
_PLACE, _FLUX, _SIGMA = (-1e6, 1e6), (-1e15, 1e15), (1e-3, 100.0)
_COLUMNS: dict[str, dict[str, Any]] = {
    "visits": {
        "visit": _ID, "psf_sigma": _SIGMA, "matched_psf_sigma": _SIGMA, "sky_sigma": (1e-30, 1e15),
        "variance_factor": (1e-6, 1e6), "background": _FLUX,
    },
    "stars": {"id": _ID, "x": _PLACE, "y": _PLACE, "flux": _FLUX},
    "galaxies": {},
    "variables": {"id": _ID, "kind": _ID, "x": _PLACE, "y": _PLACE},
    "light_curves": {"visit": _ID, "id": _ID, "flux": _FLUX},
    "artifacts": {"id": _ID, "kind": _ID, "visit": _ID, "y0": (0, 1e6), "x0": (0, 1e6)},
}  # fmt: skip

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
    tables = {name: _read_table(folder, name) for name in _TABLES}
    artifacts = _read_table(folder, "artifacts")
    _check_visits(folder, artifacts, **tables)
    try:
        with open_fits(folder / _STATIC_SKY) as hdus:
            static_sky = np.array(hdus["STATIC_SKY"].data, np.float32)
        if static_sky.ndim != 2 or not np.isfinite(static_sky).all():
            raise ValueError(f"{_STATIC_SKY} holds no image of finite pixels")
        with open_fits(folder / _ARTIFACT_IMAGES) as hdus:
            planted = tuple(_read_artifact(hdus, row, static_sky.shape) for row in artifacts)
    except (StackError, LookupError, TypeError, ValueError) as error:
        raise TruthError(
            f"{folder}: cannot read the truth's images: {plain_reason(error)}"
        ) from error
    return Truth(static_sky=static_sky, artifacts=planted, **tables)


def _read_table(folder: Path, name: str) -> Table:
    """Read a table, and check the columns that are used."""
    path = folder / f"{name}.ecsv"
    table = read_table(path, TruthError)
    for column, (low, high) in _COLUMNS[name].items():
        if column not in table.colnames:
            raise TruthError(f"{path}: there is no column {column}")
        values = table[column]
        shape = (len(table), 4) if column == "background" else (len(table),)
        is_text = column == "kind"
        if len(table) and (
            values.dtype.kind not in ("U" if is_text else "i" if low is None else "if")
            or values.shape != shape
            or np.ma.is_masked(values)
        ):
            raise TruthError(f"{path}: column {column} does not hold what it should in each row")
        if low is not None and not ((values >= low) & (values <= high)).all():
            raise TruthError(f"{path}: {column} is not within {low:g} and {high:g} in each row")
    return table


def _check_visits(
    folder: Path, artifacts: Table, visits: Table, variables: Table, light_curves: Table,
    **others: Table,
) -> None:  # fmt: skip
    """Refuse tables that do not go together."""
    ids = visits["visit"].tolist()
    if not ids or len(set(ids)) < len(ids):
        raise TruthError(f"{folder / 'visits.ecsv'}: it has no visit, or one of them twice")
    if not set(artifacts["visit"].tolist()) <= set(ids):
        raise TruthError(f"{folder / _ARTIFACTS}: it has a visit that visits.ecsv has not")
    if not set(artifacts["kind"].tolist()) <= set(KINDS):
        raise TruthError(f"{folder / _ARTIFACTS}: a kind is none of {', '.join(KINDS)}")
    pairs = list(zip(light_curves["visit"].tolist(), light_curves["id"].tolist(), strict=True))
    wanted = {(visit, number) for visit in ids for number in variables["id"].tolist()}
    if len(pairs) != len(wanted) or set(pairs) != wanted:
        raise TruthError(
            f"{folder / 'light_curves.ecsv'}: it has not one row for each visit and variable"
        )


def _read_artifact(hdus: fits.HDUList, row: Table.Row, shape: tuple[int, ...]) -> Artifact:
    cutout = hdus[f"ARTIFACT_{row['id']}"].data
    y, x = np.nonzero(cutout > 0)
    height, width = shape
    if not len(y) or row["y0"] + y.max() >= height or row["x0"] + x.max() >= width:
        raise ValueError(f"artifact {row['id']} does not lie in the sky")
    return Artifact(
        id=int(row["id"]),
        kind=str(row["kind"]),
        visit=int(row["visit"]),
        y=(y + row["y0"]).astype(np.int32),
        x=(x + row["x0"]).astype(np.int32),
        signal=cutout[y, x].astype(np.float32),
    )
