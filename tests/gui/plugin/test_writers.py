"""Saving the layers of a session writes what the engine writes; nothing is replaced unasked."""

import numpy as np
import pytest
from astropy.io import fits
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.errors import OutputError
from napari_comparewarp.gui.session import Session


@pytest.fixture
def session(make_napari_viewer_proxy, plugin):
    viewer = make_napari_viewer_proxy()
    made = Session(viewer, cw.Inspection(stack()))
    yield made
    made.close()


def save(session, role, path):
    """Save a layer as napari's menu does."""
    layers = session.viewer.layers
    layers.selection.active = session.layer(role)
    return layers.save(str(path), selected=True, plugin="napari-comparewarp")


def test_the_coadd_layer_is_saved_with_all_its_planes(session, tmp_path):
    path = tmp_path / "coadd.fits"
    assert save(session, "coadd", path) == [str(path)]
    coadd = session.inspection.result.coadd
    with fits.open(path) as hdus:
        np.testing.assert_array_equal(hdus["IMAGE"].data, coadd.image)
        np.testing.assert_array_equal(hdus["MASK"].data, coadd.mask)
        assert {"VARIANCE", "NIMAGE", "INPUTS"} <= {hdu.name for hdu in hdus}


def test_the_coadd_that_is_saved_is_the_present_one(session, tmp_path):
    session.inspection.set(chi_threshold=1000)
    save(session, "coadd", tmp_path / "coadd.fits")
    with fits.open(tmp_path / "coadd.fits") as hdus:
        np.testing.assert_array_equal(
            hdus["IMAGE"].data, cw.run(stack(), session.inspection.config).coadd.image
        )


def test_the_footprints_layer_is_saved_as_a_folder_of_masks(session, tmp_path):
    folder = tmp_path / "clipped.masks"
    written = save(session, "states", folder)
    assert len(written) == session.inspection.stack.n_epochs
    for index, path in enumerate(written):
        with fits.open(path) as hdus:
            np.testing.assert_array_equal(
                hdus["MASK"].data, session.inspection.result.direct_mask(index)
            )


def test_what_exists_is_not_replaced(session, tmp_path):
    path = tmp_path / "coadd.fits"
    path.write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        save(session, "coadd", path)
    assert path.read_text() == "precious"


@pytest.mark.parametrize("role", ["template", "warp"])
def test_another_layer_of_the_session_is_not_saved_as_the_coadd(session, tmp_path, role):
    with pytest.raises(OutputError, match="is not the layer 'coadd'"):
        save(session, role, tmp_path / "coadd.fits")
    assert not list(tmp_path.glob("*.fits"))


def test_an_image_of_someone_elses_is_not_taken_for_the_coadd(session, tmp_path):
    layer = session.viewer.add_image(np.zeros((8, 8)), name="mine")
    with pytest.raises(OutputError, match="'mine'"):
        layer.save(str(tmp_path / "mine.fits"), plugin="napari-comparewarp")
