"""The brightness of a streak across its line, and its fit to a difference image."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, least_squares

__all__ = ["MOFFAT_EXPONENT", "LineFit", "LineFitError", "fit_line", "moffat"]

#: Exponent of the profile across a streak.
MOFFAT_EXPONENT = 2.5

#: Width that a fit starts from, pixels.
START_WIDTH = 10.0

#: Half-width of the band of pixels that a line is fitted to, pixels.
BAND_HALF_WIDTH = 50.0

#: Pixels this many sigma, and this fraction of the model, away from a first
#: fit belong to something else: a star beside the trail, or another trail.
CLIP_SIGMA = 5.0
CLIP_FRACTION = 0.5

#: The lanes along a trail that tell how bright it is before any fit, pixels.
LANE_WIDTH = 5.0

#: A part of a line has light when it is this many sigma brighter than nothing.
LIT_SIGMA = 3.0

#: Full width at half maximum of a profile of width 1.
FWHM = 2.0 * float(np.sqrt(2.0 ** (1.0 / MOFFAT_EXPONENT) - 1.0))

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class LineFitError(ValueError):
    """A line that no profile could be fitted to; the message says why."""


def moffat(distance: npt.ArrayLike, width: float) -> FloatArray:
    """Return the profile of a streak, 1 on its line.

    Parameters
    ----------
    distance : array_like
        Distance from the line, pixels, of either sign.
    width : float
        Width of the profile, pixels, not 0.

    Notes
    -----
    ``(1 + (distance / width)**2) ** -2.5``, the profile of Moffat (1969, A&A
    3, 455) with exponent 2.5. Its full width at half maximum is 1.13 widths.
    """
    return (1.0 + (np.asarray(distance, dtype=np.float64) / width) ** 2) ** -MOFFAT_EXPONENT


@dataclass(frozen=True)
class LineFit:
    """A straight piece of a line, with the profile fitted across it.

    Attributes
    ----------
    x, y : float
        Middle of the piece, pixels, in array coordinates.
    angle : float
        Direction of the normal of the line, radians from the x axis to the y axis.
    length : float
        Length of the piece, pixels.
    width : float
        Width of the profile, pixels, > 0.
    peak, peak_error : float
        Brightness on the line and its standard deviation, in the image's unit.
    turn, turn_error : float
        By how much the two ends differ in direction, radians: 0 for a straight line.
    lit_length : float
        Length of the parts of the piece that are brighter than nothing by 3
        sigma, pixels.
    """

    x: float
    y: float
    angle: float
    length: float
    width: float
    peak: float
    peak_error: float
    turn: float
    turn_error: float
    lit_length: float

    @property
    def fwhm(self) -> float:
        """Full width at half maximum of the profile, pixels."""
        return FWHM * self.width


@dataclass(frozen=True)
class _Band:
    """Pixels beside a piece of a line: where they are, and their signal over noise."""

    across: FloatArray  # distance from the line, pixels
    along: FloatArray  # position on the piece, -1 and 1 at its ends
    value: FloatArray
    inverse_sigma: FloatArray

    def take(self, keep: BoolArray) -> "_Band":
        """Return some of the pixels."""
        return _Band(
            self.across[keep], self.along[keep], self.value[keep], self.inverse_sigma[keep]
        )


def fit_line(
    difference: npt.NDArray[np.floating],
    variance: npt.NDArray[np.floating],
    usable: BoolArray,
    centre: tuple[float, float],
    angle: float,
    length: float,
    step: float,
) -> LineFit:
    """Fit the position, direction and profile of a piece of a line.

    Parameters
    ----------
    difference, variance : ndarray
        ``(y, x)`` image and its variance, in the image's unit and its square.
    usable : ndarray of bool
        ``(y, x)`` pixels that may be used: finite, with a variance > 0.
    centre : tuple of float
        x, y of the middle of the piece, pixels.
    angle : float
        First guess of the direction of the line's normal, radians.
    length : float
        Length of the piece, pixels, > 0.
    step : float
        Length of the parts that are looked at one by one for light, pixels.

    Raises
    ------
    LineFitError
        If no profile fits: too few pixels, a fit that runs away or does not
        converge, or nothing brighter than its surroundings.

    Notes
    -----
    Least squares with inverse variances as weights, over all usable pixels
    within 50 pixels of the line, for the offset, the direction, a bend, the
    width and the peak. The bend is there to be looked at: an arc of a ring
    passes for a line in everything else. Stars that outshine the trail are
    left out, and a second fit leaves out all that the first shows to be
    another object.
    """
    half = 0.5 * length
    x, y = centre
    start: FloatArray | None = None
    for _ in range(2):
        band = _band(difference, variance, usable, (x, y), angle, half)
        band = band.take(_like_trail(band, start))
        solution = _fit_band(band, start)
        offset, slope, _, width, _ = solution.x
        if abs(offset) > BAND_HALF_WIDTH or abs(slope) > BAND_HALF_WIDTH:
            raise LineFitError("the fit runs away from the edges that it started from")
        x, y = x + offset * np.cos(angle), y + offset * np.sin(angle)
        angle -= float(np.arctan2(slope, half))
        start = np.array([0.0, 0.0, *solution.x[2:]])
    _, _, bend, width, peak = solution.x
    errors = _standard_errors(solution.jac)
    return LineFit(
        x=float(x),
        y=float(y),
        angle=float(angle),
        length=length,
        width=abs(float(width)),
        peak=float(peak),
        peak_error=float(errors[4]),
        turn=4.0 * abs(float(bend)) / half,
        turn_error=4.0 * float(errors[2]) / half,
        lit_length=_lit_length(band, solution.x, half, step),
    )


def _band(
    difference: npt.NDArray[np.floating],
    variance: npt.NDArray[np.floating],
    usable: BoolArray,
    centre: tuple[float, float],
    angle: float,
    half: float,
) -> _Band:
    """Return the usable pixels within the band beside a piece of a line."""
    x_centre, y_centre = centre
    cos, sin = np.cos(angle), np.sin(angle)
    reach = np.abs([cos, sin]) * BAND_HALF_WIDTH + np.abs([sin, cos]) * half
    height, width = difference.shape
    x_range = slice(max(0, int(x_centre - reach[0])), min(width, int(x_centre + reach[0]) + 2))
    y_range = slice(max(0, int(y_centre - reach[1])), min(height, int(y_centre + reach[1]) + 2))
    # Single precision places a pixel to a thousandth, in half the memory.
    dx = np.arange(x_range.start, x_range.stop, dtype=np.float32) - np.float32(x_centre)
    dy = np.arange(y_range.start, y_range.stop, dtype=np.float32) - np.float32(y_centre)
    across = np.add.outer(dy * np.float32(sin), dx * np.float32(cos))
    along = np.add.outer(dy * np.float32(cos), dx * np.float32(-sin))
    inside = (
        (np.abs(across) <= BAND_HALF_WIDTH) & (np.abs(along) <= half) & usable[y_range, x_range]
    )
    return _Band(
        across[inside].astype(np.float64),
        along[inside].astype(np.float64) / half,
        difference[y_range, x_range][inside].astype(np.float64),
        1.0 / np.sqrt(variance[y_range, x_range][inside].astype(np.float64)),
    )


def _like_trail(band: _Band, parameters: FloatArray | None) -> BoolArray:
    """Return the pixels that may belong to the trail or to the empty sky beside it."""
    noise = CLIP_SIGMA / band.inverse_sigma
    if parameters is not None:
        expected = _model(parameters, band)
        return np.abs(band.value - expected) <= noise + CLIP_FRACTION * expected
    # A trail lights most of a lane, a star a small part of it.
    lane = np.floor(band.across / LANE_WIDTH)
    brightness = max((np.quantile(band.value[lane == n], 0.75) for n in np.unique(lane)), default=0)
    return (band.value >= -noise) & (band.value <= noise + 2.0 * max(brightness, 0.0))


def _distance(parameters: FloatArray, band: _Band) -> FloatArray:
    """Return the distance of the pixels from the shifted, turned and bent line."""
    offset, slope, bend = parameters[:3]
    # The bend is counted from its mean, so that it is independent of the offset.
    return band.across - offset - slope * band.along - bend * (band.along**2 - 1.0 / 3.0)


def _model(parameters: FloatArray, band: _Band) -> FloatArray:
    """Return the brightness that the parameters give to the pixels."""
    return parameters[4] * moffat(_distance(parameters, band), parameters[3])


def _fit_band(band: _Band, start: FloatArray | None) -> OptimizeResult:
    """Return the least-squares solution for offset, slope, bend, width and peak."""
    if band.value.size < 10:
        raise LineFitError("too few usable pixels")
    if start is None:
        shape = moffat(band.across, START_WIDTH) * band.inverse_sigma
        peak = float(shape @ (band.value * band.inverse_sigma) / (shape @ shape))
        start = np.array([0.0, 0.0, 0.0, START_WIDTH, peak])
    if start[4] <= 0:
        raise LineFitError("it is not brighter than its surroundings")

    def residuals(parameters: FloatArray) -> FloatArray:
        return (_model(parameters, band) - band.value) * band.inverse_sigma

    def jacobian(parameters: FloatArray) -> FloatArray:
        width, peak = parameters[3:]
        distance = _distance(parameters, band)
        base = 1.0 + (distance / width) ** 2
        profile = base**-MOFFAT_EXPONENT
        shift = 2.0 * MOFFAT_EXPONENT * peak * distance / width**2 * profile / base
        columns = (
            shift,
            shift * band.along,
            shift * (band.along**2 - 1.0 / 3.0),
            shift * distance / width,
            profile,
        )
        return np.stack(columns, axis=1) * band.inverse_sigma[:, np.newaxis]

    scale = np.array([1.0, 1.0, 1.0, START_WIDTH, start[4]])
    solution = least_squares(
        residuals, start, jac=jacobian, x_scale=scale, method="lm", ftol=1e-6, max_nfev=60
    )
    if not solution.success or not np.isfinite(solution.x).all():
        raise LineFitError("the fit does not converge")
    if solution.x[4] <= 0:
        raise LineFitError("it is not brighter than its surroundings")
    return solution


def _standard_errors(jacobian: FloatArray) -> npt.NDArray[np.floating]:
    """Return the standard deviations of the parameters of a weighted fit."""
    unsettled = LineFitError("its pixels do not settle position, width and peak")
    try:
        squares = np.diag(np.linalg.inv(jacobian.T @ jacobian))
    except np.linalg.LinAlgError:
        raise unsettled from None
    if not (squares > 0).all():
        raise unsettled
    return np.sqrt(squares)


def _lit_length(band: _Band, parameters: FloatArray, half: float, step: float) -> float:
    """Return the length of the parts that have light on the line."""
    parts = max(1, round(2.0 * half / step))
    index = np.minimum((0.5 * (band.along + 1.0) * parts).astype(np.intp), parts - 1)
    shape = moffat(_distance(parameters, band), parameters[3]) * band.inverse_sigma
    signal = np.bincount(index, shape * band.value * band.inverse_sigma, parts)
    information = np.bincount(index, shape**2, parts)
    lit = signal > LIT_SIGMA * np.sqrt(information)
    return float(lit.sum() * 2.0 * half / parts)
