"""Whatever an id or the name of a file is, each product holds it and nothing else."""

import json
import warnings
from html.parser import HTMLParser

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.epoch_id import MOST_LETTERS
from napari_comparewarp.algorithm.unit_text import check_unit
from napari_comparewarp.algorithm.warps import InputFile
from napari_comparewarp.errors import CompareWarpWarning
from napari_comparewarp.io.epoch_files import epoch_path
from napari_comparewarp.io.provenance import ascii_text, card_text
from napari_comparewarp.io.write import mask_path
from napari_comparewarp.outputs import PRODUCTS, Outputs, Source

IDS = (
    "</script><script>alert(1)</script>", "<img src=x onerror=y>", "} tag={x} # text={y",
    "é日本\U0001f600" * 60, "x" * MOST_LETTERS, "'/" * 40, "&" * 100, "a'/ b&", "$\\frac{$", '"',
    "nan", "None", "true", "- a: [b", "!!python/object:x", "a,b;c\\n", "%2F/../..", "*?", 5, -7,
)  # fmt: skip
UNIT = "<b>'/$&"
EVIL = "\x1b[31m\n\u202e\udcff</title>"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return an inspection of hostile ids, and the folder with all its products."""
    image, variance, mask = planes(n_epochs=len(IDS), shape=(40, 50))
    image[2:5, 21:25] += 100
    # A visit that falls out of its cell.
    mask[4, 5:] |= 1
    stack = cw.WarpStack.from_arrays(
        image, variance, mask, psf_sigma=PSF_SIGMA, epochs=IDS, unit=UNIT,
        inputs=[InputFile(f"/d/{EVIL}{n}.fits", "direct", i, "ab" * 32) for n, i in enumerate(IDS)],
    )  # fmt: skip
    inspection = cw.Inspection(stack, cw.CompareWarpConfig(input_map=True))
    inspection.override(1, "keep")
    folder = tmp_path_factory.mktemp("hostile")
    # The report has the pictures of the steps.
    names = [name for name in PRODUCTS if name != "debug_products"]
    outputs = Outputs(
        {name: folder / f"{name}{''.join(PRODUCTS[name].endings[:1])}" for name in names}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", CompareWarpWarning)
        outputs.write(Source(inspection.result, inspection), overwrite=False)
    return inspection, folder


def as_ascii(ids):
    return [ascii_text(str(epoch)) for epoch in ids]


def test_fits_tables_have_a_row_for_each_id(written):
    _, folder = written
    with fits.open(folder / "coadd.fits") as file:
        assert file["INPUTS"].data["epoch"].tolist() == as_ascii(IDS)
        assert file["INPUTS"].data["direct_path"][0] == r"/d/\x1b[31m \u202e\udcff</title>0.fits"
        assert file["IMAGE"].header["BUNIT"] == card_text(UNIT)
        for hdu in file:
            assert hdu.verify_checksum() == hdu.verify_datasum() == 1


def test_tables_of_text_hold_the_ids_themselves(written):
    inspection, folder = written
    table = Table.read(folder / "footprints.ecsv")
    assert table["epoch"].tolist() == inspection.result.footprints["epoch"].tolist()
    cells = Table.read(folder / "artifact_masks" / "cells.ecsv")
    assert set(cells["visit"]) == {IDS[4]}


def test_each_visit_has_a_mask_of_its_own(written):
    _, folder = written
    paths = [mask_path(folder / "masks", epoch) for epoch in IDS]
    assert sorted((folder / "masks").iterdir()) == sorted(paths)
    assert [fits.getheader(path)["VISIT"] for path in paths[-2:]] == [5, -7]
    for path, epoch in zip(paths[:-2], IDS, strict=False):
        assert fits.getheader(path)["VISIT"] == card_text(epoch)


def test_an_inspection_has_the_ids_as_they_are(written):
    _, folder = written
    content = json.loads((folder / "inspection.json").read_text())
    assert [item["epoch"] for item in content["inputs"]] == list(IDS)


def test_a_page_gains_no_element_and_no_character_that_is_not_seen(written):
    _, folder = written
    text = (folder / "report.html").read_text("utf-8")
    tags = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.update([tag, *dict(attributes)])
    parser.feed(text)
    assert not tags & {"script", "onerror", "b>"}
    assert text.count("</title>") == 1
    assert all(line.isprintable() for line in text.split("\n"))


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=300))
@example("a'/b")
@example("'" * 70 + "&")
@example("&" * 68)
@settings(max_examples=200)
def test_text_in_a_card_reads_back_as_it_is_written(text):
    written = card_text(text)
    header = fits.Header()
    header["TEXT"] = written
    assert fits.Header.fromstring(header.tostring())["TEXT"] == written
    assert written.replace(r"\x27", "'").replace(r"\x26", "&") == text.rstrip() or "\\" in text


@given(st.text())
def test_any_text_can_stand_in_the_history(text):
    header = fits.Header()
    header.add_history(ascii_text(text))
    assert fits.Header.fromstring(header.tostring())


ids = st.text(min_size=1, max_size=MOST_LETTERS).filter(
    lambda text: text.isprintable() and text == text.strip()
)


@given(ids, ids)
def test_files_of_two_ids_are_two_and_lie_in_their_folder(tmp_path_factory, first, second):
    folder = tmp_path_factory.getbasetemp()
    paths = [epoch_path(folder, "clipped", epoch, ".fits") for epoch in (first, second)]
    assert (paths[0] == paths[1]) == (first == second)
    assert all(path.parent == folder and len(path.name.encode()) <= 200 for path in paths)
    assert not set("".join(path.name for path in paths)) & set('<>:"/\\|?*')


@given(st.text(max_size=80))
def test_a_unit_that_is_accepted_is_one_card(text):
    try:
        unit = check_unit(text)
    except cw.errors.StackError:
        return
    header = fits.Header()
    header["BUNIT"] = card_text(unit)
    assert fits.Header.fromstring(header.tostring())["BUNIT"] == card_text(unit)


def test_epochs_stay_numbers_in_fits_where_all_are(tmp_path):
    image, variance, mask = planes(3, shape=(40, 50))
    stack = cw.WarpStack.from_arrays(
        image, variance, mask, psf_sigma=PSF_SIGMA, epochs=(2**63 - 1, -(2**63), 0)
    )
    cw.run(stack).write(tmp_path / "coadd.fits")
    with fits.open(tmp_path / "coadd.fits") as file:
        np.testing.assert_array_equal(file["INPUTS"].data["epoch"], stack.epochs)
