"""The steps of the reference's method: each takes what it needs from the settings."""

from typing import Any

import numpy as np

from ..config.knobs import CompareWarpConfig
from ..errors import StackError
from .bright_objects import mark_bright_objects
from .coadd import Coadd, CoaddSettings, DirectMasks, make_coadd, update_coadd
from .counts import count_epochs
from .difference import detect_deviations
from .footprints import find_candidates
from .holes import interpolate_along_rows, interpolate_holes
from .overrides import apply_overrides
from .products import Inputs, Job, Products
from .protection import find_protected, lies_inside
from .spans import Spans
from .streaks.stage import StreakFootprints, find_streak_footprints
from .template import make_template
from .variance_scale import measure_variance_scales
from .verdicts import Verdict, decide
from .weights import weigh_warps

__all__ = [
    "clip",
    "coadd_settings",
    "combine_coadd",
    "combine_template",
    "count",
    "detect",
    "find",
    "find_inside_sources",
    "find_streaks",
    "finish",
    "finish_coadd",
    "judge",
    "override",
    "protect",
    "scale_variances",
    "update_stacked",
    "weigh_direct",
    "weigh_matched",
]


def weigh_direct(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Weigh the direct warps."""
    config = inputs.config
    weights = weigh_warps(
        inputs.stack, inputs.stack.direct, bad_planes=config.bad_planes, sigma=config.sigma_clip,
        iterations=config.clip_iterations, stage="weights of direct warps",
        progress=inputs.progress,
    )  # fmt: skip
    if not (weights > 0).any():
        raise StackError(
            "no warp can be stacked: each is NaN everywhere or has no finite, positive variance"
        )
    return {"weights": weights}


def weigh_matched(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Weigh the matched warps, for the template."""
    config = inputs.config
    weights = weigh_warps(
        inputs.stack, inputs.stack.matched, bad_planes=config.template_bad_planes,
        sigma=config.template_sigma_clip, iterations=config.template_clip_iterations,
        stage="weights of matched warps", progress=inputs.progress,
    )  # fmt: skip
    partner = inputs.stack.partner
    compared = (partner >= 0) & (products.weights > 0)
    compared[compared] = weights[partner[compared]] > 0
    return {"matched_weights": weights, "compared": compared}


def combine_template(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Make the model of the static sky."""
    config = inputs.config
    template = make_template(
        inputs.stack, products.matched_weights, bad_planes=config.template_bad_planes,
        statistic=config.template_statistic, sigma=config.template_sigma_clip,
        iterations=config.template_clip_iterations,
        error_from_input_variance=config.template_error_from_input_variance,
        mask_propagation=config.template_mask_propagation, progress=inputs.progress,
    )  # fmt: skip
    # As the reference does, which can be felt where sources are found beside a hole.
    filled = interpolate_along_rows(template.image, template.variance)
    return {"template": template, "filled": filled}


def scale_variances(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Measure, or take over, the factors of the matched warps' variances."""
    config, stack = inputs.config, inputs.stack
    factors = np.ones(stack.n_epochs)
    failed, coarse = np.zeros((2, stack.n_epochs), np.bool_)
    if inputs.job.variance_scale is not None:
        factors = np.array(inputs.job.variance_scale, np.float64)
        factors[np.isnan(factors)] = 1.0
    elif config.scale_variance:
        epochs = np.flatnonzero(products.compared)
        scales = measure_variance_scales(
            stack, stack.partner[epochs], planes=config.variance_scale_planes,
            background_planes=config.background_planes, cell=config.background_cell,
            limit=config.variance_scale_limit, progress=inputs.progress,
        )  # fmt: skip
        factors[epochs] = [scale.factor for scale in scales]
        failed[epochs] = [scale.failed for scale in scales]
        coarse[epochs] = [scale.coarse for scale in scales]
    return {
        "variance_scale": factors,
        "variance_scale_failed": failed,
        "variance_scale_coarse": coarse,
    }


def detect(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Difference the matched warps and list the deviating pixels."""
    config = inputs.config
    floor = config.chi_threshold
    if inputs.chi_floor is not None:
        floor = min(floor, inputs.chi_floor)
    detections = detect_deviations(
        inputs.stack, *products.filled, products.variance_scale, products.compared, floor=floor,
        bad_planes=config.bad_planes, prefilter_planes=config.prefilter_planes,
        terms=products.difference_terms, progress=inputs.progress,
    )  # fmt: skip
    return {"detections": detections}


def protect(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Find the bright sources in which nothing is clipped."""
    config = inputs.config
    if not config.protect_sources:
        return {"protected": None}
    # The template's PSF is the widest of the warps that products it.
    in_template = products.matched_weights > 0
    if not in_template.any():
        return {"protected": None}
    labels = find_protected(
        *products.filled, float(inputs.stack.psf_sigma[in_template].max()),
        threshold=config.protect_threshold, grow_sigma=config.protect_grow_sigma,
        min_pixels=config.protect_min_pixels, isotropic=config.protect_isotropic_growth,
        kernel_sigma=config.protect_kernel_sigma, progress=inputs.progress,
    )  # fmt: skip
    return {"protected": labels}


def find(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Group the deviating pixels to candidates."""
    config, stack = inputs.config, inputs.stack
    candidates = find_candidates(
        products.detections, np.where(stack.partner >= 0, stack.psf_sigma[stack.partner], 0.0),
        chi_threshold=config.chi_threshold, polarity=config.polarity,
        min_pixels=config.min_pixels, grow_sigma=config.grow_sigma,
        isotropic=config.isotropic_growth, prefilter=config.prefilter,
        prefilter_ratio=config.prefilter_ratio, progress=inputs.progress,
    )  # fmt: skip
    return {"candidates": candidates}


def find_inside_sources(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Find the candidates that lie wholly inside a bright source."""
    inside = []
    for found in products.candidates:
        if products.protected is None:
            inside.append(np.zeros(len(found), np.bool_))
        else:
            inside.append(lies_inside(found.spans, found.group, len(found), products.protected))
    return {"inside_source": tuple(inside)}


def count(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Count in how many epochs each pixel deviates."""
    counts = count_epochs(
        products.candidates, products.detections.n_matched, progress=inputs.progress
    )
    return {"counts": counts}


def judge(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Decide which candidates are clipped."""
    config = inputs.config
    verdicts = decide(
        products.candidates, products.counts, products.inside_source,
        temporal_threshold=config.temporal_threshold, max_epochs=config.max_epochs,
        max_epochs_slope=config.max_epochs_slope, spatial_threshold=config.spatial_threshold,
    )  # fmt: skip
    return {"verdicts": verdicts}


def find_streaks(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Find straight lines among the deviating pixels, if asked to."""
    config, stack = inputs.config, inputs.stack
    if not config.filter_streaks:
        return {"streaks": (StreakFootprints.none(),) * stack.n_epochs}
    streaks = find_streak_footprints(
        stack, products.filled, products.variance_scale, products.compared, products.candidates,
        products.protected, terms=products.difference_terms, config=config,
        progress=inputs.progress,
    )  # fmt: skip
    return {"streaks": streaks}


def override(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Let manual decisions take precedence over the rules."""
    verdicts, streaks, lost = apply_overrides(
        inputs.job.overrides,
        inputs.stack.epochs,
        products.candidates,
        products.verdicts,
        products.streaks,
    )
    return {"verdicts": verdicts, "streaks": streaks, "lost_overrides": lost}


def clip(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Gather what is clipped in each epoch."""
    clipped: list[Spans] = []
    for found, verdicts, streaks in zip(
        products.candidates, products.verdicts, products.streaks, strict=True
    ):
        spans = found.pixels_of(verdicts.verdict == Verdict.CLIPPED)
        clipped.append(spans.union(streaks.spans) if len(streaks.spans) else spans)
    masks = DirectMasks(
        inputs.stack, products.weights, products.detections.flags, clipped, inputs.config.bad_planes
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


def combine_coadd(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Stack the direct warps without what is clipped."""
    settings = coadd_settings(inputs.config)
    masks = products.direct_masks
    stacked = make_coadd(masks, settings, progress=inputs.progress)
    unclipped = None
    if inputs.chi_floor is not None:
        # An inspection lowers the floor because its threshold will move: steps begin from here.
        unclipped = update_coadd(stacked, masks, masks.unclipped(), settings)
    return {"stacked": stacked, "unclipped": unclipped}


def update_stacked(
    inputs: Inputs, products: Products, earlier: Inputs, before: Products
) -> dict[str, Any]:
    """Do as `combine_coadd`, but only where something has changed, if that can be told."""
    settings = coadd_settings(inputs.config)
    if (
        settings != coadd_settings(earlier.config)
        or products.weights is not before.weights
        or products.detections.flags is not before.detections.flags
    ):
        return combine_coadd(inputs, products)
    stacked = update_coadd(
        before.stacked, before.direct_masks, products.direct_masks, settings, before.unclipped
    )
    return {"stacked": stacked, "unclipped": before.unclipped}


def finish(inputs: Inputs, products: Products) -> dict[str, Any]:
    """Fill holes and mark bright objects, if asked to."""
    return {"coadd": finish_coadd(inputs.job, products.stacked)}


def finish_coadd(job: Job, coadd: Coadd) -> Coadd:
    """Return a coadd as stacked with holes filled and bright objects marked, if asked to."""
    if job.config.interpolate:
        coadd = interpolate_holes(coadd)
    if job.config.mask_bright_objects and job.bright_objects is not None:
        coadd = mark_bright_objects(coadd, job.bright_objects, job.config.bright_object_plane)
    return coadd
