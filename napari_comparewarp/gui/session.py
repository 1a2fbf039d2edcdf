"""One inspection in one viewer: what is on the screen follows what is computed."""

import time
from concurrent.futures import Future
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

from ..algorithm.overrides import Decision, FootprintKey
from ..algorithm.parallel import Progress
from ..config.knobs import CompareWarpConfig
from ..errors import ConfigError, InspectionError
from ..inspection.inspection import Inspection
from ..result.result import CompareWarpResult
from .layers.layer_set import NAMES, LayerSet, redraw
from .workers.latest import Latest

__all__ = ["Session"]

#: Pixels around a footprint that is gone to.
MARGIN = 40

#: The zoom does not go closer than this, screen pixels for one of the image.
CLOSEST = 8.0

#: Steps of a knob that follow each other within this time are one drag, seconds.
DRAG = 1.0

_SESSIONS: "WeakKeyDictionary[Any, Session]" = WeakKeyDictionary()


class Session(QObject):
    """The layers, selection and running work of one inspection in one viewer.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    inspection : Inspection
    layers : LayerSet, optional
        Layers that are in the viewer already, to be reused.
    parent : QObject, optional

    Attributes
    ----------
    result_changed : Signal
        Sent in the main thread, after the layers show the new result.
    pinned_changed : Signal
        Sent when the result to compare with is another.
    epoch_changed, selection_changed : Signal
        Sent with the epoch's index, and with the selected footprint's id or None.
    pixel_clicked : Signal
        Sent with y and x of a pixel of the patch that was clicked.
    layer_made : Signal
        Sent with a layer that has taken the place of one that was deleted.
    progressed : Signal
        Sent with stage, steps done and steps in all.
    finished : Signal
        Sent when nothing is being computed any more.
    said : Signal
        Sent with one line that a person should read.
    """

    result_changed = Signal()
    pinned_changed = Signal()
    epoch_changed = Signal(int)
    selection_changed = Signal(object)
    pixel_clicked = Signal(int, int)
    layer_made = Signal(object)
    progressed = Signal(str, int, int)
    finished = Signal()
    said = Signal(str)
    _landed = Signal()
    _work_done = Signal(object)

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
        self._land_is_due = False
        self._running = 0
        self._wanted: CompareWarpConfig | None = None
        self._tuned: set[str] = set()
        self._tuned_at = 0.0
        self._selected: FootprintKey | None = None
        self._hidden_in_3d: list[Layer] = []
        self._shown: CompareWarpResult = inspection.result
        if self.layers.views.inspection is not inspection:
            self.layers.show(inspection)
        self._add_layers()
        self._ahead = Latest(self)
        self._connect()
        _SESSIONS[self.viewer] = self

    @classmethod
    def of(cls, viewer: Any) -> "Session | None":
        """Return the session of a viewer, or None."""
        session = _SESSIONS.get(unwrapped(viewer))
        return None if session is None or session._closed else session

    # --- what is on the screen -----------------------------------------------------------

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

    # --- settings ------------------------------------------------------------------------

    @property
    def config(self) -> CompareWarpConfig:
        """The settings as last asked for; the result may still be on its way."""
        return self._wanted or self.inspection.config

    def tune(self, **knobs: Any) -> None:
        """Change some knobs; the result comes when it is there, and only the newest.

        A value that is out of range changes nothing and is said in one line.
        """
        try:
            config = self.config.replace(**knobs)
        except ConfigError as error:
            self.said.emit(str(error))
            return
        now = time.monotonic()
        # The steps of one drag are one step for undo.
        amend = self._tuned == set(knobs) and now - self._tuned_at < DRAG
        self.set_config(config, amend)
        self._tuned, self._tuned_at = set(knobs), now

    def set_config(self, config: CompareWarpConfig, amend: bool = False) -> None:
        """Change all knobs; see `tune`, and `Inspection.submit` for `amend`."""
        self._tuned = set()
        self._wanted = config
        self._follow(self.inspection.submit(config, amend=amend))

    def cancel(self) -> None:
        """Give up what is being computed; the present result stays."""
        self.inspection.cancel()

    def decide(self, footprint: int | FootprintKey, decision: Decision | None) -> None:
        """Decide on a footprint by hand, or leave it to the rule again."""
        self._tuned = set()
        try:
            self._follow(self.inspection.submit_override(footprint, decision))
        except InspectionError as error:
            self.said.emit(str(error))

    def undo(self) -> None:
        """Take back the last change."""
        self._tuned = set()
        self._wanted = None
        self._follow(self.inspection.submit_undo())

    def redo(self) -> None:
        """Make the change again that was taken back."""
        self._tuned = set()
        self._wanted = None
        self._follow(self.inspection.submit_redo())

    @property
    def busy(self) -> bool:
        """Whether something is being computed."""
        return self._running > 0

    # --- selection -----------------------------------------------------------------------

    @property
    def selected(self) -> int | None:
        """Id of the selected footprint in the present result, None without one."""
        return self.layers.views.selected

    def select(self, footprint: int | None, go: bool = False) -> None:
        """Select a footprint, and go to it if asked.

        Parameters
        ----------
        footprint : int or None
            Its id in the table.
        go : bool
            Whether to show its epoch, and move and zoom to it.
        """
        self._selected = None if footprint is None else self.inspection.key_of(footprint)
        changed = footprint != self.selected
        self.layers.views.selected = footprint
        before = self.epoch_index
        if footprint is not None and go:
            self.go_to(footprint)
        if changed:
            # Another epoch has just been drawn, with the ring.
            if self.epoch_index == before:
                self.refresh("states")
            self.selection_changed.emit(footprint)

    def go_to(self, footprint: int) -> None:
        """Show a footprint's epoch, and move and zoom to it."""
        epoch, pixels = self.inspection.result.footprint_set.pixels(footprint)
        self.epoch_index = epoch
        self._show_box(
            (int(pixels.y.min()), int(pixels.y.max()) + 1),
            (int(pixels.x0.min()), int(pixels.x1.max())),
        )

    def go_to_pixel(self, y: int, x: int) -> None:
        """Move and zoom to a pixel; the epoch stays."""
        self._show_box((y, y + 1), (x, x + 1))

    def _show_box(self, y: tuple[int, int], x: tuple[int, int]) -> None:
        layer = self.layers.by_role["states"]
        middle = (self.epoch_index, sum(y) / 2 - 0.5, sum(x) / 2 - 0.5)
        centre = layer.data_to_world(middle)
        camera = self.viewer.scene.camera
        camera.center = (0.0, centre[-2], centre[-1])
        height, width = self._canvas_size()
        room = min(height / (y[1] - y[0] + 2 * MARGIN), width / (x[1] - x[0] + 2 * MARGIN))
        camera.zoom = min(room, CLOSEST)

    def footprint_at(self, y: int, x: int) -> int | None:
        """Return the id of the footprint of the present epoch at a pixel, or None."""
        height, width = self.inspection.stack.shape
        if not (0 <= y < height and 0 <= x < width):
            return None
        return self.inspection.result.footprint_set.at(self.epoch_index, y, x)

    # --- the end -------------------------------------------------------------------------

    def close(self) -> None:
        """Give up what is being computed, and let go of the viewer and its layers."""
        if self._closed:
            return
        self._closed = True
        self._ahead.close()
        self.inspection.result_changed.disconnect(self._on_landed, missing_ok=True)
        self.inspection.progressed.disconnect(self._on_progress, missing_ok=True)
        self.inspection.failed.disconnect(self._on_failed, missing_ok=True)
        dims = self.viewer.dims
        dims.events.current_step.disconnect(self._on_step)
        dims.events.ndisplay.disconnect(self._on_ndisplay)
        if self._on_mouse in self.viewer.mouse_drag_callbacks:
            self.viewer.mouse_drag_callbacks.remove(self._on_mouse)
        if _SESSIONS.get(self.viewer) is self:
            del _SESSIONS[self.viewer]
        self.inspection.close()
        # Else the window would keep it, and with it the stack, for as long as it is open.
        self.setParent(None)
        self.deleteLater()

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

    def _connect(self) -> None:
        self._landed.connect(self._show_result)
        self._work_done.connect(self._end_work)
        self.inspection.result_changed.connect(self._on_landed)
        self.inspection.progressed.connect(self._on_progress)
        self.inspection.failed.connect(self._on_failed)
        dims = self.viewer.dims
        dims.events.current_step.connect(self._on_step)
        # Before the layers are sliced: three axes of a lazy cube are all of it.
        dims.events.ndisplay.connect(self._on_ndisplay, position="first")
        self.viewer.mouse_drag_callbacks.append(self._on_mouse)

    def _follow(self, future: "Future[CompareWarpResult]") -> None:
        self._running += 1
        future.add_done_callback(self._tell_done)

    def _tell_done(self, future: "Future[CompareWarpResult]") -> None:
        if not self._closed:
            self._work_done.emit(future)

    def _end_work(self, future: "Future[CompareWarpResult]") -> None:
        self._running -= 1
        if self._running == 0:
            # What was asked for is there, or was given up.
            self._wanted = None
            self.finished.emit()

    def _on_landed(self, result: CompareWarpResult) -> None:
        # Sent from the thread that computed. Results that follow each other faster than
        # they can be drawn are drawn once.
        if not self._land_is_due and not self._closed:
            self._land_is_due = True
            self._landed.emit()

    def _on_progress(self, stage: str, done: int, total: int) -> None:
        if not self._closed:
            self.progressed.emit(stage, done, total)

    def _on_failed(self, message: str) -> None:
        if not self._closed:
            self.said.emit(message)

    def _show_result(self) -> None:
        """Draw what differs between the present result and the one on the screen."""
        self._land_is_due = False
        before, now = self._shown.products, self.inspection.result.products
        self._shown = self.inspection.result
        self._select_again()
        changed = ["states", "mask"]
        if before.coadd is not now.coadd:
            changed += ["coadd", "compared"]
        if before.counts is not now.counts:
            changed.append("count")
        if before.template is not now.template:
            changed.append("template")
        if before.filled is not now.filled or before.variance_scale is not now.variance_scale:
            changed.append("difference")
        count = self.layers.by_role["count"]
        limits = (0, self.layers.views.limit_of_count())
        if tuple(count.contrast_limits) != limits:
            count.contrast_limits_range = limits
            count.contrast_limits = limits
        self.refresh(*changed)
        self.result_changed.emit()

    def _select_again(self) -> None:
        """Find the selected footprint in a new result; it may be gone."""
        if self._selected is None:
            return
        found = self.inspection.result.footprint_set.number(self._selected)
        if found != self.selected:
            self.layers.views.selected = found
            self.selection_changed.emit(found)

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
            self.said.emit("Epochs are no depth: layers of single epochs are hidden in 3D")
        else:
            layers, self._hidden_in_3d = self._hidden_in_3d, []
            # They are sliced in two dimensions once the viewer has gone back to these.
            QTimer.singleShot(0, lambda: self._show_again(layers))

    def _show_again(self, layers: list[Layer]) -> None:
        if not self._closed:
            for layer in layers:
                layer.visible = True

    def _on_mouse(self, viewer: Any, event: Any) -> Any:
        """Select the footprint that is clicked on; a drag moves the picture as ever."""
        dragged = False
        yield
        while event.type == "mouse_move":
            dragged = True
            yield
        states = self.layers.by_role["states"]
        if dragged or event.button != 1 or viewer.dims.ndisplay != 2 or states not in viewer.layers:
            return
        y, x = np.round(np.asarray(states.world_to_data(event.position))[-2:]).astype(int)
        self.clicked(int(y), int(x))

    def clicked(self, y: int, x: int) -> None:
        """Select what is at a pixel of the present epoch."""
        self.select(self.footprint_at(y, x))
        height, width = self.inspection.stack.shape
        if 0 <= y < height and 0 <= x < width:
            self.pixel_clicked.emit(y, x)

    def _canvas_size(self) -> tuple[int, int]:
        height, width = self.viewer.canvas.size
        return int(height), int(width)


def unwrapped(viewer: Any) -> Any:
    """Return the viewer itself where a plugin is given a guarded one."""
    return getattr(viewer, "__wrapped__", viewer)
