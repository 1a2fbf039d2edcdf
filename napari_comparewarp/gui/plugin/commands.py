"""What menus do: everything ends in the dock of a viewer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import napari
from napari.utils.notifications import show_error
from napari.viewer import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QScrollArea, QWidget

from ..preferences import PLUGIN
from ..session import unwrapped
from ..widgets.fold import Fold

if TYPE_CHECKING:
    from ..dock import CompareWarpDock

__all__ = [
    "dock_of",
    "export",
    "open_folder",
    "open_inspection",
    "open_together",
]

#: As napari's own menus call the dock, so that both mean the same one.
DOCK_NAME = f"CompareWarp ({PLUGIN})"

#: Files of one choice come one by one, within this many milliseconds of each other.
TOGETHER = 300

_WAITING: "WeakKeyDictionary[Any, list[Path]]" = WeakKeyDictionary()


def dock_of(viewer: Any) -> "CompareWarpDock":
    """Return the dock of a viewer; it is opened if need be.

    Parameters
    ----------
    viewer : napari.viewer.Viewer

    Returns
    -------
    CompareWarpDock
    """
    from ..dock import CompareWarpDock

    viewer = unwrapped(viewer)
    for widget in viewer.window.dock_widgets.values():
        if isinstance(widget, CompareWarpDock):
            _show(widget)
            return widget
    dock = CompareWarpDock(viewer)
    viewer.window.add_dock_widget(dock, name=DOCK_NAME, area="right")
    return dock


def open_folder(viewer: Viewer) -> None:
    """Ask for a folder of warps, and open it."""
    dock = dock_of(viewer)
    path = QFileDialog.getExistingDirectory(dock, "Folder of warps")
    if path:
        dock.open(Path(path))


def open_inspection(viewer: Viewer) -> None:
    """Ask for an inspection file, and open it."""
    dock = dock_of(viewer)
    path, _ = QFileDialog.getOpenFileName(
        dock, "CompareWarp inspection", "", "Inspections (*.json)"
    )
    if path:
        dock.open(Path(path))


def export(viewer: Viewer) -> None:
    """Show the section that exports."""
    _show(dock_of(viewer).sections["Export"])


def open_together(viewer: Any, path: Path, alone: Callable[[Path], Sequence[Any]]) -> None:
    """Open a warp; with others that follow at once it is a stack.

    napari hands over the files of one choice one by one.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    path : Path
    alone : callable
        Returns the layers of a warp that no other follows.
    """
    viewer = unwrapped(viewer)
    waiting = _WAITING.setdefault(viewer, [])
    waiting.append(path)
    count = len(waiting)
    QTimer.singleShot(TOGETHER, lambda: _open_waiting(viewer, count, alone))


def _open_waiting(viewer: Any, count: int, alone: Callable[[Path], Sequence[Any]]) -> None:
    """Open the warps that came together, unless another has come since."""
    paths = _WAITING.get(viewer, [])
    if len(paths) != count or napari.current_viewer() is not viewer:
        return
    del _WAITING[viewer]
    if len(paths) > 1:
        dock_of(viewer).open(paths)
        return
    try:
        layers = alone(paths[0])
    except ValueError as error:
        show_error(str(error))
        return
    for layer in layers:
        viewer.add_layer(layer)


def _show(widget: QWidget) -> None:
    """Open whatever a widget is folded or scrolled away in."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, Fold):
            parent.header.setChecked(True)
        if isinstance(parent, QScrollArea):
            # What has just been unfolded has its room only once it is laid out.
            parent.widget().layout().activate()
            parent.widget().adjustSize()
            parent.ensureWidgetVisible(widget)
        if parent.isHidden():
            parent.show()
        parent = parent.parentWidget()
