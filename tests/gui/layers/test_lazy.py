"""Layer data that are made when they are looked at."""

import numpy as np
import pytest

from napari_comparewarp.gui.layers.lazy import EpochPlanes, Plane

CUBE = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def planes(asked):
    def make(epoch):
        asked.append(epoch)
        return CUBE[epoch]

    return EpochPlanes(CUBE.shape, CUBE.dtype, make)


@pytest.mark.parametrize(
    "index",
    [2, -1, (1, 3), (slice(1, 3), 2), (slice(2, 3), slice(None), slice(1, 4)), ..., (..., 3),
     (0, ...), (slice(2, 2),), slice(None, None, 2)],
)  # fmt: skip
def test_it_indexes_like_the_cube(planes, index):
    np.testing.assert_array_equal(planes[index], CUBE[index])


def test_it_is_an_array_to_whoever_wants_one(planes):
    np.testing.assert_array_equal(np.asarray(planes), CUBE)
    assert len(planes) == 4
    assert (planes.ndim, planes.size) == (3, CUBE.size)


def test_one_epoch_is_made_alone_and_nothing_before_it_is_asked_for(planes, asked):
    assert asked == []
    planes[2:3, :, 1:2]
    assert asked == [2]


def test_a_plane_is_asked_for_anew_each_time():
    images = iter([np.zeros((2, 3)), np.ones((2, 3))])
    plane = Plane((2, 3), float, lambda: next(images))
    assert plane[0, 0] == 0
    assert plane[0, 0] == 1
