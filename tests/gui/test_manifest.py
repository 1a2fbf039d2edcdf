"""The manifest is valid, tells the truth, and napari finds in it what a user looks for."""

import importlib.metadata
import importlib.resources
import tomllib
from pathlib import Path

import pytest
from napari._app_model.constants import MenuId
from napari.components import ViewerModel
from npe2 import PluginManifest

import napari_comparewarp
from napari_comparewarp.gui.dock import CompareWarpDock
from napari_comparewarp.gui.plugin import commands
from napari_comparewarp.io.sources import FITS_SUFFIXES

ROOT = Path(__file__).parents[2]
MANIFEST = Path(napari_comparewarp.__file__).parent / "gui" / "napari.yaml"


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_file(MANIFEST)


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_command_leads_to_something_that_can_be_imported(manifest):
    manifest.validate_imports()


def test_the_plugin_is_called_as_the_package_and_declared_by_it(manifest):
    assert manifest.name == project()["name"]
    declared = project()["entry-points"]["napari.manifest"]
    module, _, file = declared[manifest.name].partition(":")
    assert (ROOT / module.replace(".", "/") / file) == ROOT / MANIFEST.relative_to(ROOT)
    assert "Framework :: napari" in project()["classifiers"]


def test_no_binding_of_qt_is_among_the_packages_that_are_always_installed():
    needed = importlib.metadata.requires("napari-comparewarp")
    always = [line for line in needed if "extra ==" not in line]
    assert not [line for line in always if line.lower().startswith(("pyqt", "pyside", "napari"))]


def test_all_names_of_fits_files_are_read(manifest):
    (reader,) = manifest.contributions.readers
    assert reader.accepts_directories
    assert {f"*{suffix}" for suffix in FITS_SUFFIXES} <= set(reader.filename_patterns)


def test_menus_are_such_that_plugins_may_add_to(manifest):
    allowed = {str(menu) for menu in MenuId.contributables()}
    assert set(manifest.contributions.menus) <= allowed
    titles = {command.id: command.title for command in manifest.contributions.commands}
    shown = [
        titles[item.command] for items in manifest.contributions.menus.values() for item in items
    ]
    assert any("folder" in title for title in shown) and any("Export" in title for title in shown)


def test_a_viewer_without_a_window_opens_a_folder_by_the_manifest(plugin, tmp_path):
    from napari_comparewarp.simulation import simulate_night, write_night

    write_night(simulate_night(4, (64, 64), seed=2), tmp_path)
    viewer = ViewerModel()
    viewer.open(tmp_path, plugin=plugin.name)
    assert [layer.name for layer in viewer.layers][-1] == "CLIPPED footprints"


def test_the_dock_opens_from_naparis_menu_and_commands_find_the_same_one(
    plugin, make_napari_viewer_proxy
):
    viewer = make_napari_viewer_proxy()
    _, dock = viewer.window.add_plugin_dock_widget(plugin.name)
    assert isinstance(dock, CompareWarpDock)
    assert commands.dock_of(viewer) is dock
    assert list(viewer.window.dock_widgets) == [commands.DOCK_NAME]


def test_a_dock_that_a_command_opened_is_the_one_of_naparis_menu(plugin, make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    dock = commands.dock_of(viewer)
    _, same = viewer.window.add_plugin_dock_widget(plugin.name)
    assert same is dock and commands.dock_of(viewer) is dock


def test_a_dock_that_was_hidden_is_shown_again(plugin, make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy(show=True)
    dock = commands.dock_of(viewer)
    dock.parentWidget().hide()
    assert not dock.isVisible()
    assert commands.dock_of(viewer) is dock and dock.isVisible()


def test_the_command_to_export_brings_its_section_into_sight(make_napari_viewer_proxy, qtbot):
    viewer = make_napari_viewer_proxy(show=True)
    dock = commands.dock_of(viewer)
    assert not dock.export_section.isVisible()
    commands.export(viewer)
    qtbot.waitUntil(lambda: not dock.export_section.visibleRegion().isEmpty())


def test_commands_open_what_the_user_chooses_and_nothing_when_cancelled(
    make_napari_viewer_proxy, monkeypatch, tmp_path
):
    opened = []
    monkeypatch.setattr(CompareWarpDock, "open", lambda self, source: opened.append(source))
    viewer = make_napari_viewer_proxy()
    for path in (str(tmp_path), ""):
        monkeypatch.setattr(commands.QFileDialog, "getExistingDirectory", lambda *_, p=path: p)
        monkeypatch.setattr(commands.QFileDialog, "getOpenFileName", lambda *_, p=path: (p, ""))
        commands.open_folder(viewer)
        commands.open_inspection(viewer)
    assert opened == [tmp_path, tmp_path]


def test_the_plugin_is_public_and_its_icon_is_there():
    manifest = PluginManifest.from_file(MANIFEST)
    assert manifest.visibility == "public"
    package, _, name = manifest.icon.partition(":")
    assert (importlib.resources.files(package) / name).read_text().startswith("<svg")
