"""Streaks: straight lines among the detected pixels of one warp difference.

Satellites and aircraft leave trails that cross a whole image. They are told
by their straight edges, whatever the other epochs show in the same place.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .edges import Edge, far_from_saturation, straight_edges
from .profile import LineFit, LineFitError, fit_line, moffat

__all__ = ["Streak", "find_streaks", "streak_mask"]

log = logging.getLogger(__name__)

#: A streak is at least this many times longer than its full width at half maximum.
MIN_ELONGATION = 5.0

#: A bend counts when it is this many times its error.
BEND_SIGMA = 3.0

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Streak:
    """A straight line through the whole image, with the profile across it.

    The line is ``x cos(theta) + y sin(theta) = rho`` in array coordinates:
    the centre of pixel ``[y, x]`` is at (x, y).

    Attributes
    ----------
    rho : float
        Signed distance of the line from the centre of pixel [0, 0], pixels.
    theta : float
        Direction of the line's normal, degrees from the x axis towards the y
        axis, 0 ≤ theta < 180: 0 for a vertical streak, 90 for a horizontal one.
    width : float
        Width of the Moffat profile (exponent 2.5), pixels, > 0.
    half_width : float
        How far the streak's footprint reaches from the line, pixels.
    peak : float
        Brightness on the line, in the image's unit, > 0.
    significance : float
        The peak divided by its standard deviation.
    """

    rho: float
    theta: float
    width: float
    half_width: float
    peak: float
    significance: float

    def distance(self, y: npt.ArrayLike, x: npt.ArrayLike) -> FloatArray:
        """Return the signed distance of some positions from the line, pixels."""
        angle = np.deg2rad(self.theta)
        return np.asarray(x) * np.cos(angle) + np.asarray(y) * np.sin(angle) - self.rho

    def profile(self, distance: npt.ArrayLike) -> FloatArray:
        """Return the fitted brightness at some distances from the line, in the image's unit."""
        return self.peak * moffat(distance, self.width)

    def footprint(self, shape: tuple[int, int]) -> BoolArray:
        """Return the pixels of an image that lie under the streak.

        Parameters
        ----------
        shape : tuple of int
            Shape ``(y, x)`` of the image.
        """
        y, x = np.ogrid[: shape[0], : shape[1]]
        return np.abs(self.distance(y, x)) < self.half_width


def find_streaks(
    difference: npt.NDArray[np.floating],
    variance: npt.NDArray[np.floating],
    detected: BoolArray,
    blocked: BoolArray,
    saturated_detected: BoolArray,
    *,
    min_edge_pixels: int = 50,
    max_deviation: float = 2.0,
    rho_bin: float = 30.0,
    theta_bin: float = 2.0,
    profile_sigma: float = 5.0,
    saturation_distance: int = 250,
) -> list[Streak]:
    """Find the straight lines among the detected pixels of one difference.

    Parameters
    ----------
    difference, variance : ndarray
        ``(y, x)`` warp difference and its variance, e.g. in nJy and nJy².
        NaN and variances that are not > 0 are left out.
    detected : ndarray of bool
        ``(y, x)`` pixels of the positive detections, grown.
    blocked : ndarray of bool
        ``(y, x)`` pixels that cannot be trusted. Outlines of detections
        within 1 pixel of them are not looked at, nor are they fitted.
    saturated_detected : ndarray of bool
        ``(y, x)`` detected pixels that are saturated.
    min_edge_pixels : int
        A straight piece of an outline has at least this many pixels.
    max_deviation : float
        How far its pixels may stray from straight, pixels, > 0.
    rho_bin : float
        Edges nearer than this may be those of one line, and no streak is wider
        at half maximum. Pixels, > 0.
    theta_bin : float
        Edges whose directions differ by less than this may be those of one
        line; what bends by more is no line. Degrees, > 0.
    profile_sigma : float
        Half-width of a streak's footprint, in widths of its profile, > 0.
    saturation_distance : int
        No outline is looked at this near a saturated detection, pixels: bleed
        trails and diffraction spikes are straight too.

    Returns
    -------
    list of Streak
        The streaks, the longest outline first. The same input always gives
        the same list.

    Raises
    ------
    ValueError
        If the arrays differ in shape.

    Notes
    -----
    The outlines of the detections are cut into straight pieces (Douglas and
    Peucker 1973, Cartographica 10, 112), and the pieces that could be the two
    edges of one trail are fitted together with a profile on the difference
    itself; see `fit_line`. A line is dropped, with the reason in the log at
    level DEBUG, when the fit fails or its result is not a streak: too wide, not
    5 times longer than wide, or bent.
    """
    _check_shapes(difference, variance, detected, blocked, saturated_detected)
    edges = far_from_saturation(
        straight_edges(detected, blocked, min_edge_pixels, max_deviation),
        saturated_detected,
        saturation_distance,
        min_edge_pixels,
    )
    edges.sort(key=lambda edge: -edge.length)
    if not edges:
        return []
    usable = np.isfinite(difference) & (variance > 0) & np.isfinite(variance) & ~blocked

    streaks: list[Streak] = []
    while edges:
        seed = edges[0]
        slack = _theta_slack(seed, theta_bin, max_deviation)
        group = [edge for edge in edges if _is_beside(edge, seed, rho_bin, slack)]
        centre, angle, length = _common_line(group)
        try:
            fit = fit_line(
                difference, variance, usable, centre, angle, length, step=0.5 * min_edge_pixels
            )
            _require_streak(fit, rho_bin, theta_bin)
        except LineFitError as reason:
            log.debug("no streak along (x, y) %s to %s: %s", *seed.ends.round(1).tolist(), reason)
            edges = edges[1:]
            continue
        streak = _streak(fit, profile_sigma)
        streaks.append(streak)
        # Else a fainter trail that crosses at a small angle would be drawn to this one.
        usable &= ~streak.footprint(detected.shape)
        edges = [
            edge for edge in edges[1:] if not _is_explained(edge, streak, theta_bin, max_deviation)
        ]
    return streaks


def streak_mask(streaks: Iterable[Streak], detected: BoolArray) -> BoolArray:
    """Return the detected pixels that lie under some streaks.

    Parameters
    ----------
    streaks : iterable of Streak
        What `find_streaks` found.
    detected : ndarray of bool
        ``(y, x)`` pixels of the detections.
    """
    y, x = np.nonzero(detected)
    under = np.zeros(y.shape, dtype=bool)
    for streak in streaks:
        under |= np.abs(streak.distance(y, x)) < streak.half_width
    mask = np.zeros(detected.shape, dtype=bool)
    mask[y[under], x[under]] = True
    return mask


def _check_shapes(difference: npt.NDArray, *others: npt.NDArray) -> None:
    """Refuse planes that do not lie on the same pixels."""
    names = ("variance", "detected", "blocked", "saturated_detected")
    for name, plane in zip(names, others, strict=True):
        if plane.shape != difference.shape:
            raise ValueError(
                f"{name} has shape {plane.shape} where difference has {difference.shape}"
            )


def _is_beside(edge: Edge, seed: Edge, distance: float, theta_slack: float) -> bool:
    """Return whether two edges may be those of one trail."""
    if _turn(edge.theta, seed.theta) > theta_slack:
        return False
    return bool((np.abs(_offsets(seed, edge.ends)) < distance).all())


def _turn(theta: float, other: float) -> float:
    """Return the angle between two lines, degrees, 0 to 90."""
    turn = abs(theta - other) % 180.0
    return min(turn, 180.0 - turn)


def _offsets(seed: Edge, points: FloatArray) -> FloatArray:
    """Return the signed distance of points (x, y) from the line of an edge."""
    angle = np.deg2rad(seed.theta)
    return (points - seed.ends[0]) @ np.array([np.cos(angle), np.sin(angle)])


def _common_line(group: Sequence[Edge]) -> tuple[tuple[float, float], float, float]:
    """Return centre, normal and length of the line amid some edges.

    The longest edge, the first, gives the direction; the line lies halfway
    between the outermost edges, as a trail lies between its two.
    """
    seed = group[0]
    angle = float(np.deg2rad(seed.theta))
    normal = np.array([np.cos(angle), np.sin(angle)])
    along = np.array([-normal[1], normal[0]])
    points = np.concatenate([edge.ends for edge in group])
    across_range, along_range = points @ normal, points @ along
    middle = normal * 0.5 * (across_range.min() + across_range.max())
    middle += along * 0.5 * (along_range.min() + along_range.max())
    return (float(middle[0]), float(middle[1])), angle, float(np.ptp(along_range))


def _require_streak(fit: LineFit, max_fwhm: float, theta_bin: float) -> None:
    """Refuse a fit that does not describe a streak."""
    if fit.fwhm > max_fwhm:
        raise LineFitError(f"its profile is {fit.fwhm:.0f} pixels wide")
    if fit.lit_length < MIN_ELONGATION * fit.fwhm:
        raise LineFitError(
            f"it is {fit.lit_length:.0f} pixels long and {fit.fwhm:.0f} wide: not a line"
        )
    if fit.turn > max(np.deg2rad(theta_bin), BEND_SIGMA * fit.turn_error):
        raise LineFitError(f"it bends by {np.rad2deg(fit.turn):.1f} degrees")


def _streak(fit: LineFit, profile_sigma: float) -> Streak:
    """Return the streak that a fit describes, in terms of the image's own axes."""
    # Twice, because the remainder of a tiny negative angle is rounded to 180 itself.
    theta = np.rad2deg(fit.angle) % 180.0 % 180.0
    angle = np.deg2rad(theta)
    return Streak(
        rho=float(fit.x * np.cos(angle) + fit.y * np.sin(angle)),
        theta=float(theta),
        width=fit.width,
        half_width=profile_sigma * fit.width,
        peak=fit.peak,
        significance=fit.peak / fit.peak_error,
    )


def _is_explained(edge: Edge, streak: Streak, theta_bin: float, max_deviation: float) -> bool:
    """Return whether an edge is one more piece of a streak that is already found."""
    if _turn(edge.theta, streak.theta) > _theta_slack(edge, theta_bin, max_deviation):
        return False
    distance = streak.distance(edge.ends[:, 1], edge.ends[:, 0])
    return bool((np.abs(distance) < streak.half_width).all())


def _theta_slack(edge: Edge, theta_bin: float, max_deviation: float) -> float:
    """Return how far a trail's direction may be from that of its edge, degrees.

    The shorter an edge is, the further its direction is off for the same
    deviation from straight.
    """
    return theta_bin + float(np.rad2deg(2.0 * max_deviation / edge.length))
