"""The true sky: stars, galaxies, variable stars and supernovae."""

import math
from dataclasses import dataclass

import astropy.units as u
import numpy as np
import numpy.typing as npt
from astropy.modeling.functional_models import Sersic2D
from astropy.table import Table

from .psf import BASE_SIGMA, add_point_sources, convolve_with_psf
from .streams import Stream, stream

__all__ = ["Sky", "draw_sky", "flux_of", "render_static"]

#: AB magnitude of 1 nJy.
ZERO_POINT = 31.4

# Surface densities, per pixel: a field away from the galactic plane.
_STARS = 3.0e-4
_GALAXIES = 5.0e-4
_VARIABLES = 6.0e-6
_SUPERNOVAE = 1.0e-6

#: Surface density of stars that saturate in every visit, per pixel.
_SATURATED = 5.0e-6

_STAR_MAGNITUDES = (17.0, 26.0)
_STAR_SLOPE = 0.2
_GALAXY_MAGNITUDES = (18.5, 26.0)
_GALAXY_SLOPE = 0.32

#: Finer grid on which a galaxy is evaluated before it is summed into pixels.
_OVERSAMPLING = 3

#: Minimum distance of variables from saturated stars, pixels, so that their flux can be
#: measured.
_CLEAR_OF_SATURATION = 60.0


@dataclass(frozen=True)
class Sky:
    """The sources in the sky.

    Attributes
    ----------
    stars : Table
        Constant stars: ``id``, ``x``, ``y`` (array pixels), ``mag``, ``flux`` (nJy).
    galaxies : Table
        ``id``, ``x``, ``y``, ``mag``, ``flux``, ``r_eff`` (pixels), ``n``
        (Sérsic index), ``ellipticity``, ``theta`` (rad).
    variables : Table
        Periodic stars and supernovae: ``id``, ``kind`` ("periodic" or
        "supernova"), ``x``, ``y``, ``mag`` (mean or brightest), ``amplitude``
        (mag), ``period`` (d), ``phase`` (periods; for a supernova the days
        from the first visit to its explosion).
    """

    stars: Table
    galaxies: Table
    variables: Table

    def variable_flux(self, days: float) -> npt.NDArray[np.float64]:
        """Return the flux of each variable, nJy, at a time in days after the first visit."""
        table = self.variables
        phase = days / np.asarray(table["period"]) + np.asarray(table["phase"])
        swing = 0.5 * np.asarray(table["amplitude"]) * np.sin(2 * np.pi * phase)
        periodic = flux_of(np.asarray(table["mag"]) + swing)
        age = np.clip(days - np.asarray(table["phase"]), 0, None)
        exploding = flux_of(np.asarray(table["mag"])) * -np.expm1(-age / 2.5) * np.exp(-age / 40)
        return np.where(table["kind"] == "supernova", exploding, periodic)


def flux_of(mag: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the flux of an AB magnitude, nJy."""
    return 10 ** (0.4 * (ZERO_POINT - np.asarray(mag, dtype=float)))


def _magnitudes(
    rng: np.random.Generator, count: int, limits: tuple[float, float], slope: float
) -> npt.NDArray[np.float64]:
    """Draw magnitudes between limits from number counts N(<m) ∝ 10^(slope·m)."""
    bright, faint = (10 ** (slope * limit) for limit in limits)
    return np.log10(rng.uniform(bright, faint, count)) / slope


def _count(density: float, shape: tuple[int, int], at_least: int) -> int:
    return max(at_least, round(density * shape[0] * shape[1]))


def draw_sky(shape: tuple[int, int], seed: int) -> Sky:
    """Draw the sky of a patch.

    Parameters
    ----------
    shape : tuple of int
        ``(y, x)`` of the patch, pixels.
    seed : int
        Seed of the night.
    """
    stars = _draw_stars(shape, stream(seed, Stream.STARS))
    galaxies = _draw_galaxies(shape, stream(seed, Stream.GALAXIES))
    variables = _draw_variables(shape, stars, galaxies, stream(seed, Stream.VARIABLES))
    return Sky(stars, galaxies, variables)


def _catalogue(**columns: npt.ArrayLike) -> Table:
    """Return a catalogue with ids, and with units where columns have one."""
    count = len(np.asarray(columns["x"]))
    table = Table({"id": np.arange(1, count + 1), **columns})
    units = {"x": u.pix, "y": u.pix, "r_eff": u.pix, "mag": u.mag, "theta": u.rad, "period": u.day}
    for name in set(units) & set(table.colnames):
        table[name].unit = units[name]
    return table


def _draw_stars(shape: tuple[int, int], rng: np.random.Generator) -> Table:
    count = _count(_STARS, shape, at_least=10)
    saturated = _count(_SATURATED, shape, at_least=1)
    mag = _magnitudes(rng, count, _STAR_MAGNITUDES, _STAR_SLOPE)
    y, x = (rng.uniform(-0.5, size - 0.5, count) for size in shape)
    mag[:saturated] = rng.uniform(14.8, 16.2, saturated)
    # Saturated stars are kept away from the border, which would cut off their bleeds.
    y[:saturated], x[:saturated] = (rng.uniform(0.1, 0.9, saturated) * size for size in shape)
    table = _catalogue(x=x, y=y, mag=mag)
    table["flux"] = flux_of(mag) * u.nJy
    return table


def _draw_galaxies(shape: tuple[int, int], rng: np.random.Generator) -> Table:
    count = _count(_GALAXIES, shape, at_least=10)
    mag = _magnitudes(rng, count, _GALAXY_MAGNITUDES, _GALAXY_SLOPE)
    y, x = (rng.uniform(-0.5, size - 0.5, count) for size in shape)
    # Fainter galaxies are smaller, with a scatter similar to that in deep fields.
    r_eff = 3.0 * 10 ** (-0.12 * (mag - 22.5) + rng.normal(0, 0.15, count))
    table = _catalogue(
        x=x,
        y=y,
        mag=mag,
        r_eff=np.clip(r_eff, 0.8, 14.0),
        n=rng.choice([1.0, 1.0, 1.0, 1.5, 2.5], count),
        ellipticity=rng.uniform(0.0, 0.75, count),
        theta=rng.uniform(0, np.pi, count),
    )
    table["flux"] = flux_of(mag) * u.nJy
    return table


def _draw_variables(
    shape: tuple[int, int], stars: Table, galaxies: Table, rng: np.random.Generator
) -> Table:
    """Draw periodic stars at random positions, and supernovae in galaxies."""
    n_periodic = _count(_VARIABLES, shape, at_least=2)
    n_supernovae = _count(_SUPERNOVAE, shape, at_least=1)
    hosts = galaxies[(galaxies["mag"] < 24) & (galaxies["r_eff"] > 2)]
    bright = stars[stars["mag"] < 17.5]
    xs, ys = [], []
    for index in range(n_periodic + n_supernovae):
        # Limited, so that a small or crowded patch still gets its variables.
        for _ in range(200):
            if index < n_periodic or len(hosts) == 0:
                y, x = (rng.uniform(0.1, 0.9) * size for size in shape)
            else:
                host = hosts[rng.integers(len(hosts))]
                angle = rng.uniform(0, 2 * np.pi)
                y = host["y"] + host["r_eff"] * math.sin(angle)
                x = host["x"] + host["r_eff"] * math.cos(angle)
            inside = all(0.08 * n < v < 0.92 * n for v, n in zip((y, x), shape, strict=True))
            distance = np.hypot(bright["x"] - x, bright["y"] - y)
            if inside and np.all(distance > _CLEAR_OF_SATURATION):
                break
        xs.append(float(x))
        ys.append(float(y))
    supernova = np.arange(n_periodic + n_supernovae) >= n_periodic
    periodic_mag = rng.uniform(19.5, 21.5, supernova.size)
    return _catalogue(
        kind=np.where(supernova, "supernova", "periodic"),
        x=xs,
        y=ys,
        mag=np.where(supernova, rng.uniform(20.0, 21.0, supernova.size), periodic_mag),
        amplitude=np.where(supernova, 0.0, rng.uniform(0.6, 1.2, supernova.size)),
        period=np.where(supernova, 1.0, rng.uniform(0.03, 0.3, supernova.size)),
        phase=np.where(supernova, 1.0, rng.uniform(0, 1, supernova.size)),
    )


def render_static(sky: Sky, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return the static sky, convolved with the PSF of core width `BASE_SIGMA`.

    Parameters
    ----------
    sky : Sky
        Stars and galaxies.
    shape : tuple of int
        ``(y, x)``, pixels.

    Returns
    -------
    ndarray of float32
        ``(y, x)``, nJy. Convolved with a Gaussian, it is the static sky of a visit.
    """
    galaxies = np.zeros(shape, np.float32)
    for row in sky.galaxies:
        _add_galaxy(galaxies, row)
    image = convolve_with_psf(galaxies, BASE_SIGMA)
    stars = sky.stars
    add_point_sources(image, stars["x"], stars["y"], stars["flux"], BASE_SIGMA)
    return image


def _add_galaxy(image: npt.NDArray[np.float32], row: Table.Row) -> None:
    """Add one galaxy, not convolved with a PSF, to an image."""
    reach = math.ceil(6 * row["r_eff"])
    middle_y, middle_x = round(float(row["y"])), round(float(row["x"]))
    fine = (np.arange((2 * reach + 1) * _OVERSAMPLING) + 0.5) / _OVERSAMPLING - 0.5 - reach
    light = Sersic2D.evaluate(
        *np.meshgrid(fine, fine),
        amplitude=1.0,
        r_eff=row["r_eff"],
        n=row["n"],
        x_0=row["x"] - middle_x,
        y_0=row["y"] - middle_y,
        ellip=row["ellipticity"],
        theta=row["theta"],
    )
    side = 2 * reach + 1
    stamp = light.reshape(side, _OVERSAMPLING, side, _OVERSAMPLING).sum(axis=(1, 3))
    stamp *= row["flux"] / stamp.sum()
    y0, x0 = middle_y - reach, middle_x - reach
    rows = slice(max(y0, 0), max(min(y0 + side, image.shape[0]), 0))
    columns = slice(max(x0, 0), max(min(x0 + side, image.shape[1]), 0))
    image[rows, columns] += stamp[
        rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0
    ]
