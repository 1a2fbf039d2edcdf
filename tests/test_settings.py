"""Every configuration that is accepted comes back the same from wherever it is written to."""

import json
import math
from typing import Literal, get_args, get_origin

import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_comparewarp import CompareWarpConfig
from napari_comparewarp.cli.config import format_value
from napari_comparewarp.cli.knobs import choose_config
from napari_comparewarp.config.plane_names import MOST_LETTERS, check_plane_name
from napari_comparewarp.errors import ConfigError
from napari_comparewarp.io.config_file import read_config_file
from napari_comparewarp.io.provenance import provenance_header, read_config

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
plane_names = st.text(LETTERS, min_size=1, max_size=MOST_LETTERS).filter(
    lambda name: any(map(str.isalpha, name))
)


def bound(field, *words, default):
    for rule in field.metadata:
        for word in words:
            if getattr(rule, word, None) is not None:
                return getattr(rule, word)
    return default


def values_of(name, field):
    """Return a strategy for all that a knob accepts, its ends among them."""
    kind = field.annotation
    if kind is bool:
        return st.booleans()
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if kind is str:
        return plane_names
    if get_origin(kind) is tuple:
        return st.lists(plane_names, max_size=40).map(tuple)
    if get_origin(kind) is dict:
        return st.dictionaries(plane_names, st.floats(allow_nan=False), max_size=20)
    if kind is float:
        low = bound(field, "ge", "gt", default=0)
        high = bound(field, "le", default=None)
        numbers = st.floats(
            low, high, exclude_min=bound(field, "gt", default=None) is not None,
            allow_nan=False, allow_infinity=name == "variance_scale_limit" or None,
        )  # fmt: skip
        return numbers if name == "variance_scale_limit" else numbers.filter(math.isfinite)
    low = bound(field, "ge", default=0)
    whole = st.integers(
        low, bound(field, "le", default=999_999 if name == "max_epochs" else 2**31 - 1)
    )
    return whole if kind is int else st.none() | whole


configs = st.fixed_dictionaries(
    {}, optional={n: values_of(n, f) for n, f in CompareWarpConfig.model_fields.items()}
).map(lambda values: CompareWarpConfig(**values))


def strict_json(text):
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@settings(max_examples=60)
@given(configs)
def test_a_coadd_s_header_holds_it(tmp_path_factory, config):
    path = tmp_path_factory.mktemp("header") / "coadd.fits"
    header = provenance_header(config, n_epochs=3, n_used=3, n_decided=0)
    fits.PrimaryHDU(header=header).writeto(path)
    assert read_config(path) == config


def test_thousands_of_settings_cards_are_read_in_their_order(tmp_path):
    config = CompareWarpConfig(bad_planes=tuple(f"PLANE_{number}" for number in range(5000)))
    header = provenance_header(config, n_epochs=3, n_used=3, n_decided=0)
    fits.PrimaryHDU(header=header).writeto(tmp_path / "coadd.fits")
    assert len(header["CWCONF*"]) > 1000
    assert read_config(tmp_path / "coadd.fits") == config


@given(configs)
def test_json_holds_it(config):
    text = json.dumps(config.model_dump(mode="json"), allow_nan=False)
    assert CompareWarpConfig(**strict_json(text)) == config


@settings(max_examples=40)
@given(configs)
def test_a_file_of_settings_holds_it(tmp_path_factory, config):
    folder = tmp_path_factory.mktemp("files")
    (folder / "config.json").write_text(json.dumps(config.model_dump(mode="json"), indent=2))
    assert read_config_file(folder / "config.json") == config
    (folder / "config.py").write_text(config.to_lsst())
    assert read_config_file(folder / "config.py") == config
    assert CompareWarpConfig.from_lsst(config.to_lsst()) == config


@given(configs)
def test_the_words_that_are_printed_set_it(config):
    words = tuple(f"{name}={format_value(value)}" for name, value in config)
    assert choose_config(None, None, words) == config


@settings(max_examples=15)
@given(configs)
def test_the_table_of_footprints_holds_it(tmp_path_factory, config):
    path = tmp_path_factory.mktemp("table") / "footprints.ecsv"
    table = Table({"id": [1]})
    table.meta["config"] = config.model_dump(mode="json")
    table.write(path, format="ascii.ecsv")
    assert CompareWarpConfig(**Table.read(path).meta["config"]) == config


@given(st.text(max_size=80))
def test_a_name_of_a_plane_is_one_that_a_keyword_can_hold_or_is_refused(name):
    try:
        assert check_plane_name(name) == name
    except ConfigError as error:
        assert str(error).isprintable() and len(str(error)) < 250
        return
    key = f"MP_{name}"
    header = fits.Header()
    header[key if len(key) <= 8 else f"HIERARCH {key}"] = 30
    read = fits.Header.fromstring(header.tostring())
    assert read[key] == 30 and [card.keyword for card in read.cards] == [key]


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"sigma_clip": math.inf}, "sigma_clip = inf: input should be a finite number"),
        ({"chi_threshold": math.nan}, "chi_threshold = nan"),
        ({"mask_propagation": {"SAT": math.nan}}, "mask_propagation.SAT = nan"),
        ({"min_pixels": 2**31}, "min_pixels = 2147483648: input should be at most 2147483647"),
        ({"max_epochs": 10**6}, "max_epochs = 1000000: input should be at most 999999"),
        ({"bad_planes": "BAD, sat"}, "bad_planes.1: 'sat' is no name of a mask plane"),
        ({"mask_propagation": {"a\nb": 0.1}}, "is no name of a mask plane"),
        ({"bad_planes": ["3"]}, "'3' is no name of a mask plane"),
        ({"bright_object_plane": ""}, "'' is no name of a mask plane"),
        ({"bright_object_plane": "A" * (MOST_LETTERS + 1)}, "at most 60"),
        ({"x\ny" * 40: 1}, "no knob 'x"),
    ],
)
def test_what_could_not_be_written_is_refused_when_it_is_set(knobs, message):
    with pytest.raises(ConfigError, match=message) as raised:
        CompareWarpConfig(**knobs)
    assert str(raised.value).isprintable() and len(str(raised.value)) < 400
