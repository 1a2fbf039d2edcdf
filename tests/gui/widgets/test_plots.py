"""Axes and colours of plots."""

import numpy as np
import pytest
from qtpy.QtWidgets import QWidget

from napari_comparewarp.gui.widgets.plots import EpochAxis, LogAxis, ThemedPlot


def ticks(axis, low, high, size):
    ((spacing, places),) = axis.tickValues(low, high, size)
    return axis.tickStrings(places, 1.0, spacing)


@pytest.mark.parametrize(
    ("size", "labels"), [(400, ["5", "10", "20", "50", "100"]), (60, ["10", "100"])]
)
def test_a_logarithmic_axis_has_plain_numbers_as_many_as_have_room(qapp, size, labels):
    assert ticks(LogAxis("bottom"), np.log10(4), np.log10(110), size) == labels


def test_an_axis_of_epochs_has_their_ids_as_many_as_have_room(qapp):
    axis = EpochAxis()
    axis.set_epochs([401001, 401002, 401003, 401004])
    assert ticks(axis, -0.5, 3.5, 400) == ["401001", "401002", "401003", "401004"]
    assert ticks(axis, -0.5, 3.5, 130) == ["401001", "401003"]


def test_a_plot_follows_the_colours_of_its_window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    plot = ThemedPlot(parent=window)
    window.show()
    for colour in ("#f0f1f2", "#101112"):
        window.setStyleSheet(f"QWidget {{ color: {colour}; }}")
        assert plot.getAxis("left").textPen().color().name() == colour
