"""LSST override files are read and written without loss, and never executed."""

import json
import re
import types
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_comparewarp.config.knobs import PRESETS, CompareWarpConfig
from napari_comparewarp.errors import CompareWarpWarning, ConfigError
from napari_comparewarp.io.config_file import read_config_file

PLANES = ("BAD", "SAT", "CR", "EDGE", "NO_DATA", "SUSPECT", "CROSSTALK")


def values_of(field):
    """Draw any value that a knob takes."""
    bounds = {}
    for rule in field.metadata:
        for word in ("ge", "gt", "le", "lt"):
            if hasattr(rule, word):
                bounds[word] = getattr(rule, word)
    return _values(field.annotation, bounds)


def _values(kind, bounds):
    if typing.get_origin(kind) is typing.Literal:
        return st.sampled_from(typing.get_args(kind))
    if isinstance(kind, types.UnionType):
        return st.one_of(*(_values(each, bounds) for each in typing.get_args(kind)))
    if kind is types.NoneType:
        return st.none()
    if kind is bool:
        return st.booleans()
    if kind is int:
        least = bounds.get("ge", 0)
        return st.integers(least, bounds.get("le", least + 10_000))
    if kind is float:
        return st.floats(
            bounds.get("ge", bounds.get("gt", -1e9)),
            bounds.get("le", 1e9),
            exclude_min="gt" in bounds,
        )
    if kind is str:
        return st.sampled_from(PLANES)
    if typing.get_origin(kind) is tuple:
        return st.lists(st.sampled_from(PLANES), unique=True).map(tuple)
    if typing.get_origin(kind) is dict:
        return st.dictionaries(st.sampled_from(PLANES), st.floats(0, 1))
    raise AssertionError(f"no strategy for {kind}")


configs = st.fixed_dictionaries(
    {name: values_of(field) for name, field in CompareWarpConfig.model_fields.items()}
).map(lambda values: CompareWarpConfig(**values))


def background(prefix):
    """Name the options of one of the reference's background models."""
    return {
        f"{prefix}.statisticsProperty": "MEANCLIP",
        f"{prefix}.undersampleStyle": "REDUCE_INTERP_ORDER",
        f"{prefix}.binSizeX": 0,
        f"{prefix}.binSizeY": 0,
        f"{prefix}.algorithm": "AKIMA_SPLINE",
        f"{prefix}.isNanSafe": False,
        f"{prefix}.useApprox": False,
        f"{prefix}.approxOrderX": 6,
        f"{prefix}.approxOrderY": -1,
        f"{prefix}.weighting": True,
        f"{prefix}.doApplyFlatBackgroundRatio": False,
    }


def assembly(prefix):
    """Name the options that the coadd and its template both have."""
    return {
        f"{prefix}saveLogOutput": True,
        f"{prefix}coaddName": "deep",
        f"{prefix}select.maxEllipResidual": 0.007,
        f"{prefix}select.maxSizeScatter": None,
        f"{prefix}select.minNPsfStarPerBand": {"u": 6.0, "fallback": 6.0},
        f"{prefix}select.connections.coaddName": "deep",
        f"{prefix}inputRecorder.saveVisitGoodPix": True,
        f"{prefix}subregionSize": [10000, 100],
        f"{prefix}scaleZeroPoint.zeroPoint": 27.0,
        f"{prefix}interpImage.modelPsf.size": None,
        f"{prefix}interpImage.transpose": 0,
        f"{prefix}doWrite": True,
        f"{prefix}doWriteArtifactMasks": True,
        f"{prefix}doNImage": True,
        f"{prefix}coaddPsf.warpingKernelName": "lanczos3",
        f"{prefix}doAttachTransmissionCurve": False,
        f"{prefix}hasFakes": False,
        f"{prefix}doSelectVisits": True,
        f"{prefix}inputMapper.nside": 32768,
        f"{prefix}connections.inputWarps": "direct_warp",
        f"{prefix}connections.warpTypeSuffix": "",
    }


def detection(task):
    """Name the options of a detection task that this engine has no knob for."""
    return {
        f"{task}.combinedGrow": True,
        f"{task}.returnOriginalFootprints": False,
        f"{task}.includeThresholdMultiplier": 1.0,
        f"{task}.thresholdType": "pixel_stdev",
        f"{task}.adjustBackground": 0.0,
        f"{task}.reEstimateBackground": False,
        f"{task}.doApplyFlatBackgroundRatio": False,
        f"{task}.doTempLocalBackground": False,
        f"{task}.doTempWideBackground": False,
        f"{task}.nPeaksMaxSimple": 1,
        f"{task}.statsMask": ["BAD", "SAT"],
        f"{task}.excludeMaskPlanes": [],
        **background(f"{task}.background"),
        **background(f"{task}.tempLocalBackground"),
        **background(f"{task}.tempWideBackground"),
    }


def saved_config():
    """Write a config as the reference saves one: imports, a check, every option."""
    options = {
        **assembly(""),
        "warpType": "direct",
        **assembly("assembleStaticSkyModel."),
        "assembleStaticSkyModel.warpType": "psfMatched",
        "assembleStaticSkyModel.doOnlineForMean": False,
        "assembleStaticSkyModel.doInterp": True,
        "assembleStaticSkyModel.removeMaskPlanes": ["NOT_DEBLENDED"],
        "assembleStaticSkyModel.doMaskBrightObjects": False,
        "assembleStaticSkyModel.brightObjectMaskName": "BRIGHT_OBJECT",
        "assembleStaticSkyModel.doInputMap": False,
        **detection("detect"),
        "detect.nSigmaForKernel": 7.0,
        **detection("detectTemplate"),
        "detectTemplate.thresholdPolarity": "positive",
        "maskStreaks.minimumKernelHeight": 0.0,
        "maskStreaks.absMinimumKernelHeight": 5.0,
        "maskStreaks.delta": 0.2,
        "maskStreaks.nSigma": 2.0,
        "maskStreaks.invSigma": 0.1,
        "maskStreaks.footprintThreshold": 0.01,
        "maskStreaks.dChi2Tolerance": 0.1,
        "maskStreaks.maxFitIter": 100,
        "maskStreaks.detectedMaskPlane": "DETECTED",
        "maskStreaks.onlyMaskDetected": True,
        "maskStreaks.streaksMaskPlane": "STREAK",
        "maskStreaks.maxStreakWidth": 0.0,
        "streakMaskName": "STREAK",
        **background("scaleWarpVariance.background"),
    }
    head = (
        "import lsst.drp.tasks.assemble_coadd\n"
        "assert type(config) is lsst.drp.tasks.assemble_coadd.CompareWarpAssembleCoaddConfig\n\n"
        "import lsst.meas.algorithms\n"
    )
    lines = [f"# about {name}\nconfig.{name}={value!r}\n" for name, value in options.items()]
    knobs = CompareWarpConfig(chi_threshold=5, prefilter_planes=PLANES[:4]).to_lsst()
    return head + "\n".join(lines) + "config.select.maxPsfApFluxDelta=float('inf')\n" + knobs


def refusal(text):
    """Return the one line with which a text is refused."""
    with pytest.raises(ConfigError) as caught:
        CompareWarpConfig.from_lsst(text)
    message = str(caught.value)
    assert "\n" not in message
    return message


def changes(text):
    """Return the knobs that a text changes."""
    config = CompareWarpConfig.from_lsst(text)
    return {name: here for name, (here, _) in config.differences().items()}


@settings(max_examples=100, deadline=None)
@given(configs)
def test_a_config_comes_back_from_its_override_file_exactly(config):
    assert CompareWarpConfig.from_lsst(config.to_lsst()) == config


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_comes_back_from_its_override_file(name):
    config = CompareWarpConfig.preset(name)
    assert CompareWarpConfig.from_lsst(config.to_lsst()) == config


def test_an_infinite_limit_is_written_as_the_reference_writes_one():
    config = CompareWarpConfig(
        variance_scale_limit=float("inf"), mask_propagation={"SAT": float("inf")}
    )
    assert "config.scaleWarpVariance.limit = float('inf')" in config.to_lsst()
    assert CompareWarpConfig.from_lsst(config.to_lsst()) == config


def test_every_option_is_one_line_with_its_reference_name():
    text = CompareWarpConfig(chi_threshold=0.1 + 0.2).to_lsst()
    assert "config.detect.thresholdValue = 0.30000000000000004\n" in text
    assert "config.badMaskPlanes = ['NO_DATA', 'BAD', 'SAT']\n" in text
    # An integer to the reference, which would refuse 2.0.
    assert "config.maskStreaks.clusterMinimumDeviation = 2\n" in text


def test_no_limit_of_epochs_is_a_million_and_the_file_says_so():
    text = CompareWarpConfig(max_epochs=None).to_lsst()
    assert "config.maxNumEpochs = 1000000\n" in text
    assert any(line.startswith("#") and "1000000" in line for line in text.splitlines())
    assert CompareWarpConfig.from_lsst("config.maxNumEpochs = 1000000").max_epochs is None


def test_a_whole_saved_config_is_read_and_only_its_knobs_count():
    assert changes(saved_config()) == {"chi_threshold": 5.0, "prefilter_planes": PLANES[:4]}


def test_a_json_object_of_options_is_read_too():
    overrides = {"spatialThreshold": 0.25, "detect.thresholdValue": 5.0, "maxNumEpochs": 1}
    lines = "\n".join(f"config.{name} = {value!r}" for name, value in overrides.items())
    expected = {"spatial_threshold": 0.25, "chi_threshold": 5.0, "max_epochs": 1}
    assert changes(json.dumps(overrides)) == changes(lines) == expected


def test_lists_and_dicts_can_be_changed_in_place():
    text = """
config.badMaskPlanes += ["SUSPECT"]
config.badMaskPlanes.remove("SAT")
config.removeMaskPlanes.append("CROSSTALK")
config.prefilterArtifactsMaskPlanes.extend(["SPIKE"])
config.maskPropagationThresholds["CR"] = 0.2
"""
    assert changes(text) == {
        "bad_planes": ("NO_DATA", "BAD", "SUSPECT"),
        "removed_planes": ("NOT_DEBLENDED", "EDGE", "CROSSTALK"),
        "prefilter_planes": ("NO_DATA", "BAD", "SUSPECT", "SPIKE"),
        "mask_propagation": {"SAT": 0.1, "CR": 0.2},
    }


def test_the_last_of_two_assignments_holds():
    assert changes("config.maxNumEpochs = 5\nconfig.maxNumEpochs = 1") == {"max_epochs": 1}


def test_the_prefix_of_older_releases_is_understood():
    text = """
config.assembleCoadd.maxFractionEpochsHigh = 0.2
config.assembleCoadd.modelPsf.size = None
config.assembleCoadd.select.retarget(target=some.Task, ConfigClass=some.Config)
"""
    assert changes(text) == {"max_epochs_slope": 0.2}


def test_nothing_of_a_file_is_executed(tmp_path):
    victim = tmp_path / "victim"
    call = f"__import__('pathlib').Path({str(victim)!r}).touch()"
    for line in (
        f"config.maxNumEpochs = {call}",
        f"assert {call}",
        f"config.badMaskPlanes.append({call})",
        f"config.maskPropagationThresholds[{call}] = 1",
        call,
    ):
        try:
            CompareWarpConfig.from_lsst(line)
        except ConfigError as error:
            assert str(error).startswith("line 1")
    assert not victim.exists()


@pytest.mark.parametrize(
    "line",
    [
        "config.load('other.py')",
        "for name in ['a']: config.maxNumEpochs = 1",
        "if True: config.maxNumEpochs = 1",
        "config.maxNumEpochs = int('1')",
        "config.detect.retarget(OtherTask)",
        "config.setDefaults()",
        "config.maxNumEpochs = limit",
        "threshold = 5",
        "config.maxNumEpochs = = 5",
        "config.spatialThreshold['a'] = 1",
        "config.maxNumEpochs += 1",
        "del config.maxNumEpochs",
    ],
)
def test_a_line_that_is_no_plain_assignment_is_refused_with_its_number(line):
    assert refusal(f"# a comment\n\n{line}\n").startswith("line 3: ")


LOADS = [
    "config.load('other.py')",
    "config.load(os.path.join(getPackageDir('obs_x'), 'config', 'other.py'))",
    "config.load(os.path.join(os.path.dirname(__file__), 'other.py'))",
]


@pytest.mark.parametrize("line", LOADS)
def test_a_file_that_is_loaded_is_read_where_it_lies_beside_and_named_where_not(tmp_path, line):
    assert "there is no other.py beside this file; put it there, or copy" in refusal(line)
    (tmp_path / "other.py").write_text("config.maxNumEpochs = 5\nconfig.spatialThreshold = 0.4\n")
    text = f"config.maxNumEpochs = 1\n{line}\nconfig.spatialThreshold = 0.3\n"
    config = CompareWarpConfig.from_lsst(text, tmp_path)
    assert (config.max_epochs, config.spatial_threshold) == (5, 0.3)
    (tmp_path / "main.py").write_text(text)
    assert read_config_file(tmp_path / "main.py") == config
    (tmp_path / "other.py").write_text("\nconfig.maxNumEpoch = 5")
    with pytest.raises(ConfigError, match=r"other\.py, line 2: "):
        CompareWarpConfig.from_lsst(text, tmp_path)


def test_files_that_load_each_other_are_refused(tmp_path):
    (tmp_path / "other.py").write_text("config.load('other.py')")
    with pytest.raises(ConfigError, match="files that load each other"):
        CompareWarpConfig.from_lsst("config.load('other.py')", tmp_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("config.detectTemplate.doTempLocalBackground = True", "no local background"),
        ("config.detectTemplate.reEstimateBackground = True", "is not estimated anew"),
        ("config.detectTemplateIterMultiplier = 1.5", "are found once"),
        ("config.maxDetectTemplateIter = 20", "are found once"),
        ("config.doScaleZeroPoint = True", "taken as calibrated"),
        ("config.assembleStaticSkyModel.doScaleZeroPoint = True", "taken as calibrated"),
        ("config.scaleWarpVariance.background.doFilterSuperPixels = True", "are not filtered"),
    ],
)
def test_options_without_a_counterpart_are_taken_and_said(line, said):
    with pytest.warns(CompareWarpWarning, match=f"line 1: config.* changes nothing here: .*{said}"):
        assert CompareWarpConfig.from_lsst(line) == CompareWarpConfig()


def test_the_defaults_of_every_release_need_no_word():
    lines = [
        "config.detectTemplate.doTempLocalBackground = False",
        "config.detectTemplate.reEstimateBackground = False",
        "config.detectTemplateIterMultiplier = 1.25", "config.maxDetectTemplateIter = 10",
        "config.doScaleZeroPoint = False", "config.assembleStaticSkyModel.doScaleZeroPoint = False",
        "config.scaleWarpVariance.background.doFilterSuperPixels = False",
        "config.scaleWarpVariance.background.superPixelFilterSize = 11",
        "config.detect.background.superPixelFilterSize = 11",
        "config.detectTemplate.tempWideBackground.doFilterSuperPixels = False",
    ]  # fmt: skip
    assert CompareWarpConfig.from_lsst("\n".join(lines)) == CompareWarpConfig()


def test_the_bin_of_streaks_is_written_as_it_is_since_2025():
    assert "config.maskStreaks.rhoBinSize = 40.0" in CompareWarpConfig().to_lsst()
    assert "config.maskStreaks.rhoBinSize = 30.0" in CompareWarpConfig.preset("lsst-v29").to_lsst()


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        ("config.detect.thresholdType = 'stdev'", "'pixel_stdev'"),
        ("config.detectTemplate.thresholdType = 'variance'", "'pixel_stdev'"),
        ("config.detectTemplate.thresholdPolarity = 'both'", "'positive'"),
        ("config.detect.doTempLocalBackground = True", "False"),
        ("config.detect.reEstimateBackground = True", "False"),
        ("config.detect.includeThresholdMultiplier = 2.0", "1.0"),
        ("config.detect.excludeMaskPlanes.append('BAD')", "[]"),
        ("config.scaleWarpVariance.background.algorithm = 'LINEAR'", "'AKIMA_SPLINE'"),
        ("config.scaleWarpVariance.background.binSizeX = 16", "0"),
    ],
)
def test_what_this_engine_cannot_do_is_refused_with_what_it_can(line, accepted):
    message = refusal(f"\n{line}")
    assert message.startswith("line 2: " + line.split(" ")[0].removesuffix(".append('BAD')"))
    assert message.endswith(f"only {accepted} is accepted")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("maxNumEpoch", "maxNumEpochs"),
        ("detect.thresholdvalue", "detect.thresholdValue"),
        ("thresholdPolarity", "detect.thresholdPolarity"),
        ("spatialThresh", "spatialThreshold"),
    ],
)
def test_a_misspelt_option_is_refused_with_the_nearest_name(wrong, right):
    message = refusal(f"config.{wrong} = 1")
    assert message == f"line 1: there is no option config.{wrong}; the nearest is config.{right}"


def test_a_value_out_of_range_names_its_line_option_and_limit():
    message = refusal("config.maxNumEpochs = 1\nconfig.spatialThreshold = 1.5")
    assert message.startswith("line 2: config.spatialThreshold")
    assert "1.5" in message and "less than or equal to 1" in message


def test_removing_a_plane_that_is_not_there_says_what_is():
    assert "['NO_DATA', 'BAD', 'SAT']" in refusal("config.badMaskPlanes.remove('CR')")


def test_broken_json_is_refused_in_one_line():
    assert "JSON" in refusal('{"maxNumEpochs": }')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(" * 100_000, "line 1: not an override file: too many nested parentheses"),
        ("config.maxNumEpochs = " + "-" * 100_000 + "1", "not an override file: too many parts"),
        ("config" + ".a" * 100_000 + " = 1", "not an override file: too many parts"),
        ("config" + ".a" * 500 + " = 1", "line 1: there is no option config.'a.a.a"),
        ("config.maxNumEpochs = " + "9" * 5000, "line 1: .*a number of too many digits"),
        ("config.maxNumEpochs = 0x" + "f" * 5000, "line 1: config.maxNumEpochs: .* not a literal"),
        ("config.maxNumEpochs = 10**10**10", "'10 \\*\\* 10 \\*\\* 10' is not a literal"),
        ("config.badMaskPlanes = ['A'] * 10**9", "is not a literal"),
        ("config.maskPropagationThresholds[[1]] = 2", "cannot be changed like this"),
        ("config.maskPropagationThresholds['\\ud800'] = 2", "is not a literal"),
        ("config.load('\\0')", "there is no '\\\\x00' beside this file"),
        ("config.load('..')", "there is no .. beside this file"),
        (f"config.load('{'x' * 5000}')", "there is no 'xxx.*' beside this file"),
        ("config.badMaskPlanes.append('A')\n" * 2000, "line 998: .*more than 1000 items"),
        ("config.maxNumEpochs = 1\n" * 20_001, "more than the 20000 statements"),
        ("config.detect.minPixels = True", "line 1: config.detect.minPixels: .*true or false"),
        ('{"maxNumEpochs": 1, "maxNumEpochs": 2}', "the key 'maxNumEpochs' stands twice"),
        ("{" * 100_000, "not a JSON object"),
        ('{"a": ' + "[" * 100_000, "not a JSON object .*deeper than 64"),
    ],
)
def test_any_text_is_refused_in_one_short_line(text, said):
    message = refusal(text)
    assert re.search(said, message)
    assert len(message) < 250


def test_a_value_that_changes_nothing_is_shown_short():
    with pytest.warns(CompareWarpWarning, match="changes nothing") as caught:
        CompareWarpConfig.from_lsst(f"config.doScaleZeroPoint = '{'x' * 100_000}'")
    assert len(str(caught[0].message)) < 200


def test_a_file_that_is_loaded_and_cannot_be_read_is_named_with_its_line(tmp_path):
    (tmp_path / "other.py").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"line 2: .*other\.py: no text in UTF-8"):
        CompareWarpConfig.from_lsst("\nconfig.load('other.py')", tmp_path)
    (tmp_path / "other.py").write_text("config.a = (")
    with pytest.raises(ConfigError, match=r"other\.py, line 1: not an override file"):
        CompareWarpConfig.from_lsst("config.load('other.py')", tmp_path)


def test_files_that_load_others_many_times_come_to_an_end(tmp_path):
    for number in range(6):
        (tmp_path / f"{number}.py").write_text(f"config.load('{number + 1}.py')\n" * 100)
    (tmp_path / "6.py").write_text("config.maxNumEpochs = 1\n")
    with pytest.raises(ConfigError, match="files that load each other"):
        CompareWarpConfig.from_lsst("config.load('0.py')", tmp_path)
