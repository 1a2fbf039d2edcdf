"""Every layout of files of `look_alikes` is read right, or refused in one line."""

import re
import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from click.testing import CliRunner
from look_alikes import CASES, CR, FLAGGED, NVISIT, SKY_SIGMA, make, scene, wcs_cards

import napari_comparewarp as cw
from napari_comparewarp.cli import main
from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io.assumptions import Assumptions
from napari_comparewarp.io.scan import scan_exposure
from napari_comparewarp.io.sky import sky_of

#: Those that are read without a word.
SILENT = (
    "hst_flt", "hst_constant", "banzai", "dragons", "ccddata", "ccddata_ivar", "decam_cp_bits",
    "des", "ps1_asinh", "plane_31", "ps1_mask", "lsst_images",
)  # fmt: skip

#: What is said of those that are read with an assumption.
SAID = {
    "jwst_cal": "not read: AREA, VAR_POISSON",
    "jwst_i2d": "not read: CON, VAR_RNOISE",
    "hst_drz": "HDU WHT does not say what it weighs: taken as a relative weight",
    "decam_cp": "zero points .MAGZERO. differ",
    "zeropoints": "zero points .MAGZERO. differ",
    "exptimes": "exposure times differ",
    "sky_left": "the sky was left in: its levels, 1000 to 110., are subtracted",
    "uint16_blank": "a sky of 1000 is left in, the same in all files: kept",
    "unit_of_err": "HDU ERR is in ELECTRONS, the image in ELECTRONS/S: divided by",
    "plain": "no variance: made from gain 4 and read noise 8 electrons",
    "err_alone": r"a file beside it, ….noise.fits, is taken for its error by its name",
    "tan_pv": "read as TPV",
    "ztf": "no variance: made from gain 6",
}

#: How those that cannot be right are refused.
REFUSED = {
    "unnamed_chips": "images, as of several detectors, without their variance",
    "filters": r"visit_1.fits: filter g where .*visit_0.fits has r",
    "mask_good_is_one": r"HDU MASK: 9. % of the pixels with data are flagged.*mask=good",
    "two_sci": r"holds 2 images, as of several detectors \(1, 2\); say which with --assume det",
    "err_only": "no image that is known .images: ERR.",
}


def paths(folder):
    return sorted(path for path in folder.iterdir() if path.suffix == ".fits")


def read(name, tmp_path, **assume):
    folder = make(name, tmp_path / name)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CompareWarpWarning)
        stack = cw.read_stack(folder, psf_sigma=1.6, assume=assume)
    said = [str(warning.message) for warning in caught]
    if not assume:
        assert any(re.search(SAID[name], line) for line in said) if name in SAID else not said
    return stack


def plane(stack, name, epoch=0):
    return stack.direct.mask[epoch] >> stack.mask_planes[name] & 1


def area(box):
    y0, y1, x0, x1 = box
    return (y1 - y0) * (x1 - x0)


def test_every_look_alike_has_its_place_in_these_lists():
    assert set(CASES) == {*SILENT, *SAID, *REFUSED}


@pytest.mark.parametrize("name", [*SILENT, *SAID])
def test_image_and_noise_are_those_that_were_simulated(tmp_path, name):
    stack = read(name, tmp_path)
    assert stack.n_epochs == NVISIT
    image, variance = scene(0, scale=1.3 if name == "exptimes" else 1.0)
    good = (stack.direct.mask[0] == 0) & np.isfinite(stack.direct.image[0])
    sky = {"uint16_blank": 1000, "plain": 400, "ztf": 300}.get(name, 0)
    off = np.abs(stack.direct.image[0] - sky - image)[good]
    # Whole numbers are rounded; a sky that is subtracted is measured.
    assert off.max() < {"sky_left": 1.5, "plain": 1.01, "uint16_blank": 0.51}.get(name, 1e-2)
    told = np.sqrt(stack.direct.variance[0][good] / variance[good])
    loose = {"plain": (0.5, 2.5), "ztf": (0.5, 1.6), "hst_drz": (0.1, 1.4)}
    low, high = loose.get(name, (0.999, 1.001))
    assert low < told.min() and told.max() < high
    assert np.median(told) == pytest.approx(1, rel=1.2 if name in loose else 1e-3)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_right_is_refused_in_one_line(tmp_path, name):
    folder = make(name, tmp_path / name)
    with pytest.raises(StackError, match=REFUSED[name]) as error:
        cw.read_stack(paths(folder))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [*SILENT, *SAID])
def test_the_command_line_says_how_each_is_read(tmp_path, name):
    folder = make(name, tmp_path / name)
    done = CliRunner().invoke(main, ["info", str(folder)])
    assert done.exit_code == 0
    assert done.output.count("dialect") == NVISIT
    assert "left out" not in done.output


# --- flags ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "planes"),
    [
        ("jwst_cal", ["JUMP_DET"]), ("hst_flt", ["WARM", "TRAP"]), ("dragons", ["NON_LINEAR"]),
        ("des", ["FIX"]), ("ps1_mask", ["SUSPECT"]), ("ztf", ["DETECTED"]),
        ("lsst_images", ["DETECTED"]),
    ],
)  # fmt: skip
def test_harmless_flags_keep_their_names_and_make_no_holes(tmp_path, name, planes):
    stack = read(name, tmp_path)
    for flag in planes:
        assert plane(stack, flag).sum() == area(FLAGGED)
    coadd = cw.run(stack).coadd
    y0, y1, x0, x1 = FLAGGED
    assert (coadd.n_image[y0:y1, x0:x1] == NVISIT).all()


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("hst_flt", "CR"), ("decam_cp", "CR"), ("decam_cp_bits", "CR"), ("ps1_mask", "CR"),
        ("banzai", "BAD"), ("ccddata", "BAD"), ("ztf", "STREAK"), ("lsst_images", "CR"),
    ],
)  # fmt: skip
def test_flags_of_artifacts_are_read_by_name(tmp_path, name, flag):
    stack = read(name, tmp_path)
    y0, y1, x0, x1 = CR
    assert plane(stack, flag, 2)[y0:y1, x0:x1].all()
    assert plane(stack, flag, 2).sum() == area(CR)


@pytest.mark.parametrize("name", ["decam_cp", "decam_cp_bits"])
def test_codes_and_bits_of_one_pipeline_are_told_apart_by_its_version(tmp_path, name):
    stack = read(name, tmp_path)
    assert plane(stack, "SAT")[20:24, 70:80].all()
    assert plane(stack, "SAT").sum() == 40
    assert "BAD" not in [flag for flag in stack.mask_planes if plane(stack, flag).any()]


def test_a_flag_of_the_sign_bit_keeps_its_name(tmp_path):
    stack = read("plane_31", tmp_path)
    assert plane(stack, "PARTLY_VIGNETTED").sum() == 5 * 96
    assert plane(read("jwst_cal", tmp_path), "REFERENCE_PIXEL").sum() == 4 * 96
    stack = read("jwst_cal", tmp_path / "again")
    assert plane(stack, "BAD")[10, 10:14].all() and plane(stack, "NO_DATA")[:4].all()


def test_a_plane_without_pixels_is_constant_and_not_left_out(tmp_path):
    stack = read("hst_constant", tmp_path)
    assert [plane(stack, "BAD", epoch).mean() for epoch in range(NVISIT)] == [0, 0, 1, 0, 0]


def test_blank_whole_numbers_and_nan_are_no_data(tmp_path):
    assert plane(read("uint16_blank", tmp_path), "NO_DATA")[:6].all()
    assert plane(read("jwst_i2d", tmp_path), "NO_DATA")[:3].all()
    assert plane(read("hst_drz", tmp_path), "NO_DATA")[:, :3].all()


# --- what exposures are to each other -----------------------------------------------------------


def test_exposures_of_one_observation_are_told_apart(tmp_path):
    stack = read("dragons", tmp_path)
    assert stack.epochs[0] == "GS-2030A-Q-1-7-000"


@pytest.mark.parametrize("name", ["decam_cp", "zeropoints", "exptimes"])
def test_fluxes_are_brought_to_those_of_the_first(tmp_path, name):
    stack = read(name, tmp_path)
    stars = [np.nanpercentile(stack.direct.image[epoch], 99.9) for epoch in (0, 1)]
    if name == "decam_cp":  # simulated alike, with zero points that say otherwise
        assert stars[1] / stars[0] == pytest.approx(10**-0.04, rel=0.1)
    else:
        assert stars[1] / stars[0] == pytest.approx(1, rel=0.1)
    left = read(name, tmp_path / "left", zero_point="ignore")
    raw = [np.nanpercentile(left.direct.image[epoch], 99.9) for epoch in (0, 1)]
    assert abs(raw[1] / raw[0] - stars[1] / stars[0]) > 0.05


def test_a_sky_that_is_left_in_is_gone_from_the_coadd_or_kept(tmp_path):
    coadd = cw.run(read("sky_left", tmp_path)).coadd
    assert abs(np.nanmedian(coadd.image)) < SKY_SIGMA / 4
    kept = read("sky_left", tmp_path / "kept", sky="keep")
    assert np.median(kept.direct.image[3]) == pytest.approx(1075, abs=5)


def test_pixels_on_the_asinh_scale_are_made_linear(tmp_path):
    stack = read("ps1_asinh", tmp_path)
    assert stack.direct.image[0].max() > 500


def test_tan_with_pv_terms_has_its_corner_in_the_right_place(tmp_path):
    with pytest.warns(CompareWarpWarning, match="TPV"):
        wcs = cw.read_stack(make("tan_pv", tmp_path / "a"), psf_sigma=1.6).wcs
    header = wcs_cards(fits.Header())
    for axis in (1, 2):
        header[f"CTYPE{axis}"] = header[f"CTYPE{axis}"].replace("TAN", "TPV")
        header[f"PV{axis}_1"], header[f"PV{axis}_4"] = 1.0, 2e-2
    right = WCS(header).pixel_to_world(0, 0)
    assert right.separation(sky_of(wcs, 0, 0)).arcsec < 1e-6


def test_one_detector_of_several_is_read_when_it_is_named(tmp_path):
    folder = make("two_sci", tmp_path / "two")
    images = [
        cw.read_stack(folder, psf_sigma=1.6, assume={"detector": detector}).direct.image[0]
        for detector in ("1", "2")
    ]
    assert not np.allclose(*images)
    with pytest.raises(StackError, match=r"no one image 'X'; it holds 1, 2"):
        cw.read_stack(folder, assume={"detector": "X"})
    layout = scan_exposure(
        paths(make("unnamed_chips", tmp_path / "chips"))[0],
        Assumptions(detector="3", gain=4.0, read_noise=8.0),
    ).layout
    assert layout.image.hdu == 3 and layout.mask is None and layout.variance is None


def test_what_one_means_in_a_mask_is_asked_and_can_be_said(tmp_path):
    folder = make("mask_good_is_one", tmp_path / "m")
    with pytest.warns(CompareWarpWarning, match="have no names: 0 counts as BAD"):
        stack = cw.read_stack(folder, psf_sigma=1.6, assume={"mask": "good"})
    assert np.flatnonzero(plane(stack, "BAD").any(1)).tolist() == [0, 1, 2, 3, 4]
    stack = cw.read_stack(folder, psf_sigma=1.6, assume={"mask": "ignore"})
    assert not stack.direct.mask.any()
