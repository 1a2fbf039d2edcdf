"""The map of how clipping changes the PSF size, in a real window."""

import threading

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPointF, Qt
from qtpy.QtWidgets import QWidget
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp.gui import psf_panel
from napari_comparewarp.gui.psf_panel import EMPTY, PsfPanel
from napari_comparewarp.gui.session import Session
from napari_comparewarp.review.psf_map import map_psf_size

WIDTHS = [2.0, 3.0, 2.2, 1.8, 2.0, 2.5]
#: Two stars on the rim of the trail in epoch 1, and one far from it.
STARS = [(28, 20), (36, 50), (52, 35)]
KEEP_ALL = {"max_epochs": 0, "temporal_threshold": 0.0, "max_epochs_slope": 0.0}


def make_stack(psf):
    image, variance, mask = planes(trail_epoch=None, stars=False)
    image[1, 28:36] += 120
    y, x = np.mgrid[: image.shape[1], : image.shape[2]]
    for star_y, star_x in STARS:
        image += (400 * np.exp(-((y - star_y) ** 2 + (x - star_x) ** 2) / 8)).astype(np.float32)
    return cw.WarpStack.from_arrays(
        image, variance, mask, psf_sigma=2.0, psf=psf, epochs=list("abcdef")
    )


@pytest.fixture
def open_panel(qtbot):
    """Open a stack with some PSFs, and the panel on it."""
    opened = []

    def open_it(psf=WIDTHS):
        session = Session(ViewerModel(), cw.Inspection(make_stack(psf)))
        panel = PsfPanel()
        qtbot.addWidget(panel)
        panel.resize(380, 600)
        opened.append((session, panel))
        panel.show()
        panel.set_session(session)
        return session, panel

    yield open_it
    for session, panel in opened:
        panel.set_session(None)
        session.close()


def wait(panel, qtbot):
    qtbot.waitUntil(lambda: not panel.work.busy and panel.psf_map is not None)


def test_without_a_stack_the_panel_says_what_it_is_for(qtbot):
    panel = PsfPanel()
    qtbot.addWidget(panel)
    assert panel.summary.text() == EMPTY


def test_the_panel_shows_the_map_and_counts_the_stars(open_panel, qtbot):
    session, panel = open_panel()
    wait(panel, qtbot)
    expected = map_psf_size(session.inspection.result)
    np.testing.assert_array_equal(panel.map._image.image, expected.ratio)
    assert panel.stars.rowCount() == len(expected.sources) == 2
    words = panel.summary.text()
    assert words.startswith(f"2 of {expected.n_sources} sources are crossed")
    lowest = 100 * (np.nanmin(expected.ratio) - 1)
    assert f"by {lowest:+.2f} to +0.00 %" in words


def test_one_is_the_middle_of_the_colours(open_panel, qtbot):
    _, panel = open_panel()
    wait(panel, qtbot)
    low, high = panel.map._image.levels
    assert low + high == pytest.approx(2)
    assert high - low >= 0.02


def test_a_row_goes_to_its_star(open_panel, qtbot):
    session, panel = open_panel()
    wait(panel, qtbot)
    for row in range(2):
        panel.stars.setCurrentCell(row, 0)
        x, y = (int(panel.stars.item(row, column).text()) for column in (0, 1))
        assert min(np.hypot(y - sy, x - sx) for sy, sx in STARS[:2]) < 3
        np.testing.assert_allclose(session.viewer.scene.camera.center[-2:], (y, x))


def test_a_click_on_the_map_goes_there_and_one_beside_it_nowhere(open_panel, qtbot):
    session, panel = open_panel()
    wait(panel, qtbot)
    box = panel.map.getPlotItem().getViewBox()
    camera = session.viewer.scene.camera
    click(panel, qtbot, box, QPointF(40.2, 12.1))
    np.testing.assert_allclose(camera.center[-2:], (12, 40))
    click(panel, qtbot, box, QPointF(40.0, 62.0))
    np.testing.assert_allclose(camera.center[-2:], (12, 40))


def click(panel, qtbot, box, place):
    position = panel.map.mapFromScene(box.mapViewToScene(place))
    qtbot.mouseClick(panel.map.viewport(), Qt.MouseButton.LeftButton, pos=position)


def test_the_mouse_is_told_the_ratio(open_panel, qtbot):
    _, panel = open_panel()
    wait(panel, qtbot)
    ratio = panel.psf_map.ratio[31, 50]
    assert panel.map.text_at(50.3, 30.8) == (f"x 50  y 31\nσ with / without clipping: {ratio:.4f}")
    assert panel.map.text_at(50, 200) == ""


def test_the_map_follows_the_knobs(open_panel, qtbot):
    session, panel = open_panel()
    wait(panel, qtbot)
    session.tune(**KEEP_ALL)
    qtbot.waitUntil(lambda: "does not change the size" in panel.summary.text())
    assert panel.stars.rowCount() == 0 and not panel.stars.isVisible()


def test_visits_without_a_psf_are_said_in_words(open_panel, qtbot):
    _, panel = open_panel([*WIDTHS[:3], None, *WIDTHS[4:]])
    wait(panel, qtbot)
    assert panel.psf_map.messages
    assert panel.summary.text().endswith("\n".join(panel.psf_map.messages))
    assert "not known" in panel.map.text_at(50, 50)


def test_nothing_is_computed_while_the_panel_is_hidden(open_panel, qtbot):
    session, panel = open_panel()
    wait(panel, qtbot)
    before = panel.psf_map
    panel.hide()
    session.tune(**KEEP_ALL)
    qtbot.waitUntil(lambda: not session.busy)
    qtbot.wait(50)
    assert panel.psf_map is before
    panel.show()
    qtbot.waitUntil(lambda: panel.psf_map is not before)


def test_a_large_map_is_reduced_without_losing_what_is_changed_most(open_panel, qtbot, monkeypatch):
    monkeypatch.setattr(psf_panel, "SIDE", 20)
    _, panel = open_panel()
    wait(panel, qtbot)
    picture, ratio = panel.map._image.image, panel.psf_map.ratio
    assert max(picture.shape) <= 20
    assert np.nanmin(picture) == np.nanmin(ratio)
    # It lies where the whole map would.
    area = panel.map._image.mapRectToParent(panel.map._image.boundingRect())
    assert (area.left(), area.top()) == (-0.5, -0.5)
    assert area.right() >= ratio.shape[1] - 0.5 and area.bottom() >= ratio.shape[0] - 0.5


def test_a_window_that_closes_in_the_middle_of_the_work_takes_it_along(
    open_panel, qtbot, monkeypatch
):
    began, go_on, ended = threading.Event(), threading.Event(), []

    def slow(result, progress):
        began.set()
        go_on.wait(10)
        progress("PSF size", 1, 2)
        ended.append(result)

    session, first = open_panel()
    wait(first, qtbot)
    monkeypatch.setattr(psf_panel, "map_psf_size", slow)
    window = QWidget()
    panel = PsfPanel(window)
    window.show()
    panel.set_session(session)
    assert began.wait(10)
    with qtbot.waitSignal(panel.destroyed):
        window.deleteLater()
    go_on.set()
    qtbot.wait(50)
    assert not ended
