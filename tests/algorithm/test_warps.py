"""A stack of warps made of arrays: what fits together and what does not."""

import numpy as np
import pytest
from stacks import planes

from napari_comparewarp import WarpStack
from napari_comparewarp.errors import StackError

IMAGE, VARIANCE, MASK = planes(n_epochs=3, shape=(50, 30))


def make(**changes):
    arguments = {"image": IMAGE, "variance": VARIANCE, "mask": MASK, "psf_sigma": 2.0} | changes
    return WarpStack.from_arrays(**arguments)


def test_arrays_of_the_right_type_are_not_copied():
    stack = make(matched_image=IMAGE, matched_variance=VARIANCE)
    assert stack.direct.image is IMAGE
    assert stack.direct.variance is VARIANCE
    assert stack.direct.mask is MASK
    assert stack.matched.image is IMAGE


def test_other_types_and_byte_orders_are_converted():
    stack = make(
        image=IMAGE.astype(">f8"), variance=VARIANCE[:, ::-1][:, ::-1], mask=MASK.astype(np.uint16)
    )
    for plane, dtype in (("image", np.float32), ("variance", np.float32), ("mask", np.int32)):
        cube = getattr(stack.direct, plane)
        assert cube.dtype == dtype
        assert cube.flags.c_contiguous
    np.testing.assert_array_equal(stack.direct.image, IMAGE)


def test_without_matched_warps_the_direct_ones_serve_for_both():
    stack = make()
    assert stack.matched is stack.direct
    assert stack.matched_epochs == stack.epochs == (0, 1, 2)
    assert stack.nbytes == IMAGE.nbytes * 3


def test_without_a_mask_there_are_no_flags():
    assert not make(mask=None).direct.mask.any()


def test_warps_are_paired_by_id():
    stack = make(
        epochs=["a", "b", "c"], matched_image=IMAGE[:2], matched_variance=VARIANCE[:2],
        matched_epochs=["c", "a"],
    )  # fmt: skip
    np.testing.assert_array_equal(stack.partner, [1, -1, 0])


def test_the_psf_width_may_be_given_by_epoch_or_by_matched_warp():
    matched = {"matched_image": IMAGE[:2], "matched_variance": VARIANCE[:2]}
    by_epoch = make(psf_sigma=[1.0, 2.0, 3.0], matched_epochs=[2, 0], **matched)
    by_matched = make(psf_sigma=[3.0, 1.0], matched_epochs=[2, 0], **matched)
    np.testing.assert_array_equal(by_epoch.psf_sigma, [3, 1])
    np.testing.assert_array_equal(by_matched.psf_sigma, [3, 1])


def test_a_unit_is_kept_as_fits_can_hold_it():
    assert make(unit="µJy").unit == "uJy"
    assert make().unit == "nJy"


def test_numpy_ids_become_plain_ones():
    stack = make(epochs=np.array([7, 8, 9]))
    assert stack.epochs == (7, 8, 9)
    assert type(stack.epochs[0]) is int


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": IMAGE[0]}, r"image has shape \(50, 30\)"),
        ({"image": IMAGE[:0], "variance": VARIANCE[:0], "mask": None}, "none of them 0"),
        ({"variance": VARIANCE[:2]}, r"variance has shape \(2, 50, 30\)"),
        ({"mask": MASK[:, :4]}, "mask has shape"),
        ({"mask": IMAGE}, "a mask is made of integers"),
        ({"image": IMAGE.astype(complex)}, "real numbers"),
        ({"matched_image": IMAGE}, "matched_variance is missing"),
        ({"matched_variance": VARIANCE}, "matched_image is missing"),
        ({"matched_mask": MASK}, "without matched_image"),
        ({"matched_image": IMAGE[:, 1:], "matched_variance": VARIANCE[:, 1:]}, "the same"),
        ({"matched_image": IMAGE[:2], "matched_variance": VARIANCE[:2]}, "matched_epochs"),
        ({"epochs": [1, 2]}, "2 ids for 3 warps"),
        ({"epochs": [1, 2, 1]}, "epoch 1 is there twice"),
        ({"psf_sigma": None}, "psf_sigma is missing"),
        ({"psf_sigma": 0.0}, "a number of pixels above 0, and at most 100"),
        ({"psf_sigma": [1.0, np.nan, 1.0]}, "psf_sigma of epoch 1 is nan"),
        ({"psf_sigma": [1.0, 2.0]}, "psf_sigma has shape"),
        ({"mask_planes": {"BAD": 31}}, "bits 0 to 30"),
        ({"mask_planes": {"BAD": 1, "SAT": 1}}, "share one bit"),
        ({"mask_planes": {"BAD": 1.5}}, "is at bit 1.5"),
        ({"mask_planes": {"a\nb": 1}}, "no name of a mask plane"),
        ({"mask_planes": {"bad": 1}}, "capitals, digits and _"),
        ({"epochs": [1, 2, "x\ny"]}, "an id is a whole number"),
        ({"epochs": [1, 2, "2"]}, "read the same"),
        ({"unit": "x\ny"}, "FITS cannot hold it"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(changes, message):
    with pytest.raises(StackError, match=message) as error:
        make(**changes)
    assert "\n" not in str(error.value)
