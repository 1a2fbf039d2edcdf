"""What layers show is made again whenever what it is made of is another object."""

import numpy as np
import pytest
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.gui.layers.views import Views


@pytest.fixture
def reused_ids(monkeypatch):
    """Give every object one and the same id, as a freed one may come back."""
    monkeypatch.setattr("napari_comparewarp.gui.layers.views.id", lambda _: 7, raising=False)


def test_a_difference_is_of_the_present_template_even_if_an_id_comes_back(reused_ids):
    inspection = cw.Inspection(stack())
    views = Views(inspection)
    before = views.difference(0)
    inspection.set(template_statistic="MEDIAN")
    after = views.difference(0)
    assert not np.array_equal(before, after, equal_nan=True)
    np.testing.assert_array_equal(after, inspection.result.chi(0))


def test_what_clipping_removed_is_of_the_present_settings_even_if_an_id_comes_back(reused_ids):
    inspection = cw.Inspection(stack())
    views = Views(inspection)
    views.unclipped()
    inspection.set(prefilter_planes=("BAD",), statistic="MEDIAN")
    np.testing.assert_array_equal(views.unclipped(), inspection.result.unclipped().image)


def test_a_difference_is_made_once(monkeypatch):
    inspection = cw.Inspection(stack())
    views = Views(inspection)
    assert views.difference(1) is views.difference(1)
