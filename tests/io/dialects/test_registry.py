"""The list of dialects: what it recognises, what it refuses, and that a new one is one entry."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner
from survey import make_survey_planes, register, write_survey

import napari_comparewarp as cw
from napari_comparewarp.cli import main
from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io.assumptions import Assumptions
from napari_comparewarp.io.describe import describe
from napari_comparewarp.io.dialects.registry import NotAnExposure
from napari_comparewarp.io.scan import scan_exposure

WHOLE_OR_SPLIT = pytest.mark.parametrize("split", [False, True], ids=["one file", "three files"])


@pytest.fixture
def survey(tmp_path, monkeypatch):
    """Add the made-up survey to the registry."""
    register(tmp_path, monkeypatch)


def expected(visit):
    """Return image, variance and where there is no data."""
    flux, ivar, _ = make_survey_planes(visit)
    with np.errstate(divide="ignore"):
        return 2 * flux, 4 / ivar, ivar == 0


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("names", [["FLAT"], ["FLAT", "DARK"], ["ERR"], ["MASK", "DQ"]])
def test_a_file_without_an_image_of_the_sky_is_no_exposure(tmp_path, names):
    path = tmp_path / "a.fits"
    hdus = [fits.ImageHDU(np.ones((3, 3), np.int16), name=name) for name in names]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    with pytest.raises(NotAnExposure, match=r"no image that is known|without its variance"):
        scan_exposure(path)


@pytest.mark.parametrize("names", [["IMAGE"], ["SCI", "DQ"], ["SCI", "FLAT"]])
def test_an_image_without_its_variance_is_no_other_kind_of_file(tmp_path, names):
    path = tmp_path / "a.fits"
    hdus = [fits.ImageHDU(np.ones((3, 3), np.int16), name=name) for name in names]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    with pytest.raises(StackError) as error:
        scan_exposure(path)
    assert not isinstance(error.value, NotAnExposure)
    assert str(error.value) == (
        f"{path}: an image without its variance; an HDU named VARIANCE, ERR or WHT is needed, or "
        "--assume gain=… and read_noise=…, or variance=sky"
    )


def test_what_a_new_dialect_lacks_is_refused_with_what_was_seen(tmp_path, survey):
    path = write_survey(tmp_path, 1, split=True)
    (tmp_path / "v1_ivar.fits").unlink()
    with pytest.raises(StackError, match="an image without its variance"):
        scan_exposure(path)
    with pytest.raises(NotAnExposure, match="without its variance"):
        scan_exposure(tmp_path / "v1_flags.fits")


# --- a new dialect is one file and one entry ---------------------------------------------------


def test_a_survey_is_not_known_before_it_is_in_the_list(tmp_path):
    with pytest.raises(NotAnExposure):
        cw.read_stack([write_survey(tmp_path, 1)])


@WHOLE_OR_SPLIT
def test_a_dialect_that_is_added_is_read(tmp_path, survey, split):
    for visit in (1, 2, 3):
        write_survey(tmp_path / "night", visit, split=split)
    stack = cw.read_stack(tmp_path / "night")
    assert (stack.epochs, stack.unit) == ((1, 2, 3), "nJy")
    planes = stack.mask_planes
    for row, visit in enumerate(stack.epochs):
        image, variance, no_data = expected(visit)
        np.testing.assert_array_equal(stack.direct.image[row], image)
        np.testing.assert_array_equal(stack.direct.variance[row], variance)
        np.testing.assert_array_equal(stack.direct.mask[row] >> planes["NO_DATA"] & 1, no_data)
        assert np.flatnonzero(stack.direct.mask[row] >> planes["HOT"] & 1).tolist() == [7 * 30 + 8]


@WHOLE_OR_SPLIT
def test_the_command_line_says_what_a_file_of_a_new_dialect_holds(tmp_path, survey, split):
    path = write_survey(tmp_path, 1, split=split)
    done = CliRunner().invoke(main, ["info", str(path)])
    assert done.exit_code == 0
    printed = dict(line.split("  ", 1) for line in done.output.splitlines())
    printed = {name.strip(): value.strip() for name, value in printed.items()}
    names = "FLUX, IVAR (v1_ivar.fits), FLAGS (v1_flags.fits)" if split else "FLUX, IVAR, FLAGS"
    assert (printed["planes"], printed["unit"]) == (names, "nJy")
    assert printed["plane HOT"] == "bit 3, 1 pixels"
    described = describe(path)
    described.pop("files")
    assert printed == {name: str(value) for name, value in described.items()}


def test_what_a_new_dialect_assumes_is_a_warning(tmp_path, survey):
    path = write_survey(tmp_path, 1, with_flags=False)
    with pytest.warns(CompareWarpWarning, match="no FLAGS: no pixel is bad"):
        cw.read_stack([path])


def test_a_file_that_fits_two_dialects_is_refused_until_one_is_named(tmp_path, survey):
    image = np.random.default_rng(0).normal(0, 1, (40, 50)).astype(np.float32)
    hdus = [fits.ImageHDU(image, name="FLUX"), fits.ImageHDU(0 * image + 1, name="IVAR")]
    hdus += [fits.ImageHDU(image, name="SCI"), fits.ImageHDU(0 * image + 1, name="ERR")]
    hdus[0].header["FLUXUNIT"] = 1.0
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"] = "HST"
    path = tmp_path / "a.fits"
    fits.HDUList([primary, *hdus]).writeto(path)
    with pytest.raises(StackError, match="it fits the dialects hst and survey; say which"):
        scan_exposure(path)
    layout = scan_exposure(path, Assumptions(dialect="survey")).layout
    assert [plane.name for plane in layout.planes] == ["FLUX", "IVAR"]
    layout = scan_exposure(path, Assumptions(dialect="hst")).layout
    assert [plane.name for plane in layout.planes] == ["SCI", "ERR"]
    with pytest.raises(StackError, match=r"dialect 'other': it is a TOML file, or one of lsst, "):
        scan_exposure(path, Assumptions(dialect="other"))


# --- an exposure in several files --------------------------------------------------------------


@pytest.mark.parametrize("named", [False, True], ids=["a folder", "a list"])
def test_files_of_other_planes_belong_to_their_exposure(tmp_path, survey, named):
    for visit in (1, 2):
        write_survey(tmp_path / "night", visit, split=True)
    files = sorted((tmp_path / "night").iterdir())
    stack = cw.read_stack(files if named else tmp_path / "night")
    assert stack.n_epochs == 2
    assert [(Path(item.path).name, item.role, item.epoch) for item in stack.inputs] == [
        ("v1_flux.fits", "direct", 1), ("v1_ivar.fits", "direct IVAR", 1),
        ("v1_flags.fits", "direct FLAGS", 1), ("v2_flux.fits", "direct", 2),
        ("v2_ivar.fits", "direct IVAR", 2), ("v2_flags.fits", "direct FLAGS", 2),
    ]  # fmt: skip
    for item in stack.inputs:
        assert item.sha256 == hashlib.sha256(Path(item.path).read_bytes()).hexdigest()


def test_a_file_that_belongs_to_no_exposure_is_left_out_or_refused(tmp_path, survey):
    path = write_survey(tmp_path / "night", 1, split=True)
    shutil.copy(tmp_path / "night" / "v1_ivar.fits", tmp_path / "night" / "alone_ivar.fits")
    with pytest.warns(CompareWarpWarning, match=r"alone_ivar\.fits: .*left out"):
        assert cw.read_stack(tmp_path / "night").n_epochs == 1
    with pytest.raises(NotAnExposure, match="alone_ivar"):
        cw.read_stack([tmp_path / "night" / "alone_ivar.fits", path])


def test_a_file_that_is_left_out_is_named_before_a_later_one_ends_the_reading(tmp_path):
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / "a.fits")
    (tmp_path / "b.fits").write_bytes(b"no FITS")
    with (
        pytest.warns(CompareWarpWarning, match=r"a\.fits: .*left out"),
        pytest.raises(StackError, match=r"b\.fits"),
    ):
        cw.read_stack(tmp_path)
    with pytest.raises(NotAnExposure, match=r"a\.fits"):
        cw.read_stack([tmp_path / "a.fits", tmp_path / "b.fits"])


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-3000])


def corrupt(path):
    """Change one byte of the data."""
    with fits.open(path) as hdus:
        place = hdus.fileinfo(1)["datLoc"] + 100
    content = bytearray(path.read_bytes())
    content[place] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["ivar", "flags"])
@pytest.mark.parametrize(
    ("damage", "message"), [(cut_short, "truncated"), (corrupt, "the data are corrupt")]
)
def test_damage_is_named_by_the_file_that_has_it(tmp_path, survey, name, damage, message):
    path = write_survey(tmp_path, 1, split=True, checksum=True)
    damage(tmp_path / f"v1_{name}.fits")
    with pytest.raises(StackError, match=message) as error:
        cw.read_stack([path])
    assert f"v1_{name}.fits" in str(error.value) and "\n" not in str(error.value)


def test_planes_that_differ_are_refused_with_both_files(tmp_path, survey):
    flux, ivar, flags = make_survey_planes()
    path = write_survey(tmp_path, 1, (flux, ivar[1:], flags), split=True)
    with pytest.raises(StackError) as error:
        scan_exposure(path)
    assert str(error.value) == (
        f"{tmp_path / 'v1_ivar.fits'}, HDU IVAR: shape (19, 30) where {path}, HDU FLUX, has "
        "(20, 30)"
    )


def test_an_inspection_of_split_files_knows_them_again_and_notices_a_change(tmp_path, survey):
    for visit in (1, 2):
        write_survey(tmp_path / "night", visit, split=True)
    inspection = cw.Inspection(cw.read_stack(tmp_path / "night"))
    inspection.save(tmp_path / "inspection.json")
    again = cw.Inspection.load(tmp_path / "inspection.json")
    np.testing.assert_array_equal(again.result.coadd.image, inspection.result.coadd.image)
    assert [item.sha256 for item in again.stack.inputs] == [
        item.sha256 for item in inspection.stack.inputs
    ]
    flux, ivar, flags = make_survey_planes(2)
    flags[3, 3] = 1 << 3
    write_survey(tmp_path / "new", 2, (flux, ivar, flags), split=True)
    shutil.copy(tmp_path / "new" / "v2_flags.fits", tmp_path / "night" / "v2_flags.fits")
    with pytest.warns(CompareWarpWarning, match=r"v2_flags\.fits: has changed") as caught:
        cw.Inspection.load(tmp_path / "inspection.json")
    assert len(caught) == 1


def test_the_coadd_of_split_files_names_those_with_the_images(tmp_path, survey):
    paths = [write_survey(tmp_path / "night", visit, split=True) for visit in (1, 2)]
    cw.run(cw.read_stack(tmp_path / "night")).write(tmp_path / "coadd.fits")
    with fits.open(tmp_path / "coadd.fits") as hdus:
        assert list(hdus["INPUTS"].data["direct_path"]) == [str(path) for path in paths]
