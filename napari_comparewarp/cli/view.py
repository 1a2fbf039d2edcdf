"""`comparewarp view`: the window, opened on a stack."""

import os
import sys
from typing import Any

import click

from .common import debug_option
from .signals import ending_at
from .stack import bright_objects_option, choose_stack, stack_options

__all__ = ["view"]

#: What brings napari and a binding of Qt.
_INSTALL = 'pip install "napari-comparewarp[all]"'

#: Milliseconds between two looks at whether a signal has come.
_LOOK_FOR_SIGNALS = 200


@click.command()
@stack_options
@bright_objects_option
@debug_option
def view(**words: Any) -> None:
    """Open STACK in napari, to tune, look and export.

    STACK is a folder, a list of FITS files, or a manifest; or an inspection
    file, which brings its own settings and manual decisions.
    """
    choice = choose_stack(**words)
    if choice.saved is None:
        choice.inputs()
    if choice.memory is not None:
        from ..io.spool import parse_memory

        parse_memory(choice.memory)
    _check_display()
    try:
        import napari

        from ..gui.plugin.commands import dock_of
    except ImportError as error:
        raise click.UsageError(
            f"the window needs napari and Qt ({error}); install them: {_INSTALL}"
        ) from error
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer()

    def end() -> None:
        try:
            viewer.close()
        finally:
            # A dialogue may have a loop of its own.
            QApplication.exit()

    dock = dock_of(viewer)
    # Nothing may be raised inside Qt.
    with ending_at(end):
        dock.open(
            choice.source, choice.config, choice.psf_sigma, choice.memory, choice.bright_objects,
            choice.assume,
        )  # fmt: skip
        # Python sees signals only while it runs.
        timer = QTimer()
        timer.timeout.connect(lambda: None)
        timer.start(_LOOK_FOR_SIGNALS)
        napari.run()


def _check_display() -> None:
    """Refuse to open a window where there is no screen: Qt would end the process."""
    given = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in given):
        raise click.UsageError(
            "there is no display for a window: neither DISPLAY nor WAYLAND_DISPLAY is set; "
            "log in with a screen, or use xvfb-run or ssh -X"
        )
