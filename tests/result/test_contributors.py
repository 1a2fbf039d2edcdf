"""What a pixel of the coadd was made of is one answer, however it is asked."""

import numpy as np
import pytest
from many_verdicts import STREAKS, many_verdicts

import napari_comparewarp as cw
from napari_comparewarp.algorithm.spans import Spans


@pytest.fixture(scope="module")
def result():
    return cw.run(many_verdicts(), cw.CompareWarpConfig(**STREAKS))


@pytest.fixture(scope="module")
def planes(result):
    """``(epoch, y, x)`` where each epoch goes in."""
    return np.stack([result.contribution.plane(index) for index in range(result.stack.n_epochs)])


def test_pixels_planes_regions_and_the_input_map_agree(result, planes):
    contribution, shape = result.contribution, result.stack.shape
    everywhere = Spans.of_mask(np.ones(shape, np.bool_))
    with_clip, without = contribution.at(everywhere)
    np.testing.assert_array_equal(with_clip.reshape(planes.shape), planes)
    for index in range(result.stack.n_epochs):
        np.testing.assert_array_equal(
            without[index].reshape(shape), contribution.plane(index, clipped=False)
        )
    (word,) = contribution.map()
    for index, plane in enumerate(planes):
        np.testing.assert_array_equal((word >> index & 1).astype(np.bool_), plane)
    rng = np.random.default_rng(0)
    for y, x in zip(rng.integers(shape[0], size=50), rng.integers(shape[1], size=50), strict=True):
        used = contribution.pixel(int(y), int(x)).used
        np.testing.assert_array_equal(used, planes[:, y, x])
        assert result.contributors(int(y), int(x)) == tuple(
            epoch for epoch, is_used in zip(result.stack.epochs, used, strict=True) if is_used
        )


def test_clipping_takes_only_what_is_clipped(result, planes):
    for index, plane in enumerate(planes):
        without = result.contribution.plane(index, clipped=False)
        np.testing.assert_array_equal(plane, without & ~result.clipped(index))


def test_the_values_that_went_in_are_those_of_the_coadd(result, planes):
    image = np.asarray(result.stack.direct.image, np.float64)
    weights = result.weights[:, np.newaxis, np.newaxis]
    total = (weights * planes).sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = np.where(planes, weights * image, 0.0).sum(axis=0) / total
    np.testing.assert_array_equal(np.isnan(result.coadd.image), total == 0)
    np.testing.assert_allclose(result.coadd.image, mean, rtol=1e-5, atol=1e-4)


def test_a_skipped_warp_goes_in_nowhere():
    stack = many_verdicts()
    image = np.array(stack.direct.image)
    image[2] = np.nan
    skipped = cw.run(
        cw.WarpStack.from_arrays(image, stack.direct.variance, stack.direct.mask, psf_sigma=2.0)
    )
    assert not skipped.contribution.plane(2).any()
    assert not skipped.contribution.plane(2, clipped=False).any()
    assert not (skipped.contribution.map()[0] >> 2 & 1).any()
