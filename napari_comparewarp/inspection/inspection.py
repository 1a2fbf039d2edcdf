"""A run that is kept: what a change reaches is computed again, the rest is not.

This is the one place with state. The command line, scripts and windows drive
it, and it knows of none of them.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from ..algorithm import stages
from ..algorithm.overrides import Decision, FootprintKey
from ..algorithm.parallel import Progress
from ..algorithm.products import Inputs, Job, Products
from ..algorithm.stages import first_stage, run_stages
from ..algorithm.warps import WarpStack
from ..config.knobs import CompareWarpConfig
from ..errors import InspectionError, one_line
from ..result.result import CompareWarpResult
from .history import History, Settings

__all__ = ["Inspection"]

#: Deviating pixels are remembered from this many sigma on.
CHI_FLOOR = 3.0


@dataclass(frozen=True)
class _Run:
    """A run that is whole: its settings and inputs, and the products after each stage."""

    settings: Settings
    inputs: Inputs
    kept: tuple[Products, ...]


class Inspection:
    """A stack, its settings, and a result that always belongs to them.

    Parameters
    ----------
    stack : WarpStack
    config : CompareWarpConfig, optional
        By default today's LSST defaults.
    variance_scale : array_like, optional
        ``(epoch,)`` factors to use instead of measuring them.
    overrides : mapping, optional
        Decisions to begin with.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` during the first run.
    bright_objects : ndarray of bool, optional
        ``(y, x)`` pixels to mark on the coadd, if the config asks for it.

    Attributes
    ----------
    config_changed, overrides_changed, result_changed : psygnal.Signal
        Sent with the new value once the result that belongs to it is there.
    progressed : psygnal.Signal
        Sent with stage, steps done and steps in all, from the working thread.
    failed : psygnal.Signal
        Sent with one line when a submitted change could not be computed.

    Notes
    -----
    `result` equals, to the bit, what `napari_comparewarp.run` makes from
    scratch with the same config and overrides. Setting `config`, `override`,
    `undo` and `redo` wait for it, and give up what is being computed. `submit`
    and its like do not wait: a later change overtakes the computation of an
    earlier one, and no result that is overtaken or cancelled ever lands. Of a
    config that is overtaken by another nothing stays; decisions, undo and redo
    that are overtaken land with what comes after them. Changes may come from
    any thread.
    """

    config_changed = Signal(CompareWarpConfig)
    overrides_changed = Signal(dict)
    result_changed = Signal(CompareWarpResult)
    progressed = Signal(str, int, int)
    failed = Signal(str)

    def __init__(
        self,
        stack: WarpStack,
        config: CompareWarpConfig | None = None,
        variance_scale: Any = None,
        overrides: Mapping[FootprintKey, Decision] | None = None,
        progress: Progress | None = None,
        bright_objects: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        factors = None if variance_scale is None else np.asarray(variance_scale, np.float64)
        self._begin(
            Job(
                stack, config or CompareWarpConfig(), dict(overrides or {}), factors,
                bright_objects,
            ),
            progress,
        )  # fmt: skip

    @classmethod
    def of_job(cls, job: Job, progress: Progress | None = None) -> "Inspection":
        """Inspect a job: all that decides on a result, in one piece.

        Parameters
        ----------
        job : Job
        progress : callable, optional
        """
        inspection = cls.__new__(cls)
        inspection._begin(job, progress)
        return inspection

    def _begin(self, job: Job, progress: Progress | None) -> None:
        """Run for the first time."""
        #: Its config and decisions are those of the beginning.
        self._job = job
        self._lock = threading.RLock()
        self._pool: ThreadPoolExecutor | None = None
        self._turn = 0
        self._looked_at: set[FootprintKey] = set()
        settings = Settings(job.config, tuple(job.overrides.items()))
        self._history = History(settings)
        #: The history as it will be when what was submitted has landed.
        self._wanted = self._history
        #: What was wanted before a config was submitted, while nothing came after it, and
        #: whether that config is to take the place of the one before.
        self._before_tuning: tuple[History, bool] | None = None
        self._run = self._compute(settings, None, progress or self._report(self._turn))
        self._result = self._result_of(self._run)

    @property
    def stack(self) -> WarpStack:
        """The warps."""
        return self._job.stack

    @property
    def result(self) -> CompareWarpResult:
        """The result that belongs to `config` and `overrides`."""
        return self._result

    @property
    def config(self) -> CompareWarpConfig:
        """The settings of the method; setting them waits for the new result."""
        return self._run.settings.config

    @config.setter
    def config(self, config: CompareWarpConfig) -> None:
        with self._lock:
            self._change(self._history.with_config(config))

    @property
    def submitted_config(self) -> CompareWarpConfig:
        """The settings as last asked for: those of the result that is being computed, if any."""
        return self._wanted.here.config

    def set(self, **knobs: Any) -> None:
        """Change some knobs, as in ``inspection.set(chi_threshold=6)``.

        Raises
        ------
        ConfigError
            If a value is out of range; everything stays as it was.
        """
        self.config = self.config.replace(**knobs)

    # --- manual decisions --------------------------------------------------------------

    @property
    def overrides(self) -> dict[FootprintKey, Decision]:
        """The manual decisions, by footprint."""
        return dict(self._run.settings.overrides)

    @property
    def lost_overrides(self) -> tuple[FootprintKey, ...]:
        """Decisions whose footprint is gone; they hold again when it comes back."""
        return self._run.kept[-1].lost_overrides

    @property
    def looked_at(self) -> frozenset[FootprintKey]:
        """The footprints that a person has looked at, decided on or not."""
        return frozenset(self._looked_at)

    def look_at(self, key: FootprintKey) -> None:
        """Remember that a person has looked at a footprint; no result depends on it."""
        self._looked_at.add(key)

    def override(self, footprint: "FootprintKey | int", decision: Decision | None) -> None:
        """Decide on one footprint manually, or leave it to the rule again.

        Parameters
        ----------
        footprint : FootprintKey or int
            A key, or an id of the present result's table of footprints.
        decision : {"clip", "keep"} or None

        Raises
        ------
        InspectionError
            If there is no such footprint or decision.
        """
        with self._lock:
            self._change(self._decided(self._history, footprint, decision))

    def _decided(
        self, history: History, footprint: "FootprintKey | int", decision: Decision | None
    ) -> History:
        """Return the history with one decision more."""
        if decision not in ("clip", "keep", None):
            raise InspectionError(f"decision {decision!r}; it is 'clip', 'keep' or None")
        footprints = self.result.footprint_set
        if isinstance(footprint, FootprintKey):
            # A footprint is decided on under one key, by whichever of its pixels it is named.
            number = footprints.number(footprint)
            key = footprint if number is None else footprints.key(number)
        else:
            number, key = footprint, footprints.key(footprint)
        overrides = dict(history.here.overrides)
        # The latest decision goes last, where it holds against others in its footprint.
        overrides.pop(key, None)
        if decision is not None:
            overrides[key] = decision
        elif number is not None:
            # A footprint may hold the pixel of a key that an earlier detection gave.
            others = list(overrides)
            for other, there in zip(others, footprints.numbers(others), strict=True):
                if there == number:
                    del overrides[other]
        return history.with_overrides(overrides)

    def key_of(self, footprint_id: int) -> FootprintKey:
        """Return the key of a footprint of the present result, by its id in the table.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        return self.result.footprint_set.key(footprint_id)

    # --- history -----------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back, with what has been submitted."""
        return bool(self._wanted.past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a change that was taken back, with what has been submitted."""
        return bool(self._wanted.future)

    def undo(self) -> None:
        """Take back the last change of config or overrides; without one, do nothing."""
        with self._lock:
            self._change(self._history.undone())

    def redo(self) -> None:
        """Make the change again that was taken back last; without one, do nothing."""
        with self._lock:
            self._change(self._history.redone())

    # --- work in the background ----------------------------------------------------------

    def submit(
        self, config: CompareWarpConfig | None = None, *, amend: bool = False, **knobs: Any
    ) -> "Future[CompareWarpResult]":
        """Change the config without waiting for the result.

        A change that is still being computed is overtaken.

        Parameters
        ----------
        config : CompareWarpConfig, optional
            The new config, by default the present one.
        amend : bool
            Whether it goes on with the last change, as the next step of a
            slider does: undo takes them back together.
        **knobs
            What to change in it.

        Returns
        -------
        Future
            Of the new result; cancelled where the change was overtaken.

        Raises
        ------
        ConfigError
            If a value is out of range; nothing is submitted then.
        """
        config = (config or self.config).replace(**knobs)
        with self._lock:
            # One that is overtaken leaves no step for undo.
            before, amends = self._before_tuning or (self._wanted, amend)
            submitted = self._submit(before.with_config(config, amends))
            self._before_tuning = before, amends
            return submitted

    def submit_override(
        self, footprint: "FootprintKey | int", decision: Decision | None
    ) -> "Future[CompareWarpResult]":
        """Do as `override` without waiting for the result.

        Parameters
        ----------
        footprint, decision
            As for `override`.

        Returns
        -------
        Future
            As from `submit`.

        Raises
        ------
        InspectionError
            As `override` does; nothing is submitted then.
        """
        with self._lock:
            return self._submit(self._decided(self._wanted, footprint, decision))

    def submit_undo(self) -> "Future[CompareWarpResult]":
        """Do as `undo` without waiting; what is being computed is what is taken back first."""
        with self._lock:
            return self._submit(self._wanted.undone())

    def submit_redo(self) -> "Future[CompareWarpResult]":
        """Do as `redo` without waiting for the result."""
        with self._lock:
            return self._submit(self._wanted.redone())

    def cancel(self) -> None:
        """Give up what is being computed; the present result stays."""
        with self._lock:
            self._turn += 1
            self._wanted, self._before_tuning = self._history, None

    def close(self) -> None:
        """Give up what is being computed and let the working thread end."""
        self.cancel()
        if self._pool is not None:
            self._pool.shutdown()

    def _submit(self, wanted: History) -> "Future[CompareWarpResult]":
        """Have a history computed in the background, in place of what is being computed."""
        self._turn += 1
        self._wanted, self._before_tuning = wanted, None
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="inspection")
        return self._pool.submit(self._work, wanted, self._turn)

    def _work(self, wanted: History, turn: int) -> CompareWarpResult:
        """Compute what was submitted and let it land, unless it has been overtaken."""
        try:
            self._raise_if_overtaken(turn)
            run = self._compute(wanted.here, self._run, self._report(turn))
            with self._lock:
                self._raise_if_overtaken(turn)
                self._land(run, wanted)
                return self._result
        except CancelledError:
            raise
        except Exception as error:
            with self._lock:
                if turn == self._turn:
                    self.cancel()
            self.failed.emit(one_line(error))
            raise

    def _report(self, turn: int) -> Progress:
        """Return a report of progress that stops the work once it is overtaken."""

        def report(stage: str, done: int, total: int) -> None:
            self._raise_if_overtaken(turn)
            self.progressed.emit(stage, done, total)

        return report

    def _raise_if_overtaken(self, turn: int) -> None:
        if turn != self._turn:
            raise CancelledError

    # --- the run ---------------------------------------------------------------------------

    def _change(self, wanted: History) -> None:
        """Compute a history in this thread and let it land."""
        self.cancel()
        self._land(self._compute(wanted.here, self._run, self._report(self._turn)), wanted)

    def _land(self, run: _Run, history: History) -> None:
        """Replace the present run, and emit what has changed."""
        before = self._run
        self._run = run
        self._history = self._wanted = history
        self._before_tuning = None
        if run is before:
            return
        self._result = self._result_of(run)
        if run.settings.config != before.settings.config:
            self.config_changed.emit(run.settings.config)
        if run.settings.overrides != before.settings.overrides:
            self.overrides_changed.emit(dict(run.settings.overrides))
        self.result_changed.emit(self._result)

    def _compute(self, settings: Settings, start: _Run | None, progress: Progress) -> _Run:
        """Run the stages that a change reaches, from what an earlier run has kept."""
        if start is not None and settings == start.settings:
            return start
        job = replace(self._job, config=settings.config, overrides=dict(settings.overrides))
        inputs = Inputs(job, chi_floor=CHI_FLOOR, progress=progress)
        if start is None:
            kept: list[Products] = []
            run_stages(inputs, keep=kept)
            return _Run(settings, inputs, tuple(kept))
        first = first_stage(
            start.settings.config, settings.config, floor=start.kept[-1].detections.floor,
            overrides_changed=settings.overrides != start.settings.overrides,
        )  # fmt: skip
        kept = list(start.kept[:first])
        products = kept[-1] if kept else None
        before = (start.inputs, start.kept[-1])
        run_stages(inputs, products, stages.STAGES[first:], before, kept)
        return _Run(settings, inputs, tuple(kept))

    def _result_of(self, run: _Run) -> CompareWarpResult:
        return CompareWarpResult(run.inputs.job, run.kept[-1])

    # --- files -----------------------------------------------------------------------------

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write config, decisions and where the inputs are as one readable JSON file.

        Parameters
        ----------
        path : path
            Ends in ``.json``. Paths of inputs are written relative to it.
        overwrite : bool
            Whether an existing file may be replaced.

        Raises
        ------
        OutputError
            If the file exists, or cannot be written.
        """
        from ..io.inspection_file import write_inspection

        write_inspection(Path(path), self._run.inputs.job, self._looked_at, overwrite)

    @classmethod
    def load(
        cls,
        path: str | Path,
        stack: WarpStack | None = None,
        memory: str | int | None = None,
        progress: Progress | None = None,
        bright_objects: Path | None = None,
    ) -> "Inspection":
        """Bring back a saved inspection.

        Parameters
        ----------
        path : path
        stack : WarpStack, optional
            The warps, for an inspection of arrays; else the files are read.
        memory : str or int, optional
            See `read_stack`.
        progress : callable, optional
        bright_objects : Path, optional
            Another catalogue of bright objects than the saved one.

        Returns
        -------
        Inspection

        Raises
        ------
        StackError
            If the file is no inspection, is of a later version, or has keys
            that this version does not know; or an input cannot be read.

        Warns
        -----
        CompareWarpWarning
            For each input that has changed since.
        """
        from ..io.inspection_file import read_inspection

        saved = read_inspection(Path(path))
        job = saved.read_job(memory, progress, bright_objects, stack)
        inspection = cls.of_job(job, progress)
        inspection._looked_at = set(saved.looked_at)
        return inspection
