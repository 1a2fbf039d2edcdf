"""Real exposures of surveys, where they are at hand."""

from pathlib import Path

import numpy as np
import pytest

from napari_comparewarp.io.describe import describe
from napari_comparewarp.io.scan import scan_exposure

FOLDER = Path(__file__).parents[3] / "shared" / "realdata" / "dialects"
NAMES = ["mzlsbass2_90prime", "mzlsbass2_mosaic", "testcase4_decam", "testcase5_decam", "ztf"]

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real exposures are not here")


def image_of(name):
    return next(path for path in sorted((FOLDER / name).iterdir()) if "_ooi_" in path.name
                or "sciimg" in path.name)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_variance_tells_the_noise_between_the_stars(name):
    exposure = scan_exposure(image_of(name))
    assert 0.8 < exposure.sample.ratio < 1.2
    assert exposure.dialect.name == ("ztf" if name == "ztf" else "noirlab-cp")
    assert len(exposure.layout.files) == (2 if name == "ztf" else 3)


@pytest.mark.parametrize(
    ("name", "plane", "count"),
    [("testcase4_decam", "CR", 177), ("testcase5_decam", "BAD", 150), ("ztf", "DETECTED", None)],
)
def test_flags_have_their_names(name, plane, count):
    told = describe(image_of(name))[f"plane {plane}"]
    assert f", {count} pixels" in told if count else ", 0 pixels" not in told


@pytest.mark.parametrize(
    ("name", "unit", "visit", "zero_point", "sky"),
    [
        ("mzlsbass2_90prime", "counts/s", "ksb170430055945", 20.562, 11),
        ("mzlsbass2_mosaic", "counts/s", 77690, 21.326, 54),
        ("testcase4_decam", "adu", 630780, 29.915, 3170),
        ("testcase5_decam", "adu", 431608, 29.948, 3640),
        ("ztf", "DN", 136243177, 26.285, 157),
    ],
)
def test_units_visits_zero_points_and_sky_are_those_of_the_readme(
    name, unit, visit, zero_point, sky
):
    exposure = scan_exposure(image_of(name))
    assert (exposure.unit, exposure.visit) == (unit, visit)
    assert -2.5 * np.log10(exposure.zero_point[1]) == pytest.approx(zero_point, abs=1e-3)
    assert exposure.sample.sky == pytest.approx(sky, rel=0.02)
