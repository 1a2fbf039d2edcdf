"""Which pixels lie in a shape on the sky, whatever the pixels are like."""

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from regions import (
    CircleAnnulusSkyRegion,
    CircleSkyRegion,
    EllipseAnnulusSkyRegion,
    EllipseSkyRegion,
    PolygonSkyRegion,
    RectangleAnnulusSkyRegion,
    RectangleSkyRegion,
)

import napari_comparewarp as cw
from napari_comparewarp.errors import StackError
from napari_comparewarp.io.sky_regions import PatchOnSky

CENTRE = SkyCoord(150, 2, unit="deg")
SHAPE = (120, 140)
SMALL, LARGE = 0.0008 * u.deg, 0.0015 * u.deg
MATRICES = {
    "square": [[-5e-5, 0], [0, 5e-5]],
    "one to two": [[-5e-5, 0], [0, 1e-4]],
    "turned": [[-4e-5, 3e-5], [3e-5, 4e-5]],
    "sheared": [[-5e-5, 2e-5], [0, 7e-5]],
    "mirrored": [[5e-5, 0], [0, -5e-5]],
}


def patch(matrix, swapped=False):
    wcs = WCS(naxis=2)
    order = slice(None, None, -1) if swapped else slice(None)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"][order]
    wcs.wcs.crval = [150.0, 2.0][order]
    wcs.wcs.crpix = 70, 60
    wcs.wcs.cd = np.array(matrix)[order]
    wcs.wcs.set()
    image = np.zeros((1, *SHAPE), np.float32)
    stack = cw.WarpStack.from_arrays(image, image + 1, psf_sigma=2.0, wcs=wcs)
    return PatchOnSky(Path("bright.csv"), stack), wcs


def inside(pixels, region):
    result = np.zeros(SHAPE, bool)
    where, part = pixels.inside(region)
    result[where] = part
    return result


def offsets(wcs, angle=0 * u.deg):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    places = wcs.pixel_to_world(x, y)
    aligned = places.transform_to(CENTRE.skyoffset_frame(rotation=angle))
    return places.separation(CENTRE), aligned.lon.wrap_at("180d").deg, aligned.lat.deg


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("name", MATRICES)
def test_a_circle_holds_the_pixels_within_its_radius_on_the_sky(name, swapped):
    pixels, wcs = patch(MATRICES[name], swapped)
    distance, _, _ = offsets(wcs)
    np.testing.assert_array_equal(inside(pixels, CircleSkyRegion(CENTRE, LARGE)), distance <= LARGE)
    ring = CircleAnnulusSkyRegion(CENTRE, SMALL, LARGE)
    np.testing.assert_array_equal(inside(pixels, ring), (distance <= LARGE) & (distance > SMALL))


@pytest.mark.parametrize("name", MATRICES)
def test_boxes_and_ellipses_are_measured_on_the_sky_too(name):
    pixels, wcs = patch(MATRICES[name])
    angle = 25 * u.deg
    _, east, north = offsets(wcs, angle)
    across, along = np.abs(east) / SMALL.value * 2, np.abs(north) / LARGE.value * 2
    shapes = {"width": SMALL, "height": LARGE, "angle": angle}
    box = (across <= 1) & (along <= 1)
    ellipse = across**2 + along**2 <= 1
    assert 50 < ellipse.sum() < box.sum()
    np.testing.assert_array_equal(inside(pixels, RectangleSkyRegion(CENTRE, **shapes)), box)
    np.testing.assert_array_equal(inside(pixels, EllipseSkyRegion(CENTRE, **shapes)), ellipse)
    sizes = [SMALL / 2, SMALL, LARGE / 2, LARGE, angle]
    half = (across <= 0.5) & (along <= 0.5)
    np.testing.assert_array_equal(
        inside(pixels, RectangleAnnulusSkyRegion(CENTRE, *sizes)), box & ~half
    )
    np.testing.assert_array_equal(
        inside(pixels, EllipseAnnulusSkyRegion(CENTRE, *sizes)),
        ellipse & ~(across**2 + along**2 <= 0.25),
    )


@pytest.mark.parametrize("name", MATRICES)
def test_a_polygon_has_the_pixels_between_its_corners(name):
    pixels, wcs = patch(MATRICES[name])
    corners = wcs.pixel_to_world([20.5, 60.5, 60.5, 20.5], [30.5, 30.5, 50.5, 50.5])
    expected = np.zeros(SHAPE, bool)
    expected[31:51, 21:61] = True
    np.testing.assert_array_equal(inside(pixels, PolygonSkyRegion(corners)), expected)


def test_small_shapes_between_the_places_that_are_looked_at_are_found():
    pixels, wcs = patch(MATRICES["turned"])
    for x, y in ((0, 0), (139, 119), (71, 33), (12, 100)):
        region = CircleSkyRegion(wcs.pixel_to_world(x, y), 1e-5 * u.deg)
        assert np.argwhere(inside(pixels, region)).tolist() == [[y, x]]


@pytest.mark.parametrize("ra", [150.1, 330.0])
def test_what_lies_elsewhere_marks_nothing(ra):
    pixels, _ = patch(MATRICES["square"])
    place = SkyCoord(ra, -2, unit="deg")
    assert not inside(pixels, CircleSkyRegion(place, LARGE)).any()
    corners = place.directional_offset_by([0, 120, 240] * u.deg, LARGE)
    assert not inside(pixels, PolygonSkyRegion(corners)).any()


def test_places_in_another_frame_are_converted():
    pixels, _ = patch(MATRICES["square"])
    there = inside(pixels, CircleSkyRegion(CENTRE, LARGE))
    np.testing.assert_array_equal(inside(pixels, CircleSkyRegion(CENTRE.galactic, LARGE)), there)


def test_without_a_grid_places_on_the_sky_are_refused():
    image = np.zeros((1, 4, 5))
    pixels = PatchOnSky(Path("b.csv"), cw.WarpStack.from_arrays(image, image + 1, psf_sigma=2.0))
    with pytest.raises(StackError, match=r"b\.csv: gives places on the sky, but the warps have no"):
        pixels.inside(CircleSkyRegion(CENTRE, LARGE))
