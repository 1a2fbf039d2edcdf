"""The stages of the method, in order: what each reads, and what it makes.

A stage is a function of the stack, the config and the products of the stages
before it. Products are never changed in place: a stage makes new ones, or
replaces one that an earlier stage made. So whoever keeps the products as they
were after each stage can begin again at the first stage whose knobs changed.

An optional step is a function in a file of its own and one `Stage` in
`STAGES`: one that adds to the differences appends to
`Products.difference_terms` before "detections"; one that changes candidates
replaces `Products.candidates` between "candidates" and "shelter"; one that
changes verdicts replaces `Products.verdicts` between "verdicts" and "overrides".
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..config.knobs import CompareWarpConfig, knob_facts
from ..errors import StackError
from .bright_objects import mark_bright_objects
from .coadd import Coadd, CoaddSettings, DirectMasks, make_coadd, update_coadd
from .counts import Counts, count_epochs
from .difference import Detections, DifferenceTerm, detect_deviations
from .footprints import Candidates, find_candidates
from .holes import interpolate_holes
from .overrides import Decision, FootprintKey, apply_overrides
from .parallel import Progress, no_progress
from .protection import find_protected, lies_inside
from .spans import Spans
from .streaks.stage import StreakFootprints, find_streak_footprints
from .template import Template, fill_holes, make_template
from .variance_scale import measure_variance_scales
from .verdicts import Verdict, Verdicts, decide
from .warps import WarpStack
from .weights import weigh_warps

__all__ = ["STAGES", "Inputs", "Products", "Stage", "first_stage", "run_stages", "stage_index"]

FloatArray = npt.NDArray[np.float64]


@dataclass
class Products:
    """What the stages have made so far; a field is there once its stage has run."""

    #: ``(epoch,)`` weights of the direct warps, 0 where one is skipped.
    weights: FloatArray = field(init=False)
    #: ``(matched epoch,)`` weights of the matched warps.
    matched_weights: FloatArray = field(init=False)
    template: Template = field(init=False)
    #: ``(y, x)`` template with its holes filled: image and variance.
    filled: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] = field(init=False)
    #: ``(epoch,)`` which epochs are compared with the template.
    compared: npt.NDArray[np.bool_] = field(init=False)
    #: ``(epoch,)`` factors of the matched warps' variances, 1 where not measured.
    variance_scale: FloatArray = field(init=False)
    #: ``(epoch,)`` where the measured factor was above the limit.
    variance_scale_failed: npt.NDArray[np.bool_] = field(init=False)
    difference_terms: tuple[DifferenceTerm, ...] = ()
    detections: Detections = field(init=False)
    #: ``(y, x)`` footprints of bright sources, or None.
    protected: npt.NDArray[np.int32] | None = field(init=False)
    candidates: tuple[Candidates, ...] = field(init=False)
    #: For each epoch ``(candidate,)``: lies wholly inside a bright source.
    inside_source: tuple[npt.NDArray[np.bool_], ...] = field(init=False)
    counts: Counts = field(init=False)
    verdicts: tuple[Verdicts, ...] = field(init=False)
    streaks: tuple[StreakFootprints, ...] = field(init=False)
    #: Decisions by hand whose footprint is gone.
    lost_overrides: tuple[FootprintKey, ...] = field(init=False)
    #: The direct warps' masks with CLIPPED, NO_DATA and EDGE.
    direct_masks: DirectMasks = field(init=False)
    #: The coadd as stacked, and as finished.
    stacked: Coadd = field(init=False)
    coadd: Coadd = field(init=False)
    #: As stacked where nothing is clipped, once a later run has had use for it.
    unclipped: Coadd | None = None
    bright_objects_marked: bool = False


@dataclass(frozen=True)
class Inputs:
    """What a stage may read besides the products.

    Attributes
    ----------
    stack : WarpStack
    config : CompareWarpConfig
    variance_scale : ndarray or None
        ``(epoch,)`` factors to use instead of measuring them.
    chi_floor : float or None
        List deviating pixels from this many sigma on, where it is lower than
        the threshold.
    bright_objects : ndarray of bool or None
        ``(y, x)`` pixels of bright objects.
    overrides : mapping of FootprintKey to {"clip", "keep"}
        Decisions by hand, which go before the rules.
    progress : callable
    """

    stack: WarpStack
    config: CompareWarpConfig
    variance_scale: FloatArray | None = None
    chi_floor: float | None = None
    bright_objects: npt.NDArray[np.bool_] | None = None
    overrides: Mapping[FootprintKey, Decision] = field(default_factory=dict)
    progress: Progress = no_progress


@dataclass(frozen=True)
class Stage:
    """One step of the method.

    Attributes
    ----------
    name : str
        The `stage` that knobs of the config name as their first reader.
    compute : callable
        Returns the products that the stage makes or replaces, by name.
    update : callable or None
        Returns the same, to the bit, in less time, given the inputs and the
        products of an earlier run.
    """

    name: str
    compute: Callable[[Inputs, Products], dict[str, Any]]
    update: Callable[[Inputs, Products, Inputs, Products], dict[str, Any]] | None = None


def weigh_direct(given: Inputs, made: Products) -> dict[str, Any]:
    """Weigh the direct warps."""
    config = given.config
    weights = weigh_warps(
        given.stack, given.stack.direct, bad_planes=config.bad_planes, sigma=config.sigma_clip,
        iterations=config.clip_iterations, stage="weights of direct warps",
        progress=given.progress,
    )  # fmt: skip
    if not (weights > 0).any():
        raise StackError(
            "no warp can be stacked: each is NaN everywhere or has no finite, positive variance"
        )
    return {"weights": weights}


def weigh_matched(given: Inputs, made: Products) -> dict[str, Any]:
    """Weigh the matched warps, for the template."""
    config = given.config
    weights = weigh_warps(
        given.stack, given.stack.matched, bad_planes=config.template_bad_planes,
        sigma=config.template_sigma_clip, iterations=config.template_clip_iterations,
        stage="weights of matched warps", progress=given.progress,
    )  # fmt: skip
    partner = given.stack.partner
    compared = (partner >= 0) & (made.weights > 0)
    compared[compared] = weights[partner[compared]] > 0
    return {"matched_weights": weights, "compared": compared}


def combine_template(given: Inputs, made: Products) -> dict[str, Any]:
    """Make the model of the static sky."""
    config = given.config
    template = make_template(
        given.stack, made.matched_weights, bad_planes=config.template_bad_planes,
        statistic=config.template_statistic, sigma=config.template_sigma_clip,
        iterations=config.template_clip_iterations,
        error_from_input_variance=config.template_error_from_input_variance,
        mask_propagation=config.template_mask_propagation, progress=given.progress,
    )  # fmt: skip
    image, variance = template.image, template.variance
    holes = fill_holes(image)
    if holes is not None:
        image, variance = image.copy(), variance.copy()
        image.flat[holes[0]] = image.flat[holes[1]]
        variance.flat[holes[0]] = variance.flat[holes[1]]
    return {"template": template, "filled": (image, variance)}


def scale_variances(given: Inputs, made: Products) -> dict[str, Any]:
    """Measure, or take over, the factors of the matched warps' variances."""
    config, stack = given.config, given.stack
    factors = np.ones(stack.n_epochs)
    failed = np.zeros(stack.n_epochs, np.bool_)
    if given.variance_scale is not None:
        factors = np.array(given.variance_scale, np.float64)
        if factors.shape != (stack.n_epochs,):
            raise StackError(
                f"variance_scale has shape {factors.shape}; it must be ({stack.n_epochs},), "
                "one factor an epoch"
            )
        factors[np.isnan(factors)] = 1.0
    elif config.scale_variance:
        epochs = np.flatnonzero(made.compared)
        scales = measure_variance_scales(
            stack, stack.partner[epochs], planes=config.variance_scale_planes,
            background_planes=config.background_planes, cell=config.background_cell,
            limit=config.variance_scale_limit, progress=given.progress,
        )  # fmt: skip
        factors[epochs] = [scale.factor for scale in scales]
        failed[epochs] = [scale.failed for scale in scales]
    return {"variance_scale": factors, "variance_scale_failed": failed}


def detect(given: Inputs, made: Products) -> dict[str, Any]:
    """Difference the matched warps and list the deviating pixels."""
    config = given.config
    floor = config.chi_threshold
    if given.chi_floor is not None:
        floor = min(floor, given.chi_floor)
    detections = detect_deviations(
        given.stack, *made.filled, made.variance_scale, made.compared, floor=floor,
        bad_planes=config.bad_planes, prefilter_planes=config.prefilter_planes,
        terms=made.difference_terms, progress=given.progress,
    )  # fmt: skip
    return {"detections": detections}


def protect(given: Inputs, made: Products) -> dict[str, Any]:
    """Find the bright sources in which nothing is clipped."""
    config = given.config
    if not config.protect_sources:
        return {"protected": None}
    # The template's PSF is the widest of the warps that made it.
    in_template = made.matched_weights > 0
    if not in_template.any():
        return {"protected": None}
    labels = find_protected(
        *made.filled, float(given.stack.psf_sigma[in_template].max()),
        threshold=config.protect_threshold, grow_sigma=config.protect_grow_sigma,
        min_pixels=config.protect_min_pixels, isotropic=config.protect_isotropic_growth,
        kernel_sigma=config.protect_kernel_sigma, progress=given.progress,
    )  # fmt: skip
    return {"protected": labels}


def find(given: Inputs, made: Products) -> dict[str, Any]:
    """Group the deviating pixels to candidates."""
    config, stack = given.config, given.stack
    candidates = find_candidates(
        made.detections, np.where(stack.partner >= 0, stack.psf_sigma[stack.partner], 0.0),
        chi_threshold=config.chi_threshold, polarity=config.polarity,
        min_pixels=config.min_pixels, grow_sigma=config.grow_sigma,
        isotropic=config.isotropic_growth, prefilter=config.prefilter,
        prefilter_ratio=config.prefilter_ratio, progress=given.progress,
    )  # fmt: skip
    return {"candidates": candidates}


def shelter(given: Inputs, made: Products) -> dict[str, Any]:
    """Find the candidates that lie wholly inside a bright source."""
    inside = []
    for found in made.candidates:
        if made.protected is None:
            inside.append(np.zeros(len(found), np.bool_))
        else:
            inside.append(lies_inside(found.spans, found.group, len(found), made.protected))
    return {"inside_source": tuple(inside)}


def count(given: Inputs, made: Products) -> dict[str, Any]:
    """Count in how many epochs each pixel deviates."""
    counts = count_epochs(made.candidates, made.detections.n_matched, progress=given.progress)
    return {"counts": counts}


def judge(given: Inputs, made: Products) -> dict[str, Any]:
    """Decide which candidates are clipped."""
    config = given.config
    verdicts = decide(
        made.candidates, made.counts, made.inside_source,
        temporal_threshold=config.temporal_threshold, max_epochs=config.max_epochs,
        max_epochs_slope=config.max_epochs_slope, spatial_threshold=config.spatial_threshold,
    )  # fmt: skip
    return {"verdicts": verdicts}


def find_streaks(given: Inputs, made: Products) -> dict[str, Any]:
    """Find straight lines among the deviating pixels, if asked to."""
    config, stack = given.config, given.stack
    if not config.filter_streaks:
        return {"streaks": (StreakFootprints.none(),) * stack.n_epochs}
    streaks = find_streak_footprints(
        stack, *made.filled, made.variance_scale, made.compared, made.candidates, made.protected,
        terms=made.difference_terms, config=config, progress=given.progress,
    )  # fmt: skip
    return {"streaks": streaks}


def override(given: Inputs, made: Products) -> dict[str, Any]:
    """Let the decisions by hand go before the rules."""
    verdicts, streaks, lost = apply_overrides(
        given.overrides, given.stack.epochs, made.candidates, made.verdicts, made.streaks
    )
    return {"verdicts": verdicts, "streaks": streaks, "lost_overrides": lost}


def clip(given: Inputs, made: Products) -> dict[str, Any]:
    """Gather what is clipped in each epoch."""
    clipped: list[Spans] = []
    for found, verdicts, streaks in zip(made.candidates, made.verdicts, made.streaks, strict=True):
        spans = found.pixels_of(verdicts.verdict == Verdict.CLIPPED)
        clipped.append(spans.union(streaks.spans) if len(streaks.spans) else spans)
    masks = DirectMasks(
        given.stack, made.weights, made.detections.flags, clipped, given.config.bad_planes
    )
    return {"direct_masks": masks}


def coadd_settings(config: CompareWarpConfig) -> CoaddSettings:
    """Return the part of the config that says how to coadd."""
    return CoaddSettings(
        bad_planes=config.bad_planes,
        removed_planes=config.removed_planes,
        statistic=config.statistic,
        sigma=config.sigma_clip,
        iterations=config.clip_iterations,
        error_from_input_variance=config.error_from_input_variance,
        mask_propagation=config.mask_propagation,
        online=config.online_mean,
    )


def combine_coadd(given: Inputs, made: Products) -> dict[str, Any]:
    """Stack the direct warps without what is clipped."""
    settings = coadd_settings(given.config)
    masks = made.direct_masks
    stacked = make_coadd(masks, settings, progress=given.progress)
    unclipped = None
    if given.chi_floor is not None:
        # Whoever remembers pixels below the threshold will move it: then steps begin from here.
        unclipped = update_coadd(stacked, masks, masks.unclipped(), settings)
    return {"stacked": stacked, "unclipped": unclipped}


def update_stacked(
    given: Inputs, made: Products, was_given: Inputs, before: Products
) -> dict[str, Any]:
    """Do as `combine_coadd`, but only where something has changed, if that can be told."""
    settings = coadd_settings(given.config)
    if (
        settings != coadd_settings(was_given.config)
        or made.weights is not before.weights
        or made.detections.flags is not before.detections.flags
    ):
        return combine_coadd(given, made)
    stacked = update_coadd(
        before.stacked, before.direct_masks, made.direct_masks, settings, before.unclipped
    )
    return {"stacked": stacked, "unclipped": before.unclipped}


def finish(given: Inputs, made: Products) -> dict[str, Any]:
    """Fill holes and mark bright objects, if asked to."""
    coadd, marked = made.stacked, False
    if given.config.interpolate:
        coadd = interpolate_holes(coadd)
    if given.config.mask_bright_objects and given.bright_objects is not None:
        coadd = mark_bright_objects(coadd, given.bright_objects, given.config.bright_object_plane)
        marked = True
    return {"coadd": coadd, "bright_objects_marked": marked}


STAGES: tuple[Stage, ...] = (
    Stage("direct weights", weigh_direct),
    Stage("matched weights", weigh_matched),
    Stage("template", combine_template),
    Stage("variance scale", scale_variances),
    Stage("detections", detect),
    Stage("protection", protect),
    Stage("candidates", find),
    Stage("shelter", shelter),
    Stage("streaks", find_streaks),
    Stage("counts", count),
    Stage("verdicts", judge),
    Stage("overrides", override),
    Stage("clipping", clip),
    Stage("coadd", combine_coadd, update_stacked),
    Stage("finish", finish),
)


def run_stages(
    given: Inputs,
    made: Products | None = None,
    stages: Iterable[Stage] = STAGES,
    before: tuple[Inputs, Products] | None = None,
    keep: list[Products] | None = None,
) -> Products:
    """Run some stages one after the other.

    Parameters
    ----------
    given : Inputs
    made : Products, optional
        The products of the stages before them; left as they are.
    stages : iterable of Stage
        By default all.
    before : tuple of Inputs and Products, optional
        An earlier run on the same stack, for stages that can update what they
        made then.
    keep : list, optional
        Gets the products as they were after each stage.

    Returns
    -------
    Products
    """
    made = Products() if made is None else copy.copy(made)
    for stage in stages:
        if stage.update is None or before is None:
            new = stage.compute(given, made)
        else:
            new = stage.update(given, made, *before)
        for name, value in new.items():
            setattr(made, name, value)
        if keep is not None:
            keep.append(copy.copy(made))
    return made


_STAGE_INDEX = {stage.name: index for index, stage in enumerate(STAGES)}


def stage_index(name: str) -> int:
    """Return the place of a stage in `STAGES`.

    Raises
    ------
    KeyError
        If there is no stage of that name.
    """
    return _STAGE_INDEX[name]


def first_stage(
    before: CompareWarpConfig,
    after: CompareWarpConfig,
    *,
    floor: float,
    overrides_changed: bool = False,
) -> int:
    """Return the first stage that a change of the settings reaches.

    Parameters
    ----------
    before, after : CompareWarpConfig
    floor : float
        Deviating pixels are listed from this many sigma on: a lower chi
        threshold needs another look at the images.
    overrides_changed : bool
        Whether the manual decisions are others too.

    Returns
    -------
    int
        Place in `STAGES`; their number if nothing has to be computed again.
    """
    reached = [stage_index(knob_facts(name)["stage"]) for name in after.differences(before)]
    if overrides_changed:
        reached.append(stage_index("overrides"))
    if after.chi_threshold < floor:
        reached.append(stage_index("detections"))
    return min(reached, default=len(STAGES))
