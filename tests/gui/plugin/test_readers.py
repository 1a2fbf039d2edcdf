"""Readers take warps, coadds and inspections, refuse the rest, and do not hold up the window."""

import gzip
import shutil

import numpy as np
import pytest
from astropy.io import fits
from fits_files import make_planes, write_lsst, write_plain
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from stacks import stack
from survey import register, write_survey

import napari_comparewarp as cw
from napari_comparewarp.errors import StackError
from napari_comparewarp.gui.layers.layer_set import NAMES
from napari_comparewarp.gui.plugin.commands import dock_of
from napari_comparewarp.gui.plugin.readers import get_reader
from napari_comparewarp.simulation import simulate_night, write_night


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night") / "stack"
    write_night(simulate_night(5, (96, 104), seed=4), folder)
    return folder


@pytest.fixture(scope="module")
def warps(night):
    return [str(path) for path in sorted((night / "direct").iterdir())]


@pytest.fixture(scope="module")
def coadd(tmp_path_factory):
    path = tmp_path_factory.mktemp("coadd") / "night.fits"
    cw.run(stack()).write(path)
    return path


@pytest.fixture
def viewer(make_napari_viewer_proxy, plugin):
    return make_napari_viewer_proxy()


def read(path):
    """Return the layers that a viewer without a window gets."""
    return [Layer.create(*data) for data in get_reader(path)(path)]


def until_open(viewer, qtbot):
    dock = dock_of(viewer)
    qtbot.waitUntil(lambda: dock.session is not None and len(viewer.layers) == 8, timeout=30_000)
    return dock.session.inspection


# --- what is ours ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("image.fits", lambda path: fits.writeto(path, np.zeros((8, 8), np.float32))),
        ("table.fits", lambda path: fits.BinTableHDU.from_columns(
            [fits.Column("x", "E", array=np.zeros(3))]).writeto(path)),
        ("sci_only.fits", lambda path: fits.HDUList(
            [fits.PrimaryHDU(), fits.ImageHDU(np.zeros((8, 8)), name="SCI")]).writeto(path)),
        ("text.fits", lambda path: path.write_text("no FITS at all")),
        ("empty.fits", lambda path: path.touch()),
        ("packed.fits.gz", lambda path: path.write_bytes(gzip.compress(b"no FITS"))),
        ("data.json", lambda path: path.write_text('{"format": "something else"}')),
        ("bytes.json", lambda path: path.write_bytes(b"\xff\xfe\x00")),
        ("image.tif", lambda path: path.touch()),
        ("folder", lambda path: path.mkdir()),
        ("nothing.fits", lambda path: None),
        ("nothing.json", lambda path: None),
    ],
)  # fmt: skip
def test_what_is_not_ours_is_refused(tmp_path, name, make):
    make(tmp_path / name)
    assert get_reader(str(tmp_path / name)) is None


def test_a_folder_of_other_fits_files_is_refused(tmp_path):
    for number in range(5):
        fits.writeto(tmp_path / f"{number}.fits", np.zeros((8, 8)))
    assert get_reader(str(tmp_path)) is None
    assert get_reader([str(path) for path in tmp_path.iterdir()]) is None


def test_only_headers_are_read_to_see_whether_it_is_ours(warps, monkeypatch):
    monkeypatch.setattr("napari_comparewarp.gui.layers.exposure_layers.read_pixels", None)
    monkeypatch.setattr("napari_comparewarp.gui.plugin.readers.read_stack", None)
    assert get_reader(warps[0]) and get_reader(warps)


def test_a_damaged_warp_is_ours_and_its_reading_says_what_is_wrong(warps, tmp_path):
    path = tmp_path / "cut.fits"
    whole = write_lsst(tmp_path / "whole.fits", make_planes(), visit=1).read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(StackError, match="truncated"):
        get_reader(str(path))(str(path))


def test_an_inspection_of_a_later_version_is_ours_and_says_so(tmp_path):
    path = tmp_path / "later.json"
    path.write_text('{"format": "comparewarp inspection", "version": 99}')
    with pytest.raises(StackError, match="version 99"):
        get_reader(str(path))(str(path))


# --- without a window ------------------------------------------------------------------------


def test_a_coadd_becomes_image_mask_variance_and_counts(coadd):
    layers = {layer.name.removeprefix("night "): layer for layer in read(str(coadd))}
    assert list(layers) == ["variance", "number of epochs", "image", "mask planes"]
    with fits.open(coadd) as hdus:
        np.testing.assert_array_equal(layers["image"].data, hdus["IMAGE"].data)
        np.testing.assert_array_equal(layers["variance"].data, hdus["VARIANCE"].data)
        np.testing.assert_array_equal(layers["number of epochs"].data, hdus["NIMAGE"].data)
    image = layers["image"]
    assert isinstance(image, Image) and image.visible and not layers["variance"].visible
    low, high = image.contrast_limits
    assert np.nanmin(image.data) < high < np.inf and low < high


def test_the_mask_of_a_coadd_names_its_planes_under_the_cursor(coadd):
    mask = next(layer for layer in read(str(coadd)) if isinstance(layer, Labels))
    planes = mask.metadata["mask_planes"]
    clipped = mask.data & (1 << planes["CLIPPED"]) != 0
    y, x = map(int, np.argwhere(clipped)[0])
    assert "CLIPPED" in mask.get_status((y, x))["value"]
    opacity = mask.colormap.map(mask.data)[..., 3]
    assert (opacity[clipped] > 0).all() and (opacity[mask.data == 0] == 0).all()


def test_a_single_warp_of_any_layout_becomes_plain_layers(tmp_path):
    plain = write_plain(tmp_path / "visit_7.fits", "WHT", np.ones((20, 30), np.float32))
    names = [layer.name for layer in read(str(plain))]
    assert names == ["visit_7 variance", "visit_7 image", "visit_7 mask planes"]


@pytest.mark.parametrize("split", [False, True], ids=["one file", "three files"])
def test_a_dialect_that_is_added_is_ours(tmp_path, monkeypatch, split):
    folder = tmp_path / "night"
    path, _ = (write_survey(folder, visit, split=split) for visit in (1, 2))
    assert get_reader(str(path)) is None and get_reader(str(folder)) is None
    register(tmp_path, monkeypatch)
    names = [layer.name for layer in read(str(path))]
    assert names == ["v1_flux variance", "v1_flux image", "v1_flux mask planes"]
    assert [layer.name for layer in read(str(folder))] == list(NAMES.values())
    path.write_bytes(path.read_bytes()[: 2 * 2880] if split else path.read_bytes()[:-3000])
    with pytest.raises(StackError, match="truncated"):
        get_reader(str(path))(str(path))


@pytest.mark.parametrize("choice", ["folder", "files"])
def test_a_stack_becomes_the_layers_of_its_inspection_with_their_limits(night, warps, choice):
    path = str(night) if choice == "folder" else warps
    layers = read(path)
    assert [layer.name for layer in layers] == list(NAMES.values())
    for layer in layers:
        if isinstance(layer, Image) and not layer.rgb:
            low, high = layer.contrast_limits
            assert -np.inf < low < high < np.inf


def test_an_inspection_comes_back_with_its_settings(night, tmp_path):
    inspection = cw.Inspection(cw.read_stack(night), cw.CompareWarpConfig(chi_threshold=4))
    inspection.save(tmp_path / "inspection.json")
    layers = {layer.name: layer for layer in read(str(tmp_path / "inspection.json"))}
    np.testing.assert_array_equal(layers["coadd"].data, inspection.result.coadd.image)


# --- in a window -----------------------------------------------------------------------------


def test_a_folder_ends_in_the_view_of_the_dock(viewer, plugin, night, qtbot):
    assert viewer.open(night, plugin=plugin.name) == []
    inspection = until_open(viewer, qtbot)
    assert inspection.stack.n_epochs == 5
    assert [layer.name for layer in viewer.layers] == list(NAMES.values())


@pytest.mark.parametrize("stacked", [True, False])
def test_several_warps_of_one_choice_are_one_stack(viewer, plugin, warps, qtbot, stacked):
    viewer.open(warps, stack=stacked, plugin=plugin.name)
    inspection = until_open(viewer, qtbot)
    assert inspection.stack.n_epochs == len(warps)


def test_a_warp_by_itself_becomes_plain_layers_with_y_up(viewer, plugin, warps, qtbot):
    viewer.open(warps[0], plugin=plugin.name)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    assert viewer.scene.camera.orientation2d == ("up", "right")
    assert not viewer.window.dock_widgets


def test_a_coadd_is_there_at_once(viewer, plugin, coadd):
    layers = viewer.open(coadd, plugin=plugin.name)
    assert len(layers) == 4 and list(viewer.layers) == layers


def test_an_inspection_opens_in_the_dock(viewer, plugin, night, tmp_path, qtbot):
    saved = cw.Inspection(cw.read_stack(night), cw.CompareWarpConfig(chi_threshold=4))
    saved.save(tmp_path / "inspection.json")
    viewer.open(tmp_path / "inspection.json", plugin=plugin.name)
    assert until_open(viewer, qtbot).config.chi_threshold == 4


def test_a_warp_that_is_gone_when_its_turn_comes_is_told_in_one_line(
    viewer, plugin, warps, tmp_path, qtbot, monkeypatch
):
    told = []
    monkeypatch.setattr("napari_comparewarp.gui.plugin.commands.show_error", told.append)
    path = tmp_path / "warp.fits.fz"
    shutil.copy(warps[0], path)
    viewer.open(path, plugin=plugin.name)
    path.unlink()
    qtbot.waitUntil(lambda: bool(told))
    assert str(path) in told[0] and "\n" not in told[0]
    assert not viewer.layers


def test_a_viewer_that_closes_while_files_are_awaited_gets_none(
    make_napari_viewer_proxy, plugin, warps, qtbot
):
    viewer = make_napari_viewer_proxy()
    viewer.open(warps, plugin=plugin.name)
    viewer.close()
    qtbot.wait(500)
    assert len(ViewerModel().layers) == 0
