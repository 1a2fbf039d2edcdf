"""Footprints of bright sources on the template."""

import numpy as np
import pytest
from goldens import load
from test_goldens import assert_same_groups

from napari_comparewarp.algorithm.protection import (
    find_protected,
    gaussian_kernel,
    lies_inside,
    smooth,
)
from napari_comparewarp.algorithm.spans import Spans, connected_groups

SIGMAS = ["2.4", "1.1", "3.9"]


def template_planes():
    golden = load("unit_detect")
    image, variance = golden["image"].copy(), golden["variance"].copy()
    hole = np.isnan(image)
    image[hole], variance[hole] = 0, np.inf
    return golden, image, variance


@pytest.mark.parametrize("sigma", SIGMAS)
def test_smoothing_equals_the_reference(sigma):
    golden, image, variance = template_planes()
    axis = gaussian_kernel(float(sigma), 7.0)
    assert len(axis) // 2 == golden[f"detectTemplate_s{sigma}_convolved_xy0"][0]
    smoothed, spread = smooth(image, variance, axis)
    expected = golden[f"detectTemplate_s{sigma}_convolved_image"]
    np.testing.assert_allclose(smoothed, expected, rtol=2e-6, atol=1e-6 * np.abs(image).max())
    expected = golden[f"detectTemplate_s{sigma}_convolved_variance"]
    np.testing.assert_allclose(spread, expected, rtol=2e-6)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_footprints_equal_the_reference(sigma):
    golden, image, variance = template_planes()
    labels = find_protected(
        image, variance, float(sigma), threshold=300.0, grow_sigma=2.4, min_pixels=1,
        isotropic=True, kernel_sigma=7.0,
    )  # fmt: skip
    assert_same_groups(labels, golden[f"detectTemplate_s{sigma}_positive_label"])


def test_a_patch_smaller_than_the_kernel_protects_nothing():
    image = np.full((9, 9), 1e6, np.float32)
    labels = find_protected(
        image, np.ones_like(image), 2.4, threshold=300.0, grow_sigma=2.4, min_pixels=1,
        isotropic=True, kernel_sigma=7.0,
    )  # fmt: skip
    assert not labels.any()


def test_only_what_lies_wholly_inside_one_footprint_is_inside():
    labels = np.zeros((6, 20), np.int32)
    labels[:, 2:8], labels[:, 8:14] = 1, 2
    mask = np.zeros(labels.shape, bool)
    mask[1:3, 3:6] = True  # inside 1
    mask[1, 13:16] = True  # across the border of 2
    mask[4, 6:10] = True  # inside both, but in no single one
    spans = Spans.of_mask(mask)
    group, count = connected_groups(spans)
    assert lies_inside(spans, group, count, labels).tolist() == [True, False, False]
