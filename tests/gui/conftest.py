"""Windows for tests: real ones, on a screen or under Xvfb, that leave nothing behind."""

import gc
import os
import sys
from pathlib import Path

import pytest
from stacks import stack

import napari_comparewarp

#: Fixtures that open a window, or the application that windows need.
WINDOWS = {"qapp", "qtbot", "make_napari_viewer", "make_napari_viewer_proxy"}

MANIFEST = Path(napari_comparewarp.__file__).parent / "gui" / "napari.yaml"

try:
    import napari  # noqa: F401
    import qtpy.QtWidgets  # noqa: F401
except ImportError as error:
    if os.environ.get("CI"):
        raise
    reason = f"tests/gui is left out: {error}; install the extra [test] and `make display`"
    collect_ignore_glob = ["test_*.py"]
else:
    reason = None


def pytest_terminal_summary(terminalreporter):
    if reason:
        terminalreporter.write_line(reason, yellow=True)


def has_display():
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return not sys.platform.startswith("linux") or any(os.environ.get(name) for name in names)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Keep away from a screen that is not there: Qt would end the process."""
    if has_display() or not WINDOWS & set(item.fixturenames):
        return
    if os.environ.get("CI"):
        pytest.fail("there is no display, and in CI no test of the window may be left out")
    pytest.skip("there is no display; run it with xvfb-run, as `make test` does")


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """Wait longer than pytest-qt does by itself: kernels are compiled when first used."""
    from pytestqt.qtbot import QtBot

    for wait in (QtBot.waitUntil, QtBot.waitSignal):
        monkeypatch.setitem(wait.__kwdefaults__, "timeout", 60_000)


@pytest.fixture(autouse=True)
def _nothing_left_behind(monkeypatch, tmp_path):
    """Use nobody's settings, touch layers in the main thread only, and leave nothing running."""
    from qtpy.QtCore import QCoreApplication, QSettings, QThreadPool

    monkeypatch.setenv("NAPARI_ENSURE_PLUGIN_MAIN_THREAD", "1")
    for form in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(form, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    yield
    from napari_comparewarp.gui.session import _SESSIONS
    from napari_comparewarp.gui.workers.export import Export

    pool = QThreadPool.globalInstance()
    assert pool.waitForDone(20_000), "a worker is still running"
    QCoreApplication.processEvents()
    assert not Export._running, "an export outlived its test"
    if _SESSIONS:
        # Only then: it takes longer than most tests.
        gc.collect()
    assert not list(_SESSIONS.values()), "a session outlived its test"


@pytest.fixture
def plugin(npe2pm, plugin_settings):
    """Register this plugin, and no other, with napari; return its manifest."""
    from npe2 import PluginManifest

    manifest = PluginManifest.from_file(MANIFEST)
    npe2pm.register(manifest)
    return manifest


@pytest.fixture
def inspection():
    """An inspection of a small stack with a trail; a module may have another."""
    return napari_comparewarp.Inspection(stack())


@pytest.fixture
def session(qapp, inspection):
    """A session of `inspection` whose viewer has no window, which is quicker."""
    from napari.components import ViewerModel

    from napari_comparewarp.gui.session import Session

    session = Session(ViewerModel(), inspection)
    yield session
    session.close()


@pytest.fixture
def show_panel(session, qtbot):
    """Show a panel that follows `session`."""
    shown = []

    def show(panel, size=(1000, 400)):
        qtbot.addWidget(panel)
        panel.resize(*size)
        with qtbot.waitExposed(panel):
            panel.show()
        panel.set_session(session)
        shown.append(panel)
        return panel

    yield show
    for panel in shown:
        panel.set_session(None)


@pytest.fixture
def settle():
    """Wait until all work of a `Latest` has ended and what it sent has arrived."""
    from qtpy.QtCore import QCoreApplication

    def wait(work):
        # Its one thread does one piece of work after the other.
        work._pool.submit(lambda: None).result(20)
        QCoreApplication.processEvents()

    return wait
