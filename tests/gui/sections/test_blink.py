"""Two pictures in turn."""

import pytest
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.gui.sections.blink import PAIRS, Blinker
from napari_comparewarp.gui.session import Session

PAIR = ("coadd", "compared")


@pytest.fixture
def session(make_napari_viewer_proxy):
    made = Session(make_napari_viewer_proxy(), cw.Inspection(stack()))
    yield made
    made.close()


@pytest.fixture
def blinker(session):
    return Blinker(session, session)


def state(session):
    return {role: (layer.visible, layer.opacity) for role, layer in session.layers.by_role.items()}


@pytest.mark.parametrize("pair", PAIRS.values())
def test_the_two_are_seen_in_turn_and_nothing_over_them(session, blinker, pair):
    blinker.begin(pair)
    by_role = session.layers.by_role
    assert blinker.upper_shown
    assert by_role[pair[1]].visible
    covering = ("difference", "count") if pair[0] == "warp" else ("difference", "count", "warp")
    assert not any(by_role[role].visible for role in covering)
    blinker.flip()
    assert not blinker.upper_shown
    blinker.flip()
    assert blinker.upper_shown


def test_they_change_by_themselves_until_stopped(session, blinker, qtbot):
    blinker.run(PAIR)
    upper = session.layers.by_role["coadd"]
    qtbot.waitUntil(lambda: upper.opacity == 0)
    qtbot.waitUntil(lambda: upper.opacity == 1)
    blinker.stop()
    assert not blinker.running


def test_what_was_on_the_screen_comes_back(session, blinker):
    session.layers.by_role["coadd"].opacity = 0.6
    before = state(session)
    blinker.run(PAIR)
    blinker.flip()
    blinker.stop()
    assert state(session) == before


def test_a_layer_that_was_deleted_while_blinking_is_no_trouble(session, blinker):
    blinker.begin(PAIR)
    session.viewer.layers.remove(session.layers.by_role["coadd"])
    blinker.flip()
    blinker.stop()
    assert not blinker.running
