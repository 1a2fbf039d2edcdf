"""Preferences: the same defaults with and without napari's settings, and changes are told."""

import pytest
from pydantic import ValidationError

from napari_comparewarp.gui.layers.schemes import SCHEMES
from napari_comparewarp.gui.layers.stretch import CURVES, LIMITS
from napari_comparewarp.gui.preferences import PLUGIN, Preferences, read_preferences, subscribe


@pytest.fixture
def settings(plugin):
    from napari.settings import get_plugin_settings

    return get_plugin_settings(PLUGIN)


def test_without_the_plugin_the_defaults_hold(npe2pm, plugin_settings):
    assert read_preferences() == Preferences()
    subscribe(lambda preferences: None)()


def test_the_manifest_has_the_same_defaults(settings):
    assert read_preferences() == Preferences()


def test_the_manifest_offers_all_that_there_is_to_choose_from(plugin):
    offered = plugin.contributions.configurations["display"].properties
    assert offered["curve"].enum == list(CURVES)
    assert offered["limits"].enum == list(LIMITS)
    assert offered["colours"].enum == list(SCHEMES)


def test_a_change_is_told_until_it_is_no_longer_wanted(settings):
    told = []
    end = subscribe(told.append)
    settings.display.colours = "colour-blind safe"
    settings.cache.kept_differences = 12
    assert told[-1] == Preferences(colours="colour-blind safe", kept_differences=12)
    count = len(told)
    end()
    end()
    settings.display.curve = "log"
    assert len(told) == count
    assert read_preferences().curve == "log"


@pytest.mark.parametrize(("name", "value"), [("curve", "steep"), ("sky_coordinates", "galactic")])
def test_what_is_not_offered_is_refused(settings, name, value):
    with pytest.raises(ValidationError):
        setattr(settings.display, name, value)
    assert read_preferences() == Preferences()


def test_preferences_are_kept_in_a_file(settings):
    settings.display.sky_coordinates = "decimal"
    assert "sky_coordinates: decimal" in settings.config_path.read_text()


def test_naparis_dialog_shows_them(plugin, make_napari_viewer, qtbot):
    from napari._qt.dialogs.preferences_dialog import PreferencesDialog

    viewer = make_napari_viewer()
    dialog = PreferencesDialog(viewer.window._qt_window)
    qtbot.addWidget(dialog)
    pages = [dialog._list.item(row).text() for row in range(dialog._list.count())]
    assert any(PLUGIN in page for page in pages)
