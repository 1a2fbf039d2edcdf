"""A run kept warm: what changes is computed again, the rest is remembered.

This is the one place with state. The command line, scripts and windows drive
it, and it knows of none of them.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from .algorithm.overrides import Decision, FootprintKey, candidate_keys, streak_keys
from .algorithm.parallel import Progress
from .algorithm.stages import STAGES, Inputs, Products, run_stages
from .algorithm.warps import WarpStack
from .config import CompareWarpConfig
from .result import CompareWarpResult

__all__ = ["Inspection", "InspectionError"]

#: Deviating pixels are remembered from this many sigma on.
CHI_FLOOR = 3.0

_STAGE_INDEX = {stage.name: index for index, stage in enumerate(STAGES)}


class InspectionError(ValueError):
    """Something that an inspection cannot do; the message is one line."""


@dataclass(frozen=True)
class Settings:
    """What a person has chosen: the config, and decisions on single footprints."""

    config: CompareWarpConfig
    #: In the order in which they were made: of two in one footprint the later holds.
    overrides: tuple[tuple[FootprintKey, Decision], ...] = ()


@dataclass(frozen=True)
class _Run:
    """A run that is whole: its inputs, and the products after each stage."""

    settings: Settings
    given: Inputs
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
    scratch with the same config and overrides. Setting `config` waits for it;
    `submit` does not: a later change overtakes an earlier one, and what is
    overtaken or cancelled never lands. Changes may come from any thread.
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
    ) -> None:
        self._stack = stack
        self._variance_scale = variance_scale
        self._lock = threading.RLock()
        self._pool: ThreadPoolExecutor | None = None
        self._turn = 0
        self._past: list[Settings] = []
        self._future: list[Settings] = []
        self._looked_at: set[FootprintKey] = set()
        settings = Settings(config or CompareWarpConfig(), tuple((overrides or {}).items()))
        self._run = self._compute(settings, None, progress or self._report(self._turn))
        self._result = self._result_of(self._run)

    @property
    def stack(self) -> WarpStack:
        """The warps."""
        return self._stack

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
        self._change(replace(self._run.settings, config=config))

    def set(self, **knobs: Any) -> None:
        """Change some knobs, as in ``inspection.set(chi_threshold=6)``.

        Raises
        ------
        ConfigError
            If a value is out of range; everything stays as it was.
        """
        self.config = self.config.replace(**knobs)

    # --- decisions by hand -------------------------------------------------------------

    @property
    def overrides(self) -> dict[FootprintKey, Decision]:
        """The decisions by hand, by footprint."""
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
        """Decide on one footprint by hand, or leave it to the rule again.

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
        if decision not in ("clip", "keep", None):
            raise InspectionError(f"decision {decision!r}; it is 'clip', 'keep' or None")
        key = footprint if isinstance(footprint, FootprintKey) else self.key_of(footprint)
        overrides = self.overrides
        # The latest decision goes last, where it holds against others in its footprint.
        overrides.pop(key, None)
        if decision is not None:
            overrides[key] = decision
        elif not isinstance(footprint, FootprintKey):
            # A footprint may hold the pixel of a key that an earlier detection gave.
            labels = self.result.labels(self._stack.epochs.index(key.epoch))
            for other in list(overrides):
                same_kind = other.epoch == key.epoch and other.streak == key.streak
                if same_kind and not key.streak and labels[other.y, other.x] == footprint:
                    del overrides[other]
        self._change(replace(self._run.settings, overrides=tuple(overrides.items())))

    def key_of(self, footprint_id: int) -> FootprintKey:
        """Return the key of a footprint of the present result, by its id in the table.

        Raises
        ------
        InspectionError
            If there is no such footprint.
        """
        number = int(footprint_id) - 1
        made = self._run.kept[-1]
        for index, epoch in enumerate(self._stack.epochs):
            found, streaks = made.candidates[index], made.streaks[index]
            if 0 <= number < len(found):
                return candidate_keys(epoch, found)[number]
            number -= len(found)
            if 0 <= number < len(streaks.groups):
                return streak_keys(epoch, streaks)[number]
            number -= len(streaks.groups)
        raise InspectionError(f"footprint {footprint_id}: there is none with this id")

    # --- history -----------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a change that was taken back."""
        return bool(self._future)

    def undo(self) -> None:
        """Take back the last change of config or overrides; without one, do nothing."""
        self._step(self._past, self._future)

    def redo(self) -> None:
        """Make the change again that was taken back last; without one, do nothing."""
        self._step(self._future, self._past)

    def _step(self, source: list[Settings], target: list[Settings]) -> None:
        with self._lock:
            if not source:
                return
            here = self._run.settings
            self._change(source[-1], remember=False)
            source.pop()
            target.append(here)

    # --- work in the background ----------------------------------------------------------

    def submit(
        self, config: CompareWarpConfig | None = None, **knobs: Any
    ) -> "Future[CompareWarpResult]":
        """Change the config without waiting for the result.

        A change that is still being computed is overtaken.

        Parameters
        ----------
        config : CompareWarpConfig, optional
            The new config, by default the present one.
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
            self._turn += 1
            turn = self._turn
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="inspection")
            return self._pool.submit(self._work, config, turn)

    def cancel(self) -> None:
        """Give up what is being computed; the present result stays."""
        with self._lock:
            self._turn += 1

    def close(self) -> None:
        """Give up what is being computed and let the working thread end."""
        self.cancel()
        if self._pool is not None:
            self._pool.shutdown()

    def _work(self, config: CompareWarpConfig, turn: int) -> CompareWarpResult:
        """Compute a submitted change and let it land, unless it has been overtaken."""
        try:
            start = self._run
            settings = replace(start.settings, config=config)
            run = self._compute(settings, start, self._report(turn))
            with self._lock:
                self._raise_if_overtaken(turn)
                if self._run is not start:
                    # A decision came meanwhile: begin again from where it led.
                    settings = replace(self._run.settings, config=config)
                    run = self._compute(settings, self._run, self._report(turn))
                self._remember()
                self._land(run)
            return self._result
        except CancelledError:
            raise
        except Exception as error:
            self.failed.emit(str(error).splitlines()[0] if str(error) else type(error).__name__)
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

    def _change(self, settings: Settings, remember: bool = True) -> None:
        """Compute new settings in this thread and let them land."""
        with self._lock:
            self._turn += 1
            if settings == self._run.settings:
                return
            run = self._compute(settings, self._run, self._report(self._turn))
            if remember:
                self._remember()
            self._land(run)

    def _remember(self) -> None:
        self._past.append(self._run.settings)
        self._future.clear()

    def _land(self, run: _Run) -> None:
        """Let a run take the place of the present one, and tell."""
        before = self._run.settings
        self._run = run
        self._result = self._result_of(run)
        if run.settings.config != before.config:
            self.config_changed.emit(run.settings.config)
        if run.settings.overrides != before.overrides:
            self.overrides_changed.emit(dict(run.settings.overrides))
        self.result_changed.emit(self._result)

    def _compute(self, settings: Settings, start: _Run | None, progress: Progress) -> _Run:
        """Run the stages that a change reaches, from what an earlier run has kept."""
        given = Inputs(
            self._stack, settings.config, self._variance_scale, chi_floor=CHI_FLOOR,
            overrides=dict(settings.overrides), progress=progress,
        )  # fmt: skip
        if start is None:
            kept: list[Products] = []
            run_stages(given, keep=kept)
            return _Run(settings, given, tuple(kept))
        first = _first_stage(start, settings)
        kept = list(start.kept[:first])
        made = kept[-1] if kept else None
        before = (start.given, start.kept[-1])
        run_stages(given, made, STAGES[first:], before, kept)
        return _Run(settings, given, tuple(kept))

    def _result_of(self, run: _Run) -> CompareWarpResult:
        return CompareWarpResult(self._stack, run.settings.config, run.kept[-1])

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
        from .io.inspection_file import write_inspection

        write_inspection(
            Path(path), self._stack, self.config, self.overrides, self._variance_scale,
            self._looked_at, overwrite,
        )  # fmt: skip

    @classmethod
    def load(
        cls,
        path: str | Path,
        stack: WarpStack | None = None,
        memory: str | int | None = None,
        progress: Progress | None = None,
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
        from .io.inspection_file import read_inspection

        saved = read_inspection(Path(path))
        if stack is None:
            stack = saved.read_stack(memory, progress)
        inspection = cls(stack, saved.config, saved.variance_scale, saved.overrides, progress)
        inspection._looked_at = set(saved.looked_at)
        return inspection


def _first_stage(start: _Run, settings: Settings) -> int:
    """Return the first stage that a change reaches."""
    changed = settings.config.differences(start.settings.config)
    fields = type(settings.config).model_fields
    reached = []
    for name in changed:
        extra = fields[name].json_schema_extra
        assert isinstance(extra, dict)
        reached.append(_STAGE_INDEX[str(extra["stage"])])
    if settings.overrides != start.settings.overrides:
        reached.append(_STAGE_INDEX["overrides"])
    if settings.config.chi_threshold < start.kept[-1].detections.floor:
        reached.append(_STAGE_INDEX["detections"])
    return min(reached, default=len(STAGES))
