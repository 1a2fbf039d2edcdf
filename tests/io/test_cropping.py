"""Direct warps that are larger than the matched ones."""

import numpy as np
import pytest
from fits_files import PLANES, make_planes, tan_wcs, write_lsst

import napari_comparewarp as cw
from napari_comparewarp.errors import StackError

ORIGIN = (700, 500)

#: The exposures of these tests have a level of 10.
pytestmark = pytest.mark.filterwarnings("ignore:.*a sky of 10 is left in")


def write(folder, kind, visit, planes, origin):
    wcs = tan_wcs()
    wcs.wcs.crpix = 15 + ORIGIN[0] - origin[0], 10 + ORIGIN[1] - origin[1]
    return write_lsst(
        folder / kind / f"{kind}_{visit}.fits", planes, visit=visit, kind=kind, origin=origin,
        wcs=wcs,
    )  # fmt: skip


def padded(planes, border):
    """Return planes with a border of other values."""
    edges = [border] * 2
    return [
        np.pad(plane, [edges, edges], constant_values=value)
        for plane, value in zip(planes, (10, 1 << PLANES["SAT"], 9), strict=True)
    ]


def make(folder, border=6, origin=None, visits=(1, 2, 3)):
    for visit in visits:
        wide = padded(make_planes(visit), border)
        place = tuple(start - border for start in ORIGIN) if origin is None else origin
        write(folder, "direct", visit, wide, place)
        write(folder, "matched", visit, make_planes(10 + visit), ORIGIN)
    return folder


@pytest.mark.parametrize("memory", [None, 1000])
def test_they_are_cropped_to_the_matched_ones_by_their_origins(tmp_path, memory):
    stack = cw.read_stack(make(tmp_path), memory=memory)
    assert stack.origin == ORIGIN
    for epoch in range(3):
        image, mask, variance = make_planes(epoch + 1)
        np.testing.assert_array_equal(stack.direct.image[epoch], image)
        np.testing.assert_array_equal(stack.direct.variance[epoch], variance)
        np.testing.assert_array_equal(stack.direct.mask[epoch], mask)
    there = tan_wcs().pixel_to_world(0, 0)
    assert stack.wcs.pixel_to_world(0, 0).separation(there).arcsec < 1e-6


@pytest.mark.parametrize("origin", [(701, 494), (694, 501), (680, 494), (694, 400)])
def test_one_that_does_not_cover_them_is_refused(tmp_path, origin):
    with pytest.raises(StackError, match="does not cover the matched warps, of shape"):
        cw.read_stack(make(tmp_path, origin=origin))


def test_without_an_origin_other_shapes_are_refused_as_ever(tmp_path):
    write_lsst(tmp_path / "direct" / "d1.fits", padded(make_planes(), 6), visit=1)
    write(tmp_path, "matched", 1, make_planes(), ORIGIN)
    with pytest.raises(StackError, match="shape"):
        cw.read_stack(tmp_path)
