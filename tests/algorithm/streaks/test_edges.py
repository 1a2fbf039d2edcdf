"""Outlines of detections are cut where they bend, and only there."""

import numpy as np
import pytest

from napari_comparewarp.algorithm.streaks.edges import Edge, far_from_saturation, straight_edges

SHAPE = (200, 200)


def block(y0, y1, x0, x1):
    mask = np.zeros(SHAPE, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def edges_of(detected, blocked=None, min_edge_pixels=30, max_deviation=2.0):
    blocked = np.zeros(SHAPE, bool) if blocked is None else blocked
    return list(straight_edges(detected, blocked, min_edge_pixels, max_deviation))


def test_the_long_sides_of_a_block_are_found_whole_wherever_its_outline_begins():
    detected = block(50, 60, 40, 140)
    # Outlines begin where a scan of the rows ends: here in the middle of a side.
    detected[60, 90] = True
    edges = edges_of(detected)
    assert {round(edge.theta) for edge in edges} == {90}
    assert min(edge.length for edge in edges) > 80


def test_the_border_of_the_image_is_no_edge():
    edges = edges_of(block(0, 200, 0, 20))
    assert all(np.abs(edge.ends[:, 0] - 19.5).max() < 1 for edge in edges)
    assert edges_of(np.ones(SHAPE, bool)) == []


def test_sides_that_are_too_short_are_left_out():
    assert edges_of(block(50, 60, 40, 140), min_edge_pixels=110) == []


def test_an_edge_ends_before_blocked_pixels():
    edges = edges_of(block(50, 60, 20, 180), blocked=block(0, 200, 90, 110))
    assert len(edges) >= 4
    for edge in edges:
        x = np.sort(edge.ends[:, 0])
        assert x[1] < 89 or x[0] > 110


@pytest.mark.parametrize(
    ("ends", "theta", "n_pixels"),
    [
        ([(0, 0), (10, 0)], 90, 11),
        ([(0, 10), (0, 0)], 0, 11),
        ([(0, 0), (10, 10)], 135, 11),
        ([(0, 10), (10, 0)], 45, 11),
    ],
)
def test_the_direction_of_an_edge_is_that_of_its_normal(ends, theta, n_pixels):
    edge = Edge(np.array(ends, float))
    assert edge.theta == pytest.approx(theta)
    assert edge.n_pixels == n_pixels


def test_what_lies_near_saturated_pixels_is_cut_away():
    edge = Edge(np.array([(0.0, 100.0), (199.0, 100.0)]))
    saturated = block(95, 106, 95, 106)
    left, right = far_from_saturation([edge], saturated, 20, 30)
    assert left.ends[:, 0] == pytest.approx([0, 75])
    assert right.ends[:, 0] == pytest.approx([125, 199])
    assert far_from_saturation([edge], saturated, 20, 80) == []


def test_no_saturation_cuts_nothing():
    edge = Edge(np.array([(0.0, 100.0), (199.0, 100.0)]))
    assert far_from_saturation([edge], np.zeros(SHAPE, bool), 250, 30) == [edge]
