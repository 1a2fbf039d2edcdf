"""Masks for the cell coadds of Rubin's pipelines."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from click.testing import CliRunner
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp.cli import main
from napari_comparewarp.errors import CompareWarpWarning, OutputError
from napari_comparewarp.result.artifact_masks import masked_cells, write_artifact_masks
from napari_comparewarp.simulation import simulate_night, write_night

SHAPE = (200, 320)  # two cells by three, those at the far edges cut


@pytest.fixture(scope="module")
def result():
    image, variance, mask = planes(n_epochs=5, shape=SHAPE)
    mask[2, :150, :80] |= 1 << 8  # NO_DATA in more than half of the first cell
    image[3, 160:190] += 200  # a trail through the cells below, 30 of their 50 rows
    return cw.run(cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=2.0, origin=(7, 9)))


def test_each_cell_has_the_part_of_it_that_is_masked(result):
    cells = masked_cells(result, 2)
    assert cells.shape == (2, 3)
    assert cells[0, 0] == pytest.approx(80 / 150, abs=0.01)
    assert masked_cells(result, 3)[1] == pytest.approx(30 / 50, abs=0.1)


def test_all_visits_have_one_mask_with_the_same_planes(result, tmp_path):
    with pytest.warns(CompareWarpWarning) as caught:
        write_artifact_masks(result, tmp_path / "masks")
    said = [str(warning.message) for warning in caught]
    assert said[0].startswith("visit 2 falls out of 1 of 6 cells, of which half or more is masked")
    assert said[0].endswith("(y, x): 0, 0")
    assert said[1].startswith("visit 3 falls out of 3 of 6 cells")
    headers = []
    for epoch in range(5):
        with fits.open(tmp_path / "masks" / f"compare_warp_artifact_mask_{epoch}.fits") as hdus:
            header = hdus["MASK"].header
            np.testing.assert_array_equal(hdus["MASK"].data, result.direct_mask(epoch))
            headers.append({key: header[key] for key in header if key.startswith("MP_")})
            assert (header["LTV1"], header["CRVAL2A"]) == (-7, 9)
    assert all(planes == headers[0] for planes in headers)
    assert {"MP_CLIPPED", "MP_NO_DATA", "MP_EDGE"} <= set(headers[0])
    cells = Table.read(tmp_path / "masks" / "cells.ecsv")
    assert cells["visit"].tolist() == ["2", "3", "3", "3"]
    assert (cells["masked"] >= 0.5).all()
    with pytest.raises(OutputError, match="exists"):
        write_artifact_masks(result, tmp_path / "masks")


def test_the_command_line_writes_them(tmp_path):
    write_night(simulate_night(4, (96, 96), seed=2), tmp_path / "night")
    words = ["run", str(tmp_path / "night"), "-o", str(tmp_path / "c.fits"), "--quiet"]
    done = CliRunner().invoke(main, [*words, "--artifact-masks", str(tmp_path / "masks")])
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "masks").glob("compare_warp_artifact_mask_*.fits"))) == 4
