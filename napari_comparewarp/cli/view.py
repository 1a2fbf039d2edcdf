"""`comparewarp view`: the window, opened on a stack."""

import os
import sys
from pathlib import Path

import click

from .common import debug_option
from .stack import saved_inspection, stack_options

__all__ = ["view"]

#: What brings napari and a binding of Qt.
_INSTALL = 'pip install "napari-comparewarp[all]"'


@click.command()
@stack_options
@debug_option
def view(
    stack: tuple[Path, ...],
    config_file: Path | None,
    preset: str | None,
    settings: tuple[str, ...],
    psf_sigma: float | None,
    memory: str | None,
) -> None:
    """Open STACK in napari, to tune, look and export.

    STACK is a folder, a list of FITS files, or a manifest; or an inspection
    file, which brings its own settings and decisions by hand.
    """
    saved = saved_inspection(stack, config_file, preset, settings, psf_sigma)
    source = stack[0] if len(stack) == 1 else stack
    config = None
    if saved is None:
        from ..io.sources import find_sources
        from .knobs import choose_config

        config = choose_config(config_file, preset, settings)
        find_sources(source)
    if memory is not None:
        from ..io.spool import parse_memory

        parse_memory(memory)
    _check_display()
    try:
        import napari

        from ..gui.plugin.commands import dock_of
    except ImportError as error:
        raise click.UsageError(
            f"the window needs napari and Qt ({error}); install them: {_INSTALL}"
        ) from error
    dock = dock_of(napari.Viewer())
    dock.open(source, config, psf_sigma, memory)
    napari.run()


def _check_display() -> None:
    """Refuse to open a window where there is no screen: Qt would end the process."""
    given = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in given):
        raise click.UsageError(
            "there is no display for a window: neither DISPLAY nor WAYLAND_DISPLAY is set; "
            "log in with a screen, or use xvfb-run or ssh -X"
        )
