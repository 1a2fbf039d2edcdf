"""The inspection: how long each knob takes to answer, beside a run from scratch."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import napari_comparewarp as cw
from napari_comparewarp.algorithm.products import Inputs, Job
from napari_comparewarp.algorithm.stages import STAGES, run_stages

#: Values that each slider goes through, up and down again.
SLIDERS = {
    "temporal_threshold": np.linspace(0.05, 0.6, 12),
    "spatial_threshold": np.linspace(0.05, 0.95, 12),
    "chi_threshold": np.linspace(3.5, 12.0, 12),
}

#: How often a slider goes up and down.
SWEEPS = 3


@dataclass(frozen=True)
class Steps:
    """Times of the steps of one slider, seconds.

    Attributes
    ----------
    knob : str
    decided : list of float
        Until it is known what is clipped.
    stacked : list of float
        From there until there is a coadd.
    whole : list of float
        A step of the inspection as a user sees it.
    """

    knob: str
    decided: list[float]
    stacked: list[float]
    whole: list[float]

    @staticmethod
    def tail(times: list[float]) -> float:
        """Return the 95th percentile."""
        return float(np.percentile(times, 95))


def measure_steps(stack: cw.WarpStack) -> list[Steps]:
    """Move each slider and time its steps."""
    inspection = cw.Inspection(stack)
    result = []
    for knob in SLIDERS:
        inspection.config = cw.CompareWarpConfig()
        whole = [_timed(inspection, knob, value) for value in _positions(knob)]
        inspection.config = cw.CompareWarpConfig()
        decided, stacked = _in_parts(inspection, knob)
        result.append(Steps(knob, decided, stacked, whole))
    return result


def _in_parts(inspection: cw.Inspection, knob: str) -> tuple[list[float], list[float]]:
    """Time the stages that a slider reaches, those before the coadd apart from the coadd."""
    names = [stage.name for stage in STAGES]
    extra = cw.CompareWarpConfig.model_fields[knob].json_schema_extra
    first, coadd = names.index(extra["stage"]), names.index("coadd")
    made = inspection.result.products
    given = Inputs(Job(inspection.stack, inspection.config))
    decided, stacked = [], []
    for value in _positions(knob):
        config = given.config.replace(**{knob: value})
        was_given, before = given, made
        given = Inputs(Job(inspection.stack, config))
        start = time.perf_counter()
        made = run_stages(given, made, STAGES[first:coadd])
        decided.append(time.perf_counter() - start)
        start = time.perf_counter()
        made = run_stages(given, made, STAGES[coadd:], (was_given, before))
        stacked.append(time.perf_counter() - start)
    return decided, stacked


def _positions(knob: str) -> Iterator[float]:
    values = [float(value) for value in SLIDERS[knob]]
    return itertools.chain.from_iterable([*values, *reversed(values)] for _ in range(SWEEPS))


def _timed(inspection: cw.Inspection, knob: str, value: float) -> float:
    start = time.perf_counter()
    inspection.set(**{knob: value})
    return time.perf_counter() - start
