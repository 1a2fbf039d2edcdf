"""The layers of an inspection in one viewer: which are seen, and where the camera looks."""

from typing import Any

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

from ...algorithm.parallel import Progress
from ...inspection.inspection import Inspection
from ..workers.latest import Latest
from .layer_set import NAMES, LayerSet, redraw

__all__ = ["Screen", "unwrapped"]

#: Pixels around a footprint that is gone to.
MARGIN = 40

#: The zoom does not go closer than this, screen pixels for one of the image.
CLOSEST = 8.0


class Screen(QObject):
    """What one viewer shows of an inspection.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    inspection : Inspection
    layers : LayerSet, optional
        Layers that are in the viewer already, to be reused.
    parent : QObject, optional

    Attributes
    ----------
    pinned_changed : Signal
        Sent when the result to compare with is another.
    epoch_changed : Signal
        Sent with the epoch's index.
    pixel_clicked : Signal
        Sent with y and x of a pixel of the patch that was clicked.
    layer_made : Signal
        Sent with a layer that has taken the place of one that was deleted.
    message : Signal
        Sent with one line that a person should read.
    """

    pinned_changed = Signal()
    epoch_changed = Signal(int)
    pixel_clicked = Signal(int, int)
    layer_made = Signal(object)
    message = Signal(str)

    def __init__(
        self,
        viewer: Any,
        inspection: Inspection,
        layers: LayerSet | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.viewer = unwrapped(viewer)
        self.inspection = inspection
        self.layers = layers or LayerSet(inspection)
        self._closed = False
        self._hidden_in_3d: list[Layer] = []
        if self.layers.views.inspection is not inspection:
            self.layers.show(inspection)
        self._add_layers()
        self._ahead = Latest(self)
        dims = self.viewer.dims
        dims.events.current_step.connect(self._on_step)
        # Before the layers are sliced: three axes of a lazy cube are all of it.
        dims.events.ndisplay.connect(self._on_ndisplay, position="first")
        self.viewer.mouse_drag_callbacks.append(self._on_mouse)

    @property
    def epoch_index(self) -> int:
        """The epoch on the screen, counted from 0."""
        dims = self.viewer.dims
        if dims.ndim < 3:
            return 0
        return int(np.clip(dims.current_step[-3], 0, self.inspection.stack.n_epochs - 1))

    @epoch_index.setter
    def epoch_index(self, epoch_index: int) -> None:
        dims = self.viewer.dims
        if dims.ndim >= 3:
            dims.set_current_step(dims.ndim - 3, int(epoch_index))

    def layer(self, role: str) -> Layer:
        """Return one of the layers of `NAMES`; one that the user deleted is made again."""
        layer = self.layers.by_role[role]
        if layer not in self.viewer.layers:
            layer = self.layers.make_again(role)
            self.layer_made.emit(layer)
            above = [
                self.layers.by_role[other]
                for other in list(NAMES)[list(NAMES).index(role) + 1 :]
                if self.layers.by_role[other] in self.viewer.layers
            ]
            if above:
                self.viewer.layers.insert(self.viewer.layers.index(above[0]), layer)
            else:
                self.viewer.add_layer(layer)
        return layer

    def show_base(self, role: str) -> None:
        """Show one of the images, and hide the others."""
        roles = [name for name in NAMES if name not in ("mask", "states")]
        # Where nothing deviates, the epoch count lets the sky through.
        shown = (role, "template") if role == "count" else (role,)
        for other in shown:
            self.layer(other).visible = True
        for other in roles:
            layer = self.layers.by_role[other]
            if other not in shown and layer in self.viewer.layers:
                layer.visible = False

    def refresh(self, *roles: str) -> None:
        """Draw some layers again, all if none is named."""
        for role in roles or tuple(NAMES):
            layer = self.layers.by_role[role]
            if layer in self.viewer.layers:
                redraw(layer)

    def pin(self) -> None:
        """Keep the present result, to compare later ones with it."""
        self.layers.views.pinned = self.inspection.result
        self.refresh("compared")
        self.pinned_changed.emit()

    def go_to_pixel(self, y: int, x: int) -> None:
        """Move and zoom to a pixel; the epoch stays."""
        self.show_box((y, y + 1), (x, x + 1))

    def show_box(self, y: tuple[int, int], x: tuple[int, int]) -> None:
        """Move and zoom to half-open ranges of rows and columns; the epoch stays."""
        layer = self.layers.by_role["states"]
        middle = (self.epoch_index, sum(y) / 2 - 0.5, sum(x) / 2 - 0.5)
        centre = layer.data_to_world(middle)
        camera = self.viewer.scene.camera
        camera.center = (0.0, centre[-2], centre[-1])
        height, width = self._canvas_size()
        room = min(height / (y[1] - y[0] + 2 * MARGIN), width / (x[1] - x[0] + 2 * MARGIN))
        camera.zoom = min(room, CLOSEST)

    def close(self) -> None:
        """Disconnect from the viewer; its layers stay."""
        self._closed = True
        self._ahead.close()
        dims = self.viewer.dims
        dims.events.current_step.disconnect(self._on_step)
        dims.events.ndisplay.disconnect(self._on_ndisplay)
        if self._on_mouse in self.viewer.mouse_drag_callbacks:
            self.viewer.mouse_drag_callbacks.remove(self._on_mouse)

    # --- what happens ----------------------------------------------------------------------

    def _add_layers(self) -> None:
        for layer in self.layers:
            if layer not in self.viewer.layers:
                self.viewer.add_layer(layer)
        if not self.layers.seen:
            self.layers.seen = True
            dims = self.viewer.dims
            dims.axis_labels = (*dims.axis_labels[:-3], "epoch", "y", "x")
            # Images of the sky have y up.
            self.viewer.scene.camera.orientation2d = ("up", "right")
            self.viewer.reset_view()
            self.viewer.layers.selection.active = self.layers.by_role["difference"]

    def _on_step(self, event: Any = None) -> None:
        self.epoch_changed.emit(self.epoch_index)
        if self.layers.by_role["difference"].visible:
            self._look_ahead()

    def _look_ahead(self) -> None:
        """Make the differences of the epochs beside the one on the screen."""
        views, here = self.layers.views, self.epoch_index
        epochs = range(self.inspection.stack.n_epochs)

        def work(progress: Progress) -> None:
            for epoch in (here + 1, here - 1):
                progress("looking ahead", 0, 1)
                if epoch in epochs:
                    views.difference(epoch)

        self._ahead.start(work)

    def _on_ndisplay(self, event: Any = None) -> None:
        """Hide the cubes in three dimensions: epochs are no depth."""
        cubes = [self.layers.by_role[role] for role in ("warp", "difference", "mask", "states")]
        if self.viewer.dims.ndisplay == 3:
            self._hidden_in_3d = [layer for layer in cubes if layer.visible]
            for layer in self._hidden_in_3d:
                layer.visible = False
            self.message.emit("Epochs are no depth: layers of single epochs are hidden in 3D")
        else:
            layers, self._hidden_in_3d = self._hidden_in_3d, []
            # They are sliced in two dimensions once the viewer has gone back to these.
            QTimer.singleShot(0, lambda: self._show_again(layers))

    def _show_again(self, layers: list[Layer]) -> None:
        if not self._closed:
            for layer in layers:
                layer.visible = True

    def _on_mouse(self, viewer: Any, event: Any) -> Any:
        """Report the pixel that is clicked on; a drag pans as usual."""
        dragged = False
        yield
        while event.type == "mouse_move":
            dragged = True
            yield
        states = self.layers.by_role["states"]
        if dragged or event.button != 1 or viewer.dims.ndisplay != 2 or states not in viewer.layers:
            return
        y, x = np.round(np.asarray(states.world_to_data(event.position))[-2:]).astype(int)
        self.click(int(y), int(x))

    def click(self, y: int, x: int) -> None:
        """Do as a click on a pixel of the present epoch, in the patch or beside it."""
        height, width = self.inspection.stack.shape
        if 0 <= y < height and 0 <= x < width:
            self.pixel_clicked.emit(y, x)

    def _canvas_size(self) -> tuple[int, int]:
        height, width = self.viewer.canvas.size
        return int(height), int(width)


def unwrapped(viewer: Any) -> Any:
    """Return the viewer itself where a plugin is given a guarded one."""
    return getattr(viewer, "__wrapped__", viewer)
