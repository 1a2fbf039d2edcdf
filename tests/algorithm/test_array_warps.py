"""Warps that are given as arrays: units, masked values, and pixels without data."""

import astropy.units as u
import dask.array as da
import numpy as np
import pytest
from astropy.utils.masked import Masked
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp.errors import StackError

IMAGE, VARIANCE, MASK = planes(n_epochs=4, shape=(60, 50))
NO_DATA = 1 << 8


def make(image=IMAGE, variance=VARIANCE, **more):
    return cw.WarpStack.from_arrays(image, variance, psf_sigma=2.0, **more)


def hide(plane, value=7.0):
    """Return a masked array that hides a part of epoch 1, with a wrong value beneath."""
    hidden = np.zeros(plane.shape, bool)
    hidden[1, 10:20, 10:20] = True
    values = plane.copy()
    values[hidden] = value
    return np.ma.array(values, mask=hidden)


def lazy(plane):
    return da.from_array(plane, chunks=(1, 16, -1))


def test_masked_values_are_no_data_whichever_plane_hides_them():
    for stack in (make(hide(IMAGE)), make(variance=hide(VARIANCE)), make(mask=hide(MASK, 0))):
        assert (stack.direct.mask[1, 10:20, 10:20] & NO_DATA != 0).all()
        assert cw.run(stack).coadd.n_image[15, 15] == 3
    np.testing.assert_array_equal(make(hide(IMAGE)).direct.mask[0], 0)


def test_the_users_own_mask_is_never_changed():
    mask = MASK.copy()
    make(hide(IMAGE), mask=mask)
    np.testing.assert_array_equal(mask, MASK)


@pytest.mark.parametrize("value", [0.0, -2.0, np.nan, np.inf, -np.inf])
def test_a_variance_that_is_none_means_no_data(value):
    variance = VARIANCE.copy()
    variance[2, 5, 5:9] = value
    stack = make(variance=variance)
    np.testing.assert_array_equal(np.argwhere(stack.direct.mask)[:, 0], 2)
    assert (stack.direct.mask[2, 5, 5:9] == NO_DATA).all()
    assert not make(variance=VARIANCE).direct.mask.any()


def test_a_mask_without_such_a_plane_is_given_one():
    variance = VARIANCE.copy()
    variance[0, 0, 0] = 0
    stack = make(variance=variance, mask_planes={"BAD": 0})
    assert stack.mask_planes == {"BAD": 0, "NO_DATA": 1}
    assert stack.direct.mask[0, 0, 0] == 2


def test_units_are_kept_and_converted():
    stack = make(IMAGE * u.uJy, VARIANCE * 1e6 * u.nJy**2)
    assert stack.unit == "uJy"
    np.testing.assert_allclose(stack.direct.variance, VARIANCE, rtol=1e-6)
    stack = make(IMAGE * u.uJy, VARIANCE * u.uJy**2, unit="nJy")
    np.testing.assert_allclose(stack.direct.image, 1000 * IMAGE, rtol=1e-6)
    assert make().unit == "nJy"


@pytest.mark.parametrize(
    ("image", "variance", "unit", "message"),
    [
        (IMAGE * u.nJy, VARIANCE * u.nJy, None, "variance is in nJy, which is no nJy2"),
        (IMAGE * u.nJy, VARIANCE, None, "image has a unit and variance has none"),
        (IMAGE, VARIANCE * u.nJy**2, None, "variance has a unit and image has none"),
        (IMAGE * u.nJy, VARIANCE * u.nJy**2, "adu", "image is in nJy, which is no adu"),
        (IMAGE * u.nJy, VARIANCE * u.nJy**2, "flux", "no unit to convert it to"),
        ([IMAGE[0] * u.nJy, IMAGE[1] * u.s], VARIANCE[:2], None, "quantities of different units"),
        (list(Masked(IMAGE * u.nJy)), VARIANCE, None, "give one array"),
    ],
)  # fmt: skip
def test_units_that_do_not_fit_are_refused(image, variance, unit, message):
    with pytest.raises(StackError, match=message):
        make(image, variance, unit=unit)


def test_a_masked_quantity_keeps_both():
    masked = hide(IMAGE)
    stack = make(Masked(masked.data, mask=masked.mask) * u.nJy, VARIANCE * u.nJy**2)
    assert np.isnan(stack.direct.image[1, 15, 15])


def test_lazy_masked_arrays_hide_their_values():
    stack = make(da.from_array(hide(IMAGE), chunks=(1, -1, -1)), lazy(VARIANCE))
    assert np.isnan(stack.direct.image[1][10:20, 10:20]).all()
    assert cw.run(stack).coadd.n_image[15, 15] == 3


def test_a_list_of_masked_arrays_keeps_its_masks():
    stack = make(list(hide(IMAGE)))
    assert np.isnan(stack.direct.image[1, 10:20, 10:20]).all()
