"""Planes by the names of their HDUs, in every mixture."""

from itertools import product

import numpy as np
import pytest
from astropy.io import fits
from fits_files import PLANES, make_planes, read_planes

from napari_comparewarp.errors import StackError
from napari_comparewarp.io.scan import scan_exposure

#: What the variance is made of the values of an HDU of each name.
VARIANCES = {
    "VARIANCE": lambda values: values,
    "VAR": lambda values: values,
    "ERR": np.square,
    "WHT": np.reciprocal,
}


def write(path, hdus, primary=None):
    """Write HDUs by their names, in the order given."""
    content = [fits.PrimaryHDU(primary)]
    content += [fits.ImageHDU(data, name=name) for name, data in hdus]
    fits.HDUList(content).writeto(path)
    return path


@pytest.mark.parametrize(
    ("image_name", "mask_name", "variance_name"),
    list(product(["IMAGE", "SCI", None], ["MASK", "DQ", None], VARIANCES)),
)
def test_image_mask_and_variance_may_have_any_of_their_names(
    tmp_path, image_name, mask_name, variance_name
):
    image, mask, variance = make_planes()
    hdus = [(variance_name, variance)]
    if mask_name:
        hdus.append((mask_name, mask))
    if image_name:
        hdus.append((image_name, image))
    path = write(tmp_path / "a.fits", hdus, None if image_name else image)
    planes = read_planes(path)
    np.testing.assert_array_equal(planes[0], image)
    np.testing.assert_array_equal(planes[1], VARIANCES[variance_name](variance))
    flagged = mask != 0 if mask_name else np.zeros(mask.shape, bool)
    np.testing.assert_array_equal(planes[2], flagged * (1 << PLANES["BAD"]))


def test_of_several_planes_of_a_kind_one_is_read_whatever_their_order(tmp_path):
    _, mask, _ = make_planes()
    names = ["WHT", "ERR", "VAR", "VARIANCE", "DQ", "MASK", "SCI", "IMAGE"]
    for number, read in enumerate(("VARIANCE", "VAR", "ERR", "WHT")):
        path = write(tmp_path / f"{number}.fits", [(name, mask) for name in names])
        layout = scan_exposure(path).layout
        assert [plane.name for plane in layout.planes] == names
        assert (layout.image.name, layout.mask.name) == ("IMAGE", "MASK")
        assert layout.variance.name == read
        names.remove(read)


@pytest.mark.parametrize("name", ["IMAGE", "SCI", "MASK", "DQ", "VARIANCE", "VAR", "ERR", "WHT"])
def test_two_hdus_of_one_name_are_refused_with_their_numbers(tmp_path, name):
    image, _, variance = make_planes()
    hdus = [("SCI", image), ("ERR", variance)]
    hdus = [hdu for hdu in hdus if hdu[0] != name] + [(name, variance.astype(np.int16))] * 2
    path = write(tmp_path / "a.fits", hdus)
    with pytest.raises(StackError, match=f"HDUs . and . are both named {name}; a warp has one"):
        scan_exposure(path)


def test_a_plane_that_is_not_read_has_to_agree_as_well(tmp_path):
    image, mask, variance = make_planes()
    hdus = [("IMAGE", image), ("VARIANCE", variance), ("MASK", mask)]
    path = write(tmp_path / "a.fits", [*hdus, ("WHT", variance[1:])])
    with pytest.raises(StackError, match="HDU WHT: shape"):
        scan_exposure(path)
    path = write(tmp_path / "b.fits", [*hdus, ("DQ", variance)])
    with pytest.raises(StackError, match="HDU DQ: real numbers; a mask is made of integers"):
        scan_exposure(path)
