"""Dialects that are tables: marks, planes, files, flags and zero points."""

import numpy as np
import pytest
from astropy.io import fits
from look_alikes import make

import napari_comparewarp as cw
from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io.assumptions import Assumptions
from napari_comparewarp.io.dialects.registry import DIALECTS, NAMED, dialect_named
from napari_comparewarp.io.dialects.table import card_matches, load_table
from napari_comparewarp.io.dialects.table_dialect import TableDialect
from napari_comparewarp.io.scan import scan_exposure

SHAPE = (40, 50)
NOISE = np.random.default_rng(0).normal(0, 3, SHAPE).astype(np.float32)

OWN = """
name = "mine"
title = "our camera"
planes = { image = ["IMG"], mask = ["FLAGS"], error = ["SIG"] }
zero_points = ["MAGZPT"]
visits = ["SHOT"]

[[flags]]
when = { FIRMWARE = ">=2.0" }
kind = "codes"
[flags.planes]
1 = "CR"

[[flags]]
[flags.planes]
1 = "BAD"
8 = "HALO SUSPECT"
"""


def write(path, planes, **cards):
    hdus = [fits.PrimaryHDU(), *(fits.ImageHDU(data, name=name) for name, data in planes.items())]
    hdus[0].header.update({"PSFSIGMA": 2.0} | cards)
    fits.HDUList(hdus).writeto(path)
    return path


def own(tmp_path, text=OWN):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


def planes(flags=9):
    return {
        "IMG": NOISE, "FLAGS": np.full(SHAPE, flags, np.uint8),
        "SIG": np.full(SHAPE, 3, np.float32),
    }  # fmt: skip


def test_a_table_of_ones_own_reads_files(tmp_path):
    path = write(tmp_path / "a.fits", planes(), MAGZPT=27.5, SHOT=12)
    with pytest.raises(StackError, match="no image that is known"):
        scan_exposure(path)
    dialect = own(tmp_path)
    exposure = scan_exposure(path, Assumptions(dialect=dialect))
    assert (exposure.visit, exposure.dialect.name) == (12, "mine")
    assert exposure.zero_point == ("MAGZPT", pytest.approx(10**-11.0))
    stack = cw.read_stack([path], assume={"dialect": dialect})
    assert (stack.direct.variance[0] == 9).all()
    for name in ("BAD", "HALO", "SUSPECT"):
        assert (stack.direct.mask[0] >> stack.mask_planes[name] & 1).all()


def test_a_table_that_is_edited_is_read_again(tmp_path):
    path = write(tmp_path / "a.fits", planes())
    dialect = own(tmp_path)
    assert scan_exposure(path, Assumptions(dialect=dialect)).dialect.name == "mine"
    own(tmp_path, OWN.replace('"mine"', '"renamed"'))
    assert scan_exposure(path, Assumptions(dialect=dialect)).dialect.name == "renamed"


def test_a_table_beside_the_files_is_used_for_them(tmp_path):
    path = write(tmp_path / "a.fits", planes())
    (tmp_path / "dialect.toml").write_text(OWN)
    assert scan_exposure(path).dialect.name == "mine"
    other = write(tmp_path / "b.fits", {"SCI": NOISE, "ERR": planes()["SIG"]})
    assert scan_exposure(other).dialect.name == "named"


def test_the_first_table_of_flags_that_fits_a_file_is_used(tmp_path):
    dialect = own(tmp_path)
    for version, flag in (("v2.0.1", "CR"), ("V1.9", "BAD"), ("10.0", "CR"), ("none", "BAD")):
        path = write(tmp_path / f"{version}.fits", planes(1), FIRMWARE=version)
        stack = cw.read_stack([path], assume={"dialect": dialect})
        assert (stack.direct.mask[0] == 1 << stack.mask_planes[flag]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not readable as TOML"),
        ('name = "x"', "title: .*required"),
        (OWN.replace("visits", "visit"), "visit: .*not permitted"),
        (
            OWN.replace("FLAGS", "FLAGS").replace("codes", "numbers"),
            "kind = 'numbers'; .*'bits' or 'codes'",
        ),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_its_key(tmp_path, text, message):
    with pytest.raises(StackError, match=rf"mine\.toml: .*{message}"):
        dialect_named(own(tmp_path, text))


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ("DECam", "decam", True), ("Mosaic3", "mosaic.*|90prime.*", True), ("x", "*", True),
        ("", "decam", False), ("V3.4.9", ">=3.5.0", False), ("V3.5.0", ">=3.5.0", True),
        ("V10.1", ">=3.5.0", True), ("V3.1", "<3.5", True), (4.0, ">=3.5", True),
    ],
)  # fmt: skip
def test_cards_match_by_pattern_or_by_version(value, pattern, expected):
    assert card_matches([fits.Header({"A": value})], "A", pattern) == expected
    assert not card_matches([fits.Header()], "A", pattern)


def test_every_table_of_the_program_names_its_source_and_its_planes():
    for dialect in (*DIALECTS, NAMED):
        assert isinstance(dialect, TableDialect)
        assert dialect.table.source and dialect.table.title
        for table in dialect.table.flags:
            numbers = [n for n in table.planes if table.kind == "bits"]
            assert all(number & (number - 1) == 0 for number in numbers)


@pytest.mark.parametrize(
    ("cards", "flux"),
    [
        ({"MAGZERO": 25.0}, 1e-10), ({"FLXSCALE": 0.7}, 0.7), ({"FLXSCALE": 0.0}, None),
        ({"MAGZPT": "25"}, None), ({}, None),
    ],
)  # fmt: skip
def test_zero_points_are_fluxes_of_one_unit(tmp_path, cards, flux):
    path = write(tmp_path / "a.fits", {"SCI": NOISE, "ERR": planes()["SIG"]}, **cards)
    told = scan_exposure(path).zero_point
    assert (told and told[1]) == (flux and pytest.approx(flux))


def test_old_lsst_counts_have_the_flux_of_their_zero_point(tmp_path):
    path = write(tmp_path / "a.fits", {"IMAGE": NOISE, "VARIANCE": 0 * NOISE + 9}, FLUXMAG0=1e10)
    with fits.open(path, mode="update") as hdus:
        hdus["IMAGE"].header["EXTTYPE"] = "IMAGE"
        hdus["VARIANCE"].header["EXTTYPE"] = "VARIANCE"
    assert scan_exposure(path).zero_point == ("FLUXMAG0", pytest.approx(1e-10))


# --- files that belong together -------------------------------------------------------------------


def test_the_files_of_an_exposure_may_be_compressed_each_in_its_way(tmp_path):
    folder = make("decam_cp", tmp_path / "cp")
    for path in sorted(folder.glob("*_ood_*")):
        with fits.open(path) as hdus:
            packed = fits.CompImageHDU(hdus[1].data, hdus[1].header, name=hdus[1].name)
            fits.HDUList([hdus[0], packed]).writeto(folder / f"{path.name}.fz")
        path.unlink()
    with pytest.warns(CompareWarpWarning, match="zero points"):
        stack = cw.read_stack(folder)
    assert (stack.direct.mask[2] >> stack.mask_planes["CR"] & 1).any()


def test_a_mask_or_weight_that_is_not_there_is_said_with_what_follows(tmp_path):
    folder = make("decam_cp_bits", tmp_path / "cp")
    for path in folder.glob("*_ood_*"):
        path.unlink()
    with pytest.warns(CompareWarpWarning, match="no file ood beside it: no pixel is flagged"):
        assert not cw.read_stack(folder).direct.mask.any()
    for path in folder.glob("*_oow_*"):
        path.unlink()
    with pytest.raises(StackError, match="an image without its variance"):
        cw.read_stack(folder)


def test_a_card_that_says_mask_rules_over_the_name_of_the_file(tmp_path):
    folder = make("decam_cp", tmp_path / "cp")
    mask = next(folder.glob("*_ood_*"))
    renamed = mask.rename(folder / "c4d_999999_061820_ooi_z_v1.fits")
    with pytest.raises(StackError, match="no image that is known"):
        scan_exposure(renamed)


@pytest.mark.parametrize(
    ("ending", "plane", "variance"),
    [
        (".weight", 1 / 9, 9), ("_wht", 40.0, 9), (".rms", 3.0, 9), ("-sigma", 3.0, 9),
        ("_var", 9.0, 9), (".ivar", 1 / 9, 9),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*HDU:napari_comparewarp.errors.CompareWarpWarning")
def test_a_file_beside_an_image_is_known_by_its_ending(tmp_path, ending, plane, variance):
    image = fits.PrimaryHDU(NOISE)
    image.header["PSFSIGMA"], image.header["VISIT"] = 2.0, 1
    image.writeto(tmp_path / "field.fits")
    fits.PrimaryHDU(np.full(SHAPE, plane, np.float32)).writeto(tmp_path / f"field{ending}.fits")
    flags = np.zeros(SHAPE, np.int16)
    flags[3, 4] = 2
    fits.PrimaryHDU(flags).writeto(tmp_path / "field.flag.fits")
    with pytest.warns(CompareWarpWarning, match="by its name"):
        stack = cw.read_stack(tmp_path)
    assert stack.n_epochs == 1
    np.testing.assert_allclose(stack.direct.variance[0], variance, rtol=0.25)
    assert np.argwhere(stack.direct.mask[0]).tolist() == [[3, 4]]


@pytest.mark.parametrize("name", ["", "N6", "CCD1"])
def test_the_one_image_of_a_file_may_have_any_name(tmp_path, name):
    image = fits.ImageHDU(NOISE + 500, name=name)
    primary = fits.PrimaryHDU()
    primary.header.update({"PSFSIGMA": 2.0, "GAIN": 4.0, "RDNOISE": 5.0, "SATURATE": 505.0})
    fits.HDUList([primary, image]).writeto(tmp_path / "a.fits")
    with pytest.warns(CompareWarpWarning, match="no variance: made from gain 4 and read noise 5"):
        stack = cw.read_stack([tmp_path / "a.fits"], assume={"noise": "ignore", "sky": "keep"})
    np.testing.assert_allclose(stack.direct.variance[0], (NOISE + 500) / 4 + 25 / 16, rtol=1e-5)
    saturated = stack.direct.mask[0] >> stack.mask_planes["SAT"] & 1
    np.testing.assert_array_equal(saturated, NOISE + 500 >= 505)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            'recognise = [{ cards = { A = "(a" } }]',
            r"recognise\[0\].cards.A = .*no regular expression",
        ),
        ('recognise = [{ cards = { A = "(a+)+" } }]', "at most 4 groups .* none of a group"),
        ('recognise = [{ name = "' + "a?" * 30 + '" }]', "at most 4 groups and 4 repetitions"),
        ('recognise = [{ name = "' + "(a|a)" * 30 + '" }]', "at most 4 groups and 4 repetitions"),
        ('recognise = [{ name = "a{99999999999999999999}" }]', "no regular expression"),
        ('recognise = [{ name = "' + "a" * 300 + '" }]', "at most 200 characters"),
        ("[[flags]]\n[flags.planes]\n3 = 'A'", "planes.3 is no single bit"),
        ("[[flags]]\n[flags.planes]\n0 = 'A'", "planes.0 is no single bit"),
        ("[[flags]]\n[flags.planes]\n-1 = 'A'", "numbers of flags are written with digits alone"),
        ("[[flags]]\n[flags.planes]\n1 = 'A'\n01 = 'B'", "written with digits alone"),
        ("[[flags]]\n[flags.planes]\n1 = ''", r"flags\[0\].planes.1 = ''"),
        ("[files]\nimage = []", "files.image = "),
        ("[files]\nimage = ['']", r"files.image\[0\] = ''"),
        ("[files]\nimage = ['a']\nmask = '../b'", "files.mask = '../b'"),
        ("visits = ['a\u00e9']", r"visits\[0\] = 'aé'"),
        ("sky = true", "sky = True; .*'subtracted', 'left in'"),
        ("flags_in_comments = 1", "flags_in_comments = 1; .*boolean"),
        ("source = " + "[" * 100_000, "not readable as TOML: .*deeper than 64"),
        ("source" + ".a" * 100_000 + " = 1", "not readable as TOML: .*deeper than 64"),
    ],
)
def test_each_entry_of_a_table_has_a_type_and_a_range(tmp_path, more, message):
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "mine"\ntitle = "mine"\n{more}\n', "utf-8")
    with pytest.raises(StackError, match=rf"mine\.toml: .*{message}") as error:
        load_table(path)
    assert str(error.value).isprintable()


def test_a_value_that_is_too_long_for_an_expression_does_not_match():
    header = fits.Header()
    header["A"] = "a" * 5000
    assert not card_matches([header], "A", "a*a*a*a*b")
    assert card_matches([header], "A", "*")
