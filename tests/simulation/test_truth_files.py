"""A truth that was changed by hand is refused with the file and the column."""

import re
import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table, vstack

from napari_comparewarp.errors import TruthError
from napari_comparewarp.simulation import read_truth, simulate_night, write_night


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night")
    write_night(simulate_night(n_epochs=3, shape=(96, 96), seed=3), folder)
    return folder / "truth"


@pytest.fixture
def truth(written, tmp_path):
    """Return a copy of a truth, for a test to change."""
    return shutil.copytree(written, tmp_path / "truth")


def change(folder, name, edit):
    path = folder / f"{name}.ecsv"
    table = Table.read(path, format="ascii.ecsv")
    edited = edit(table)
    table = table if edited is None else edited
    table.write(path, format="ascii.ecsv", overwrite=True)


def put(column, value):
    def edit(table):
        table[column][0] = value

    return edit


def as_text(column):
    def edit(table):
        table[column] = [str(value) for value in table[column]]

    return edit


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        ("visits", put("psf_sigma", -1), "psf_sigma is not within 0.001 and 100"),
        ("visits", put("psf_sigma", 1e9), "psf_sigma is not within"),
        ("visits", put("sky_sigma", np.inf), "sky_sigma is not within"),
        ("visits", put("sky_sigma", 0), "sky_sigma is not within"),
        ("visits", put("background", np.nan), "background is not within"),
        ("visits", lambda table: table.remove_column("sky_sigma"), "there is no column sky_sigma"),
        ("visits", as_text("sky_sigma"), "column sky_sigma does not hold"),
        ("visits", as_text("visit"), "column visit does not hold"),
        ("visits", lambda table: table[:0], "not a readable table"),
        ("visits", lambda table: vstack([table, table[:1]]), "one of them twice"),
        ("stars", put("x", np.nan), "x is not within"),
        ("stars", put("flux", 1e300), "flux is not within"),
        ("variables", as_text("id"), "column id does not hold"),
        ("light_curves", lambda table: table[1:], "not one row for each visit and variable"),
        ("light_curves", lambda table: vstack([table, table[:1]]), "not one row for each"),
        ("artifacts", put("visit", 1), "a visit that visits.ecsv has not"),
        ("artifacts", put("y0", -5), "y0 is not within 0"),
        ("artifacts", as_text("x0"), "column x0 does not hold"),
    ],
)
def test_each_column_has_a_type_and_a_range(truth, name, edit, message):
    change(truth, name, edit)
    with pytest.raises(TruthError, match=rf"{name}\.ecsv: .*{re.escape(message)}") as error:
        read_truth(truth)
    assert "\n" not in str(error.value)


def test_artifacts_lie_in_the_sky(truth):
    change(truth, "artifacts", put("x0", 90_000))
    with pytest.raises(TruthError, match=r"artifact .* does not lie in the sky"):
        read_truth(truth)


def test_the_sky_is_an_image(truth):
    path = truth / "static_sky.fits.fz"
    fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(np.zeros(5, np.float32), name="STATIC_SKY")]
    ).writeto(path, overwrite=True)
    with pytest.raises(TruthError, match="holds no image of finite pixels"):
        read_truth(truth)
