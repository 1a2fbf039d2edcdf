"""Artifacts that are planted into single visits."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .detector import Layout, resample
from .psf import add_point_sources
from .streams import Stream, stream

__all__ = ["KINDS", "Artifact", "VisitConditions", "plant"]

#: Every kind of artifact, by the name that tables and scores use.
KINDS = ("trail", "ghost", "cosmic ray", "asteroid", "glint")

#: Signal below this fraction of the sky noise is dropped: the sum of a hundred
#: such pixels is not more than the noise of one.
_FAINTEST = 0.01

#: Which of ten consecutive visits get which artifacts; cosmic rays are in all of
#: them, and asteroids cross in every second night.
_TRAILS = {1: 1, 3: 2, 5: 1, 7: 1, 8: 1}
_GHOSTS = (2,)
_GLINTS = (4,)
_CYCLE = 10

#: Visits in a night, and pixels of the patch per cosmic ray.
VISITS_PER_NIGHT = 4
_PIXELS_PER_COSMIC_RAY = 40_000


@dataclass(frozen=True)
class VisitConditions:
    """The conditions of a visit, on which the appearance of an artifact depends.

    Attributes
    ----------
    index : int
        The index of the visit in the series.
    visit : int
        Its id.
    sky_sigma : float
        Noise of a sky pixel, nJy.
    psf_sigma : float
        Gaussian sigma of the PSF's core, pixels.
    """

    index: int
    visit: int
    sky_sigma: float
    psf_sigma: float


@dataclass(frozen=True)
class Artifact:
    """One planted artifact: the light that it adds to the direct warp.

    Attributes
    ----------
    id : int
        Unique within the night.
    kind : str
        One of `KINDS`. All cosmic rays of a visit are one artifact.
    visit : int
        The visit in which it is.
    y, x : ndarray of int32
        ``(pixel,)`` array coordinates of its pixels.
    signal : ndarray of float32
        ``(pixel,)``, nJy, > 0.
    """

    id: int
    kind: str
    visit: int
    y: npt.NDArray[np.int32]
    x: npt.NDArray[np.int32]
    signal: npt.NDArray[np.float32]

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of its bounding box."""
        return (
            slice(int(self.y.min()), int(self.y.max()) + 1),
            slice(int(self.x.min()), int(self.x.max()) + 1),
        )


def plant(
    shape: tuple[int, int], seed: int, conditions: VisitConditions, layout: Layout
) -> list[Artifact]:
    """Draw the artifacts of one visit.

    Parameters
    ----------
    shape : tuple of int
        ``(y, x)`` of the patch, pixels.
    seed : int
        Seed of the night.
    conditions : VisitConditions
        The visit.
    layout : Layout
        Its detectors: a glint is at the edge of one.
    """
    planted = []
    for number, (kind, light) in enumerate(_draw(shape, seed, conditions, layout), start=1):
        y, x = np.nonzero(light >= _FAINTEST * conditions.sky_sigma)
        if y.size:
            planted.append(
                Artifact(
                    id=100 * (conditions.index + 1) + number,
                    kind=kind,
                    visit=conditions.visit,
                    y=y.astype(np.int32),
                    x=x.astype(np.int32),
                    signal=light[y, x].astype(np.float32),
                )
            )
    return planted


def _draw(
    shape: tuple[int, int], seed: int, conditions: VisitConditions, layout: Layout
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Yield kind and image of each artifact of a visit."""
    position = conditions.index % _CYCLE
    for number in range(_TRAILS.get(position, 0)):
        yield (
            "trail",
            _trail(shape, stream(seed, Stream.TRAIL, conditions.index, number), conditions),
        )
    if position in _GHOSTS:
        yield "ghost", _ghost(shape, stream(seed, Stream.GHOST, conditions.index), conditions)
    if position in _GLINTS:
        yield (
            "glint",
            _glint(shape, stream(seed, Stream.GLINT, conditions.index), conditions, layout),
        )
    night, position = divmod(conditions.index, VISITS_PER_NIGHT)
    if night % 2:
        yield (
            "asteroid",
            _asteroid(shape, stream(seed, Stream.ASTEROID, night), conditions, position),
        )
    yield (
        "cosmic ray",
        _cosmic_rays(shape, stream(seed, Stream.COSMIC_RAYS, conditions.index), conditions),
    )


def _grid(shape: tuple[int, int]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return a column of row numbers and a row of column numbers."""
    return np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)


def _trail(
    shape: tuple[int, int], rng: np.random.Generator, conditions: VisitConditions
) -> npt.NDArray[np.float32]:
    """Return a satellite trail: a core, slightly out of focus, with faint wide wings."""
    y, x = _grid(shape)
    angle = rng.uniform(0, math.pi)
    through_y, through_x = (rng.uniform(0.2, 0.8) * size for size in shape)
    across = (y - through_y) * math.cos(angle) - (x - through_x) * math.sin(angle)
    along = (y - through_y) * math.sin(angle) + (x - through_x) * math.cos(angle)
    core = math.hypot(conditions.psf_sigma, rng.uniform(0.6, 1.2))
    wings = 4.0 * core
    shape_across = np.exp(-0.5 * (across / core) ** 2) + 0.025 * np.exp(
        -0.5 * (across / wings) ** 2
    )
    # Satellites tumble: their brightness varies slowly along the trail.
    variation = 1 + rng.uniform(0, 0.3) * np.sin(along / rng.uniform(60, 200) + rng.uniform(0, 6))
    peak = conditions.sky_sigma * math.exp(rng.uniform(math.log(8), math.log(45)))
    return (peak * shape_across * variation).astype(np.float32)


def _ghost(
    shape: tuple[int, int], rng: np.random.Generator, conditions: VisitConditions
) -> npt.NDArray[np.float32]:
    """Return a ghost: a faint, out-of-focus image of the pupil, a disc with a dark centre."""
    y, x = _grid(shape)
    centre_y, centre_x = (rng.uniform(0.3, 0.7) * size for size in shape)
    outer = rng.uniform(0.13, 0.19) * min(shape)
    inner = rng.uniform(0.4, 0.6) * outer
    radius = np.hypot(y - centre_y, x - centre_x)
    softness = 2.5
    disc = 1 / (1 + np.exp(np.clip((radius - outer) / softness, -50, 50)))
    hole = 1 / (1 + np.exp(np.clip((radius - inner) / softness, -50, 50)))
    # The reflection is oblique: one side is brighter.
    tilt = 1 + 0.2 * (x - centre_x) / outer
    return (conditions.sky_sigma * rng.uniform(2.5, 3.5) * (disc - hole) * tilt).astype(np.float32)


def _glint(
    shape: tuple[int, int], rng: np.random.Generator, conditions: VisitConditions, layout: Layout
) -> npt.NDArray[np.float32]:
    """Return light scattered off the edge of a detector, which fades with distance from it."""
    y, x = _grid(shape)
    edge = int(rng.choice(layout.gap_columns)) if layout.gap_columns else 0
    centre = rng.uniform(0.25, 0.75) * shape[0]
    depth, height = rng.uniform(8, 16), rng.uniform(20, 40)
    inside = np.where(x >= edge, np.exp(-(np.maximum(x - edge, 0)) / depth), 0)
    along = np.exp(-0.5 * ((y - centre) / height) ** 2)
    return (conditions.sky_sigma * rng.uniform(15, 40) * inside * along).astype(np.float32)


def _asteroid(
    shape: tuple[int, int], rng: np.random.Generator, conditions: VisitConditions, position: int
) -> npt.NDArray[np.float32]:
    """Return an asteroid in one of the visits of its night: a short trail that moves."""
    angle = rng.uniform(0, 2 * math.pi)
    # 3 to 4 arcsec per minute: a trail of about 8 pixels in 30 s, and 60 to 80 pixels to the
    # next visit, 4 minutes later.
    length = rng.uniform(7.5, 10)
    step = 8 * length
    middle_y, middle_x = (rng.uniform(0.4, 0.6) * size for size in shape)
    peak = conditions.sky_sigma * rng.uniform(12, 25)
    shift = (position - (VISITS_PER_NIGHT - 1) / 2) * step
    along = shift + length * np.linspace(-0.5, 0.5, 25)
    light = np.zeros(shape, np.float32)
    add_point_sources(
        light,
        middle_x + along * math.cos(angle),
        middle_y + along * math.sin(angle),
        np.ones_like(along),
        conditions.psf_sigma,
    )
    brightest = float(light.max())
    return light * (peak / brightest) if brightest > 0 else light


def _cosmic_rays(
    shape: tuple[int, int], rng: np.random.Generator, conditions: VisitConditions
) -> npt.NDArray[np.float32]:
    """Return cosmic rays: short or long, and sharp, since no seeing blurs them."""
    count = max(2, rng.poisson(shape[0] * shape[1] / _PIXELS_PER_COSMIC_RAY))
    light = np.zeros(shape, np.float32)
    for _ in range(count):
        angle = rng.uniform(0, math.pi)
        length = 1 + rng.exponential(7.0)
        start_y, start_x = (rng.uniform(0, size - 1) for size in shape)
        steps = np.arange(0, length, 0.25)
        rows = np.rint(start_y + steps * math.sin(angle)).astype(int)
        columns = np.rint(start_x + steps * math.cos(angle)).astype(int)
        inside = (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        charge = conditions.sky_sigma * math.exp(rng.uniform(math.log(25), math.log(250)))
        np.add.at(light, (rows[inside], columns[inside]), 0.25 * charge)
    return resample(light)
