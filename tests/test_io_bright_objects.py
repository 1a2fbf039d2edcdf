"""Bright objects from a catalogue or a region file."""

from dataclasses import replace

import numpy as np
import pytest
from fits_files import tan_wcs
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.mask_planes import bits
from napari_comparewarp.algorithm.warps import StackError
from napari_comparewarp.io.bright_objects import read_bright_objects

PIXEL = 5e-5  # degrees


@pytest.fixture(scope="module")
def stack():
    return cw.WarpStack.from_arrays(
        *planes(n_epochs=3, shape=(50, 60)), psf_sigma=PSF_SIGMA, wcs=tan_wcs()
    )


def sky(stack, y, x):
    return stack.wcs.pixel_to_world_values(x, y)


def disc(stack, y, x, radius):
    rows, columns = np.mgrid[: stack.shape[0], : stack.shape[1]]
    return np.hypot(rows - y, columns - x) <= radius


def test_a_table_holds_circles_and_boxes(stack, tmp_path):
    (ra, dec), (ra2, dec2) = sky(stack, 20, 30), sky(stack, 40, 10)
    (tmp_path / "bright.csv").write_text(
        "ra,dec,radius,width,height\n"
        f"{ra},{dec},{5 * PIXEL},,\n{ra2},{dec2},,{8 * PIXEL},{4 * PIXEL}\n"
        f"{ra - 1},{dec},{5 * PIXEL},,\n"
    )
    found = read_bright_objects(tmp_path / "bright.csv", stack)
    circle = found.copy()
    circle[35:] = False
    assert (circle & ~disc(stack, 20, 30, 6)).sum() == 0
    assert (~circle & disc(stack, 20, 30, 4.5)).sum() == 0
    y, x = np.nonzero(found[35:])
    assert (np.ptp(y), np.ptp(x)) == (pytest.approx(4, abs=1), pytest.approx(8, abs=1))


def test_sizes_may_have_a_unit_and_regions_may_be_a_file(stack, tmp_path):
    ra, dec = sky(stack, 20, 30)
    arcsec = 5 * PIXEL * 3600
    (tmp_path / "bright.ecsv").write_text(
        "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: ra, datatype: float64}\n"
        "# - {name: dec, datatype: float64}\n"
        "# - {name: radius, unit: arcsec, datatype: float64}\n"
        f"ra dec radius\n{ra} {dec} {arcsec}\n"
    )
    (tmp_path / "bright.reg").write_text(f'fk5\ncircle({ra},{dec},{arcsec}")\n')
    (tmp_path / "image.reg").write_text("image\ncircle(31,21,5)\n")
    found = [
        read_bright_objects(tmp_path / name, stack)
        for name in ("bright.ecsv", "bright.reg", "image.reg")
    ]
    assert found[0].sum() > 60
    # Frames and roundings move the edge by a small part of a pixel.
    for other in found[1:]:
        assert (found[0] ^ other).sum() <= 12


def test_they_are_marked_on_the_coadd(stack, tmp_path):
    (tmp_path / "image.reg").write_text("image\ncircle(31,21,5)\n")
    where = read_bright_objects(tmp_path / "image.reg", stack)
    config = cw.CompareWarpConfig(mask_bright_objects=True)
    result = cw.run(stack, config, bright_objects=where)
    bit = bits(result.coadd.mask_planes, ["BRIGHT_OBJECT"])
    np.testing.assert_array_equal(result.coadd.mask & bit != 0, where)
    assert any("no catalogue" in message for message in cw.run(stack, config).messages)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "x,y\n1,2\n", "bright objects have ra and dec"),
        ("a.csv", "ra,dec,radius\n1,2,0\n", "row 1 has neither"),
        ("a.ecsv", "hello", "not a readable table"),
    ],
)
def test_what_is_no_catalogue_is_refused(stack, tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(StackError, match=message):
        read_bright_objects(tmp_path / name, stack)


def test_places_on_the_sky_need_a_wcs(stack, tmp_path):
    (tmp_path / "a.csv").write_text("ra,dec,radius\n150,2,0.01\n")
    with pytest.raises(StackError, match="have no WCS"):
        read_bright_objects(tmp_path / "a.csv", replace(stack, wcs=None))
