"""The truth of a simulated night, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
import numpy.typing as npt
from astropy.table import Table

from .artifacts import Artifact
from .psf import BASE_SIGMA, add_point_sources, blur, blur_sigma

__all__ = ["Truth", "tabulate_artifacts"]


@dataclass(frozen=True)
class Truth:
    """The true sky, and the artifacts planted into each visit.

    Attributes
    ----------
    static_sky : ndarray of float32
        ``(y, x)`` constant stars and galaxies, nJy, convolved with a PSF whose
        core has a Gaussian sigma of 1 pixel.
    stars : Table
        Constant stars: ``id``, ``x``, ``y`` (array pixels), ``mag``, ``flux``.
    galaxies : Table
        Parameters of the galaxies.
    variables : Table
        Periodic stars and supernovae: ``id``, ``kind``, ``x``, ``y`` and the
        parameters of their light curves.
    light_curves : Table
        ``visit``, ``id``, ``flux`` (nJy) of each variable in each visit.
    visits : Table
        One row per visit: ``visit``, ``mjd``, ``psf_sigma``, ``matched_psf_sigma``
        (pixels), ``sky_sigma`` (nJy, noise of a sky pixel), ``variance_factor``
        (stated over true variance), ``background`` (nJy: constant, slope along
        x, slope along y, product; the coordinates run from -1 to 1).
    artifacts : tuple of Artifact
        The planted artifacts.
    """

    static_sky: npt.NDArray[np.float32]
    stars: Table
    galaxies: Table
    variables: Table
    light_curves: Table
    visits: Table
    artifacts: tuple[Artifact, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Shape ``(y, x)`` of the patch."""
        height, width = self.static_sky.shape
        return height, width

    def fluxes(self, visit: int) -> npt.NDArray[np.float64]:
        """Return the flux of each variable in one visit, nJy."""
        rows = self.light_curves[self.light_curves["visit"] == visit]
        by_id = dict(zip(rows["id"].tolist(), rows["flux"].tolist(), strict=True))
        return np.array([by_id[number] for number in self.variables["id"].tolist()])

    def sky(self, visit: int) -> npt.NDArray[np.float32]:
        """Return a direct warp without noise and artifacts.

        Parameters
        ----------
        visit : int
            Id of the visit.

        Returns
        -------
        ndarray of float32
            ``(y, x)``, nJy.

        Raises
        ------
        KeyError
            If the night has no such visit.
        """
        row = self.visit(visit)
        psf_sigma = float(row["psf_sigma"])
        image = blur(self.static_sky, blur_sigma(BASE_SIGMA, psf_sigma))
        variables = self.variables
        add_point_sources(image, variables["x"], variables["y"], self.fluxes(visit), psf_sigma)
        y, x = (np.linspace(-1, 1, size, dtype=np.float32) for size in self.shape)
        constant, along_x, along_y, product = np.asarray(row["background"], dtype=np.float32)
        image += constant + along_x * x + y[:, None] * (along_y + product * x)
        return image

    def artifact_light(self, visit: int) -> npt.NDArray[np.float32]:
        """Return the sum of all artifacts in one direct warp, ``(y, x)``, nJy."""
        light = np.zeros(self.shape, np.float32)
        for artifact in self.artifacts:
            if artifact.visit == visit:
                light[artifact.y, artifact.x] += artifact.signal
        return light

    def visit(self, visit: int) -> Table.Row:
        """Return the row of one visit.

        Raises
        ------
        KeyError
            If the night has no such visit.
        """
        rows = np.flatnonzero(np.asarray(self.visits["visit"]) == visit)
        if rows.size == 0:
            raise KeyError(f"the truth has no visit {visit}")
        return self.visits[int(rows[0])]


def tabulate_artifacts(artifacts: Sequence[Artifact], visits: Table) -> Table:
    """Return a table of artifacts: kind, position and brightness.

    Parameters
    ----------
    artifacts : sequence of Artifact
        In the order of the table.
    visits : Table
        Their visits, for the sky noise in which the brightness is given.
    """
    sky_sigma = dict(zip(visits["visit"].tolist(), visits["sky_sigma"].tolist(), strict=True))
    boxes = [artifact.box for artifact in artifacts]
    table = Table(
        {
            "id": np.array([a.id for a in artifacts], dtype=np.int64),
            "kind": np.array([a.kind for a in artifacts], dtype=str),
            "visit": np.array([a.visit for a in artifacts], dtype=np.int64),
            "y0": np.array([rows.start for rows, _ in boxes], dtype=np.int64),
            "y1": np.array([rows.stop for rows, _ in boxes], dtype=np.int64),
            "x0": np.array([columns.start for _, columns in boxes], dtype=np.int64),
            "x1": np.array([columns.stop for _, columns in boxes], dtype=np.int64),
            "flux": np.array([a.signal.sum(dtype=float) for a in artifacts]) * u.nJy,
            "peak": np.array([float(a.signal.max()) for a in artifacts]) * u.nJy,
        }
    )
    table["peak_sigma"] = [float(row["peak"]) / sky_sigma[int(row["visit"])] for row in table]
    for name in ("y0", "y1", "x0", "x1"):
        table[name].unit = u.pix
    return table
