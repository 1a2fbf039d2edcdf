"""The layers of an inspection, without any window."""

import numpy as np
import pytest
from napari.components import ViewerModel
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.gui.layers.layer_set import NAMES, LayerSet, inspection_to_layers
from napari_comparewarp.gui.layers.schemes import SCHEMES
from napari_comparewarp.gui.layers.stretch import Stretch
from napari_comparewarp.result.footprint_states import OUTLINE
from napari_comparewarp.result.footprints import State

EPOCH = 1


@pytest.fixture
def inspection():
    return cw.Inspection(stack())


@pytest.fixture
def layers(inspection):
    return LayerSet(inspection)


def test_they_are_eight_named_for_what_they_show(inspection):
    names = [layer.name for layer in inspection_to_layers(inspection)]
    assert names == [
        "coadd without clipping", "coadd", "template", "warp", "warp difference", "epoch count",
        "mask planes", "CLIPPED footprints",
    ]  # fmt: skip


def test_they_are_offered_by_the_package(inspection):
    assert [layer.name for layer in cw.inspection_to_layers(inspection)] == list(NAMES.values())


def test_they_hold_what_the_result_holds(inspection, layers):
    result, by_role = inspection.result, layers.by_role
    for role, expected in (
        ("coadd", result.coadd.image),
        ("compared", result.unclipped().image),
        ("template", result.template.image),
        ("count", result.epoch_count),
    ):
        np.testing.assert_array_equal(np.asarray(by_role[role].data), expected)
    for role, expected in (
        ("warp", inspection.stack.direct.image[EPOCH]),
        ("difference", result.chi(EPOCH)),
    ):
        np.testing.assert_array_equal(by_role[role].data[EPOCH], expected)
    clipped = by_role["states"].data[EPOCH] % OUTLINE == State.CLIPPED
    np.testing.assert_array_equal(clipped, result.clipped(EPOCH))


def test_a_viewer_without_a_window_shows_them_and_steps_through_epochs(inspection, layers):
    viewer = ViewerModel()
    for layer in layers:
        viewer.add_layer(layer)
    viewer.dims.set_current_step(0, EPOCH)
    shown = layers.by_role["difference"]._slice.image.raw
    np.testing.assert_array_equal(shown, inspection.result.chi(EPOCH))


def test_they_show_the_present_result_after_a_change(inspection, layers):
    inspection.set(max_epochs=0, temporal_threshold=0.0, max_epochs_slope=0.0)
    assert not inspection.result.clipped(EPOCH).any()
    assert not (layers.by_role["states"].data[EPOCH] % OUTLINE == State.CLIPPED).any()
    np.testing.assert_array_equal(
        np.asarray(layers.by_role["coadd"].data), inspection.result.coadd.image
    )


def test_a_difference_is_kept_until_something_that_it_is_made_of_changes(inspection, layers):
    first = layers.views.difference(EPOCH)
    inspection.set(spatial_threshold=0.9)
    assert layers.views.difference(EPOCH) is first
    inspection.set(template_statistic="MEDIAN")
    np.testing.assert_array_equal(layers.views.difference(EPOCH), inspection.result.chi(EPOCH))


def test_the_coadd_without_clipping_follows_what_it_depends_on(inspection, layers):
    before = layers.views.unclipped()
    inspection.set(spatial_threshold=0.9)
    assert layers.views.unclipped() is before
    inspection.set(statistic="MEDIAN")
    np.testing.assert_array_equal(layers.views.unclipped(), inspection.result.unclipped().image)


def test_the_sky_shares_one_stretch(layers):
    layers.set_stretch(Stretch("sqrt", "99 %"))
    sky = [layers.by_role[role] for role in ("coadd", "compared", "template", "warp")]
    assert {layer.colormap.name for layer in sky} == {"grey, sqrt"}
    assert len({tuple(layer.contrast_limits) for layer in sky}) == 1


def test_the_lowest_layer_can_show_what_clipping_removed_and_says_so(inspection, layers):
    layers.set_comparison("removed")
    layer = layers.by_role["compared"]
    assert layer.name == "what clipping removed"
    expected = inspection.result.unclipped().image - inspection.result.coadd.image
    np.testing.assert_array_equal(np.asarray(layer.data), expected)
    assert layer.contrast_limits[0] == -layer.contrast_limits[1]
    layers.set_comparison("unclipped")
    assert layer.name == NAMES["compared"]


def test_a_name_that_the_user_gave_stays(layers):
    layers.by_role["compared"].name = "mine"
    layers.set_comparison("removed")
    assert layers.by_role["compared"].name == "mine"


def test_the_epoch_count_ends_its_colours_at_four_or_at_the_effective_maximum(inspection):
    assert tuple(LayerSet(inspection).by_role["count"].contrast_limits) == (0, 4)
    inspection.set(max_epochs=None, temporal_threshold=0.9)
    assert inspection.result.footprints["max_epochs"].max() == 5
    assert tuple(LayerSet(inspection).by_role["count"].contrast_limits) == (0, 5)


def test_the_status_names_place_epoch_values_and_mask_planes(inspection, layers):
    layers.views.difference(0)
    text = layers.by_role["warp"].get_status((0, 20.0, 10.0), world=True)["coordinates"]
    for part in ("x 10  y 20", "epoch 0", "warp ", "±", "template ", "χ ", "of 5 epochs", "BAD"):
        assert part in text


def test_the_status_is_empty_outside_the_patch(layers):
    assert layers.by_role["warp"].get_status((0, -5.0, 10.0), world=True)["coordinates"] == ""
    assert layers.by_role["coadd"].get_status(None)["coordinates"] == ""


@pytest.mark.parametrize("name", SCHEMES)
def test_a_scheme_tells_all_states_apart(layers, name):
    layers.set_scheme(SCHEMES[name])
    colours = layers.by_role["states"].colormap.color_dict
    shown = {tuple(colours[state + OUTLINE]) for state in State if state is not State.NONE}
    assert len(shown) == len(State) - 1


def test_footprints_cannot_be_painted_over_by_hand(layers):
    assert not layers.by_role["states"].editable
