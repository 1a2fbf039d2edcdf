"""The knobs of the method."""

import pytest

import napari_comparewarp as cw
from napari_comparewarp.config.presets import PRESET_SOURCES, PRESETS
from napari_comparewarp.errors import ConfigError

UNTIL_V29 = {
    "prefilter_planes": ("NO_DATA", "BAD", "SAT", "SUSPECT"),
    "template_error_from_input_variance": False,
    "streak_rho_bin": 30.0,
}
CAMERA = {
    "filter_streaks": True,
    "bad_planes": ("NO_DATA", "BAD", "SAT", "SUSPECT"),
    "removed_planes": ("NOT_DEBLENDED", "EDGE", "CROSSTALK"),
}


def test_every_number_of_a_preset_has_a_source():
    assert set(PRESET_SOURCES) == set(PRESETS)
    for name, sources in PRESET_SOURCES.items():
        assert sources[""]
        assert set(sources) - {""} <= set(PRESETS[name])


def test_the_defaults_are_today_s_lsst_values():
    config = cw.CompareWarpConfig()
    assert config == cw.CompareWarpConfig(
        chi_threshold=7.5, temporal_threshold=0.4, max_epochs=2, max_epochs_slope=0.03,
        spatial_threshold=0.5, min_pixels=4, grow_sigma=0.4, polarity="both",
        scale_variance=True, protect_sources=True, prefilter=True,
    )  # fmt: skip
    assert config.differences() == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "dmtn-080",
            {"chi_threshold": 5.0, "grow_sigma": 2.4, "protect_sources": False, **UNTIL_V29},
        ),
        ("lsst-v28", {"chi_threshold": 5.0, "protect_threshold": 5.0, **UNTIL_V29}),
        ("lsst-v29", {"chi_threshold": 5.0, "protect_threshold": 50.0, **UNTIL_V29}),
        ("lsst-v30", {}),
        (
            "first-look",
            {
                "chi_threshold": 5.0, "max_epochs_slope": 0.2, "protect_sources": False,
                **UNTIL_V29,
            },
        ),
        (
            "lsstcam",
            {
                "max_epochs_slope": 0.2, "filter_streaks": True, "online_mean": True,
                "bad_planes": ("NO_DATA", "BAD", "SAT", "SUSPECT", "PARTLY_VIGNETTED", "SPIKE"),
                "prefilter_planes": ("NO_DATA", "BAD", "SUSPECT", "SPIKE", "PARTLY_VIGNETTED"),
                "removed_planes": ("NOT_DEBLENDED", "EDGE", "CROSSTALK"),
            },
        ),
        ("lsstcomcam", CAMERA),
        ("hsc", {**CAMERA, "mask_bright_objects": True}),
        ("decam", CAMERA),
    ],
)  # fmt: skip
def test_presets_differ_from_the_defaults_as_the_releases_did(name, expected):
    differences = cw.CompareWarpConfig.preset(name).differences()
    assert {key: here for key, (here, _) in differences.items()} == expected
    assert name in PRESETS


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"chi_threshold": 0}, "chi_threshold = 0: input should be greater than 0"),
        ({"spatial_threshold": 1.5}, "less than or equal to 1"),
        ({"polarity": "up"}, "'both', 'positive' or 'negative'"),
        ({"max_epochs": -1}, "greater than or equal to 0"),
        ({"sigmaClip": 3}, "no knob 'sigmaClip'"),
        ({"chi_threshold": "many"}, "chi_threshold = 'many'"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line(values, message):
    with pytest.raises(ConfigError, match=message) as error:
        cw.CompareWarpConfig(**values)
    assert "\n" not in str(error.value)


def test_an_unknown_preset_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match=r"no preset 'v31'; there are dmtn-080, lsst-v28"):
        cw.CompareWarpConfig.preset("v31")


def test_a_config_cannot_be_changed_but_replaced():
    config = cw.CompareWarpConfig()
    with pytest.raises(ValueError, match="frozen"):
        config.chi_threshold = 5
    assert config.replace(chi_threshold=5).chi_threshold == 5
    with pytest.raises(ConfigError):
        config.replace(chi_threshold=-5)


def test_plane_names_may_be_a_list_or_text():
    config = cw.CompareWarpConfig(bad_planes="BAD, SAT", removed_planes=["EDGE"])
    assert config.bad_planes == ("BAD", "SAT")
    assert config.removed_planes == ("EDGE",)


def test_every_knob_says_what_it_means_and_in_which_unit():
    for name, field in cw.CompareWarpConfig.model_fields.items():
        assert field.title, name
        assert field.description.endswith("."), name
        assert set(field.json_schema_extra) == {"stage", "group", "lsst", "unit"}, name


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"self": 1}, "no knob 'self'"),
        ({"chi_threshold": True}, "chi_threshold = True: input should not be true or false"),
        ({"min_pixels": False}, "min_pixels = False"),
        ({"max_epochs": True}, "max_epochs = True"),
        ({"mask_propagation": {"SAT": True}}, "mask_propagation = "),
    ],
)
def test_a_switch_is_no_number_and_any_name_may_be_asked_for(values, said):
    with pytest.raises(ConfigError, match=said):
        cw.CompareWarpConfig(**values)
    with pytest.raises(ConfigError, match=said):
        cw.CompareWarpConfig().replace(**values)
