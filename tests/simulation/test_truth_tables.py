"""A truth whose tables were changed is refused in one line that names the table."""

import pytest

from napari_comparewarp.errors import TruthError
from napari_comparewarp.simulation import read_truth, simulate_night, write_night


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Return the folder of a truth, and its tables as they were written."""
    folder = tmp_path_factory.mktemp("night")
    write_night(simulate_night(2, (64, 64), seed=1), folder)
    return folder / "truth", {
        path.name: path.read_text() for path in (folder / "truth").glob("*.ecsv")
    }


@pytest.fixture
def truth(texts):
    """Return the folder, which is whole again afterwards."""
    folder, tables = texts
    yield folder
    for name, text in tables.items():
        (folder / name).write_text(text)


def change(folder, name, column, value):
    """Put another value into the first row of a table."""
    path = folder / f"{name}.ecsv"
    lines = path.read_text().split("\n")
    head = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    cells = lines[head + 1].split(" ")
    cells[lines[head].split(" ").index(column)] = value
    lines[head + 1] = " ".join(cells)
    path.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("visits", "psf_sigma", "-1", r"visits.ecsv, column psf_sigma: -1 is in it"),
        ("visits", "psf_sigma", "1e300", r"psf_sigma: 1e\+300 is in it"),
        ("visits", "sky_sigma", "inf", r"sky_sigma: inf is in it"),
        ("visits", "sky_sigma", '""', r"sky_sigma: a value is missing"),
        ("visits", "background", "[1.0]", r"visits\.ecsv"),
        ("visits", "visit", "401002", r"401002 stands twice"),
        ("stars", "x", "nan", r"stars.ecsv, column x: nan is in it"),
        ("stars", "x", "x", r"stars.ecsv: cannot read this table"),
        ("variables", "y", "1e300", r"variables.ecsv, column y"),
        ("variables", "id", "99", r"light_curves.ecsv: no flux of variable 99"),
        ("light_curves", "visit", "7", r"no flux of variable"),
        ("artifacts", "y1", "1000", r"artifacts.ecsv, columns y0 and y1: a box outside"),
        ("artifacts", "id", "77", r"no image ARTIFACT_77"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(truth, name, column, value, message):
    change(truth, name, column, value)
    with pytest.raises(TruthError, match=message) as error:
        read_truth(truth)
    assert "\n" not in str(error.value)


def test_a_missing_column_is_named_with_those_that_are_needed(truth):
    path = truth / "stars.ecsv"
    path.write_text(path.read_text().replace("mag", "magnitude"))
    with pytest.raises(TruthError, match=r"stars\.ecsv: no column mag; there are id, x, y, mag"):
        read_truth(truth)


def test_images_that_are_cut_short_are_refused(truth):
    path = truth / "static_sky.fits.fz"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(TruthError, match=r"the truth's images: .*static_sky\.fits\.fz"):
            read_truth(truth)
    finally:
        path.write_bytes(whole)
