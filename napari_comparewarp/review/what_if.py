"""What would be clipped at other settings, without the coadd that would follow."""

from collections.abc import Mapping
from dataclasses import replace

from ..algorithm import stages
from ..algorithm.overrides import Decision, FootprintKey
from ..algorithm.parallel import Progress, no_progress
from ..algorithm.products import Inputs, Products
from ..algorithm.stages import first_stage, run_stages, stage_index
from ..config.knobs import CompareWarpConfig, knob_facts
from ..errors import InspectionError
from ..inspection.inspection import Inspection
from ..result.result import CompareWarpResult

__all__ = ["clipping_at", "clipping_from"]


def clipping_at(
    inspection: Inspection,
    config: CompareWarpConfig,
    overrides: Mapping[FootprintKey, Decision] | None = None,
    progress: Progress = no_progress,
) -> Products:
    """Return what the stages up to the clipping would make at another setting.

    Parameters
    ----------
    inspection : Inspection
        Left as it is.
    config : CompareWarpConfig
        May differ from the inspection's in what is read from the candidates on:
        ``chi_threshold``, not below the number of sigma from which pixels are
        remembered, growth, prefilter, streaks, and the verdicts' thresholds.
    overrides : mapping, optional
        Manual decisions; by default the inspection's.
    progress : callable, optional
        An exception that it raises stops the work.

    Returns
    -------
    Products
        Their coadd is that of the inspection.

    Raises
    ------
    InspectionError
        If the setting needs another look at the images.
    """
    kept = inspection.overrides
    decisions = kept if overrides is None else dict(overrides)
    return clipping_from(inspection.result, kept, config, decisions, progress)


def clipping_from(
    result: CompareWarpResult,
    kept: Mapping[FootprintKey, Decision],
    config: CompareWarpConfig,
    overrides: Mapping[FootprintKey, Decision],
    progress: Progress = no_progress,
) -> Products:
    """Do as `clipping_at`, for an inspection that may change meanwhile.

    Parameters
    ----------
    result : CompareWarpResult
        The inspection's result at some time.
    kept : mapping
        Its manual decisions at that time.
    config, overrides, progress
        See `clipping_at`.
    """
    floor = result.products.detections.floor
    if config.chi_threshold < floor:
        raise InspectionError(
            f"chi_threshold = {config.chi_threshold:g}: deviating pixels are remembered from "
            f"{floor:g} sigma on; it must not be lower"
        )
    for name in config.differences(result.config):
        if stage_index(knob_facts(name)["stage"]) < stage_index("candidates"):
            raise InspectionError(
                f"{name} = {getattr(config, name)!r}: it is read before the candidates are found; "
                "set it on the inspection, or run with it, to see what it does"
            )
    first = min(first_stage(result.config, config, floor=floor), stage_index("verdicts"))
    # Of two decisions in one footprint the later holds: their order counts.
    if list(overrides.items()) != list(kept.items()):
        # The decisions that hold now have changed both streaks and verdicts.
        first = min(first, stage_index("streaks"))
    job = replace(result.job, config=config, overrides=overrides)
    return run_stages(
        Inputs(job, progress=progress),
        result.products,
        stages.STAGES[first : stage_index("clipping") + 1],
    )
