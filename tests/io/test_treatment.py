"""What is done to the numbers of exposures, and what is said of it."""

import re

import numpy as np
import pytest
from astropy.io import fits
from fits_files import write_plain

import napari_comparewarp as cw
from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io.assumptions import Assumptions
from napari_comparewarp.io.scan import scan_exposure
from napari_comparewarp.io.treatment import treat

SHAPE = (96, 128)


def noise(seed=0, sigma=3.0, level=0.0):
    return np.random.default_rng(seed).normal(level, sigma, SHAPE).astype(np.float32)


def write(path, image, spread, name="ERR", unit=None, spread_unit=None, **cards):
    image_hdu, spread_hdu = fits.ImageHDU(image, name="SCI"), fits.ImageHDU(spread, name=name)
    primary = fits.PrimaryHDU()
    primary.header["PSFSIGMA"] = 2.0
    for hdu, text in ((image_hdu, unit), (spread_hdu, spread_unit)):
        if text:
            hdu.header["BUNIT"] = text
    primary.header.update(cards)
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([primary, image_hdu, spread_hdu]).writeto(path)
    return path


def constant(value):
    return np.full(SHAPE, value, np.float32)


def said(path, **assume):
    assume = Assumptions(**assume)
    return [note for _, note in treat([scan_exposure(path, assume)], assume)[1]]


# --- the variance -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "word"),
    [(3.0, None), (1.7, None), (5.8, None), (1.0, "more than twice"), (7.0, "less than half")],
)
def test_a_variance_that_differs_from_the_noise_is_said(tmp_path, error, word):
    notes = said(write(tmp_path / "a.fits", noise(), constant(error)))
    if word is None:
        assert notes == []
    else:
        (note,) = notes
        assert word in note and "HDU ERR" in note


@pytest.mark.parametrize("error", [0.25, 33.0, 300.0, 3e4])
def test_one_that_is_far_from_it_is_refused_unless_it_is_to_be_ignored(tmp_path, error):
    path = write(tmp_path / "a.fits", noise(), constant(error))
    with pytest.raises(StackError, match=r"a\.fits: the noise between the stars is .* times what"):
        said(path)
    assert said(path, noise="ignore") == []
    assert cw.read_stack([path], assume={"noise": "ignore"}).n_epochs == 1


def test_what_a_plane_holds_can_be_said(tmp_path):
    path = write(tmp_path / "a.fits", noise(), constant(9.0), name="ERR")
    stack = cw.read_stack([path], assume={"variance": "variance"})
    assert (stack.direct.variance[0] == 9).all()
    weight = write(tmp_path / "c.fits", noise(), constant(1 / 9), name="VARIANCE")
    stack = cw.read_stack([weight], assume={"variance": "inverse-variance"})
    np.testing.assert_allclose(stack.direct.variance[0], 9)
    with pytest.warns(CompareWarpWarning, match="square of the noise of its sky"):
        stack = cw.read_stack([path], assume={"variance": "sky"})
    assert np.sqrt(stack.direct.variance[0, 0, 0]) == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 7.0, 1e6])
def test_a_weight_gives_the_same_variance_whatever_its_scale(tmp_path, scale):
    weight = constant(scale / 9)
    weight[:, :30] *= 4  # four times the exposure time
    image = noise()
    image[:, :30] /= 2
    path = write(tmp_path / "a.fits", image, weight, name="WHT")
    with pytest.warns(CompareWarpWarning, match="HDU WHT"):
        variance = cw.read_stack([path]).direct.variance[0]
    assert np.sqrt(variance[0, -1]) == pytest.approx(3, rel=0.12)
    assert variance[0, -1] / variance[0, 0] == pytest.approx(4, rel=1e-5)


@pytest.mark.parametrize(
    ("unit", "spread_unit", "factor"),
    [
        ("nJy", "nJy", 1.0), ("uJy", "nJy", 1e-3), ("adu", None, 1.0), (None, "adu", 1.0),
        ("ELECTRONS/S", "ELECTRONS", 0.01), ("counts", "counts/s", 100.0), ("nJy", "odd", 1.0),
    ],
)  # fmt: skip
def test_errors_in_another_unit_are_converted(tmp_path, unit, spread_unit, factor):
    path = write(
        tmp_path / "a.fits", noise(), constant(3 / factor), unit=unit, spread_unit=spread_unit,
        EXPTIME=100.0,
    )  # fmt: skip
    assert len(said(path)) == (factor != 1)
    exposure = treat([scan_exposure(path)], Assumptions())[0][0]
    assert exposure.treatment.spread_factor == pytest.approx(factor**2)


@pytest.mark.parametrize("spread_unit", ["s", "nJy2", "deg"])
def test_errors_in_a_unit_of_another_kind_are_refused(tmp_path, spread_unit):
    path = write(tmp_path / "a.fits", noise(), constant(3), unit="nJy", spread_unit=spread_unit)
    with pytest.raises(StackError, match=r"HDU ERR is in .*, the image in nJy, which cannot be"):
        said(path)


def test_a_variance_may_carry_the_unit_of_the_image_or_its_square(tmp_path):
    for number, unit in enumerate(("nJy", "nJy2", "nJy**2")):
        path = write(
            tmp_path / f"{number}.fits", noise(), constant(9), name="VAR", unit="nJy",
            spread_unit=unit,
        )  # fmt: skip
        assert said(path) == []


def test_nothing_is_measured_on_images_without_noise(tmp_path):
    assert said(write(tmp_path / "a.fits", constant(5.0), constant(3.0))) == []
    sparse = noise()
    sparse[:, 10:] = np.nan
    assert said(write(tmp_path / "b.fits", sparse, constant(300.0))) == []


def test_stars_everywhere_are_no_noise(tmp_path):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image = noise()
    rng = np.random.default_rng(5)
    for cy, cx in rng.uniform(0, SHAPE, (25, 2)):
        image += 300 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 8).astype(np.float32)
    assert said(write(tmp_path / "a.fits", image, constant(3.0))) == []


# --- the sky ---------------------------------------------------------------------------------


def write_night(folder, levels, **cards):
    for visit, level in enumerate(levels):
        write(
            folder / f"v{visit}.fits",
            noise(visit, level=level),
            constant(3.0),
            VISIT=visit,
            **cards,
        )
    return folder


@pytest.mark.parametrize(
    ("levels", "assume", "expected"),
    [
        ((0, 1, -1), {}, (0, 1, -1)),
        ((100, 100, 101), {}, (100, 100, 101)),
        ((100, 120, 140), {}, (0, 0, 0)),
        ((0, 20, 0), {}, (0, 0, 0)),
        ((100, 120, 140), {"sky": "keep"}, (100, 120, 140)),
        ((100, 100, 100), {"sky": "subtract"}, (0, 0, 0)),
        ((1, 2, 1), {"sky": "subtract"}, (0, 0, 0)),
        ((-100, -130, -100), {}, (0, 0, 0)),
    ],
)
@pytest.mark.filterwarnings("ignore::napari_comparewarp.errors.CompareWarpWarning")
def test_a_sky_is_subtracted_where_it_would_make_epochs_deviate(tmp_path, levels, assume, expected):
    stack = cw.read_stack(write_night(tmp_path, levels), assume=assume)
    medians = np.median(stack.direct.image, axis=(1, 2))
    np.testing.assert_allclose(medians, expected, atol=0.5)


def test_matched_warps_have_a_sky_of_their_own(tmp_path):
    write_night(tmp_path / "direct", (100, 120, 140), WARPTYPE="direct")
    write_night(tmp_path / "matched", (0, 0, 0), WARPTYPE="matched")
    with pytest.warns(CompareWarpWarning, match="levels, 99.* to 1[34].*, are subtracted"):
        stack = cw.read_stack(tmp_path)
    assert abs(np.median(stack.direct.image[2])) < 0.5
    assert abs(np.median(stack.matched.image[2])) < 0.5


# --- fluxes ----------------------------------------------------------------------------------


def night_of(folder, images, **lists):
    for visit, image in enumerate(images):
        cards = {key: values[visit] for key, values in lists.items() if values[visit] is not None}
        unit = cards.pop("BUNIT", None)
        write(folder / f"v{visit}.fits", image, constant(3.0), unit=unit, VISIT=visit, **cards)
    return folder


@pytest.mark.parametrize(
    ("cards", "factor", "word"),
    [
        ({"MAGZERO": (25.0, 27.5)}, 0.1, "zero points .MAGZERO. differ"),
        ({"MAGZP": (25.0, 25.0)}, 1.0, None),
        ({"BUNIT": ("adu", "adu"), "EXPTIME": (30.0, 60.0)}, 0.5, "exposure times differ"),
        ({"BUNIT": ("adu", "adu"), "EXPTIME": (30.0, None)}, 1.0, None),
        ({"BUNIT": ("adu/s", "adu/s"), "EXPTIME": (30.0, 60.0)}, 1.0, None),
        ({"BUNIT": ("nJy", "nJy"), "MAGZERO": (25.0, 27.5)}, 1.0, None),
        ({"BUNIT": ("MJy/sr", "MJy/sr"), "EXPTIME": (30.0, 60.0)}, 1.0, None),
        ({"EXPTIME": (30.0, 60.0)}, 1.0, "no BUNIT says whether the numbers are counts"),
    ],
)
def test_fluxes_are_brought_to_one_scale_where_they_are_not_calibrated(
    tmp_path, cards, factor, word
):
    images = [noise(1), noise(2)]
    exposures = [
        scan_exposure(path) for path in sorted(night_of(tmp_path, images, **cards).iterdir())
    ]
    treated, notes = treat(exposures, Assumptions())
    assert treated[1].treatment.factor == pytest.approx(factor)
    assert treated[0].treatment.factor == 1
    said_of_all = "; ".join(note for _, note in notes)
    assert re.search(word, said_of_all) if word else not said_of_all
    ignored, _ = treat(exposures, Assumptions(zero_point="ignore"))
    assert ignored[1].treatment.factor == 1


def test_zero_points_that_only_some_have_are_refused(tmp_path):
    night_of(tmp_path, [noise(1), noise(2)], MAGZERO=(25.0, None))
    with pytest.raises(StackError, match=r"v1\.fits: zero point by no card where .*v0\.fits has"):
        cw.read_stack(tmp_path)


@pytest.mark.parametrize("card", ["FILTER", "FILTNAM", "HIERARCH LSST BUTLER DATAID BAND"])
def test_different_filters_are_refused_with_both_named(tmp_path, card):
    night_of(tmp_path, [noise(1), noise(2)], **{card: ("g", "r")})
    with pytest.raises(StackError, match=r"v1\.fits: filter r where .*v0\.fits has g; one is"):
        cw.read_stack(tmp_path)
    assert cw.read_stack(tmp_path, assume={"filters": "any"}).n_epochs == 2


@pytest.mark.parametrize(
    ("cards", "epochs"),
    [
        ({"OBSID": ("A", "A"), "DATALAB": ("A-1", "A-2")}, ("A-1", "A-2")),
        ({"EXPID": (0, 0), "EXPNUM": (11, 12)}, (11, 12)),
        ({"EXPID": (1, 2), "OBSID": ("A", "B")}, (1, 2)),
        ({"ROOTNAME": ("j1a", "j1b")}, ("j1a", "j1b")),
    ],
)
def test_visits_are_told_by_the_first_card_in_which_files_differ(tmp_path, cards, epochs):
    for number in range(2):
        own = {key: values[number] for key, values in cards.items()}
        write(tmp_path / f"x_{number}_a1.fits", noise(number), constant(3.0), **own)
    assert cw.read_stack(tmp_path).epochs == epochs


def test_one_visit_twice_is_refused_whatever_else_differs(tmp_path):
    for number in range(2):
        write(
            tmp_path / f"{number}.fits", noise(number), constant(3.0), VISIT=7,
            OBSID=f"A{number}",
        )  # fmt: skip
    with pytest.raises(StackError, match="are both the direct warp of visit 7"):
        cw.read_stack(tmp_path)


def test_tiny_numbers_in_files_are_kept_in_another_unit(tmp_path):
    for visit in range(4):
        image = noise(visit).astype(np.float64)
        write(
            tmp_path / f"v{visit}.fits", image * 1e-24, np.full(SHAPE, 3e-24), VISIT=visit,
            unit="erg/s",
        )  # fmt: skip
    stack = cw.read_stack(tmp_path)
    assert (stack.unit, stack.flux_scale) == ("1e-24 erg/s", 1e-24)
    np.testing.assert_allclose(stack.direct.image[0], noise(0), rtol=1e-5)
    np.testing.assert_allclose(stack.direct.variance[0], 9, rtol=1e-5)


def test_plain_images_are_left_out_where_others_bring_their_variance(tmp_path):
    for visit in range(3):
        write(tmp_path / f"v{visit}.fits", noise(visit), constant(3.0), VISIT=visit)
    plain = fits.PrimaryHDU(noise(9))
    plain.header["GAIN"], plain.header["RDNOISE"], plain.header["PSFSIGMA"] = 2.0, 5.0, 2.0
    plain.writeto(tmp_path / "other.fits")
    with pytest.warns(CompareWarpWarning, match=r"other\.fits: an image without a variance, as"):
        assert cw.read_stack(tmp_path).n_epochs == 3


def test_a_weight_of_zero_beside_an_error_is_no_data(tmp_path):
    weight = np.ones((20, 30), np.float32)
    weight[3, 4] = 0
    path = write_plain(tmp_path / "a.fits", "ERR", np.full((20, 30), 3.0, np.float32))
    with fits.open(path, mode="append") as hdus:
        hdus.append(fits.ImageHDU(weight, name="WHT"))
    stack = cw.read_stack([path])
    assert np.argwhere(stack.direct.mask[0] == 1 << 8).tolist() == [[3, 4]]


def test_what_is_said_stays_with_the_stack_and_its_coadd(tmp_path):
    write_night(tmp_path / "night", (100, 120, 140))
    with pytest.warns(CompareWarpWarning) as caught:
        stack = cw.read_stack(tmp_path / "night")
    assert stack.notes == tuple(str(warning.message) for warning in caught)
    assert "the sky was left in" in stack.notes[0]
    history = str(cw.run(stack).header()["HISTORY"])
    assert "the sky was left in" in " ".join(history.split())


def test_names_that_share_their_one_number_are_told_apart_as_a_whole(tmp_path):
    for letter in "abc":
        for kind in ("direct", "matched"):
            write(
                tmp_path / kind / f"M31{letter}_{kind}.fits", noise(ord(letter)), constant(3.0),
                HISTORY=f"{kind} {letter}",
            )  # fmt: skip
    stack = cw.read_stack(tmp_path)
    assert stack.epochs == stack.matched_epochs == ("M31a", "M31b", "M31c")
