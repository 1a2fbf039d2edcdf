"""A sheet of small pictures."""

import dataclasses

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QColor, QHelpEvent, QImage, QPainterPath
from qtpy.QtWidgets import QToolTip

from napari_comparewarp.gui.panels.evidence.stamp_sheet import (
    LARGEST,
    SMALLEST,
    StampSheet,
    Tile,
    outline_of,
)

NO_LINE = QPainterPath(), "white"


def plain(colour, size=8):
    image = QImage(size, size, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return image


def tile(epoch, frame=None):
    pictures = plain("#206020"), plain("#202060")
    return Tile(epoch, (str(epoch), "+1 σ"), pictures, f"epoch {epoch}", frame)


@pytest.fixture
def sheet(qtbot):
    made = StampSheet()
    qtbot.addWidget(made)
    made.resize(700, 260)
    made.show()
    return made


def fill(sheet, n, **changes):
    sheet.set_tiles([tile(index, **changes) for index in range(n)], *NO_LINE)


def colours_of(sheet, index):
    """Return all colours in a tile."""
    picture = sheet.viewport().grab(sheet.rect_of(index)).toImage()
    return {
        picture.pixelColor(x, y).name()
        for x in range(picture.width())
        for y in range(picture.height())
    }


def test_both_pictures_of_a_tile_are_drawn(sheet):
    fill(sheet, 3)
    assert {"#206020", "#202060"} <= colours_of(sheet, 2)


def test_pixels_stay_squares_when_they_are_enlarged(sheet):
    checked = plain("#206020", 2)
    checked.setPixelColor(0, 1, QColor("#a03030"))
    sheet.set_tiles([dataclasses.replace(tile(None), pictures=(checked, checked))], *NO_LINE)
    assert picture_colours(sheet, 0, 0) == {"#206020", "#a03030"}


def test_a_frame_is_drawn_in_its_colour(sheet):
    fill(sheet, 2, frame="#ff8800")
    assert "#ff8800" in colours_of(sheet, 1)
    fill(sheet, 2)
    assert "#ff8800" not in colours_of(sheet, 1)


def test_the_epoch_on_the_screen_is_marked(sheet):
    fill(sheet, 2)
    plain_colours = colours_of(sheet, 1)
    sheet.set_epoch(1)
    assert colours_of(sheet, 1) - plain_colours
    sheet.set_epoch(0)
    assert colours_of(sheet, 1) == plain_colours


@pytest.mark.parametrize("epoch", [79, 40, 0])
def test_the_epoch_on_the_screen_is_scrolled_to(sheet, epoch):
    fill(sheet, 80)
    for index in (30, epoch):
        sheet.set_epoch(index)
    assert sheet.viewport().rect().contains(sheet.rect_of(epoch))


def test_a_new_sheet_begins_at_the_tile_that_stands_out(sheet):
    tiles = [tile(index) for index in range(80)]
    tiles[50] = dataclasses.replace(tiles[50], strong=True)
    sheet.set_tiles(tiles, *NO_LINE)
    assert sheet.viewport().rect().contains(sheet.rect_of(50))


@pytest.mark.parametrize("n", [1, 8, 30, 80])
def test_tiles_fill_the_room_and_with_many_it_scrolls(sheet, n):
    fill(sheet, n)
    last = sheet.rect_of(n - 1)
    assert SMALLEST <= last.width() - 6 <= LARGEST
    assert last.right() <= sheet.viewport().width()
    hidden = max(0, last.bottom() + 1 - sheet.viewport().height())
    assert sheet.verticalScrollBar().maximum() == hidden
    assert (hidden > 0) == (n >= 30)


def test_a_click_tells_the_epoch_also_after_scrolling(sheet, qtbot):
    fill(sheet, 80)
    sheet.verticalScrollBar().setValue(sheet.verticalScrollBar().maximum())
    with qtbot.waitSignal(sheet.clicked) as told:
        qtbot.mouseClick(
            sheet.viewport(), Qt.MouseButton.LeftButton, pos=sheet.rect_of(77).center()
        )
    assert told.args == [77]


def test_a_click_on_a_tile_of_all_epochs_goes_nowhere(sheet, qtbot):
    sheet.set_tiles([tile(None)], *NO_LINE)
    with qtbot.assertNotEmitted(sheet.clicked):
        qtbot.mouseClick(sheet.viewport(), Qt.MouseButton.LeftButton, pos=sheet.rect_of(0).center())


def test_the_mouse_is_told_what_a_tile_is(sheet, qtbot, qapp):
    fill(sheet, 4)
    place = sheet.rect_of(3).center()
    help_event = QHelpEvent(QEvent.Type.ToolTip, place, QPoint(5, 5))
    qapp.sendEvent(sheet.viewport(), help_event)
    assert QToolTip.text() == "epoch 3"
    QToolTip.hideText()


def test_the_outline_is_as_long_as_the_rim_of_the_region():
    mask = np.zeros((5, 6), bool)
    mask[1:3, 2:6] = True
    mask[2, 3] = False
    path = outline_of(mask)
    # 12 around the whole, and 2 more for the notch in its long side.
    assert path.elementCount() == 2 * 14
    assert path.boundingRect().getRect() == (2, 1, 4, 2)


def test_the_outline_lies_over_the_lower_picture_of_an_epoch_only(sheet):
    outline = outline_of(np.ones((8, 8), bool)[:4, :4])
    sheet.set_tiles([tile(None), tile(1)], outline, "#ffffff")
    assert not any(QColor(c).lightness() > 90 for c in picture_colours(sheet, 0, 1))
    assert not any(QColor(c).lightness() > 90 for c in picture_colours(sheet, 1, 0))
    assert any(QColor(c).lightness() > 90 for c in picture_colours(sheet, 1, 1))


def picture_colours(sheet, index, which):
    """Return the colours of one of a tile's pictures, from its middle."""
    area = sheet.rect_of(index)
    side = area.width() - 6
    text = sheet.fontMetrics().height()
    top = text + which * (side + text + 2)
    picture = sheet.viewport().grab(area).toImage()
    return {
        picture.pixelColor(3 + x, top + y).name()
        for x in range(2, side - 2)
        for y in range(2, side - 2)
    }
