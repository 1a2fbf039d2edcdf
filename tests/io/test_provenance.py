"""What a file says of its making."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.warps import InputFile
from napari_comparewarp.errors import ConfigError
from napari_comparewarp.io.provenance import ascii_text, read_config, timestamp
from napari_comparewarp.result.provenance import inputs_table

FILES = (
    InputFile("/data/josé/direct_7.fits", "direct", 7, "ab" * 32),
    InputFile("/data/josé/matched_7.fits", "matched", 7, "cd" * 32),
    InputFile("/data/direct_8.fits", "direct", 8, "ef" * 32),
)


@pytest.fixture(scope="module")
def result():
    image, variance, mask = planes(5)
    image[4] = np.nan
    stack = cw.WarpStack.from_arrays(
        image, variance, mask, image[[0, 2, 3, 4]], variance[[0, 2, 3, 4]], mask[[0, 2, 3, 4]],
        psf_sigma=[2.0, 2.5, 3.0, 3.5], epochs=(7, 8, 9, 10, 11), matched_epochs=(7, 9, 10, 11),
        inputs=FILES,
    )  # fmt: skip
    return cw.run(stack, cw.CompareWarpConfig(chi_threshold=6.0, max_epochs=None))


@pytest.fixture(scope="module")
def coadd_path(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("coadd") / "coadd.fits"
    result.write(path)
    return path


def test_the_settings_read_back(result, coadd_path):
    assert read_config(coadd_path) == result.config


knob_changes = st.fixed_dictionaries(
    {},
    optional={
        "chi_threshold": st.floats(1e-9, 1000, allow_nan=False),
        "max_epochs": st.none() | st.integers(0, 100),
        "bad_planes": st.lists(st.text("AZ_ é'|&", min_size=1, max_size=30), max_size=12),
        "mask_propagation": st.dictionaries(st.text(min_size=1, max_size=20), st.floats(0, 1)),
        "bright_object_plane": st.text("AB '|&é", max_size=90),
        "polarity": st.sampled_from(["both", "positive", "negative"]),
    },
)


@given(knob_changes)
def test_any_settings_that_are_accepted_read_back_to_the_bit(tmp_path_factory, result, changes):
    try:
        changed = cw.CompareWarpConfig(**changes)
    except ConfigError as error:
        assert len(str(error).splitlines()) == 1
        return
    path = tmp_path_factory.mktemp("any") / "coadd.fits"
    cw.CompareWarpResult(replace(result.job, config=changed), result.products).write(path)
    assert read_config(path) == changed


def test_single_settings_stand_in_cards_for_people(coadd_path):
    header = fits.getheader(coadd_path)
    assert header["CW chi_threshold"] == 6.0
    assert header["CW polarity"] == "both"
    assert header["CREATOR"] == f"napari-comparewarp {cw.__version__}"


def test_the_history_tells_what_was_skipped(result, coadd_path):
    history = " ".join(fits.getheader(coadd_path)["HISTORY"])
    assert "epoch 11: the direct warp is skipped" in history
    assert "epoch 8: no usable PSF-matched warp" in history
    assert len(result.messages) >= 3


def test_the_inputs_stand_in_a_table_with_their_checksums(result, coadd_path):
    with fits.open(coadd_path) as file:
        table = file["INPUTS"].data
        assert list(table["epoch"]) == [7, 8, 9, 10, 11]
        np.testing.assert_array_equal(table["weight"], result.weights)
        assert list(table["weight"] > 0) == [True, True, True, True, False]
        assert table["matched_weight"][1] == 0
        np.testing.assert_array_equal(table["psf_sigma"], [2.0, np.nan, 2.5, 3.0, 3.5])
        np.testing.assert_array_equal(table["clipped_fraction"], result.clipped_fraction)
        assert list(table["direct_sha256"]) == ["ab" * 32, "ef" * 32, "", "", ""]
        assert list(table["matched_path"]) == [r"/data/jos\xe9/matched_7.fits", "", "", "", ""]


def test_ids_that_are_text_stay_text(result):
    stack = replace(result.stack, epochs=("7", "a", "é", "z", 1), inputs=())
    table = inputs_table(replace(result.job, stack=stack), result.products)
    assert list(table["epoch"]) == ["7", "a", r"\xe9", "z", "1"]


def test_an_odd_letter_in_an_id_does_not_keep_a_coadd_from_being_written(tmp_path):
    image, variance, mask = planes(3)
    image[2] = np.nan
    stack = cw.WarpStack.from_arrays(
        image, variance, mask, psf_sigma=PSF_SIGMA, epochs=("é 1", "ß", "ö")
    )
    cw.run(stack).write(tmp_path / "coadd.fits")
    assert r"epoch \xf6: the direct warp" in " ".join(
        fits.getheader(tmp_path / "coadd.fits")["HISTORY"]
    )


def test_text_for_fits_is_one_line_of_ascii():
    assert ascii_text("a\nσ b") == r"a \u03c3 b"


def test_a_file_without_settings_is_refused_in_one_line(tmp_path):
    fits.PrimaryHDU().writeto(tmp_path / "other.fits")
    (tmp_path / "text.fits").write_text("no FITS")
    broken = fits.PrimaryHDU()
    broken.header["CWCONF00"] = '|{"chi_thres|'
    broken.writeto(tmp_path / "broken.fits")
    for name, reason in (
        ("other.fits", "no settings in its header"),
        ("text.fits", "not a readable FITS file"),
        ("missing.fits", "not a readable FITS file"),
        ("broken.fits", "the settings in its header"),
    ):
        with pytest.raises(ConfigError, match=rf"{name}: {reason}") as raised:
            read_config(tmp_path / name)
        assert "\n" not in str(raised.value)


def test_the_time_is_that_of_a_reproducible_build(result, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    result.write(tmp_path / "coadd.fits")
    assert fits.getheader(tmp_path / "coadd.fits")["DATE"] == "1970-01-02T00:00:00"


@pytest.mark.parametrize("value", ["soon", "1e9", "9" * 5000, "-" + "9" * 20, ""])
def test_a_time_of_a_reproducible_build_that_is_none_is_refused(monkeypatch, value):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with pytest.raises(ConfigError, match=r"SOURCE_DATE_EPOCH = .*seconds since 1970") as error:
        timestamp()
    assert len(str(error.value)) < 200
