"""The export section says what it will write, asks before it replaces, and works beside."""

import threading

import numpy as np
import pytest
from astropy.io import fits
from qtpy.compat import isalive
from qtpy.QtCore import QSettings
from qtpy.QtWidgets import QMessageBox
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.gui.sections.export import ExportSection
from napari_comparewarp.gui.session import Session
from napari_comparewarp.gui.workers.export import Export
from napari_comparewarp.io.config_file import read_config_file
from napari_comparewarp.outputs import PRODUCTS, Product
from napari_comparewarp.simulation import simulate_night, write_night


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def session(make_napari_viewer_proxy):
    made = Session(make_napari_viewer_proxy(), cw.Inspection(stack()))
    yield made
    made.close()


@pytest.fixture
def section(session, settings, target, qtbot):
    made = ExportSection(settings=settings)
    qtbot.addWidget(made)
    made.folder.setText(str(target))
    made.set_session(session)
    made.name.setText("patch")
    return made


def choose(section, *names):
    for name, box in section.boxes.items():
        box.setChecked(name in names)


def export(section, qtbot):
    with qtbot.waitSignal(section.written, timeout=30_000) as signal:
        section.write.click()
    qtbot.waitUntil(lambda: not section.busy)
    return signal.args[0]


def answer(monkeypatch, button):
    """Answer questions with a button; return what was asked."""
    asked = []

    def question(parent, title, text, **_):
        asked.append(text)
        return button

    monkeypatch.setattr(QMessageBox, "question", question)
    return asked


def test_without_a_stack_nothing_can_be_exported(settings, qtbot):
    section = ExportSection(settings=settings)
    qtbot.addWidget(section)
    assert not section.isEnabled() and "No stack" in section.summary.text()


def test_everything_that_can_be_written_is_offered_and_written(section, target, qtbot):
    choose(section, *PRODUCTS)
    section.summarise()
    for path in section.outputs().paths.values():
        assert path.name in section.summary.text()
    written = export(section, qtbot)
    assert set(written) == set(section.outputs().paths.values())
    assert {path.parent for path in written} == {target}
    assert all(path.exists() for path in written)


def test_what_is_written_is_what_the_engine_writes(section, session, target, qtbot):
    choose(section, "coadd", "inspection", "lsst_config")
    session.inspection.set(chi_threshold=5)
    export(section, qtbot)
    with fits.open(target / "patch.fits") as hdus:
        np.testing.assert_array_equal(
            hdus["IMAGE"].data, cw.run(stack(), session.inspection.config).coadd.image
        )
    again = cw.Inspection.load(target / "patch_inspection.json", stack())
    assert again.config == session.inspection.config
    assert read_config_file(target / "patch_lsst_config.py") == session.inspection.config


def test_the_form_of_the_coadd_and_of_the_table_can_be_chosen(section, target, qtbot):
    choose(section, "coadd", "footprints")
    section.endings["coadd"].setCurrentText(".fits.fz")
    section.endings["footprints"].setCurrentText(".fits")
    export(section, qtbot)
    assert {path.name for path in target.iterdir()} == {"patch.fits.fz", "patch_footprints.fits"}


def test_the_input_map_is_a_knob_like_others(section, session, target, qtbot):
    choose(section, "coadd")
    with qtbot.waitSignal(session.result_changed):
        section.input_map.click()
    assert session.inspection.config.input_map
    export(section, qtbot)
    with fits.open(target / "patch.fits") as hdus:
        assert "INPUT_MAP" in hdus
    with qtbot.waitSignal(session.result_changed):
        session.undo()
    assert not section.input_map.isChecked()


def test_the_summary_gives_sizes_and_what_exists(section, target):
    choose(section, "coadd", "masks")
    section.summarise()
    height, width = 60, 70
    assert f"patch.fits: {14 * height * width / 1000:.2g} kB" in section.summary.text()
    assert "replaces" not in section.summary.text()
    (target / "patch.fits").touch()
    (target / "patch_masks").mkdir()
    (target / "patch_masks" / "notes.txt").touch()
    section.summarise()
    lines = section.summary.text().splitlines()
    assert "replaces 1 file" in lines[0] and "replaces" not in lines[1]


@pytest.mark.parametrize("yes", [True, False])
def test_replacing_is_asked_and_never_assumed(section, target, qtbot, monkeypatch, yes):
    (target / "patch.fits").write_text("precious")
    button = QMessageBox.StandardButton.Yes if yes else QMessageBox.StandardButton.No
    asked = answer(monkeypatch, button)
    choose(section, "coadd")
    if yes:
        export(section, qtbot)
    else:
        section.write.click()
        assert not section.busy
    assert len(asked) == 1 and str(target / "patch.fits") in asked[0]
    assert ((target / "patch.fits").read_bytes() == b"precious") is not yes


def test_nothing_is_asked_where_nothing_is_replaced(section, qtbot, monkeypatch):
    asked = answer(monkeypatch, QMessageBox.StandardButton.No)
    choose(section, "regions")
    export(section, qtbot)
    assert asked == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda section: section.folder.setText("/no/such/folder"), "there is no folder"),
        (lambda section: section.name.setText(""), "give the name"),
        (lambda section: section.name.setText("a/b"), "without folders"),
        (lambda section: choose(section), "Nothing is chosen"),
    ],
)
def test_what_cannot_be_written_is_said_instead_of_a_summary(section, change, said):
    change(section)
    section.summarise()
    assert said in section.summary.text() and not section.write.isEnabled()


def test_an_input_is_never_a_target(make_napari_viewer_proxy, settings, tmp_path, qtbot):
    write_night(simulate_night(3, (64, 64), seed=1), tmp_path / "night")
    inspection = cw.Inspection(cw.read_stack(tmp_path / "night"))
    session = Session(make_napari_viewer_proxy(), inspection)
    section = ExportSection(settings=settings)
    qtbot.addWidget(section)
    section.set_session(session)
    assert section.name.text() == "night"
    choose(section, "coadd")
    section.folder.setText(str(tmp_path / "night" / "direct"))
    section.endings["coadd"].setCurrentText(".fits.fz")
    section.name.setText("direct_warp_401001")
    section.summarise()
    assert "coadd is one of the inputs" in section.summary.text()
    assert not section.write.isEnabled()
    session.close()


def test_folder_and_choice_are_remembered_in_the_next_window(section, settings, target, qtbot):
    choose(section, "regions")
    export(section, qtbot)
    later = ExportSection(settings=settings)
    qtbot.addWidget(later)
    assert later.folder.text() == str(target)
    assert [name for name, box in later.boxes.items() if box.isChecked()] == ["regions"]


@pytest.fixture
def gate(monkeypatch):
    """Hold up the writing of the coadd until the gate is opened."""
    begun, opened = threading.Event(), threading.Event()
    write = cw.CompareWarpResult.write

    def wait(*args):
        begun.set()
        assert opened.wait(20)
        write(*args)

    monkeypatch.setattr(cw.CompareWarpResult, "write", wait)
    yield begun, opened
    opened.set()


def test_the_window_answers_while_it_is_written_and_cancel_ends_it(section, target, qtbot, gate):
    begun, opened = gate
    choose(section, "coadd", "regions")
    section.show()
    section.write.click()
    qtbot.waitUntil(begun.is_set)
    assert section.busy and section.stop.isVisible() and not section.write.isEnabled()
    section.stop.click()
    opened.set()
    qtbot.waitUntil(lambda: not section.busy)
    assert [path.name for path in target.iterdir()] == ["patch.fits"]
    assert section.write.isEnabled() and not section.stop.isVisible()


def test_a_window_that_closes_meanwhile_is_no_trouble(session, settings, target, qtbot, gate):
    begun, opened = gate
    section = ExportSection(settings=settings)
    section.set_session(session)
    section.folder.setText(str(target))
    choose(section, "coadd", "regions")
    section.write.click()
    qtbot.waitUntil(begun.is_set)
    section.deleteLater()
    qtbot.waitUntil(lambda: not isalive(section))
    opened.set()
    qtbot.waitUntil(lambda: not Export._running)
    assert any(target.glob("*.fits"))
    assert not any(target.glob("*.reg"))


def test_a_failure_is_told_in_one_line_and_leaves_the_section_usable(
    section, qtbot, monkeypatch, target
):
    told = []
    monkeypatch.setattr("napari_comparewarp.gui.sections.export.show_warning", told.append)
    choose(section, "coadd")

    def fail(*_):
        raise OSError("no room\nat all")

    monkeypatch.setattr(cw.CompareWarpResult, "write", fail)
    section.write.click()
    qtbot.waitUntil(lambda: bool(told) and not section.busy)
    assert told == ["no room"] and section.write.isEnabled()


def test_an_output_of_the_list_is_offered(session, settings, target, qtbot, monkeypatch):
    def write(source, path, overwrite):
        path.write_text("3")

    product = Product("depth", (".txt",), write, lambda result, path: 1, suffix="_depth")
    monkeypatch.setitem(PRODUCTS, "depth", product)
    section = ExportSection(settings=settings)
    qtbot.addWidget(section)
    section.folder.setText(str(target))
    section.set_session(session)
    section.name.setText("patch")
    choose(section, "depth")
    assert export(section, qtbot) == [target / "patch_depth.txt"]
