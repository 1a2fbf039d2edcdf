"""Regions as runs along rows."""

import numpy as np
import pytest
from goldens import load
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from napari_comparewarp.algorithm.spans import (
    Spans,
    connected_groups,
    diamond_half_widths,
    disc_half_widths,
    drop_small_groups,
    gather,
    paint,
)

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14))


def stencil(half_widths):
    radius = len(half_widths) // 2
    return np.abs(np.arange(-radius, radius + 1)) <= half_widths[:, np.newaxis]


@given(masks)
def test_runs_hold_the_pixels_of_a_mask(mask):
    spans = Spans.of_mask(mask)
    np.testing.assert_array_equal(spans.mask(mask.shape), mask)
    assert spans.area == mask.sum()


@given(masks, st.booleans())
def test_groups_are_those_of_a_dense_labelling(mask, diagonal):
    spans = Spans.of_mask(mask)
    group, count = connected_groups(spans, diagonal)
    labels = np.zeros(mask.shape, np.int32)
    paint(spans.y, spans.x0, spans.x1, group + 1, labels)
    structure = np.ones((3, 3)) if diagonal else None
    expected, n = ndimage.label(mask, structure)
    assert count == n
    np.testing.assert_array_equal(labels, expected)


@given(masks, st.integers(0, 5), st.sampled_from([disc_half_widths, diamond_half_widths]))
def test_growth_is_a_dilation_cut_at_the_border(mask, radius, half_widths):
    grown = Spans.of_mask(mask).grown(half_widths(radius), mask.shape).mask(mask.shape)
    expected = ndimage.binary_dilation(mask, stencil(half_widths(radius)))
    np.testing.assert_array_equal(grown, expected)


@given(masks, st.integers(0, 3))
def test_a_union_holds_the_pixels_of_both(mask, shift):
    other = np.roll(mask, shift, axis=1)
    union = Spans.of_mask(mask).union(Spans.of_mask(other))
    np.testing.assert_array_equal(union.mask(mask.shape), mask | other)
    same_row = np.diff(union.y) == 0
    assert (union.x0[1:][same_row] > union.x1[:-1][same_row]).all()


@given(masks, st.integers(1, 6))
def test_small_groups_are_dropped(mask, min_pixels):
    labels, n = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=n + 1)
    areas[0] = 0
    expected = mask & (areas >= min_pixels)[labels]
    kept = drop_small_groups(Spans.of_mask(mask), min_pixels)
    np.testing.assert_array_equal(kept.mask(mask.shape), expected)


@pytest.mark.parametrize("radius", range(8))
@pytest.mark.parametrize(
    ("name", "half_widths"), [("circle", disc_half_widths), ("manhattan", diamond_half_widths)]
)
def test_stencils_equal_the_reference(name, half_widths, radius):
    golden = load("unit_footprints").get(f"stencil_{name}_r{radius}")
    if golden is None:
        pytest.skip("no such stencil among the goldens")
    centre = golden.shape[0] // 2
    part = slice(centre - radius, centre + radius + 1)
    np.testing.assert_array_equal(stencil(half_widths(radius)), golden[part, part] > 0)
    assert golden.sum() == golden[part, part].sum()


@pytest.mark.parametrize("sign", ["pos", "neg"])
@pytest.mark.parametrize("radius", [0, 1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize(
    ("name", "half_widths"), [("circle", disc_half_widths), ("manhattan", diamond_half_widths)]
)
def test_growth_equals_the_reference(name, half_widths, radius, sign):
    golden = load("unit_footprints")
    raw = golden[f"label_pixel_stdev_2.0_{sign}_npix4"]
    grown = Spans.of_mask(raw > 0).grown(half_widths(radius), raw.shape)
    expected = golden[f"grow_pixel_stdev_2.0_{sign}_npix4_r{radius}_{name}"]
    np.testing.assert_array_equal(grown.mask(raw.shape), expected > 0)


def test_splitting_a_mask_equals_the_reference():
    golden = load("unit_footprints")
    spans = Spans.of_mask(golden["split_mask"] != 0)
    group, count = connected_groups(spans, diagonal=False)
    labels = np.zeros(golden["split_mask"].shape, np.int32)
    paint(spans.y, spans.x0, spans.x1, group + 1, labels)
    assert count == golden["split_label"].max()
    pairs = np.unique(np.stack([labels.ravel(), golden["split_label"].ravel()]), axis=1)
    assert pairs.shape[1] == count + 1


@given(masks, st.integers(0, 3))
def test_a_symmetric_difference_holds_the_pixels_of_just_one(mask, shift):
    other = np.roll(mask, shift, axis=1)
    either = Spans.of_mask(mask).symmetric_difference(Spans.of_mask(other))
    np.testing.assert_array_equal(either.mask(mask.shape), mask ^ other)


class OnDisk:
    """A cube that reads like one on disk."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, index):
        return self.array[index].copy()


@given(masks)
def test_gathered_pixels_stand_row_by_row(mask):
    cube = np.arange(2 * mask.size, dtype=np.float32).reshape(2, *mask.shape)
    spans = Spans.of_mask(mask)
    np.testing.assert_array_equal(gather(cube, spans)[:, 0], cube[:, mask])
    np.testing.assert_array_equal(gather(OnDisk(cube), spans)[:, 0], cube[:, mask])


@given(masks, st.integers(1, 50))
def test_pieces_follow_one_another_and_hold_all_runs(mask, pixels):
    spans = Spans.of_mask(mask)
    pieces = spans.pieces(pixels)
    assert sum(len(piece) for piece in pieces) == len(spans)
    assert all(len(piece) for piece in pieces)
    np.testing.assert_array_equal(Spans.union_of(pieces).mask(mask.shape), mask)
