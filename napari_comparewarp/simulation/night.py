"""A simulated night: direct and PSF-matched warps of one patch, with the truth."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np
import numpy.typing as npt
from astropy.table import Table
from astropy.wcs import WCS

from ..algorithm.mask_planes import LSST_PLANES
from ..algorithm.warps import WarpStack
from . import detector
from .artifacts import VISITS_PER_NIGHT, Artifact, VisitConditions, plant
from .psf import add_point_sources, blur, blur_sigma, spread_variance
from .sky import draw_sky, render_static
from .streams import Stream, stream
from .truth import Truth

__all__ = ["Night", "simulate_night"]

#: Minimum size of the patch, pixels, to have room for every kind of artifact.
SMALLEST = 64

#: Pixels of all epochs together; all are held in memory.
LARGEST = 4_000_000_000

_FIRST_VISIT = 401001
_FIRST_MJD = 61345.125
_MINUTES_BETWEEN_VISITS = 4.0
_DAYS_BETWEEN_NIGHTS = 3.0
_EXPOSURE_TIME = 30.0
_BAND = "r"

#: Lower-left pixel of the patch in its tract, x and y.
_ORIGIN = (7800, 3900)
_CENTRE = (150.1, 2.2)
_PIXEL_SCALE = 0.2 / 3600

#: Noise of a sky pixel, nJy: about that of a 30 s visit with Rubin in r.
_SKY_SIGMA = (14.5, 21.0)

_PSF_SIGMA = (1.4, 2.4)
_MATCHED_PSF_SIGMA = 2.6

#: Radius of the widest direct PSF, pixels.
_PSF_REACH = 47

#: The variance plane of one visit in ten is a quarter of the true variance.
_WRONG_VARIANCE = 6
_WRONG_VARIANCE_FACTOR = 0.25
_CYCLE = 10

#: Maximum of each term of the residual background, in units of the sky noise.
_BACKGROUND = 0.06


@dataclass(frozen=True)
class Night:
    """Simulated warps as arrays, and the truth.

    Attributes
    ----------
    image, variance, mask : ndarray
        ``(epoch, y, x)`` direct warps: float32 nJy, float32 nJy², int32 planes.
    matched_image, matched_variance, matched_mask : ndarray
        The same sky, noise and artifacts at the common PSF.
    mask_planes : mapping of str to int
        Bit number of each plane.
    visits : tuple of int
        Ids of the epochs.
    psf_sigma, matched_psf_sigma : ndarray
        ``(epoch,)`` Gaussian sigma of the direct and matched PSFs, pixels.
    mjd : ndarray
        ``(epoch,)`` start of each visit, days.
    band : str
        Name of the filter.
    exposure_time : float
        Exposure time of each visit, s.
    origin : tuple of int
        x, y of the lower-left pixel in the parent grid.
    wcs : astropy.wcs.WCS
        Sky coordinates of array pixels.
    truth : Truth
        The sky and the planted artifacts.
    seed : int
        Seed of the simulation.
    """

    image: npt.NDArray[np.float32]
    variance: npt.NDArray[np.float32]
    mask: npt.NDArray[np.int32]
    matched_image: npt.NDArray[np.float32]
    matched_variance: npt.NDArray[np.float32]
    matched_mask: npt.NDArray[np.int32]
    mask_planes: Mapping[str, int]
    visits: tuple[int, ...]
    psf_sigma: npt.NDArray[np.float64]
    matched_psf_sigma: npt.NDArray[np.float64]
    mjd: npt.NDArray[np.float64]
    band: str
    exposure_time: float
    origin: tuple[int, int]
    wcs: Any
    truth: Truth
    seed: int

    @property
    def shape(self) -> tuple[int, int]:
        """Shape ``(y, x)`` of the patch."""
        return self.truth.shape

    @property
    def psf(self) -> list[npt.NDArray[np.float32]]:
        """PSF of the direct warp of each epoch, as a ``(y, x)`` image of a star of flux 1."""
        kernels = [np.zeros((2 * _PSF_REACH + 1,) * 2, np.float32) for _ in self.psf_sigma]
        for kernel, sigma in zip(kernels, self.psf_sigma, strict=True):
            add_point_sources(kernel, _PSF_REACH, _PSF_REACH, 1.0, float(sigma))
        return kernels

    def stack(self) -> WarpStack:
        """Return the warps as a stack; nothing is copied."""
        return WarpStack.from_arrays(
            self.image,
            self.variance,
            self.mask,
            self.matched_image,
            self.matched_variance,
            self.matched_mask,
            mask_planes=self.mask_planes,
            psf_sigma=self.matched_psf_sigma,
            epochs=self.visits,
            origin=self.origin,
            wcs=self.wcs,
            psf=self.psf,
        )


def simulate_night(
    n_epochs: int = 20, shape: tuple[int, int] = (1024, 1024), seed: int = 1, workers: int = 2
) -> Night:
    """Simulate the warps of a patch of sky, with artifacts planted in single visits.

    The sky has stars up to saturation, galaxies, periodic stars and
    supernovae. Visits differ in seeing, noise, background and pointing. The
    matched warps are the direct ones, convolved: noise and artifacts are the
    same, and the noise is correlated.

    Parameters
    ----------
    n_epochs : int
        Number of epochs, >= 1. More epochs leave the earlier ones unchanged.
        The kinds of artifacts repeat every ten epochs.
    shape : tuple of int
        ``(y, x)``, pixels, each >= 64; of all epochs together at most 4e9.
    seed : int
        >= 0; the same seed gives the same pixels.
    workers : int
        Number of threads.

    Raises
    ------
    ValueError
        If the number of epochs, the shape or the seed is out of range.
    """
    if n_epochs < 1:
        raise ValueError(f"n_epochs is {n_epochs}; it must be 1 or more")
    if min(shape) < SMALLEST:
        raise ValueError(
            f"the patch is {shape[0]} × {shape[1]} pixels; each side must be {SMALLEST} or more"
        )
    if n_epochs * shape[0] * shape[1] > LARGEST:
        raise ValueError(
            f"the night has more than {LARGEST:.0e} pixels, and is held in memory; make fewer "
            "epochs, or a smaller patch"
        )
    if seed < 0:
        raise ValueError(f"seed is {seed}; it must be 0 or more")
    sky = draw_sky(shape, seed)
    visits = _draw_visits(n_epochs, seed)
    mjd = np.asarray(visits["mjd"])
    curves = [sky.variable_flux(days) for days in mjd - _FIRST_MJD]
    truth = Truth(
        static_sky=render_static(sky, shape),
        stars=sky.stars,
        galaxies=sky.galaxies,
        variables=sky.variables,
        light_curves=Table(
            {
                "visit": np.repeat(np.asarray(visits["visit"]), len(sky.variables)),
                "id": np.tile(np.asarray(sky.variables["id"]), n_epochs),
                "flux": np.concatenate(curves) * u.nJy,
            }
        ),
        visits=visits,
        artifacts=(),
    )
    cube = (n_epochs, *shape)
    image, variance, matched_image, matched_variance = (
        np.empty(cube, np.float32) for _ in range(4)
    )
    mask, matched_mask = (np.empty(cube, np.int32) for _ in range(2))

    def make(index: int) -> list[Artifact]:
        direct, artifacts = _make_direct(truth, seed, index)
        image[index], variance[index], mask[index] = direct
        matched = _match(*direct, float(visits["psf_sigma"][index]))
        matched_image[index], matched_variance[index], matched_mask[index] = matched
        return artifacts

    with ThreadPoolExecutor(workers) as pool:
        artifacts = tuple(artifact for each in pool.map(make, range(n_epochs)) for artifact in each)
    return Night(
        image=image,
        variance=variance,
        mask=mask,
        matched_image=matched_image,
        matched_variance=matched_variance,
        matched_mask=matched_mask,
        mask_planes=dict(LSST_PLANES),
        visits=tuple(visits["visit"].tolist()),
        psf_sigma=np.array(visits["psf_sigma"]),
        matched_psf_sigma=np.array(visits["matched_psf_sigma"]),
        mjd=np.array(mjd),
        band=_BAND,
        exposure_time=_EXPOSURE_TIME,
        origin=_ORIGIN,
        wcs=_make_wcs(shape),
        truth=replace(truth, artifacts=artifacts),
        seed=seed,
    )


def _draw_visits(n_epochs: int, seed: int) -> Table:
    """Draw time, seeing, noise and background of each visit."""
    rows = []
    for index in range(n_epochs):
        rng = stream(seed, Stream.VISIT, index)
        night, position = divmod(index, VISITS_PER_NIGHT)
        sky_sigma = rng.uniform(*_SKY_SIGMA)
        rows.append(
            {
                "visit": _FIRST_VISIT + index,
                "mjd": _FIRST_MJD
                + night * _DAYS_BETWEEN_NIGHTS
                + position * _MINUTES_BETWEEN_VISITS / 1440,
                "psf_sigma": rng.uniform(*_PSF_SIGMA),
                "matched_psf_sigma": _MATCHED_PSF_SIGMA,
                "sky_sigma": sky_sigma,
                "variance_factor": _WRONG_VARIANCE_FACTOR
                if index % _CYCLE == _WRONG_VARIANCE
                else 1.0,
                "background": rng.uniform(-_BACKGROUND, _BACKGROUND, 4) * sky_sigma,
            }
        )
    table = Table(rows)
    units = {"mjd": u.day, "psf_sigma": u.pix, "matched_psf_sigma": u.pix, "sky_sigma": u.nJy}
    for name, unit in {**units, "background": u.nJy}.items():
        table[name].unit = unit
    return table


def _make_wcs(shape: tuple[int, int]) -> WCS:
    """Return a tangent-plane projection centred on the patch."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = list(_CENTRE)
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-_PIXEL_SCALE, _PIXEL_SCALE]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.set()
    return wcs


def _make_direct(
    truth: Truth, seed: int, index: int
) -> tuple[tuple[npt.NDArray, npt.NDArray, npt.NDArray], list[Artifact]]:
    """Return image, variance and mask of one direct warp, and its artifacts."""
    row = truth.visits[index]
    conditions = VisitConditions(
        index, int(row["visit"]), float(row["sky_sigma"]), float(row["psf_sigma"])
    )
    layout = detector.draw_layout(truth.shape, seed, index)
    artifacts = plant(truth.shape, seed, conditions, layout)
    image = truth.sky(conditions.visit)
    for artifact in artifacts:
        image[artifact.y, artifact.x] += artifact.signal
    variance = conditions.sky_sigma**2 + np.maximum(image, 0) / detector.GAIN
    saturated = detector.saturate(image)
    noise = detector.correlated_noise(truth.shape, stream(seed, Stream.NOISE, index))
    image += np.sqrt(variance) * noise
    variance *= float(row["variance_factor"])
    bad = np.zeros(truth.shape, bool)
    for columns in layout.bad_columns:
        detector.repair_columns(image, columns)
        bad[:, columns] = True
    mask = detector.plane_bits(
        BAD=bad,
        INTRP=bad,
        SAT=saturated,
        EDGE=layout.edge,
        DETECTED=detector.detected(image, conditions.sky_sigma, conditions.psf_sigma),
        NO_DATA=layout.no_data,
    )
    mask[layout.no_data] = 1 << LSST_PLANES["NO_DATA"]
    image[layout.no_data] = np.nan
    variance[layout.no_data] = np.nan
    return (image, variance, mask), artifacts


def _match(
    image: npt.NDArray[np.float32],
    variance: npt.NDArray[np.float32],
    mask: npt.NDArray[np.int32],
    psf_sigma: float,
) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    """Convolve one direct warp to the common PSF, and grow its mask planes accordingly."""
    kernel_sigma = blur_sigma(psf_sigma, _MATCHED_PSF_SIGMA)
    hole = np.isnan(image)
    matched = blur(np.where(hole, np.float32(0), image), kernel_sigma)
    matched_variance = spread_variance(
        np.where(hole, np.float32(np.nanmedian(variance)), variance), kernel_sigma
    )
    # Closer than a kernel radius to a hole or to the border, flux is missing.
    reach = int(3 * kernel_sigma + 0.5)
    no_data = detector.dilate(hole, reach)
    no_data[:reach] = no_data[-reach:] = True
    no_data[:, :reach] = no_data[:, -reach:] = True
    spread = {
        name: detector.dilate((mask & (1 << LSST_PLANES[name])) != 0, 2 * kernel_sigma)
        for name in ("BAD", "INTRP", "SAT", "EDGE", "DETECTED")
    }
    matched_mask = detector.plane_bits(**spread, NO_DATA=no_data)
    matched_mask[no_data] = 1 << LSST_PLANES["NO_DATA"]
    matched[no_data] = np.nan
    matched_variance[no_data] = np.nan
    return matched, matched_variance, matched_mask
