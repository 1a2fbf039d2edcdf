"""Manifests in TOML: written by `comparewarp init`, edited, and read."""

import shutil

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner
from fits_files import PLANES, make_planes, write_lsst, write_stack
from look_alikes import make

import napari_comparewarp as cw
from napari_comparewarp.cli import main
from napari_comparewarp.errors import CompareWarpWarning, OutputError, StackError
from napari_comparewarp.io.sources import find_sources
from napari_comparewarp.io.write_manifest import write_manifest


def init(folder, *words):
    return CliRunner().invoke(main, ["init", str(folder), *words])


def test_what_is_written_reads_as_the_folder_does(tmp_path):
    write_stack(tmp_path / "night")
    done = init(tmp_path / "night")
    assert done.exit_code == 0, done.output
    path = tmp_path / "night" / "comparewarp.toml"
    assert done.output == f"wrote {path}\n"
    stack, right = cw.read_stack(path), cw.read_stack(tmp_path / "night")
    assert (stack.epochs, stack.matched_epochs) == (right.epochs, right.matched_epochs)
    np.testing.assert_array_equal(stack.direct.image[1], right.direct.image[1])
    assert init(tmp_path / "night").exit_code == 2
    assert init(tmp_path / "night", "--overwrite").exit_code == 0


def test_what_was_assumed_stands_in_it(tmp_path):
    text = write_manifest(make("hst_drz", tmp_path / "drz"), tmp_path / "m.toml").read_text()
    assert "# assumed: HDU WHT does not say what it weighs" in text
    assert 'assume = { dialect = "hst" }' in text
    assert "# relative weight: visit_0.fits, HDU 2 (WHT)" in text
    assert text.count("[[exposure]]") == 5


def test_what_cannot_be_right_is_named_and_can_be_mended_in_it(tmp_path):
    folder = make("mask_good_is_one", tmp_path / "m")
    path = write_manifest(folder, tmp_path / "m.toml")
    text = path.read_text()
    assert "# refused as it is: " in text
    with pytest.raises(StackError, match="mask=good"):
        cw.read_stack(path)
    path.write_text(text.replace("[assume]", '[assume]\nmask = "good"'))
    with pytest.warns(CompareWarpWarning, match="0 counts as BAD"):
        assert cw.read_stack(path).n_epochs == 5


def test_detectors_have_an_entry_each(tmp_path):
    text = write_manifest(make("two_sci", tmp_path / "two"), tmp_path / "m.toml").read_text()
    assert text.count("[[exposure]]") == 10
    assert 'detector = "2"' in text


def write(folder, text):
    path = folder / "m.toml"
    path.write_text(text)
    return path


def test_planes_may_lie_anywhere(tmp_path):
    image, mask, variance = make_planes()
    for name, plane in (("img", image), ("bad", mask), ("sig", np.sqrt(variance))):
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(plane, name="X")]).writeto(
            tmp_path / f"{name}.fits"
        )
    path = write(
        tmp_path,
        '[[exposure]]\npath = "img.fits"\nvisit = "first light"\npsf_sigma = 2.0\n'
        'planes = { image = ["img.fits", 1], error = ["sig.fits", "X"], mask = ["bad.fits", 1] }\n',
    )
    with pytest.warns(CompareWarpWarning, match="no names"):
        stack = cw.read_stack(path)
    assert stack.epochs == ("first light",)
    np.testing.assert_allclose(stack.direct.variance[0], variance, rtol=1e-5)
    assert (stack.direct.mask[0, 5, 5] & 1) == 1
    cw.Inspection(stack).save(tmp_path / "i.json")
    with pytest.warns(CompareWarpWarning, match="no names"):
        again = cw.Inspection.load(tmp_path / "i.json")
    np.testing.assert_array_equal(again.stack.direct.variance[0], stack.direct.variance[0])


def test_exposures_may_be_left_out_scaled_and_read_in_their_own_way(tmp_path):
    for visit in (1, 2, 3):
        write_lsst(
            tmp_path / f"v{visit}.fits", make_planes(visit), visit=visit, unit="adu",
            mask_planes=PLANES,
        )  # fmt: skip
    text = "".join(
        f'[[exposure]]\npath = "v{visit}.fits"\n{more}\n'
        for visit, more in (
            (1, "zero_point = 25.0"), (2, "zero_point = 27.5"), (3, 'exclude = "clouds"'),
        )
    )  # fmt: skip
    with pytest.warns(CompareWarpWarning, match=r"zero points \(the manifest\) differ"):
        stack = cw.read_stack(write(tmp_path, text))
    assert stack.epochs == (1, 2)
    np.testing.assert_allclose(
        stack.direct.image[1], make_planes(2)[0] / 10, rtol=1e-5, equal_nan=True
    )
    text = text.replace('exclude = "clouds"', 'assume = { zero_point = "ignore" }')
    text = '[assume]\nzero_point = "ignore"\n' + text
    assert cw.read_stack(write(tmp_path, text)).n_epochs == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[exposure]", "not readable as TOML"),
        ("", "exposure: .*required"),
        ("[[exposure]]\nvisit = 1\n", "exposure 1 path: .*required"),
        ('[[exposure]]\npath = "a"\nkind = "both"\n', "exposure 1 kind"),
        ('[[exposure]]\npath = "a"\npsf = 1\n', "exposure 1 psf: .*not permitted"),
        ('[[exposure]]\npath = "a"\nexclude = "x"\n', "all exposures are excluded"),
        ('[[exposure]]\npath = "a"\nassume = { sky = "up" }\n', "exposure 1: assume sky"),
        ('[[exposure]]\npath = "a"\nplanes = { image = ["a"] }\n', "exposure 1 planes"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_place(tmp_path, text, message):
    with pytest.raises(StackError, match=message) as error:
        find_sources(write(tmp_path, text))
    assert "\n" not in str(error.value)


def test_an_hdu_that_is_not_there_is_named(tmp_path):
    write_lsst(tmp_path / "a.fits")
    text = '[[exposure]]\npath = "a.fits"\nplanes = { image = ["a.fits", "SCI"] }\n'
    with pytest.raises(StackError, match=r"a\.fits: no HDU 'SCI', as the manifest says"):
        cw.read_stack(write(tmp_path, text))


def test_a_manifest_has_to_be_called_one(tmp_path):
    write_stack(tmp_path / "night")
    with pytest.raises(OutputError, match="a manifest is written as"):
        write_manifest(tmp_path / "night", tmp_path / "m.json")
    assert init(tmp_path / "none").exit_code == 2


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("psf_sigma = -1", "exposure 1 psf_sigma = -1; a width in pixels, above 0"),
        ("psf_sigma = inf", "exposure 1 psf_sigma = inf; a width in pixels, above 0"),
        ("psf_sigma = true", "exposure 1 psf_sigma = True; a width in pixels, above 0"),
        ('psf_sigma = "2"', "exposure 1 psf_sigma = '2'; a width in pixels, above 0"),
        ("visit = true", "exposure 1 visit = True; an id is a whole number"),
        ("visit = 1.5", "exposure 1 visit = 1.5; an id is a whole number"),
        ("visit = 2024-01-01", "exposure 1 visit = .*; an id is a whole number"),
        ('visit = " "', "exposure 1 visit = ' '; an id is a whole number"),
        ("visit = 99999999999999999999", "64 bits"),
        ("zero_point = nan", "exposure 1 zero_point = nan; a magnitude from -100 to 100"),
        ("zero_point = 1e300", r"exposure 1 zero_point = 1e\+300; a magnitude"),
        ('planes = { image = ["a", -1] }', "exposure 1 planes image 2 = -1; file and HDU"),
        ('planes = { image = ["a", 1.0] }', "exposure 1 planes image 2 = 1.0; file and HDU"),
        ('planes = { image = ["", 1] }', "exposure 1 planes image 1 = ''; file and HDU"),
        ('planes = { zoo = ["a", 1] }', "exposure 1 planes zoo.*; file and HDU .*weight"),
        ("assume = { gain = true }", "exposure 1: assume gain = True"),
        ("assume = { gain = inf }", "exposure 1: assume gain = inf"),
        ("assume = [1]", "exposure 1 assume = "),
        ("visit = 1\nvisit = 2", "not readable as TOML: .*overwrite"),
        (f"visit = {'9' * 5000}", "not readable as TOML: .*1000 letters"),
        (f"visit = {'[' * 100_000}", "not readable as TOML: .*deeper than 64"),
        (f"visit{'.a' * 100_000} = 1", "not readable as TOML: .*deeper than 64"),
        ('kind = "a\\u0000"', "a text cannot hold a character 0"),
    ],
)
def test_each_field_has_a_type_and_a_range(tmp_path, entry, message):
    path = write(tmp_path, f'[[exposure]]\npath = "a.fits"\n{entry}\n')
    with pytest.raises(StackError, match=message) as error:
        find_sources(path)
    assert str(error.value).startswith(str(path))
    assert len(str(error.value)) < len(str(path)) + 300
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["", "x" * 300, "y/" * 3000])
def test_a_path_is_one_that_a_file_can_have(tmp_path, name):
    with pytest.raises(StackError, match="exposure 1 path = "):
        find_sources(write(tmp_path, f'[[exposure]]\npath = "{name}"\n'))


def test_any_name_of_a_file_stands_in_a_manifest_and_ends_no_comment(tmp_path):
    names = ["a\nb.fits", 'c"]]\x7f.fits', "d\u2028\x1b[31m.fits"]
    for visit, name in enumerate(names):
        write_lsst(tmp_path / name, make_planes(visit), visit=visit)
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / "x\n[[exposure]]\npath = 1 #.fits")
    path = write_manifest(tmp_path)
    text = path.read_text("utf-8")
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert [source.path.name for source in find_sources(path)] == names
    assert cw.read_stack(path).epochs == (0, 1, 2)


def test_planes_of_an_inspection_lie_beside_it_wherever_it_is_loaded(tmp_path, monkeypatch):
    image, mask, variance = make_planes()
    (tmp_path / "night").mkdir()
    for name, plane in (("img", image), ("bad", mask), ("var", variance)):
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(plane, name="X")]).writeto(
            tmp_path / "night" / f"{name}.fits"
        )
    planes = 'image = ["img.fits", 1], variance = ["var.fits", "X"], mask = ["bad.fits", 1]'
    write(
        tmp_path / "night",
        f'[assume]\nmask = "bad"\n[[exposure]]\npath = "img.fits"\npsf_sigma = 2.0\n'
        f"planes = {{ {planes} }}\n",
    )
    monkeypatch.chdir(tmp_path)
    with pytest.warns(CompareWarpWarning):
        stack = cw.read_stack("night/m.toml")
        cw.Inspection(stack).save("night/i.json")
    shutil.move("night", "moved")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.warns(CompareWarpWarning):
        again = cw.Inspection.load("../moved/i.json").stack
    np.testing.assert_array_equal(again.direct.variance[0], stack.direct.variance[0])
