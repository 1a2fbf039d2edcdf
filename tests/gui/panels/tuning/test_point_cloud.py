"""Points in the colours of their states, to be picked."""

import numpy as np
import pytest

from napari_comparewarp.gui.panels.tuning.point_cloud import PointCloud
from napari_comparewarp.result.footprints import State


@pytest.fixture
def cloud(qtbot):
    made = PointCloud("point {}".format)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    made.setXRange(0, 10)
    made.setYRange(0, 10)
    qtbot.waitExposed(made)
    return made


def drawn(cloud):
    """Return how many points of each state are drawn."""
    return {state: len(item.data) for state, item in cloud._groups.items() if len(item.data)}


def show(cloud, x, y, state=State.CLIPPED, area=9, **kwargs):
    x, y = np.asarray(x, float), np.asarray(y, float)
    states = np.broadcast_to(np.asarray(state, np.uint8), x.shape)
    cloud.show_points(x, y, np.broadcast_to(area, x.shape), states, **kwargs)


def test_a_point_that_changes_its_state_changes_its_colour_only(cloud):
    show(cloud, [1, 2, 3], [1, 2, 3])
    show(cloud, [1, 2, 3], [1, 2, 3], [State.CLIPPED, State.PERSISTENT, State.CLIPPED])
    assert drawn(cloud) == {State.CLIPPED: 2, State.PERSISTENT: 1}
    np.testing.assert_array_equal(cloud._groups[State.CLIPPED].data["x"], [1, 3])


def test_very_many_points_are_thinned_out_only_while_they_move(cloud):
    x = np.linspace(0, 10, 30_000)
    show(cloud, x, x, live=True)
    assert drawn(cloud) == {State.CLIPPED: 10_000}
    show(cloud, x, x)
    assert drawn(cloud) == {State.CLIPPED: 30_000}


def test_points_that_hide_each_other_are_picked_in_turn_the_smallest_first(cloud, qtbot):
    show(cloud, [5, 5, 5, 9], [5, 5, 5, 9], area=np.array([900, 16, 2500, 16]))
    picked = []
    cloud.picked.connect(picked.append)
    cloud.picked.connect(cloud.mark_selected)
    for _ in range(4):
        cloud.clicked.emit(5.0, 5.0)
    assert picked == [1, 0, 2, 1]


def test_a_click_beside_all_points_picks_none(cloud, qtbot):
    show(cloud, [5], [5])
    with qtbot.assertNotEmitted(cloud.picked):
        cloud.clicked.emit(7.0, 5.0)


def test_what_a_click_would_take_is_told_with_what_else_is_there(cloud):
    show(cloud, [5, 5, 9], [5, 5, 9])
    assert cloud.text_at(9.0, 9.0) == "point 2"
    assert cloud.text_at(5.0, 5.0) == "point 0\n2 here: click again for the next"
    cloud.mark_selected(0)
    assert cloud.text_at(5.0, 5.0).startswith("point 1")


def test_marks_move_with_their_points_and_go_with_them(cloud):
    show(cloud, [1, 2, 3], [1, 2, 3])
    cloud.mark_edges(np.array([0, 2]))
    show(cloud, [4, 5, 6], [1, 2, 3])
    np.testing.assert_array_equal(cloud._edges.data["x"], [4, 6])
    show(cloud, [4], [1])
    np.testing.assert_array_equal(cloud._edges.data["x"], [4])
