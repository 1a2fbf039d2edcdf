"""Two widgets beside or above each other."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_comparewarp.gui.widgets.turning_splitter import TurningSplitter


@pytest.mark.parametrize(
    ("size", "orientation"),
    [((900, 300), Qt.Orientation.Horizontal), ((300, 500), Qt.Orientation.Vertical)],
)
def test_it_turns_with_its_shape_and_shares_the_room(qtbot, size, orientation):
    splitter = TurningSplitter(QWidget(), QWidget(), 0.7)
    qtbot.addWidget(splitter)
    splitter.resize(*size)
    splitter.show()
    assert splitter.orientation() == orientation
    first, second = splitter.sizes()
    assert first / (first + second) == pytest.approx(0.7, abs=0.03)
    splitter.resize(*reversed(size))
    assert splitter.orientation() != orientation
    first, second = splitter.sizes()
    assert first / (first + second) == pytest.approx(0.7, abs=0.03)


def test_what_a_person_has_set_stays_while_it_does_not_turn(qtbot):
    splitter = TurningSplitter(QWidget(), QWidget(), 0.7)
    qtbot.addWidget(splitter)
    splitter.resize(900, 300)
    splitter.show()
    splitter.setSizes([200, 700])
    splitter.resize(905, 300)
    first, second = splitter.sizes()
    assert first < 250 < second
