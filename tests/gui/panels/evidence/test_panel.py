"""The evidence for the selected footprint, in a real window."""

import numpy as np
import pytest
from qtpy.compat import isalive
from qtpy.QtCore import QPointF, Qt
from stacks import PSF_SIGMA, planes, stack

import napari_comparewarp as cw
from napari_comparewarp.gui.layers.schemes import SCHEMES
from napari_comparewarp.gui.layers.stretch import Stretch
from napari_comparewarp.gui.panels.evidence.panel import (
    EMPTY,
    NOTHING,
    EvidencePanel,
    make_evidence_view,
)
from napari_comparewarp.gui.session import Session
from napari_comparewarp.result.footprints import State
from napari_comparewarp.review.explain import explain

#: The epoch of the trail, and its place in the sheet: template and coadds come first.
EPOCH, TILE = 1, 3
#: Another epoch with an artifact.
OTHER = 4
#: In the L's foot, in its arm, and where a mirrored L would have its foot.
FOOT, ARM, MIRRORED = (22, 46), (35, 22), (42, 46)
SCHEME = SCHEMES["LSST"]
KEEP_ALL = {"max_epochs": 0, "temporal_threshold": 0.0, "max_epochs_slope": 0.0}


@pytest.fixture(scope="module")
def result():
    """An artifact like an L in one epoch, and in another one that covers the end of its arm."""
    image, variance, mask = planes(trail_epoch=None)
    image[EPOCH, 20:25, 20:50] += 120
    image[EPOCH, 25:45, 20:25] += 120
    image[OTHER, 41:49, 16:24] += 120
    return cw.run(cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA))


@pytest.fixture
def panel(show_panel):
    return show_panel(EvidencePanel(), (1000, 320))


def trail_of(result):
    """Return the id of the trail's footprint."""
    table = result.footprints
    rows = table[(table["epoch_index"] == EPOCH) & (table["verdict"] != "prefiltered")]
    return int(rows[np.argmax(rows["area"])]["id"])


def select(session, panel, qtbot):
    """Select the trail and wait for its evidence."""
    session.select(session.inspection.key_of(trail_of(session.inspection.result)))
    qtbot.waitUntil(lambda: panel.view is not None)


def frames(panel):
    """Return the epochs whose stamps are framed, and the colours."""
    return {t.epoch_index: t.frame for t in panel.sheet.tiles if t.frame is not None}


def test_without_a_selection_the_panel_says_what_to_do(panel):
    assert panel.sentence.text() == EMPTY
    assert not panel.sheet.isVisible()


def test_a_selected_footprint_shows_every_epoch_and_why(session, panel, qtbot):
    select(session, panel, qtbot)
    tiles = panel.sheet.tiles
    assert [tile.epoch_index for tile in tiles] == [None, None, 0, 1, 2, 3, 4, 5]
    assert [tile.captions for tile in tiles[:2]] == [
        ("template", "removed"),
        ("coadd", "unclipped"),
    ]
    result = session.inspection.result
    assert panel.sentence.text() == explain(result, trail_of(result))
    assert "of epoch 1" in panel.title.text()
    assert panel.sheet.isVisible() and panel.plot.isVisible()


def test_the_epoch_where_it_is_clipped_is_framed_in_the_colour_of_that(session, panel, qtbot):
    select(session, panel, qtbot)
    assert frames(panel) == {EPOCH: SCHEME.states[State.CLIPPED]}
    with qtbot.waitSignal(session.result_changed):
        session.decide(session.selected, "clip")
    qtbot.waitUntil(lambda: frames(panel) == {EPOCH: SCHEME.states[State.CLIPPED_MANUALLY]})


def test_the_panel_follows_the_knobs(session, panel, qtbot):
    select(session, panel, qtbot)
    assert panel.sentence.text().startswith("Clipped")
    session.tune(**KEEP_ALL)
    qtbot.waitUntil(lambda: panel.sentence.text().startswith("Kept"))
    assert frames(panel) == {}


def test_a_footprint_that_is_gone_is_said_to_be_gone(session, panel, qtbot):
    select(session, panel, qtbot)
    session.tune(chi_threshold=900.0)
    qtbot.waitUntil(lambda: "is gone" in panel.sentence.text())
    assert panel.view is None
    session.undo()
    qtbot.waitUntil(lambda: panel.view is not None)


def test_one_that_is_let_go_of_is_not_said_to_be_gone(session, panel, qtbot):
    select(session, panel, qtbot)
    session.select(None)
    assert panel.sentence.text() == EMPTY


def test_a_click_on_a_stamp_goes_to_its_epoch(session, panel, qtbot):
    select(session, panel, qtbot)
    place = panel.sheet.rect_of(TILE + 2).center()
    qtbot.mouseClick(panel.sheet.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.epoch_index == EPOCH + 2


def test_a_click_on_the_curve_goes_to_its_epoch(session, panel, qtbot):
    select(session, panel, qtbot)
    box = panel.plot.getPlotItem().getViewBox()
    place = panel.plot.mapFromScene(box.mapViewToScene(QPointF(4.2, 1.0)))
    qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.epoch_index == 4


def test_the_curve_has_the_peaks_and_the_thresholds(session, panel, qtbot):
    select(session, panel, qtbot)
    evidence = panel.view.evidence
    x, y = panel.plot._points.getData()
    known = np.isfinite(evidence.peak_chi)
    np.testing.assert_array_equal(x, np.flatnonzero(known))
    np.testing.assert_allclose(3 * np.sinh(y), evidence.peak_chi[known], rtol=1e-5)
    lines = [3 * np.sinh(line.value()) for line in panel.plot._thresholds if line.isVisible()]
    np.testing.assert_allclose(lines, [7.5, -7.5])
    session.tune(polarity="positive", chi_threshold=6.0)
    qtbot.waitUntil(lambda: panel.view.result.config.chi_threshold == 6)
    lines = [3 * np.sinh(line.value()) for line in panel.plot._thresholds if line.isVisible()]
    np.testing.assert_allclose(lines, [6.0])


def test_nothing_is_read_while_the_panel_is_hidden(session, panel, qtbot, settle):
    panel.hide()
    session.select(session.inspection.key_of(trail_of(session.inspection.result)))
    settle(panel.work)
    assert panel.view is None
    panel.show()
    qtbot.waitUntil(lambda: panel.view is not None)


def test_of_many_selections_the_last_is_shown(session, panel, qtbot):
    last = len(session.inspection.result.footprints)
    for footprint in range(1, last + 1):
        session.select(session.inspection.key_of(footprint))
    qtbot.waitUntil(lambda: panel.view is not None and panel.view.evidence.footprint_id == last)


def test_another_stretch_is_that_of_the_stamps_too(session, panel, qtbot):
    select(session, panel, qtbot)
    before = panel.view
    session.layers.set_stretch(Stretch("linear", "min to max"))
    qtbot.waitUntil(lambda: panel.view is not before)
    assert panel.sheet.tiles[2].pictures[0] != before.tiles[2].pictures[0]


def test_a_panel_without_its_session_no_longer_listens(session, panel, settle):
    panel.set_session(None)
    session.select(session.inspection.key_of(trail_of(session.inspection.result)))
    session.epoch_index = 3
    session.layers.set_stretch(Stretch("sqrt"))
    settle(panel.work)
    assert panel.view is None


def test_a_window_that_closes_in_the_middle_of_the_work_takes_it_along(
    make_napari_viewer_proxy, qtbot
):
    viewer = make_napari_viewer_proxy(show=True)
    session = Session(viewer, cw.Inspection(stack()))
    panel = EvidencePanel()
    viewer.window.add_dock_widget(panel, area="bottom")
    panel.set_session(session)
    select(session, panel, qtbot)
    assert panel.sheet.isVisible()
    session.select(None)
    session.select(session.inspection.key_of(trail_of(session.inspection.result)))
    assert panel.work.busy
    thread = panel.work._pool
    viewer.close()
    qtbot.waitUntil(lambda: not isalive(panel))
    thread.shutdown()
    session.close()


def colour_at(exhibit, epoch, which, y, x):
    """Return the colour of a pixel of the patch in an epoch's stamp."""
    stamp = exhibit.evidence.stamp
    row = stamp.size - 1 - (y - stamp.y0)
    return exhibit.tiles[2 + epoch].pictures[which].pixelColor(x - stamp.x0, row)


def test_stamps_have_y_up_and_bright_pixels_bright(result):
    exhibit = make_evidence_view(result, trail_of(result), Stretch(), SCHEME)
    for y, x in (FOOT, ARM):
        assert colour_at(exhibit, EPOCH, 0, y, x).lightness() > 150
        assert colour_at(exhibit, 0, 0, y, x).lightness() < 100
        deviates, agrees = colour_at(exhibit, EPOCH, 1, y, x), colour_at(exhibit, 0, 1, y, x)
        assert deviates.red() > 200 and deviates.blue() < 100
        assert agrees.red() < 150
    assert colour_at(exhibit, EPOCH, 0, *MIRRORED).lightness() < 100


def test_the_outline_lies_on_the_footprint(result):
    exhibit = make_evidence_view(result, trail_of(result), Stretch(), SCHEME)
    stamp, footprint = exhibit.evidence.stamp, exhibit.evidence.footprint
    corners = {
        (round(element.x), round(element.y))
        for element in map(exhibit.outline.elementAt, range(exhibit.outline.elementCount()))
    }
    rows, columns = np.nonzero(footprint)
    lowest = rows == rows.min()
    y = stamp.size - rows.min()
    assert {(columns[lowest].min(), y), (columns[lowest].max() + 1, y)} <= corners


def test_a_pixel_without_a_value_has_a_colour_of_its_own(result):
    exhibit = make_evidence_view(result, trail_of(result), Stretch(), SCHEME)
    stamp = exhibit.evidence.stamp
    y = max(stamp.y0, 0)
    assert np.isnan(result.stack.direct.image[0, y, 40])
    assert colour_at(exhibit, 0, 0, y, 40).name() == NOTHING


@pytest.mark.parametrize("name", list(SCHEMES))
def test_an_epoch_that_is_clipped_in_part_has_a_dashed_frame_of_the_scheme(result, name):
    exhibit = make_evidence_view(result, trail_of(result), Stretch(), SCHEMES[name])
    colour = SCHEMES[name].states[State.CLIPPED]
    drawn = {t.epoch_index: (t.frame, t.dashed) for t in exhibit.tiles if t.frame}
    assert drawn == {EPOCH: (colour, False), OTHER: (colour, True)}
    assert exhibit.fractions[EPOCH] == 1 and 0 < exhibit.fractions[OTHER] < 0.5
    tips = {tile.epoch_index: tile.tip for tile in exhibit.tiles}
    assert "100 % of the footprint is clipped" in tips[EPOCH]
    assert "not clipped" in tips[0]
