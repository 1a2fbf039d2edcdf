"""The masks of the direct warps, their coadd, and its update."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.algorithm.coadd import DirectMasks, make_coadd, update_coadd
from napari_comparewarp.algorithm.difference import EDGE, NO_DATA
from napari_comparewarp.algorithm.mask_planes import bits
from napari_comparewarp.algorithm.spans import Spans
from napari_comparewarp.algorithm.steps import coadd_settings

BAD = ("NO_DATA", "BAD", "SAT")
SETTINGS = coadd_settings(cw.CompareWarpConfig())


@pytest.fixture(scope="module")
def warps():
    return stack()


def masks_of(warps, seed=0, weights=None, part=0.05):
    rng = np.random.default_rng(seed)
    flags = rng.choice([0, NO_DATA, EDGE], (warps.n_epochs, *warps.shape), p=[0.9, 0.05, 0.05])
    clipped = [Spans.of_mask(rng.random(warps.shape) < part) for _ in warps.epochs]
    weights = np.linspace(1, 2, warps.n_epochs) if weights is None else weights
    return DirectMasks(warps, weights, flags.astype(np.uint8), clipped, BAD)


def mask_by_definition(masks, epoch):
    """Section 8 of the method's description, for one epoch."""
    planes = masks.mask_planes
    mask = np.array(masks.stack.direct.mask[epoch])
    if masks.weights[epoch] <= 0:
        return mask
    no_data = masks.flags[epoch] & NO_DATA != 0
    mask[no_data] &= ~np.int32(bits(planes, BAD))
    mask[masks.clipped[epoch].mask(masks.stack.shape)] |= bits(planes, ["CLIPPED"])
    mask[no_data] |= bits(planes, ["NO_DATA"])
    mask[masks.flags[epoch] & EDGE != 0] |= bits(planes, ["EDGE"])
    return mask


def assert_same(one, other):
    for name in ("image", "variance", "mask", "n_image"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("skipped", [None, 2])
def test_masks_get_what_the_comparison_adds_whichever_way_they_are_asked_for(warps, skipped):
    weights = np.ones(warps.n_epochs)
    if skipped is not None:
        weights[skipped] = 0
    masks = masks_of(warps, weights=weights)
    expected = np.stack([mask_by_definition(masks, epoch) for epoch in range(warps.n_epochs)])
    for epoch in range(warps.n_epochs):
        np.testing.assert_array_equal(masks.epoch(epoch), expected[epoch])
    rows = masks.rows(10, 31, np.ascontiguousarray(warps.direct.mask[:, 10:31]))
    np.testing.assert_array_equal(rows, expected[:, 10:31])
    where = Spans.of_mask(np.random.default_rng(5).random(warps.shape) < 0.2)
    y, x = where.coordinates()
    pixels = masks.pixels(
        where, np.ascontiguousarray(warps.direct.mask[:, y, x][:, np.newaxis]),
        np.ascontiguousarray(masks.flags[:, y, x][:, np.newaxis]),
    )  # fmt: skip
    np.testing.assert_array_equal(pixels[:, 0], expected[:, y, x])


def test_the_clipped_fraction_is_that_of_the_masks_and_0_for_a_skipped_warp(warps):
    weights = np.ones(warps.n_epochs)
    weights[1] = 0
    masks = masks_of(warps, weights=weights)
    expected = [spans.mask(warps.shape).mean() for spans in masks.clipped]
    expected[1] = 0
    np.testing.assert_allclose(masks.clipped_fraction, expected)


def test_a_mean_coadd_is_the_weighted_mean_of_the_good_values(warps):
    masks = masks_of(warps)
    coadd = make_coadd(masks, SETTINGS)
    planes = masks.mask_planes
    bad = bits(planes, (*BAD, "CLIPPED"))
    mask = np.stack([mask_by_definition(masks, epoch) for epoch in range(warps.n_epochs)])
    image, variance = (
        np.asarray(cube).astype(np.float64) for cube in (warps.direct.image, warps.direct.variance)
    )
    good = np.isfinite(image) & (mask & bad == 0)
    weight = good * masks.weights.astype(np.float32).astype(np.float64)[:, np.newaxis, np.newaxis]
    total = weight.sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = (weight * np.where(good, image, 0)).sum(axis=0) / total
        spread = (weight**2 * np.where(good, variance, 0)).sum(axis=0) / total**2
    np.testing.assert_allclose(coadd.image, mean, rtol=2e-6, atol=1e-5)
    np.testing.assert_allclose(coadd.variance, spread, rtol=2e-6)
    np.testing.assert_array_equal(coadd.n_image, (mask & bad == 0).sum(axis=0))


@given(
    st.integers(0, 2**16), st.sampled_from([0.0, 0.01, 0.3, 0.9]),
    st.sampled_from([0.0, 0.01, 0.3]), st.sampled_from(["MEAN", "MEANCLIP", "MEDIAN"]),
    st.booleans(),
)  # fmt: skip
def test_an_updated_coadd_has_the_bits_of_a_new_one(seed, before, after, statistic, keep):
    warps = stack()
    settings = replace(SETTINGS, statistic=statistic)
    old = masks_of(warps, seed, part=before)
    rng = np.random.default_rng(seed + 1)
    new = replace(
        old, clipped=[Spans.of_mask(rng.random(warps.shape) < after) for _ in warps.epochs]
    )
    unclipped = make_coadd(old.unclipped(), settings) if keep else None
    updated = update_coadd(make_coadd(old, settings), old, new, settings, unclipped)
    assert_same(updated, make_coadd(new, settings))


def test_a_coadd_that_nothing_changes_is_the_same_object(warps):
    masks = masks_of(warps)
    coadd = make_coadd(masks, SETTINGS)
    assert update_coadd(coadd, masks, replace(masks), SETTINGS) is coadd
