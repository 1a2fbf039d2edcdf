"""The profile that is fitted across a piece of a line."""

import numpy as np
import pytest

from napari_comparewarp.algorithm.streaks.profile import LineFitError, fit_line, moffat

SHAPE = (200, 240)
NOISE = 2.0
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]


def line(angle, shift, width, peak, centre=(120.0, 100.0)):
    """A trail with the profile of the fit; `angle` of its normal, radians."""
    x, y = centre
    across = (X - x) * np.cos(angle) + (Y - y) * np.sin(angle) - shift
    return peak * moffat(across, width)


def fit(image, angle, noise=NOISE, length=120.0, centre=(120.0, 100.0)):
    usable = np.isfinite(image)
    return fit_line(
        np.where(usable, image, 0), np.full(SHAPE, noise**2), usable, centre, angle, length, 10.0
    )


def test_the_profile_is_half_as_high_at_half_of_its_width():
    assert moffat(0.0, 3.0) == 1
    half = 0.5 * 2 * np.sqrt(2 ** (1 / 2.5) - 1) * 3.0
    assert moffat([half, -half], 3.0) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.2, np.pi / 2, 2.6])
def test_a_line_is_recovered_from_a_guess_that_is_off(angle):
    rng = np.random.default_rng(1)
    image = line(angle, 2.0, 4.0, 30.0) + rng.normal(0, NOISE, SHAPE)
    found = fit(image, angle + 0.01)
    across = (found.x - 120) * np.cos(angle) + (found.y - 100) * np.sin(angle)
    assert across == pytest.approx(2.0, abs=0.1)
    assert np.sin(found.angle - angle) == pytest.approx(0, abs=2e-3)
    assert found.width == pytest.approx(4.0, rel=0.05)
    assert found.peak == pytest.approx(30, abs=5 * found.peak_error)
    assert found.turn < 5 * found.turn_error
    assert found.lit_length > 100


def test_the_error_of_the_peak_is_its_scatter():
    peaks = []
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(0, NOISE, SHAPE)
        found = fit(line(0.3, 0.0, 4.0, 12.0) + noise, 0.3)
        peaks.append(found.peak)
    assert np.std(peaks) == pytest.approx(found.peak_error, rel=0.5)


def test_an_arc_has_a_turn():
    radius = 400.0
    distance = np.hypot(X - (120 - radius), Y - 100) - radius
    image = 40 * moffat(distance, 4.0) + np.random.default_rng(2).normal(0, NOISE, SHAPE)
    found = fit(image, 0.0)
    assert found.turn > 10 * found.turn_error
    assert found.turn == pytest.approx(120 / radius, rel=0.2)


def test_a_trail_with_a_gap_is_lit_beside_it():
    image = line(np.pi / 2, 0.0, 4.0, 30.0) * (np.abs(X - 120) > 20)
    found = fit(image + np.random.default_rng(3).normal(0, NOISE, SHAPE), np.pi / 2)
    assert 70 <= found.lit_length <= 95


def test_what_is_no_line_is_refused():
    with pytest.raises(LineFitError):
        fit(np.full(SHAPE, np.nan), 0.2)
    with pytest.raises(LineFitError):
        fit(-line(0.2, 0.0, 4.0, 30.0), 0.2)
