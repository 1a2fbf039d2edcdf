"""The table of footprints: what its cells say, its order and its filter."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.wcs import WCS
from many_verdicts import ARTIFACT, STREAKS, VARIABLE, footprint_at, many_verdicts
from numpy.testing import assert_allclose, assert_array_equal
from qtpy.QtCore import QModelIndex, Qt
from stacks import planes, stack

import napari_comparewarp as cw
from napari_comparewarp.algorithm.overrides import FootprintKey
from napari_comparewarp.algorithm.verdicts import Verdict
from napari_comparewarp.gui.panels.footprints.filter import FilterError, RowFilter, matches
from napari_comparewarp.gui.panels.footprints.model import FootprintModel, FootprintOrder
from napari_comparewarp.gui.panels.footprints.rows import COLUMNS, NOTHING, FootprintRows
from napari_comparewarp.review.doubtful import knife_edges
from napari_comparewarp.review.explain import explain

#: Finds hundreds of footprints in noise.
NOISY = cw.CompareWarpConfig(
    chi_threshold=3.0, min_pixels=1, grow_sigma=0.5, temporal_threshold=0.2
)
NAMES = list(COLUMNS)
DESCENDING = Qt.SortOrder.DescendingOrder


@pytest.fixture(scope="module")
def night():
    """Footprints of every verdict, and two manual decisions."""
    inspection = cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**STREAKS))
    inspection.override(footprint_at(inspection.result, *VARIABLE), "clip")
    inspection.override(footprint_at(inspection.result, *ARTIFACT), "keep")
    return inspection.result


@pytest.fixture(scope="module")
def noise():
    return FootprintRows(cw.run(stack(shape=(150, 150)), NOISY))


@pytest.fixture
def table(qtbot, noise):
    model = FootprintModel()
    order = FootprintOrder(model)
    model.show(noise, np.zeros(len(noise), np.bool_))
    return order


def cell(model, row, name, role=Qt.ItemDataRole.DisplayRole):
    return model.index(row, NAMES.index(name)).data(role)


def column(order, name):
    return [cell(order, row, name) for row in range(order.rowCount())]


def test_the_columns_are_those_of_the_table_that_is_written(night):
    rows, table = FootprintRows(night), night.footprints
    assert len(rows) == len(table)
    for name in ("id", "area", "peak_chi", "epochs_margin", "spatial_margin", "chi_margin",
                 "fraction"):  # fmt: skip
        assert_allclose(rows.values[name], table[name], rtol=1e-6, err_msg=name)
    assert_allclose(rows.values["n_mean"], table["n_mean"])
    has_limit = table["max_epochs"] >= 0
    assert_allclose(rows.values["max_epochs"][has_limit], table["max_epochs"][has_limit])
    assert np.isnan(rows.values["max_epochs"][~has_limit]).all()
    for name in ("epoch", "verdict", "polarity"):
        assert [rows.text(row, name) for row in range(len(rows))] == list(map(str, table[name]))


def test_window_and_file_agree_on_what_decided(night):
    rows = FootprintRows(night)
    texts = [rows.text(row, "decided_by") for row in range(len(rows))]
    assert texts == list(night.footprints["decided_by"])
    decided = {(rows.text(row, "verdict"), text) for row, text in enumerate(texts)}
    assert decided >= {("clipped", "hand"), ("persistent", "hand"), ("streak", "rule")}


def test_what_has_no_meaning_for_a_streak_is_no_number(night):
    rows = FootprintRows(night)
    streak = list(night.footprints["verdict"]).index("streak")
    assert rows.text(streak, "fraction") == rows.text(streak, "max_epochs") == NOTHING
    assert rows.text(streak, "area") == str(night.footprints["area"][streak])


def test_each_row_stands_on_a_pixel_of_its_footprint(night):
    rows = FootprintRows(night)
    keys = [rows.key(row) for row in range(len(rows))]
    assert_array_equal(night.footprint_set.numbers(keys), np.arange(len(rows)) + 1)
    for row, key in enumerate(keys):
        if not key.streak:
            labels = night.labels(int(rows.values["epoch"][row]))
            assert labels[key.y, key.x] == row + 1


def test_a_footprint_is_found_again_after_a_new_detection(night):
    rows = FootprintRows(night)
    later = cw.run(night.stack, night.config.replace(chi_threshold=6.0))
    brightest = int(rows.values["peak_chi"].argmax())
    found = later.footprint_set.number(rows.key(brightest)) - 1
    assert found >= 0
    again = FootprintRows(later)
    assert again.values["peak_chi"][found] == rows.values["peak_chi"][brightest]


def test_a_key_without_a_footprint_finds_none(noise):
    keys = [
        FootprintKey("no such epoch", 5, 5),
        FootprintKey(1, 0, 0),
        FootprintKey(1, 10**6, 3),
        FootprintKey(1, 5, 10**6),
        FootprintKey(1, -1, -1),
        replace(noise.key(7), streak=True),
    ]
    assert list(noise.result.footprint_set.numbers([*keys, noise.key(7)])) == [0] * len(keys) + [8]


def test_places_on_the_sky_are_those_of_the_wcs():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (150, 2), (30, 30), (-5e-5, 5e-5)
    rows = FootprintRows(cw.run(cw.WarpStack.from_arrays(*planes(), psf_sigma=2.0, wcs=wcs)))
    ra, dec = wcs.all_pix2world(rows.values["x"], rows.values["y"], 0)
    assert_allclose(rows.values["ra"], ra, rtol=0, atol=1e-7)
    assert_allclose(rows.values["dec"], dec, rtol=0, atol=1e-7)


def test_without_a_wcs_the_sky_is_not_known(noise):
    assert not noise.has_sky
    assert noise.text(0, "ra") == NOTHING


def test_a_header_tells_meaning_and_unit(table):
    section = NAMES.index("x")
    text = table.headerData(section, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert text.endswith("[pix]")
    assert table.headerData(section, Qt.Orientation.Horizontal) == "x"


def test_the_reason_of_a_row_is_its_tooltip(table, noise):
    assert cell(table, 3, "reason") == explain(noise.result, 4)
    assert cell(table, 3, "area", Qt.ItemDataRole.ToolTipRole).startswith("<p>")


@pytest.mark.parametrize("descending", [False, True])
def test_rows_are_sorted_by_any_column(table, noise, descending):
    order = DESCENDING if descending else Qt.SortOrder.AscendingOrder
    for name in noise.values:
        table.sort(NAMES.index(name), order)
        values = noise.values[name][table.order].astype(float)
        n_known = int((~np.isnan(values)).sum())
        # What has no number comes last either way.
        assert not np.isnan(values[:n_known]).any(), name
        before, after = values[:n_known][:-1], values[:n_known][1:]
        assert np.all(before >= after if descending else before <= after), name
        assert sorted(table.order) == list(range(len(noise))), name


def test_the_view_says_what_the_row_of_the_model_says(table, noise):
    table.sort(NAMES.index("area"), DESCENDING)
    assert [int(text) for text in column(table, "id")[:20]] == list(1 + table.order[:20])


def test_a_place_leads_to_its_row_and_back(table):
    table.sort(NAMES.index("peak_chi"), DESCENDING)
    for place in (0, 7, table.rowCount() - 1):
        source = table.mapToSource(table.index(place, 2))
        assert table.mapFromSource(source).row() == place == table.place_of(source.row())
    assert not table.mapToSource(QModelIndex()).isValid()


def test_a_filter_keeps_the_order(table, noise):
    table.sort(NAMES.index("peak_chi"), DESCENDING)
    shown = noise.values["area"] > 5
    table.show_only(shown)
    assert set(table.order) == set(np.flatnonzero(shown))
    assert np.all(np.diff(noise.values["peak_chi"][table.order]) <= 0)
    assert table.place_of(int(np.flatnonzero(~shown)[0])) == -1


def test_a_row_that_was_looked_at_says_so(table, qtbot):
    with qtbot.waitSignal(table.dataChanged):
        table.sourceModel().mark_seen(2)
    assert cell(table, 2, "seen") == "✓"
    assert cell(table, 3, "seen") == ""
    table.sort(NAMES.index("seen"), DESCENDING)
    assert cell(table, 0, "id") == "3"


def test_an_empty_table_is_no_error(qtbot):
    quiet = cw.run(stack(trail_epoch=None, stars=False), cw.CompareWarpConfig(chi_threshold=100))
    rows = FootprintRows(quiet)
    order = FootprintOrder(model := FootprintModel())
    model.show(rows, np.zeros(0, np.bool_))
    order.sort(5)
    assert order.rowCount() == len(rows) == 0
    assert order.headerData(0, Qt.Orientation.Horizontal) == "id"


def test_a_text_filters_by_words_and_numbers(noise):
    v = noise.values
    expected = {
        "": np.ones(len(noise), np.bool_),
        "clipped": v["verdict"] == Verdict.CLIPPED,
        "CLIPPED": v["verdict"] == Verdict.CLIPPED,
        "area>5": v["area"] > 5,
        "area >= 9": v["area"] >= 9,
        "chi<4": v["peak_chi"] < 4,
        "area=5..9": (v["area"] >= 5) & (v["area"] <= 9),
        "area=9..": v["area"] >= 9,
        "fraction=..0.5": v["fraction"] <= 0.5,
        "epoch=3": v["epoch"] == 3,
        "clipped negative chi>3.2": (v["verdict"] == Verdict.CLIPPED)
        & (v["polarity"] == 2)
        & (v["peak_chi"] > 3.2),
    }
    for text, wanted in expected.items():
        assert wanted.any(), text
        assert_array_equal(matches(noise, text), wanted, err_msg=text)


def test_a_number_is_found_as_it_is_written(noise):
    row = 5
    found = matches(noise, f"chi={noise.text(row, 'peak_chi')}")
    assert found[row]
    assert found.sum() < len(noise) / 2


def test_a_whole_number_finds_a_footprint_by_its_id(noise):
    assert matches(noise, "117")[116]


def test_a_filter_that_cannot_be_understood_says_why(noise):
    with pytest.raises(FilterError, match=r"'aera': no such column; choose from id"):
        matches(noise, "aera>3")
    with pytest.raises(FilterError, match="area: 'big' is no number; write area>5"):
        matches(noise, "area>big")


def test_filters_by_choice_agree_with_the_result(noise):
    undecided = np.arange(len(noise)) % 2 == 0
    assert_array_equal(RowFilter(undecided=True).flags(noise, undecided), undecided)
    shown = RowFilter(verdict="persistent", epoch_index=2).flags(noise, undecided)
    table = noise.result.footprints
    assert_array_equal(shown, (table["verdict"] == "persistent") & (table["epoch_index"] == 2))
    shown = RowFilter(knife_edge=True).flags(noise, undecided)
    assert set(np.flatnonzero(shown) + 1) == set(knife_edges(noise.result))
