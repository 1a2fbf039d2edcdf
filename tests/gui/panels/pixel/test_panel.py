"""The pixel inspector, in a real window."""

import numpy as np
import pytest
from fits_files import tan_wcs
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp.gui.panels.pixel.panel import EMPTY, PixelPanel
from napari_comparewarp.gui.panels.pixel.table import COLUMNS
from napari_comparewarp.gui.session import Session
from napari_comparewarp.result.footprint_states import SELECTED

#: In the trail of epoch 1, and in a clear place.
TRAIL, CLEAR = (31, 50), (50, 50)
EPOCH = 1


def make_stack(psf=2.0):
    return cw.WarpStack.from_arrays(
        *planes(), psf_sigma=2.0, epochs=list("abcdef"), wcs=tan_wcs(), psf=psf
    )


@pytest.fixture
def inspection():
    return cw.Inspection(make_stack())


@pytest.fixture
def panel(show_panel):
    return show_panel(PixelPanel(), (1000, 300))


def show(panel, qtbot, pixel):
    """Show a pixel and wait for what is known of it."""
    panel.show_pixel(*pixel)
    qtbot.waitUntil(lambda: panel.report is not None and (panel.report.y, panel.report.x) == pixel)


def cells(panel, column):
    """Return the words of a column."""
    place = list(COLUMNS).index(column)
    return [panel.model.index(row, place).data() for row in range(panel.model.rowCount())]


def head(panel):
    """Return the lines on the coadd."""
    return {heading: label.text() for heading, label in panel._lines.items()}


def test_before_a_click_the_panel_says_what_to_do(panel):
    assert panel.words.text() == EMPTY and panel.words.isVisible()
    assert not panel.table.isVisible()
    assert not panel.copy.isEnabled()


def test_every_epoch_has_a_row_with_its_values_and_what_became_of_it(session, panel, qtbot):
    show(panel, qtbot, TRAIL)
    assert cells(panel, "epoch") == list("abcdef")
    values = session.inspection.stack.direct.image[:, TRAIL[0], TRAIL[1]]
    assert cells(panel, "warp") == [f"{value:.4g}" for value in values]
    footprint = session.inspection.result.labels(EPOCH)[TRAIL]
    assert cells(panel, "footprint")[EPOCH] == f"clipped ({footprint})"
    assert "CLIPPED" in cells(panel, "mask planes")[EPOCH].split()
    in_coadd = cells(panel, "in coadd")
    assert in_coadd[EPOCH].startswith("no: masked as CLIPPED")
    shares = [float(words.removesuffix(" %")) for words in in_coadd if words.endswith("%")]
    assert len(shares) == 5 and sum(shares) == pytest.approx(100, abs=0.3)


def test_the_head_has_the_coadd_the_template_the_counts_and_the_psf(session, panel, qtbot):
    show(panel, qtbot, TRAIL)
    lines, result = head(panel), session.inspection.result
    assert lines["pixel"].startswith("x 50  y 31   ")
    assert lines["coadd"].startswith(f"{result.coadd.image[TRAIL]:.4g} ± ")
    assert "of 5 warps" in lines["coadd"]
    assert lines["template"].startswith(f"{result.template.image[TRAIL]:.4g} ± ")
    assert lines["epoch count"].startswith("deviates in 1 of 6 epochs")
    assert lines["coadd PSF"].startswith("σ 2.000 pixels")


def test_the_pixel_stays_while_a_knob_moves(session, panel, qtbot):
    show(panel, qtbot, TRAIL)
    session.tune(max_epochs=0, temporal_threshold=0.0, max_epochs_slope=0.0)
    qtbot.waitUntil(lambda: "of 6 warps" in head(panel)["coadd"])
    assert cells(panel, "footprint")[EPOCH].startswith("persistent")


def test_a_fixed_cross_ignores_clicks_but_not_the_boxes(panel, qtbot):
    show(panel, qtbot, TRAIL)
    panel.fixed.setChecked(True)
    panel.show_pixel(*CLEAR)
    assert not panel.work.busy
    assert (panel.report.y, panel.report.x) == TRAIL
    panel.y_box.setValue(20)
    qtbot.waitUntil(lambda: panel.report.y == 20)


def test_the_boxes_follow_a_click(panel, qtbot):
    show(panel, qtbot, TRAIL)
    assert (panel.y_box.value(), panel.x_box.value()) == TRAIL
    assert (panel.y_box.maximum(), panel.x_box.maximum()) == (59, 69)


@pytest.mark.parametrize("pixel", [(-1, 5), (5, -1), (60, 5), (5, 70)])
def test_a_click_outside_the_patch_changes_nothing(panel, qtbot, pixel):
    show(panel, qtbot, TRAIL)
    panel.show_pixel(*pixel)
    assert not panel.work.busy
    assert (panel.report.y, panel.report.x) == TRAIL


def test_a_cross_marks_the_pixel_while_the_panel_is_seen(session, panel, qtbot):
    show(panel, qtbot, CLEAR)
    y, x = CLEAR
    drawn = np.argwhere(session.layers.views.states(0) == SELECTED) - CLEAR
    assert len(drawn) == 24
    assert (np.abs(drawn).min(axis=1) == 0).all()
    assert (np.abs(drawn).max(axis=1) >= 3).all()
    np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(-drawn, axis=0))
    panel.hide()
    assert not (session.layers.views.states(0) == SELECTED).any()
    panel.show()
    assert session.layers.views.states(0)[y + 5, x] == SELECTED


def test_the_cross_is_on_the_canvas(make_napari_viewer_proxy, qtbot):
    viewer = make_napari_viewer_proxy(show=True)
    session = Session(viewer, cw.Inspection(make_stack()))
    panel = PixelPanel()
    viewer.window.add_dock_widget(panel, area="bottom")
    panel.set_session(session)
    show(panel, qtbot, CLEAR)
    assert session.layers.by_role["states"]._slice.image.raw[55, 50] == SELECTED
    panel.set_session(None)
    assert not (session.layers.by_role["states"]._slice.image.raw == SELECTED).any()
    session.close()


def test_a_cross_in_the_corner_ends_at_the_border(session, panel, qtbot):
    show(panel, qtbot, (59, 0))
    assert (session.layers.views.states(0) == SELECTED).sum() == 12


def test_a_click_on_a_row_goes_to_its_epoch_and_the_row_follows_the_epoch(session, panel, qtbot):
    show(panel, qtbot, TRAIL)
    place = panel.table.visualRect(panel.model.index(4, 0)).center()
    panel.table.scrollTo(panel.model.index(4, 0))
    place = panel.table.visualRect(panel.model.index(4, 0)).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.epoch_index == 4
    session.epoch_index = 2
    assert panel.table.currentIndex().row() == 2


def test_go_there_brings_the_pixel_to_the_middle(session, panel, qtbot):
    show(panel, qtbot, CLEAR)
    panel.go.click()
    np.testing.assert_allclose(session.viewer.scene.camera.center[-2:], CLEAR)


def test_all_of_it_is_copied_as_text(panel, qtbot):
    show(panel, qtbot, TRAIL)
    panel.copy.click()
    head_text, table = QApplication.clipboard().text().split("\n\n")
    assert head_text.splitlines()[0].startswith("pixel: x 50  y 31")
    rows = [line.split("\t") for line in table.splitlines()]
    assert rows[0] == list(COLUMNS)
    assert [row[0] for row in rows[1:]] == list("abcdef")
    assert {len(row) for row in rows} == {len(COLUMNS)}


def test_nothing_is_read_while_the_panel_is_hidden(panel, qtbot, settle):
    panel.hide()
    panel.show_pixel(*TRAIL)
    settle(panel.work)
    assert panel.report is None
    panel.show()
    qtbot.waitUntil(lambda: panel.report is not None)


def test_a_panel_without_its_session_no_longer_listens(session, panel, qtbot):
    show(panel, qtbot, TRAIL)
    panel.set_session(None)
    assert panel.report is None and not panel.isEnabled()
    assert session.layers.views.cross is None
    session.tune(chi_threshold=6.0)
    session.epoch_index = 3
    panel.show_pixel(*CLEAR)
    qtbot.waitUntil(lambda: not session.busy)
    assert panel.report is None


def test_a_visit_without_a_psf_is_named(session, panel, qtbot):
    other = Session(ViewerModel(), cw.Inspection(make_stack([2.0, 2.0, 2.0, None, 2.0, 2.0])))
    panel.set_session(other)
    show(panel, qtbot, CLEAR)
    assert head(panel)["coadd PSF"] == panel.report.psf_message
    assert " d " in f" {panel.report.psf_message} ".replace(",", " ")
    panel.set_session(None)
    other.close()
