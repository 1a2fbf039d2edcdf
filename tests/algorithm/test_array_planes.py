"""Arrays of every kind: masked, with units, lazy, in lists; and variances that are none."""

import dask.array as da
import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import Column
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.array_planes import LazyCube, given_plane, has_no_data
from napari_comparewarp.errors import StackError

IMAGE, VARIANCE, MASK = planes(n_epochs=4, shape=(60, 50))


def make(image=IMAGE, variance=VARIANCE, **more):
    return cw.WarpStack.from_arrays(image, variance, psf_sigma=2.0, **more)


def test_has_no_data_writes_where_it_is_told():
    out = np.empty(3, bool)
    np.testing.assert_array_equal(has_no_data(np.array([1, 0, np.nan]), out=out), [0, 1, 1])
    np.testing.assert_array_equal(out, [0, 1, 1])


def lazy(plane):
    return da.from_array(plane, chunks=(1, 16, -1))


def test_lazy_arrays_are_asked_for_rows_and_give_the_same_coadd():
    variance = VARIANCE.astype(np.float64)
    variance[1, 30] = 0
    stack = make(lazy(IMAGE.astype(">f8")), lazy(variance), mask=lazy(MASK))
    assert isinstance(stack.direct.image, LazyCube)
    right = cw.run(make(variance=variance, mask=MASK)).coadd
    coadd = cw.run(stack).coadd
    for name in ("image", "variance", "mask", "n_image"):
        np.testing.assert_array_equal(getattr(coadd, name), getattr(right, name))


@pytest.mark.parametrize("plane", [lazy(IMAGE * 1j), IMAGE.astype("S4"), lazy(IMAGE)[0]])
def test_what_is_no_plane_of_numbers_is_refused(plane):
    with pytest.raises(StackError, match="must be"):
        make(plane)


def test_flags_that_an_int32_would_lose_are_refused():
    mask = MASK.astype(np.int64)
    mask[0, 0, 0] = 1 << 40
    with pytest.raises(StackError, match="mask has bit 40 set; bits 0 to 30"):
        make(mask=mask)
    with pytest.raises(StackError, match="bit 31"):
        make(mask=np.full(MASK.shape, 1 << 31, np.uint32))


def test_a_plane_knows_whether_it_is_lazy():
    assert given_plane("image", lazy(IMAGE)).is_lazy
    assert not given_plane("image", IMAGE.tolist()).is_lazy


def test_containers_of_which_a_part_would_be_lost_are_refused():
    exposure = CCDData(IMAGE[0], unit="adu", uncertainty=StdDevUncertainty(VARIANCE[0]))
    for image in ([exposure, exposure], exposure, Column(IMAGE, unit="adu")):
        with pytest.raises(StackError, match=r"image holds (CCDData|Column); give its arrays"):
            make(image, VARIANCE[:2])
