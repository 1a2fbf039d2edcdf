"""The section of the thresholds."""

import pytest
from qtpy.QtWidgets import QLabel
from stacks import planes

import napari_comparewarp as cw
from napari_comparewarp.gui.sections.tune import summary


@pytest.mark.parametrize(
    ("epoch", "shown"),
    [
        ("<img src='x'>", "Epoch &lt;img src=&#x27;x&#x27;&gt;: "),
        ("x" * 255, f"Epoch {'x' * 23}…: "),
    ],
)
def test_ids_of_epochs_are_neither_tags_nor_wider_than_the_window(qtbot, epoch, shown):
    stack = cw.WarpStack.from_arrays(*planes(), psf_sigma=2.0, epochs=[epoch, 1, 2, 3, 4, 5])
    result = cw.run(stack)
    label = QLabel(summary(result, 0))
    qtbot.addWidget(label)
    assert shown in label.text()
    assert label.sizeHint().width() < 600
