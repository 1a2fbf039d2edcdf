"""The evidence for a footprint shows, pixel for pixel, what the result holds there."""

import numpy as np
import pytest
from many_verdicts import (
    ARTIFACT,
    N_EPOCHS,
    SHAPE,
    STREAKS,
    TRAIL,
    VARIABLE,
    footprint_at,
    many_verdicts,
)

import napari_comparewarp as cw
from napari_comparewarp.errors import InspectionError
from napari_comparewarp.io.spool import SpooledCube
from napari_comparewarp.result.footprint_states import OUTLINE, draw_states
from napari_comparewarp.review.evidence import gather_evidence


@pytest.fixture(scope="module")
def inspection():
    made = cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**STREAKS))
    table = made.result.footprints
    made.override(int(table["id"][table["verdict"] == "streak"][0]), "keep")
    made.override(at(made.result, VARIABLE), "clip")
    return made


@pytest.fixture(scope="module")
def result(inspection):
    return inspection.result


def at(result, place):
    epoch, y, x = place
    return footprint_at(result, epoch, y + 1, x + 1)


def inside(stamp, picture):
    """Return the part of a picture that is not beyond the border."""
    rows, columns = stamp.rows, stamp.columns
    y, x = rows.start - stamp.y0, columns.start - stamp.x0
    return picture[..., y : y + rows.stop - rows.start, x : x + columns.stop - columns.start]


def assert_shows(evidence, result):
    """Assert that pictures are cut-outs of what the result makes for whole epochs."""
    stamp = evidence.stamp
    cut = (stamp.rows, stamp.columns)
    for epoch in range(result.stack.n_epochs):
        for picture, plane in [
            (evidence.warp, result.stack.direct.image[epoch]),
            (evidence.chi, result.chi(epoch)),
            (evidence.clipped, result.clipped(epoch)),
            (evidence.states, draw_states(result, epoch) & (OUTLINE - 1)),
        ]:
            np.testing.assert_array_equal(inside(stamp, picture[epoch]), plane[cut])
    for picture, plane in [
        (evidence.template, result.template.image),
        (evidence.coadd, result.coadd.image),
        (evidence.unclipped, result.unclipped().image),
        (evidence.footprint, result.labels(evidence.epoch_index) == evidence.footprint_id),
    ]:
        np.testing.assert_array_equal(inside(stamp, picture), plane[cut])


@pytest.mark.parametrize("place", [ARTIFACT, VARIABLE, TRAIL], ids=str)
def test_pictures_are_cut_outs_of_the_result(result, place):
    evidence = gather_evidence(result, at(result, place))
    assert evidence.footprint.any()
    assert_shows(evidence, result)


def test_only_the_rows_around_the_footprint_are_read():
    class Watched:
        def __init__(self, cube):
            self.cube, self.shape, self.dtype = cube, cube.shape, cube.dtype
            self.rows = []

        def __getitem__(self, index):
            part = self.cube[index]
            self.rows.append(part.shape[-2])
            return part

    stack = many_verdicts()
    cubes = {}
    for name in ("image", "variance", "mask"):
        spooled = SpooledCube(getattr(stack.direct, name).shape, getattr(stack.direct, name).dtype)
        for epoch in range(N_EPOCHS):
            spooled[epoch] = getattr(stack.direct, name)[epoch]
        cubes[name] = Watched(spooled)
    from_disk = cw.WarpStack.from_arrays(**cubes, psf_sigma=2.0)
    result = cw.run(from_disk)
    for cube in cubes.values():
        cube.rows.clear()
    evidence = gather_evidence(result, at(result, ARTIFACT))
    for cube in cubes.values():
        assert 0 < max(cube.rows) <= evidence.stamp.size < SHAPE[0]
    assert_shows(evidence, cw.run(stack))


def test_stamps_are_square_and_nan_beyond_the_border(result):
    evidence = gather_evidence(result, at(result, VARIABLE), margin=40)
    stamp = evidence.stamp
    assert stamp.x0 < 0
    assert evidence.warp.shape == (N_EPOCHS, stamp.size, stamp.size)
    beyond = slice(None, -stamp.x0)
    for picture in (evidence.warp, evidence.chi, evidence.coadd, evidence.unclipped):
        assert np.isnan(picture[..., beyond]).all()
    assert not evidence.states[..., beyond].any() and not evidence.footprint[:, beyond].any()


def test_a_stamp_holds_the_footprint_and_a_margin_within_its_bounds(result):
    row = result.footprints[at(result, ARTIFACT) - 1]
    stamp = gather_evidence(result, row["id"], margin=30, smallest=1).stamp
    assert stamp.size == max(row["y1"] - row["y0"], row["x1"] - row["x0"]) + 60
    assert stamp.y0 + 30 <= row["y0"] < row["y1"] <= stamp.y0 + stamp.size - 30
    assert gather_evidence(result, row["id"], smallest=64).stamp.size == 64


def test_of_a_long_trail_the_stretch_around_its_peak_is_shown(result):
    trail = at(result, TRAIL)
    assert result.footprints["area"][trail - 1] > 500
    evidence = gather_evidence(result, trail, largest=64)
    assert evidence.stamp.size == 64
    peak = result.footprints["peak_chi"][trail - 1]
    assert evidence.peak_chi[TRAIL[0]] == peak
    assert_shows(evidence, result)


def test_a_streak_is_shown_around_its_middle(result):
    table = result.footprints
    streaks = table[table["verdict"] == "streak"]
    evidence = gather_evidence(result, int(streaks["id"][np.argmax(streaks["area"])]), largest=64)
    assert evidence.footprint[32 - 4 : 32 + 4, 32 - 4 : 32 + 4].all()
    assert evidence.is_clipped[TRAIL[0]]


def test_the_curve_has_the_largest_deviation_of_each_epoch_with_its_sign(result):
    evidence = gather_evidence(result, at(result, VARIABLE))
    where = result.labels(VARIABLE[0]) == evidence.footprint_id
    for epoch in range(N_EPOCHS):
        chi = result.chi(epoch)[where]
        assert evidence.peak_chi[epoch] == chi[np.abs(chi).argmax()]
        assert evidence.is_clipped[epoch] == result.clipped(epoch)[where].any()
    assert evidence.peak_chi.min() < 0 < evidence.peak_chi.max()
    assert evidence.is_clipped[VARIABLE[0]] and not evidence.is_clipped[0]


def test_an_epoch_that_is_not_compared_has_no_deviation():
    stack = many_verdicts()
    stack.direct.image[6] = np.nan
    result = cw.run(stack)
    evidence = gather_evidence(result, at(result, ARTIFACT))
    assert np.isnan(evidence.peak_chi[6]) and np.isfinite(np.delete(evidence.peak_chi, 6)).all()
    assert np.isnan(evidence.chi[6]).all()


def test_the_stretch_is_one_for_all_pictures(result):
    evidence = gather_evidence(result, at(result, VARIABLE))
    low, high = evidence.limits
    assert np.nanmin(evidence.warp) <= low < np.nanmedian(evidence.warp) < high
    assert high <= np.nanmax(evidence.warp)


def test_a_footprint_that_is_not_there_is_named(result):
    with pytest.raises(InspectionError, match="footprint 99999: there is none"):
        gather_evidence(result, 99999)
