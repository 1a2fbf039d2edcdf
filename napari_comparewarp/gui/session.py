"""One inspection in one viewer: what is on the screen follows what is computed."""

import time
from concurrent.futures import Future
from typing import Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from ..algorithm.overrides import Decision, FootprintKey
from ..config.knobs import CompareWarpConfig
from ..errors import ConfigError, InspectionError
from ..inspection.inspection import Inspection
from ..result.result import CompareWarpResult
from .layers.layer_set import LayerSet
from .layers.screen import Screen, unwrapped

__all__ = ["Session"]

#: Steps of a knob that follow each other within this time are one drag, seconds.
DRAG = 1.0

_SESSIONS: "WeakKeyDictionary[Any, Session]" = WeakKeyDictionary()


class Session(Screen):
    """The running work and the selection of one inspection, and its layers in one viewer.

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
    selection_changed : Signal
        Sent with the key of the selected footprint, or None; also when a new result
        has it no more, has it again, or numbers it otherwise.
    progressed : Signal
        Sent with stage, steps done and steps in all.
    finished : Signal
        Sent when nothing is being computed any more.
    """

    result_changed = Signal()
    selection_changed = Signal(object)
    progressed = Signal(str, int, int)
    finished = Signal()
    _landed = Signal()
    _work_done = Signal(object)

    def __init__(
        self,
        viewer: Any,
        inspection: Inspection,
        layers: LayerSet | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(viewer, inspection, layers, parent)
        self._land_is_due = False
        self._running = 0
        self._tuned: set[str] = set()
        self._tuned_at = 0.0
        self._shown: CompareWarpResult = inspection.result
        self.layers.views.selected = None
        self._landed.connect(self._show_result)
        self._work_done.connect(self._end_work)
        self.inspection.result_changed.connect(self._on_landed)
        self.inspection.progressed.connect(self._on_progress)
        self.inspection.failed.connect(self._on_failed)
        _SESSIONS[self.viewer] = self

    @classmethod
    def of(cls, viewer: Any) -> "Session | None":
        """Return the session of a viewer, or None."""
        session = _SESSIONS.get(unwrapped(viewer))
        return None if session is None or session._closed else session

    # --- settings ------------------------------------------------------------------------

    @property
    def config(self) -> CompareWarpConfig:
        """The settings as last asked for; the result may still be on its way."""
        return self.inspection.submitted_config

    def tune(self, **knobs: Any) -> None:
        """Change some knobs; the result comes when it is there, and only the newest.

        A value that is out of range changes nothing and is said in one line.
        """
        try:
            config = self.config.replace(**knobs)
        except ConfigError as error:
            self.message.emit(str(error))
            return
        now = time.monotonic()
        # The steps of one drag are one step for undo.
        amend = self._tuned == set(knobs) and now - self._tuned_at < DRAG
        self.set_config(config, amend)
        self._tuned, self._tuned_at = set(knobs), now

    def set_config(self, config: CompareWarpConfig, amend: bool = False) -> None:
        """Change all knobs; see `tune`, and `Inspection.submit` for `amend`."""
        self._tuned = set()
        self._follow(self.inspection.submit(config, amend=amend))

    def cancel(self) -> None:
        """Give up what is being computed; the present result stays."""
        self.inspection.cancel()

    def decide(self, footprint: FootprintKey, decision: Decision | None) -> None:
        """Decide on a footprint manually, or leave it to the rule again."""
        self._tuned = set()
        try:
            self._follow(self.inspection.submit_override(footprint, decision))
        except InspectionError as error:
            self.message.emit(str(error))

    def undo(self) -> None:
        """Take back the last change."""
        self._tuned = set()
        self._follow(self.inspection.submit_undo())

    def redo(self) -> None:
        """Make the change again that was taken back."""
        self._tuned = set()
        self._follow(self.inspection.submit_redo())

    @property
    def busy(self) -> bool:
        """Whether something is being computed."""
        return self._running > 0

    # --- selection -----------------------------------------------------------------------

    @property
    def selected(self) -> FootprintKey | None:
        """Key of the selected footprint, None without one; it may be gone, and come back."""
        return self.layers.views.selected

    @property
    def selected_number(self) -> int | None:
        """Number of the selected footprint in the present result, None if it has none."""
        key = self.selected
        return None if key is None else self.inspection.result.footprint_set.number(key)

    def select(self, footprint: FootprintKey | None, go: bool = False) -> None:
        """Select a footprint, and go to it if asked.

        Parameters
        ----------
        footprint : FootprintKey or None
        go : bool
            Whether to show its epoch, and move and zoom to it.
        """
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

    def go_to(self, footprint: FootprintKey) -> None:
        """Show a footprint's epoch, and move and zoom to it, if the present result has it."""
        footprints = self.inspection.result.footprint_set
        number = footprints.number(footprint)
        if number is None:
            return
        self.epoch_index, pixels = footprints.pixels(number)
        self.show_box(
            (int(pixels.y.min()), int(pixels.y.max()) + 1),
            (int(pixels.x0.min()), int(pixels.x1.max())),
        )

    def footprint_at(self, y: int, x: int) -> FootprintKey | None:
        """Return the key of the footprint of the present epoch at a pixel, or None."""
        height, width = self.inspection.stack.shape
        if not (0 <= y < height and 0 <= x < width):
            return None
        footprints = self.inspection.result.footprint_set
        number = footprints.at(self.epoch_index, y, x)
        return None if number is None else footprints.key(number)

    def click(self, y: int, x: int) -> None:
        """Select what is at a pixel of the present epoch."""
        self.select(self.footprint_at(y, x))
        super().click(y, x)

    # --- the end -------------------------------------------------------------------------

    def close(self) -> None:
        """Cancel what is being computed, and disconnect from the viewer and its layers."""
        if self._closed:
            return
        super().close()
        self.inspection.result_changed.disconnect(self._on_landed, missing_ok=True)
        self.inspection.progressed.disconnect(self._on_progress, missing_ok=True)
        self.inspection.failed.disconnect(self._on_failed, missing_ok=True)
        if _SESSIONS.get(self.viewer) is self:
            del _SESSIONS[self.viewer]
        self.inspection.close()
        # Else the window would keep it, and with it the stack, for as long as it is open.
        self.setParent(None)
        self.deleteLater()

    # --- what happens ----------------------------------------------------------------------

    def _follow(self, future: "Future[CompareWarpResult]") -> None:
        self._running += 1
        future.add_done_callback(self._on_done)

    def _on_done(self, future: "Future[CompareWarpResult]") -> None:
        if not self._closed:
            self._work_done.emit(future)

    def _end_work(self, future: "Future[CompareWarpResult]") -> None:
        self._running -= 1
        if self._running == 0:
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
            self.message.emit(message)

    def _show_result(self) -> None:
        """Draw what differs between the present result and the one on the screen."""
        self._land_is_due = False
        earlier, present = self._shown, self.inspection.result
        before, now = earlier.products, present.products
        self._shown = present
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
        key = self.selected
        if key is not None and earlier.footprint_set.number(key) != self.selected_number:
            self.selection_changed.emit(key)
