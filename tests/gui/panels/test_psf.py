"""The map of how clipping changes the PSF size, in a real window."""

import threading

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.compat import isalive
from qtpy.QtCore import QPointF, Qt
from qtpy.QtWidgets import QWidget
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp.gui.panels import psf as psf_panel
from napari_comparewarp.gui.panels.psf import EMPTY, PsfPanel
from napari_comparewarp.gui.session import Session
from napari_comparewarp.review.psf_map import map_psf_size

WIDTHS = [2.0, 3.0, 2.2, 1.8, 2.0, 2.5]
#: Two stars on the rim of the trail in epoch 1, a fainter one on that of a spot in epoch 3,
#: whose PSF differs less, and one far from both; with their peaks.
STARS = {(28, 20): 400, (36, 50): 400, (15, 50): 200, (52, 35): 400}
CUT = list(STARS)[:3]
KEEP_ALL = {"max_epochs": 0, "temporal_threshold": 0.0, "max_epochs_slope": 0.0}


def make_stack(psf):
    image, variance, mask = planes(trail_epoch=None, stars=False)
    image[1, 28:36] += 120
    image[3, 8:15, 40:60] += 120
    y, x = np.mgrid[: image.shape[1], : image.shape[2]]
    for (star_y, star_x), peak in STARS.items():
        image += (peak * np.exp(-((y - star_y) ** 2 + (x - star_x) ** 2) / 8)).astype(np.float32)
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
    assert panel.stars.rowCount() == len(expected.sources) == len(CUT)
    words = panel.summary.text()
    assert words.startswith(f"3 of {expected.n_sources} sources are crossed")
    ends = [100 * (end - 1) for end in (np.nanmin(expected.ratio), np.nanmax(expected.ratio))]
    assert f"by {ends[0]:+.2f} to {ends[1]:+.2f} %" in words


def test_one_is_the_middle_of_the_colours(open_panel, qtbot):
    _, panel = open_panel()
    wait(panel, qtbot)
    low, high = panel.map._image.levels
    assert low + high == pytest.approx(2)
    assert high - low >= 0.02


def test_a_row_goes_to_its_star(open_panel, qtbot):
    session, panel = open_panel()
    wait(panel, qtbot)
    for row in range(len(CUT)):
        panel.stars.setCurrentCell(row, 0)
        x, y = (int(panel.stars.item(row, column).text()) for column in (0, 1))
        assert min(np.hypot(y - sy, x - sx) for sy, sx in CUT) < 3
        np.testing.assert_allclose(session.viewer.scene.camera.center[-2:], (y, x))


def test_the_stars_that_are_changed_most_come_first(open_panel, qtbot):
    _, panel = open_panel()
    wait(panel, qtbot)
    visits = [panel.stars.item(row, 3).text() for row in range(len(CUT))]
    assert visits == ["b", "b", "d"]
    ends = [panel.stars.item(row, 2).text().split(" to ") for row in range(len(CUT))]
    sizes = [max(abs(float(end)) for end in pair) for pair in ends]
    assert sizes == sorted(sizes, reverse=True) and sizes[1] > sizes[2] > 0


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


def test_nothing_is_computed_while_the_panel_is_hidden(open_panel, qtbot, settle):
    session, panel = open_panel()
    wait(panel, qtbot)
    before = panel.psf_map
    panel.hide()
    session.tune(**KEEP_ALL)
    qtbot.waitUntil(lambda: not session.busy)
    settle(panel.work)
    assert panel.psf_map is before
    panel.show()
    qtbot.waitUntil(lambda: panel.psf_map is not before)


def test_a_map_of_settings_that_are_past_is_given_up_while_the_panel_is_hidden(
    open_panel, qtbot, monkeypatch
):
    session, panel = open_panel()
    wait(panel, qtbot)
    go_on = threading.Event()
    monkeypatch.setattr(psf_panel, "map_psf_size", lambda *_, **__: go_on.wait(10))
    panel.refresh()
    panel.hide()
    assert panel.work.busy
    with qtbot.waitSignal(session.result_changed):
        session.tune(**KEEP_ALL)
    assert not panel.work.busy
    go_on.set()


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
    thread = panel.work._pool
    window.deleteLater()
    qtbot.waitUntil(lambda: not isalive(panel))
    go_on.set()
    thread.shutdown()
    assert not ended
