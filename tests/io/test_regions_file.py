"""Footprints as DS9 regions."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from regions import PixCoord, Regions
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw
from napari_comparewarp.colours import VERDICT_COLOURS
from napari_comparewarp.errors import OutputError
from napari_comparewarp.io import regions_file
from napari_comparewarp.io.bright_objects import read_bright_objects
from napari_comparewarp.io.regions_file import Outlined
from napari_comparewarp.result.files import write_regions


def make_result(psf_sigma=PSF_SIGMA, **knobs):
    image, variance, mask = planes()
    # A track one pixel wide, one along a diagonal, and a ring.
    image[3, 12, 20:32] += 300
    for step in range(12):
        image[4, 40 + step, 40 + step] += 300
    y, x = np.mgrid[:60, :70]
    image[5][np.abs(np.hypot(y - 48, x - 15) - 7) < 1.5] += 300
    # What deviates in half of the epochs persists.
    image[:3, 20:24, 50:54] += 300
    stack = cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=psf_sigma, origin=(500, 900))
    return cw.run(stack, cw.CompareWarpConfig(**knobs))


@pytest.fixture(scope="module", params=[2.0, 0.5], ids=["grown", "not grown"])
def result(request):
    return make_result(request.param)


@pytest.fixture(scope="module")
def regions(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("regions") / "footprints.reg"
    write_regions(result, path)
    return Regions.read(path, format="ds9")


def of_footprint(regions, number):
    """Return the regions of one footprint; a text that is a number is read as one."""
    return [region for region in regions if str(region.meta["text"]) == str(number)]


def pixels_inside(regions, shape):
    """Return the pixels whose centres lie inside an odd number of polygons: a hole is out."""
    y, x = np.indices(shape)
    inside = np.zeros(shape, int)
    for region in regions:
        inside += region.contains(PixCoord(x, y))
    return inside % 2 == 1


def test_every_outline_holds_the_pixels_of_its_footprint_and_no_others(result, regions):
    assert len(result.footprints) >= 7
    for row in result.footprints:
        inside = pixels_inside(of_footprint(regions, row["id"]), result.stack.shape)
        footprint = result.labels(int(row["epoch_index"])) == row["id"]
        np.testing.assert_array_equal(inside, footprint)


def test_pixels_that_touch_at_a_corner_have_one_outline(result, regions):
    diagonal = result.labels(4)[45, 45]
    assert len(of_footprint(regions, diagonal)) == 1


def test_regions_have_the_colour_and_the_tags_of_their_verdict_and_epoch(result, regions):
    by_id = {str(row["id"]): row for row in result.footprints}
    assert {row["verdict"] for row in by_id.values()} >= {"clipped", "persistent"}
    for region in regions:
        row = by_id[str(region.meta["text"])]
        assert region.meta["tag"] == [row["verdict"], f"epoch {row['epoch']}"]
        assert region.visual["facecolor"] == VERDICT_COLOURS[row["verdict"]]


def test_the_first_pixel_of_the_file_is_1_1(tmp_path):
    result = make_result(0.5)
    write_regions(result, tmp_path / "footprints.reg")
    track = result.labels(3)[12, 25]
    text = (tmp_path / "footprints.reg").read_text()
    assert "\nimage\n" in text
    (line,) = (line for line in text.splitlines() if f"text={{{track}}}" in line)
    numbers = np.array(line[line.index("(") + 1 : line.index(")")].split(","), float)
    # Row 12, columns 20 to 31, in DS9's way of counting.
    assert (numbers[1::2].min(), numbers[1::2].max()) == (12.5, 13.5)
    assert (numbers[::2].min(), numbers[::2].max()) == (20.5, 32.5)


def test_a_run_without_candidates_has_an_empty_region_file(tmp_path):
    stack = cw.WarpStack.from_arrays(*planes(trail_epoch=None), psf_sigma=2)
    write_regions(cw.run(stack), tmp_path / "footprints.reg")
    assert len(Regions.read(tmp_path / "footprints.reg", format="ds9")) == 0


def test_regions_lie_on_the_coadd_that_is_written(tmp_path):
    result = make_result(0.5)
    result.write(tmp_path / "coadd.fits")
    write_regions(result, tmp_path / "footprints.reg")
    mask = fits.getdata(tmp_path / "coadd.fits", "MASK")
    bit = 1 << result.coadd.mask_planes["CLIPPED"]
    regions = Regions.read(tmp_path / "footprints.reg", format="ds9")
    inside = np.zeros(mask.shape, bool)
    for row in result.footprints[result.footprints["verdict"] == "clipped"]:
        inside |= pixels_inside(of_footprint(regions, row["id"]), mask.shape)
    np.testing.assert_array_equal(inside, mask & bit != 0)


def test_a_region_file_is_named_reg_and_not_written_over_unasked(tmp_path):
    result = make_result()
    with pytest.raises(OutputError, match=r"written as \.reg"):
        write_regions(result, tmp_path / "footprints.txt")
    (tmp_path / "footprints.reg").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        write_regions(result, tmp_path / "footprints.reg")
    write_regions(result, tmp_path / "footprints.reg", overwrite=True)
    assert "polygon" in (tmp_path / "footprints.reg").read_text()


HOSTILE = [
    "7", "a} tag={evil", "a\nimage;circle(1,1,5)", "{a", "'q'", '"q"', "a;b", "a#b", " a ", "é☃",
    "\ud800", "a\\x7d", "\x1b[31m", "\u2028x", "=", "text=1", "a{b}c", "||", "x }", "",
    "tag={b} text={c}", "\r", "\0", "{" * 500, ";circle(1,1,1) #",
]  # fmt: skip


def write_with_texts(path, texts):
    square = np.ones((2, 2), bool)
    regions_file.write_regions(
        [Outlined(square, 3, 4, text, "clipped", text) for text in texts], path, overwrite=True
    )


def read_back(text):
    r"""Return a text of a region with what is escaped as ``\x7d`` brought back."""
    return re.sub(
        r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})", lambda found: chr(int(found[1] or found[2], 16)), text
    )


@pytest.mark.parametrize("texts", [[text] for text in HOSTILE] + [HOSTILE])
def test_no_text_adds_regions_lines_or_attributes(tmp_path, texts):
    path = tmp_path / "a.reg"
    write_with_texts(path, texts)
    content = path.read_bytes().decode("utf-8")
    assert len(content.split("\n")) == 2 + len(texts) + 1
    assert all(letter.isprintable() or letter == "\n" for letter in content)
    found = Regions.read(path, format="ds9")
    assert [read_back(str(region.meta["text"])) for region in found] == texts
    for region, text in zip(found, texts, strict=True):
        assert [read_back(tag) for tag in region.meta["tag"]] == ["clipped", f"epoch {text}"]
        assert set(region.meta) == {"text", "tag", "include"}


def test_our_own_reader_takes_what_we_write(tmp_path):
    path = tmp_path / "a.reg"
    write_with_texts(path, HOSTILE)
    warps = cw.WarpStack.from_arrays(*planes(), psf_sigma=2)
    marked = read_bright_objects(path, warps)
    assert np.argwhere(marked).tolist() == [[3, 4], [3, 5], [4, 4], [4, 5]]


def test_region_files_are_the_same_bytes_in_every_process(tmp_path):
    program = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from napari_comparewarp.io.regions_file import Outlined, write_regions\n"
        "square = np.ones((2, 2), bool)\n"
        "write_regions([Outlined(square, 3, 4, '1', 'clipped', 'x')], Path(sys.argv[1]))\n"
    )
    contents = set()
    for seed in ("0", "1", "2"):
        path = tmp_path / f"{seed}.reg"
        # A locale that knows no more than ASCII must not matter either.
        surroundings = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "PYTHONUTF8": "0"}
        subprocess.run([sys.executable, "-c", program, str(path)], check=True, env=surroundings)
        contents.add(path.read_bytes())
    assert len(contents) == 1
