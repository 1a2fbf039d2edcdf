"""Rows of knobs, generated from the config."""

import pytest

from napari_comparewarp import CompareWarpConfig
from napari_comparewarp.gui.widgets.knobs import KnobGrid, KnobRow, bounds_of, tooltip_of

FIELDS = CompareWarpConfig.model_fields


@pytest.fixture
def grid(qtbot):
    made = KnobGrid(list(FIELDS))
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize("name", FIELDS)
def test_every_knob_shows_its_default_and_says_what_it_is(grid, name):
    row = grid.rows[name]
    assert row.value == FIELDS[name].default
    assert not row.reset.isEnabled()
    tip = tooltip_of(name)
    assert FIELDS[name].description.replace("<", "&lt;") in tip
    lsst = FIELDS[name].json_schema_extra["lsst"]
    assert lsst is None or lsst in tip


@pytest.mark.parametrize(
    "config",
    [
        CompareWarpConfig.preset("dmtn-080"),
        CompareWarpConfig(chi_threshold=250.0, max_epochs=None, bad_planes=("BAD",),
                          mask_propagation={"CR": 0.25}, polarity="positive"),
    ],
)  # fmt: skip
def test_the_rows_show_a_config_and_give_it_back(grid, config, qtbot):
    with qtbot.assertNotEmitted(grid.changed):
        grid.show_config(config)
    assert CompareWarpConfig(**{name: row.value for name, row in grid.rows.items()}) == config


def test_a_knob_that_a_person_moves_tells_its_name_and_value(grid, qtbot):
    with qtbot.waitSignal(grid.changed) as changed:
        grid.rows["spatial_threshold"].editor.value = 0.7
    assert changed.args == ["spatial_threshold", 0.7]
    assert grid.rows["spatial_threshold"].reset.isEnabled()


def test_reset_goes_back_to_the_default(grid, qtbot):
    row = grid.rows["chi_threshold"]
    row.editor.value = 12.0
    with qtbot.waitSignal(grid.changed) as changed:
        row.reset.click()
    assert changed.args == ["chi_threshold", 7.5]
    assert row.value == 7.5


def test_a_rule_that_may_be_unused_has_a_box(qtbot):
    row = KnobRow("max_epochs")
    qtbot.addWidget(row)
    with qtbot.waitSignal(row.changed) as changed:
        row._used.setChecked(False)
    assert changed.args == ["max_epochs", None]


def test_half_of_a_text_is_no_value_yet(qtbot):
    row = KnobRow("mask_propagation")
    qtbot.addWidget(row)
    with qtbot.assertNotEmitted(row.changed):
        row.editor.value = "SAT="
    with qtbot.waitSignal(row.changed) as changed:
        row.editor.value = "SAT=0.3"
    assert changed.args == ["mask_propagation", {"SAT": 0.3}]


def test_bounds_are_those_of_the_config():
    assert bounds_of("spatial_threshold") == (0, 1)
    assert bounds_of("min_pixels") == (1, None)
