"""Text of files in labels and tooltips."""

import pytest
from qtpy.QtCore import Qt

from napari_comparewarp.gui.widgets.plain_text import as_plain, elided, without_tags


@pytest.mark.parametrize("text", ["visit 7", "M31 a/b", "two\nlines", "日本"])
def test_ordinary_text_stays_as_it_is(text):
    assert as_plain(text) == text


def test_what_looks_like_html_is_escaped():
    assert as_plain("<b>7</b>\n&lt;").endswith(">&lt;b&gt;7&lt;/b&gt;\n&amp;lt;</p>")


def test_labels_of_others_take_no_tag_for_one():
    assert Qt.mightBeRichText("epoch <b>7</b>")
    assert not Qt.mightBeRichText(without_tags("epoch <b>7</b> <img src='x'>"))


def test_long_text_is_cut_where_room_is_short():
    assert elided("visit 7") == "visit 7"
    assert elided("x" * 255) == "x" * 23 + "…"
