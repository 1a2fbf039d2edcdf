"""Bright objects from a catalogue or a region file."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from fits_files import tan_wcs
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.mask_planes import bits
from napari_comparewarp.errors import StackError
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


def test_a_box_is_turned_from_north_to_east(stack, tmp_path):
    ra, dec = sky(stack, 25, 30)
    (tmp_path / "bright.csv").write_text(
        f"ra,dec,width,height,angle\n{ra},{dec},{30 * PIXEL},{4 * PIXEL},45\n"
    )
    y, x = np.nonzero(read_bright_objects(tmp_path / "bright.csv", stack))
    # East is to the left: what pointed east now points south-east, down to the left.
    assert np.corrcoef(y, x)[0, 1] > 0.9


def test_what_lies_elsewhere_on_the_sky_marks_nothing(stack, tmp_path):
    (tmp_path / "bright.csv").write_text("ra,dec,radius\n330,-2,0.1\n150,3,0.1\n60,-88,0.1\n")
    (tmp_path / "bright.reg").write_text('icrs\ncircle(330,-2,5")\npolygon(1,2,1,3,2,3)\n')
    for name in ("bright.csv", "bright.reg"):
        assert not read_bright_objects(tmp_path / name, stack).any()


def test_an_object_larger_than_the_patch_takes_no_more_room_than_the_patch(stack, tmp_path):
    # A degree here is 20000 pixels.
    (tmp_path / "bright.csv").write_text("ra,dec,radius\n150,2,1\n")
    tracemalloc.start()
    found = read_bright_objects(tmp_path / "bright.csv", stack)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.all()
    assert peak < 20e6


def test_any_area_counts_and_what_a_region_file_excludes_is_taken_away(stack, tmp_path):
    (tmp_path / "bright.reg").write_text(
        "image\n-circle(21,21,3.2)\ncircle(21,21,6.2)\nellipse(40,10,6,3,0)\n"
        "polygon(1,40,9,40,9,48,1,48)\n"
    )
    found = read_bright_objects(tmp_path / "bright.reg", stack)
    expected = disc(stack, 20, 20, 6.2) & ~disc(stack, 20, 20, 3.2)
    np.testing.assert_array_equal(found[10:32, 10:32], expected[10:32, 10:32])
    assert found[9, 39]
    assert found[44, 5]
    assert not found[40, 40]


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
        ("a.csv", "ra,dec,radius\n1,2,0\n", "row 1: neither a radius nor"),
        ("a.csv", "ra,dec,radius,width\n1,2,1,\n1,2,,1\n", "row 2: neither a radius nor"),
        ("a.csv", "ra,dec,radius\n,2,1\n", "row 1: no place"),
        ("a.csv", "ra,dec,radius\nx,2,1\n", "row 1: ra x is no angle"),
        ("a.csv", "ra,dec,radius\n1,95,1\n", "row 1: Latitude"),
        ("a.ecsv", "hello", "not a readable table"),
        ("a.reg", "hello world", "not a readable DS9 region file"),
        ("a.reg", "physical\ncircle(9,9,3)\n", "not a readable DS9 region file.*physical"),
        ("a.reg", "image\ncircle(9,9,3)\npoint(9,9)\n", "a point has no area"),
        ("b.reg", None, "no such file"),
    ],
)
def test_what_is_no_catalogue_is_refused(stack, tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(StackError, match=message) as error:
        read_bright_objects(tmp_path / name, stack)
    assert str(error.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(error.value)


def test_places_on_the_sky_need_a_wcs(stack, tmp_path):
    (tmp_path / "a.csv").write_text("ra,dec,radius\n150,2,0.01\n")
    with pytest.raises(StackError, match="have no WCS"):
        read_bright_objects(tmp_path / "a.csv", replace(stack, wcs=None))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image\ncircle(10,10,inf)", "region 1 .*not finite in its radius"),
        ("image\ncircle(nan,10,3)", "region 1 .*not finite in its center"),
        (
            "image\ncircle(10,10,3)\ncircle(1e300,10,3)",
            "region 2 .*more than 1e\\+07 pixels in its center",
        ),
        ("image\ncircle(10,10,1e300)", "more than 1e\\+07 pixels in its radius"),
        ("image\nbox(10,10,inf,3,0)", "not finite in its width"),
        ("image\nbox(10,10,3,3,nan)", "not a readable DS9 region file"),
        ("image\nbox(10,10,-3,3,0)", "not a readable DS9 region file: .*positive"),
        ("image\ncircle(10,10,0)", "not a readable DS9 region file: .*positive"),
        ("image\npolygon(1,1,inf,3,4,5)", "not finite in its vertices"),
        ("image\npolygon(1,2)", "a polygon of 1 corners; it has 3"),
        ("image\npolygon(" + "1,2," * 20_000 + "1,2)", "a polygon of 20001 corners"),
        ("icrs\ncircle(10,20,1e300)", "more than 360 degrees in its radius"),
        ("icrs\ncircle(10,20,inf)", "not a readable DS9 region file"),
        ("icrs\ncircle(10,95,1)", "not a readable DS9 region file: .*90"),
        ("icrs\nbox(10,20,1,0,0)", "not a readable DS9 region file: .*positive"),
        ("image\ncircle(10,10,3) # " + "a" * 100_000, "a word that does not end"),
        ("image\n" + "(" * 100_000, "not a readable DS9 region file"),
        ("image\ncircle(" + "1" * 5000 + ",1,1)", "not finite in its center"),
    ],
)
def test_a_region_lies_on_an_image_or_on_the_sky(stack, tmp_path, text, message):
    path = tmp_path / "a.reg"
    path.write_text(f"# Region file format: DS9\n{text}\n")
    with pytest.raises(StackError, match=rf"a\.reg: .*{message}") as error:
        read_bright_objects(path, stack)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("10,20,inf", "radius inf is no angle within 360"),
        ("10,20,1e300", r"radius 1e\+300 is no angle"),
        ("1e300,20,1", r"ra 1e\+300 is no angle"),
        ("10,95,1", "90"),
        ("10,20,-1", "neither a radius nor a width"),
        ("10,20,True", "radius True is no angle"),
    ],
)
def test_a_row_of_a_catalogue_lies_on_the_sky(stack, tmp_path, row, message):
    path = tmp_path / "a.csv"
    path.write_text(f"ra,dec,radius\n{row}\n")
    with pytest.raises(StackError, match=rf"a\.csv: row 1: .*{message}"):
        read_bright_objects(path, stack)
