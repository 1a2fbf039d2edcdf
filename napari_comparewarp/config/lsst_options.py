"""How this engine treats the options of the LSST reference: as a knob, ignored, or fixed.

The task of the reference has some two hundred options. Each knob in
`CompareWarpConfig` names the option that it corresponds to; this file lists the
others, so that a complete saved config can be read and nothing that would change
a pixel is silently ignored.
"""

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

__all__ = [
    "FIXED_OPTIONS",
    "UNLIMITED_EPOCHS",
    "is_ignored",
    "knobs_by_option",
    "nearest_option",
    "what_is_said",
]

#: Stands for no limit on the number of epochs; more than any stack has.
UNLIMITED_EPOCHS = 1_000_000

_TEMPLATE = "assembleStaticSkyModel."

#: Options for inputs and outputs, of this and of older releases. They exist for
#: the coadd and for the template, and change no pixel of either.
_BOOKKEEPING = (
    "coaddName",
    "doApplyUberCal",
    "doAttachTransmissionCurve",
    "doNImage",
    "doPsfMatch",
    "doSelectVisits",
    "doUsePsfMatchedPolygons",
    "doWrite",
    "doWriteArtifactMasks",
    "hasFakes",
    "includeCalibVar",
    "matchingKernelSize",
    "saveLogOutput",
    "subregionSize",
    "warpType",
)
_BOOKKEEPING_GROUPS = (
    "coaddPsf",
    "connections",
    "inputMapper",
    "inputRecorder",
    "interpImage",
    "modelPsf",
    "scaleZeroPoint",
    "select",
)

#: Options that only matter with another option on that must be off here, or
#: (streaks) for an algorithm that this engine replaces by another.
_WITHOUT_EFFECT = (
    "detect.doApplyFlatBackgroundRatio",
    "detect.nPeaksMaxSimple",
    "detect.nSigmaForKernel",
    "detect.statsMask",
    "detectTemplate.doApplyFlatBackgroundRatio",
    "detectTemplate.nPeaksMaxSimple",
    "detectTemplate.statsMask",
    "maskStreaks.absMinimumKernelHeight",
    "maskStreaks.dChi2Tolerance",
    "maskStreaks.delta",
    "maskStreaks.footprintThreshold",
    "maskStreaks.invSigma",
    "maskStreaks.maxFitIter",
    "maskStreaks.minimumKernelHeight",
    "maskStreaks.nSigma",
    "maskStreaks.streaksMaskPlane",
    "scaleWarpVariance.background.approxOrderX",
    "scaleWarpVariance.background.approxOrderY",
    "scaleWarpVariance.background.isNanSafe",
    "scaleWarpVariance.background.weighting",
    "streakMaskName",
    # The template's mask is cleared before anything is compared with it.
    "assembleStaticSkyModel.brightObjectMaskName",
    "assembleStaticSkyModel.doInputMap",
    "assembleStaticSkyModel.doMaskBrightObjects",
    "assembleStaticSkyModel.doOnlineForMean",
    "assembleStaticSkyModel.removeMaskPlanes",
)
_WITHOUT_EFFECT_GROUPS = tuple(
    f"{task}.{group}"
    for task in ("detect", "detectTemplate")
    for group in ("background", "tempLocalBackground", "tempWideBackground")
)

#: Options that would change pixels, with the one value that this engine
#: implements.
FIXED_OPTIONS: Mapping[str, Any] = {
    **{
        f"{task}.{option}": value
        for task in ("detect", "detectTemplate")
        for option, value in {
            "adjustBackground": 0.0,
            "combinedGrow": True,
            "doTempWideBackground": False,
            "excludeMaskPlanes": [],
            "includeThresholdMultiplier": 1.0,
            "returnOriginalFootprints": False,
            "thresholdType": "pixel_stdev",
        }.items()
    },
    "detect.doTempLocalBackground": False,
    "detect.reEstimateBackground": False,
    "detectTemplate.thresholdPolarity": "positive",
    "doSigmaClip": False,
    "assembleStaticSkyModel.doInterp": True,
    "assembleStaticSkyModel.doSigmaClip": False,
    "maskStreaks.detectedMaskPlane": "DETECTED",
    "maskStreaks.maxStreakWidth": 0.0,
    "maskStreaks.onlyMaskDetected": True,
    "scaleWarpVariance.background.algorithm": "AKIMA_SPLINE",
    "scaleWarpVariance.background.binSizeX": 0,
    "scaleWarpVariance.background.binSizeY": 0,
    "scaleWarpVariance.background.doApplyFlatBackgroundRatio": False,
    "scaleWarpVariance.background.statisticsProperty": "MEANCLIP",
    "scaleWarpVariance.background.undersampleStyle": "REDUCE_INTERP_ORDER",
    "scaleWarpVariance.background.useApprox": False,
}


#: Options that are taken whatever they say, as what they do cannot happen here, or is said not
#: to be done: the ends of their names, the value that needs no word, and what is said.
_SAID: Mapping[str, tuple[Any, str]] = {
    "detectTemplate.doTempLocalBackground": (
        False, "no local background is subtracted before sources are found on the template",
    ),
    "detectTemplate.reEstimateBackground": (
        False, "the template's background is not estimated anew",
    ),
    "detectTemplateIterMultiplier": (
        1.25, "the template's sources are found once: without a background estimate none can fail",
    ),
    "maxDetectTemplateIter": (
        10, "the template's sources are found once: without a background estimate none can fail",
    ),
    "doScaleZeroPoint": (False, "warps are taken as calibrated: no zero point is scaled"),
    "background.doFilterSuperPixels": (False, "cells of a background are not filtered"),
    "background.superPixelFilterSize": (None, ""),
}  # fmt: skip


def what_is_said(option: str, value: Any) -> str | None:
    """Return what is said of an option that is taken whatever its value.

    Parameters
    ----------
    option : str
        Dotted name, without ``config.``.
    value : object

    Returns
    -------
    str or None
        Empty where nothing needs to be said; None for other options.
    """
    for ending, (silent, text) in _SAID.items():
        if option == ending or option.endswith(f".{ending}"):
            return "" if silent is None or value == silent else text
    return None


def knobs_by_option(model: type[BaseModel]) -> dict[str, str]:
    """Return ``{option: field}`` for every field that corresponds to an option.

    Parameters
    ----------
    model : type
        `CompareWarpConfig`.
    """
    result = {}
    for field, info in model.model_fields.items():
        extra = info.json_schema_extra
        option = extra.get("lsst") if isinstance(extra, dict) else None
        if option:
            result[str(option)] = field
    return result


def is_ignored(option: str) -> bool:
    """Return whether an option of the reference changes nothing here.

    Parameters
    ----------
    option : str
        Dotted name, without ``config.``.
    """
    inner = option.removeprefix(_TEMPLATE)
    return (
        inner in _BOOKKEEPING
        or option in _WITHOUT_EFFECT
        or any(inner.startswith(f"{group}.") for group in _BOOKKEEPING_GROUPS)
        or any(option.startswith(f"{group}.") for group in _WITHOUT_EFFECT_GROUPS)
    )


def nearest_option(option: str, model: type[BaseModel]) -> str | None:
    """Return the known option whose name is closest to a misspelt one, if any.

    Parameters
    ----------
    option : str
        Dotted name, without ``config.``.
    model : type
        `CompareWarpConfig`.
    """
    known = [*knobs_by_option(model), *FIXED_OPTIONS, *_WITHOUT_EFFECT, *_BOOKKEEPING]
    near = difflib.get_close_matches(option, known, n=1, cutoff=0.5)
    if not near:
        # The right name under the wrong task, or under none.
        leaf = option.rsplit(".", 1)[-1]
        near = [name for name in known if name.rsplit(".", 1)[-1] == leaf]
    return near[0] if near else None
