"""Every knob of the method, with its range, unit and LSST name.

`CompareWarpConfig` is the one description of a run. Forms, tables in the
documentation, command-line options and LSST override files are all generated
from the fields declared here.
"""

from pathlib import Path
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from ..errors import ConfigError
from .knob import (
    GROUPS,
    LARGEST,
    KnobFacts,
    PlaneName,
    PlaneNames,
    Statistic,
    Unlimited,
    faults_in_words,
    knob,
)
from .lsst_options import UNLIMITED_EPOCHS
from .presets import PRESETS

__all__ = ["GROUPS", "PRESETS", "CompareWarpConfig", "KnobFacts", "knob_facts"]


_NOISE_PLANES = ("DETECTED", "DETECTED_NEGATIVE", "BAD", "SAT", "NO_DATA", "INTRP")


class CompareWarpConfig(BaseModel):
    """Settings of a CompareWarp run; the defaults are those of the current LSST pipelines.

    Instances are immutable; use `replace` for a changed copy.

    Examples
    --------
    >>> from napari_comparewarp import CompareWarpConfig
    >>> config = CompareWarpConfig(chi_threshold=5)
    >>> config.chi_threshold
    5.0
    >>> config.differences()
    {'chi_threshold': (5.0, 7.5)}
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    # --- detection of candidates ---------------------------------------------------
    chi_threshold: float = knob(
        7.5, "chi threshold", stage="candidates", lsst="detect.thresholdValue", unit="sigma",
        gt=0, le=1000,
        group="Detection",
        help="A pixel deviates where the warp differs from the template by at least this many "
        "standard deviations. A lower value finds fainter trails, and more noise.",
    )  # fmt: skip
    polarity: Literal["both", "positive", "negative"] = knob(
        "both", "polarity", stage="candidates", lsst="detect.thresholdPolarity",
        group="Detection",
        help="Look for excess light (positive), missing light (negative) or both.",
    )  # fmt: skip
    min_pixels: int = knob(
        4, "min pixels", stage="candidates", lsst="detect.minPixels", unit="pixel", ge=1,
        group="Detection",
        help="Smaller groups of deviating pixels are dropped before they are grown.",
    )  # fmt: skip
    grow_sigma: float = knob(
        0.4, "grow", stage="candidates", lsst="detect.nSigmaToGrow", unit="PSF sigma", ge=0, le=50,
        group="Detection",
        help="Candidates are grown by this many PSF widths, to include the wings of an artifact.",
    )  # fmt: skip
    isotropic_growth: bool = knob(
        True, "grow by a disc", stage="candidates", lsst="detect.isotropicGrow",
        group="Detection",
        help="Grow by a disc; otherwise by a diamond.",
    )  # fmt: skip
    prefilter: bool = knob(
        True, "prefilter", stage="candidates", lsst="doPrefilterArtifacts",
        group="Detection",
        help="Drop candidates that lie almost entirely on masked pixels, so that defects shared by "
        "many epochs do not raise the epoch count.",
    )  # fmt: skip
    prefilter_ratio: float = knob(
        0.05, "prefilter ratio", stage="candidates", lsst="prefilterArtifactsRatio", ge=0, le=1,
        group="Detection",
        help="A candidate is kept if more than this fraction of its pixels is unmasked.",
    )  # fmt: skip
    prefilter_planes: PlaneNames = knob(
        ("NO_DATA", "BAD", "SUSPECT"), "prefilter planes", stage="detections",
        lsst="prefilterArtifactsMaskPlanes", unit="plane names",
        group="Detection",
        help="Mask planes that count as masked in the prefilter.",
    )  # fmt: skip

    # --- verdicts ------------------------------------------------------------------
    temporal_threshold: float = knob(
        0.4, "temporal threshold", stage="verdicts", lsst="maxFractionEpochsLow",
        unit="fraction of epochs", ge=0, le=1,
        group="Epoch count",
        help="The largest fraction of epochs in which a deviation may appear and still be an "
        "artifact. Decides alone where few epochs overlap.",
    )  # fmt: skip
    max_epochs: int | None = knob(
        2, "max epochs", stage="verdicts", lsst="maxNumEpochs", unit="epochs", ge=0,
        group="Epoch count",
        help="Number of epochs in which an artifact may appear, whatever the depth; none: the "
        "temporal threshold decides alone.",
    )  # fmt: skip
    max_epochs_slope: float = knob(
        0.03, "max epochs slope", stage="verdicts", lsst="maxFractionEpochsHigh",
        unit="epochs per epoch", ge=0, le=1,
        group="Epoch count",
        help="Number of additional epochs allowed per epoch of depth.",
    )  # fmt: skip
    spatial_threshold: float = knob(
        0.5, "spatial threshold", stage="verdicts", lsst="spatialThreshold",
        unit="fraction of area", ge=0, le=1,
        group="Epoch count",
        help="A candidate is clipped if more than this fraction of its area deviates in few "
        "epochs. Higher clips less.",
    )  # fmt: skip
    protect_sources: bool = knob(
        True, "protect sources", stage="protection", lsst="doPreserveContainedBySource",
        group="Bright sources",
        help="Never clip a candidate that lies wholly inside a bright source of the template.",
    )  # fmt: skip
    protect_threshold: float = knob(
        300.0, "protection threshold", stage="protection", lsst="detectTemplate.thresholdValue",
        unit="sigma", gt=0,
        group="Bright sources",
        help="Significance that a source must reach in the smoothed template to be protected.",
    )  # fmt: skip
    protect_grow_sigma: float = knob(
        2.4, "protection grow", stage="protection", lsst="detectTemplate.nSigmaToGrow",
        unit="PSF sigma", ge=0, le=50,
        group="Bright sources",
        help="Protected sources are grown by this many PSF widths.",
    )  # fmt: skip
    protect_min_pixels: int = knob(
        1, "protection min pixels", stage="protection", lsst="detectTemplate.minPixels",
        unit="pixel", ge=1,
        group="Bright sources",
        help="Protected sources have at least this many pixels above the threshold.",
    )  # fmt: skip
    protect_isotropic_growth: bool = knob(
        True, "protection grows by a disc", stage="protection",
        lsst="detectTemplate.isotropicGrow",
        group="Bright sources",
        help="Grow protected sources by a disc; otherwise by a diamond.",
    )  # fmt: skip
    protect_kernel_sigma: float = knob(
        7.0, "protection kernel", stage="protection", lsst="detectTemplate.nSigmaForKernel",
        unit="PSF sigma", gt=0, le=50,
        group="Bright sources",
        help="Full width of the smoothing kernel.",
    )  # fmt: skip

    # --- template and variance -----------------------------------------------------
    template_statistic: Statistic = knob(
        "MEANCLIP", "template statistic", stage="template",
        lsst="assembleStaticSkyModel.statistic",
        group="Template and variance",
        help="How the PSF-matched warps are combined into the model of the static sky.",
    )  # fmt: skip
    template_sigma_clip: float = knob(
        2.5, "template sigma clip", stage="matched weights",
        lsst="assembleStaticSkyModel.sigmaClip", unit="sigma", gt=0,
        group="Template and variance",
        help="Half-width of the clip in the template, and in the weights of its warps.",
    )  # fmt: skip
    template_clip_iterations: int = knob(
        3, "template clip iterations", stage="matched weights",
        lsst="assembleStaticSkyModel.clipIter", ge=1, le=20,
        group="Template and variance",
        help="Passes of the clip in the template, and in the weights of its warps.",
    )  # fmt: skip
    template_bad_planes: PlaneNames = knob(
        ("NO_DATA",), "template bad planes", stage="matched weights",
        lsst="assembleStaticSkyModel.badMaskPlanes", unit="plane names",
        group="Template and variance",
        help="Pixels with one of these planes are left out of the template.",
    )  # fmt: skip
    template_mask_propagation: dict[PlaneName, Unlimited] = knob(
        {"SAT": 0.1}, "template mask propagation", stage="template",
        lsst="assembleStaticSkyModel.maskPropagationThresholds", unit="fraction of weight",
        group="Template and variance",
        help="As mask_propagation, for the template.",
    )  # fmt: skip
    template_error_from_input_variance: bool = knob(
        True, "template variance from inputs", stage="template",
        lsst="assembleStaticSkyModel.calcErrorFromInputVariance",
        group="Template and variance",
        help="Variance of the template from the warps' variances; otherwise from their scatter.",
    )  # fmt: skip
    scale_variance: bool = knob(
        True, "scale variance", stage="variance scale", lsst="doScaleWarpVariance",
        group="Template and variance",
        help="Multiply each matched warp's variance by one factor that makes it agree with the "
        "scatter of its pixels: warping correlates noise and misstates variances.",
    )  # fmt: skip
    variance_scale_limit: Unlimited = knob(
        10.0, "variance scale limit", stage="variance scale", lsst="scaleWarpVariance.limit",
        gt=0,
        group="Template and variance",
        help="A larger factor is not trusted, and the variance is left unchanged.",
    )  # fmt: skip
    variance_scale_planes: PlaneNames = knob(
        _NOISE_PLANES, "variance scale planes", stage="variance scale",
        lsst="scaleWarpVariance.maskPlanes", unit="plane names",
        group="Template and variance",
        help="Pixels with one of these planes are left out when the factor is measured.",
    )  # fmt: skip
    background_cell: int = knob(
        32, "background cell", stage="variance scale",
        lsst="scaleWarpVariance.background.binSize", unit="pixel", ge=2,
        group="Template and variance",
        help="Cell size of the background that is subtracted to measure the variance factor.",
    )  # fmt: skip
    background_planes: PlaneNames = knob(
        _NOISE_PLANES, "background planes", stage="variance scale",
        lsst="scaleWarpVariance.background.ignoredPixelMask", unit="plane names",
        group="Template and variance",
        help="Pixels with one of these planes are left out of that background.",
    )  # fmt: skip

    # --- coadd -----------------------------------------------------------------------
    statistic: Statistic = knob(
        "MEAN", "coadd statistic", stage="coadd", lsst="statistic",
        group="Coadd",
        help="How the direct warps are combined once the artifacts are masked.",
    )  # fmt: skip
    online_mean: bool = knob(
        False, "online mean", stage="coadd", lsst="doOnlineForMean",
        group="Coadd",
        help="Round like the running sums with which the reference saves memory, which this engine "
        "does not need. The difference is below one part in a million.",
    )  # fmt: skip
    sigma_clip: float = knob(
        3.0, "sigma clip", stage="direct weights", lsst="sigmaClip", unit="sigma", gt=0,
        group="Coadd",
        help="Half-width of the clip in the weights, and in a MEANCLIP coadd.",
    )  # fmt: skip
    clip_iterations: int = knob(
        2, "clip iterations", stage="direct weights", lsst="clipIter", ge=1, le=20,
        group="Coadd",
        help="Passes of the clip in the weights, and in a MEANCLIP coadd.",
    )  # fmt: skip
    bad_planes: PlaneNames = knob(
        ("NO_DATA", "BAD", "SAT"), "bad planes", stage="direct weights", lsst="badMaskPlanes",
        unit="plane names",
        group="Coadd",
        help="Pixels with one of these planes are not stacked.",
    )  # fmt: skip
    removed_planes: PlaneNames = knob(
        ("NOT_DEBLENDED", "EDGE"), "removed planes", stage="coadd", lsst="removeMaskPlanes",
        unit="plane names",
        group="Coadd",
        help="Planes that are removed from the direct warps before they are stacked.",
    )  # fmt: skip
    mask_propagation: dict[PlaneName, Unlimited] = knob(
        {"SAT": 0.1}, "mask propagation", stage="coadd", lsst="maskPropagationThresholds",
        unit="fraction of weight",
        group="Coadd",
        help="A plane is set on the coadd if rejected pixels with that plane have more than this "
        "fraction of the weight.",
    )  # fmt: skip
    error_from_input_variance: bool = knob(
        True, "variance from inputs", stage="coadd", lsst="calcErrorFromInputVariance",
        group="Coadd",
        help="Variance of the coadd from the warps' variances; otherwise from their scatter.",
    )  # fmt: skip
    interpolate: bool = knob(
        False, "interpolate holes", stage="finish", lsst="doInterp",
        group="Coadd",
        help="Fill NaN pixels of the finished coadd from their surroundings (NO_DATA stays set), "
        "and set variances that are not positive to infinity.",
    )  # fmt: skip
    input_map: bool = knob(
        False, "input map", stage="finish", lsst="doInputMap",
        group="Coadd",
        help="Write which epochs went into each pixel, together with the coadd.",
    )  # fmt: skip
    mask_bright_objects: bool = knob(
        False, "mask bright objects", stage="finish", lsst="doMaskBrightObjects",
        group="Coadd",
        help="Set a plane on the coadd inside the regions of a bright-object catalogue.",
    )  # fmt: skip
    bright_object_plane: PlaneName = knob(
        "BRIGHT_OBJECT", "bright object plane", stage="finish", lsst="brightObjectMaskName",
        group="Coadd",
        help="Name of that plane.",
    )  # fmt: skip

    # --- streaks -----------------------------------------------------------------------
    filter_streaks: bool = knob(
        False, "find streaks", stage="streaks", lsst="doFilterMorphological",
        group="Streaks",
        help="Also clip straight lines among the detected pixels, regardless of the epoch count.",
    )  # fmt: skip
    streak_grow_sigma: float = knob(
        5.0, "streak grow", stage="streaks", lsst="growStreakFp", unit="PSF sigma", ge=0, le=50,
        group="Streaks",
        help="Streaks are grown by this many PSF widths.",
    )  # fmt: skip
    streak_min_edge_pixels: int = knob(
        50, "streak edge pixels", stage="streaks", lsst="maskStreaks.clusterMinimumSize",
        unit="pixel", ge=5,
        group="Streaks",
        help="A line needs at least this many edge pixels.",
    )  # fmt: skip
    streak_max_deviation: float = knob(
        2.0, "streak deviation", stage="streaks", lsst="maskStreaks.clusterMinimumDeviation",
        unit="pixel", gt=0, le=1000,
        group="Streaks",
        help="How far the edge pixels of a line may be from it.",
    )  # fmt: skip
    streak_rho_bin: float = knob(
        40.0, "streak distance bin", stage="streaks", lsst="maskStreaks.rhoBinSize",
        unit="pixel", ge=0.001,
        group="Streaks",
        help="Lines closer than about this are merged.",
    )  # fmt: skip
    streak_theta_bin: float = knob(
        2.0, "streak angle bin", stage="streaks", lsst="maskStreaks.thetaBinSize",
        unit="degree", gt=0,
        group="Streaks",
        help="Lines whose directions differ by less than this are merged.",
    )  # fmt: skip
    streak_profile_sigma: float = knob(
        5.0, "streak width", stage="streaks", lsst="maskStreaks.nSigmaMask",
        unit="profile sigma", gt=0,
        group="Streaks",
        help="Half-width of a streak, in widths of its fitted profile.",
    )  # fmt: skip
    streak_saturation_distance: int = knob(
        250, "streak distance from saturation", stage="streaks",
        lsst="maskStreaks.saturatedDetectionsDilation", unit="pixel", ge=0,
        group="Streaks",
        help="Lines this close to a saturated detection are ignored: bleeds are straight too.",
    )  # fmt: skip
    streak_bad_planes: PlaneNames = knob(
        ("NO_DATA", "INTRP", "BAD", "SAT", "EDGE"), "streak bad planes", stage="streaks",
        lsst="maskStreaks.badMaskPlanes", unit="plane names",
        group="Streaks",
        help="Lines next to pixels with one of these planes are ignored.",
    )  # fmt: skip

    @field_validator("*", mode="before")
    @classmethod
    def _check_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false for a number, which count as 1 and 0 otherwise."""
        values = value.values() if isinstance(value, dict) else (value,)
        is_switch = cls.model_fields[str(info.field_name)].annotation is bool
        if not is_switch and any(isinstance(item, bool) for item in values):
            raise ValueError("input should not be true or false")
        return value

    @field_validator("*")
    @classmethod
    def _check_size(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse whole numbers that no file or array holds."""
        most = UNLIMITED_EPOCHS - 1 if info.field_name == "max_epochs" else LARGEST
        if isinstance(value, int) and value > most:
            raise ValueError(f"input should be at most {most}")
        return value

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(faults_in_words(error)) from None

    @classmethod
    def preset(cls, name: str) -> Self:
        """Return a named preset, such as the settings of a release of the reference.

        Parameters
        ----------
        name : {"dmtn-080", "lsst-v29", "lsst-v30", "first-look"}

        Raises
        ------
        ConfigError
            If there is no such preset.

        Examples
        --------
        >>> from napari_comparewarp import CompareWarpConfig
        >>> CompareWarpConfig.preset("dmtn-080").differences()
        {'chi_threshold': (5.0, 7.5), 'grow_sigma': (2.4, 0.4), 'protect_sources': (False, True)}
        """
        if name not in PRESETS:
            raise ConfigError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
        return cls(**PRESETS[name])

    def replace(self, /, **changes: Any) -> Self:
        """Return a copy with some knobs changed, validated like a new config.

        Parameters
        ----------
        **changes
            New values, by the names of the knobs.

        Raises
        ------
        ConfigError
            If there is no such knob, or a value is out of range.

        Examples
        --------
        >>> from napari_comparewarp import CompareWarpConfig
        >>> CompareWarpConfig().replace(max_epochs=3).max_epochs
        3
        """
        return type(self)(**{**self.model_dump(), **changes})

    def differences(self, other: Self | None = None) -> dict[str, tuple[Any, Any]]:
        """Return ``{name: (value, other_value)}`` for each knob that differs.

        Parameters
        ----------
        other : CompareWarpConfig, optional
            The config to compare with; by default the default config.
        """
        other = type(self)() if other is None else other
        return {
            name: (getattr(self, name), getattr(other, name))
            for name in type(self).model_fields
            if getattr(self, name) != getattr(other, name)
        }

    def to_lsst(self) -> str:
        """Return the config as the text of an LSST override file.

        Every knob that the reference has is written, one
        ``config.NAME = VALUE`` per line, so that the file does not depend on
        the defaults of a release.

        Examples
        --------
        >>> from napari_comparewarp import CompareWarpConfig
        >>> text = CompareWarpConfig(chi_threshold=5).to_lsst()
        >>> "config.detect.thresholdValue = 5.0" in text.splitlines()
        True
        """
        from .lsst_file import to_lsst

        return to_lsst(self)

    @classmethod
    def from_lsst(cls, text: str, folder: Path | None = None) -> Self:
        """Read an LSST override file; its text is parsed, never executed.

        Parameters
        ----------
        text : str
            Lines such as ``config.maxNumEpochs = 1``; a complete saved config
            is accepted too.
        folder : Path, optional
            Where files lie that it loads (``config.load("…")``).

        Raises
        ------
        ConfigError
            For a line that is not an assignment of a literal, an option that
            does not exist, or a value that this engine does not implement.

        Examples
        --------
        >>> from napari_comparewarp import CompareWarpConfig
        >>> config = CompareWarpConfig.from_lsst("config.detect.thresholdValue = 5.0")
        >>> config.differences()
        {'chi_threshold': (5.0, 7.5)}
        """
        from .lsst_file import from_lsst

        return cls(**from_lsst(text, cls, folder))


def knob_facts(name: str) -> KnobFacts:
    """Return stage, group, LSST name and unit of a field of `CompareWarpConfig`.

    Raises
    ------
    KeyError
        If there is no such knob.
    """
    return cast(KnobFacts, CompareWarpConfig.model_fields[name].json_schema_extra)
