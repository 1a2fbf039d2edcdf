"""A simulated night on disk."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from napari_comparewarp.errors import OutputError
from napari_comparewarp.simulation import TruthError, read_truth, simulate_night, write_night


@pytest.fixture(scope="module")
def night():
    return simulate_night(5, (128, 144), seed=3)


@pytest.fixture(scope="module")
def folder(night, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sky") / "night"
    write_night(night, folder)
    return folder


def test_every_visit_has_a_direct_and_a_matched_file_and_there_is_nothing_else(night, folder):
    assert sorted(path.name for path in folder.iterdir()) == ["direct", "matched", "truth"]
    assert sorted(path.name for path in (folder / "direct").iterdir()) == [
        f"direct_warp_{visit}.fits.fz" for visit in night.visits
    ]
    assert sorted(path.name for path in (folder / "matched").iterdir()) == [
        f"psf_matched_warp_{visit}.fits.fz" for visit in night.visits
    ]


@pytest.mark.parametrize(
    ("name", "warp_type", "prefix"),
    [
        ("direct/direct_warp_{}.fits.fz", "direct", ""),
        ("matched/psf_matched_warp_{}.fits.fz", "psfMatched", "matched_"),
    ],
)
def test_a_warp_keeps_its_pixels_within_a_fraction_of_the_noise(
    night, folder, name, warp_type, prefix
):
    index = 3
    with fits.open(folder / name.format(night.visits[index]), checksum=True) as hdus:
        header = hdus[0].header
        assert (header["VISIT"], header["WARPTYPE"]) == (night.visits[index], warp_type)
        assert header["PSFSIGMA"] == getattr(night, f"{prefix}psf_sigma")[index]
        assert header["SIMULATE"] is True
        assert {"MJD-OBS", "BAND", "EXPTIME"} <= set(header)
        image = getattr(night, f"{prefix}image")[index]
        variance = getattr(night, f"{prefix}variance")[index]
        mask = getattr(night, f"{prefix}mask")[index]
        assert_array_equal(np.isnan(hdus["IMAGE"].data), np.isnan(image))
        rounding = np.nanstd(hdus["IMAGE"].data - image)
        assert 0 < rounding < 0.1 * np.sqrt(np.nanmedian(variance))
        assert_allclose(hdus["VARIANCE"].data, variance, rtol=0.01)
        assert_array_equal(hdus["MASK"].data, mask)
        assert hdus["IMAGE"].header["BUNIT"] == "nJy"
        assert hdus["VARIANCE"].header["BUNIT"] == "nJy2"
        planes = {k[3:]: v for k, v in hdus["MASK"].header.items() if k.startswith("MP_")}
        assert planes == night.mask_planes


def test_every_plane_says_where_it_lies_on_the_sky_and_in_its_tract(night, folder):
    with fits.open(folder / "direct" / f"direct_warp_{night.visits[0]}.fits.fz") as hdus:
        for name in ("IMAGE", "MASK", "VARIANCE"):
            header = hdus[name].header
            assert (-header["LTV1"], -header["LTV2"]) == night.origin
            centre = WCS(header).pixel_to_world(10, 20)
            assert centre.separation(night.wcs.pixel_to_world(10, 20)).arcsec < 1e-6


def test_the_truth_comes_back_from_its_files(night, folder):
    for place in (folder, folder / "truth"):
        truth = read_truth(place)
        assert_array_equal(truth.visits["visit"], night.visits)
        for visit in night.visits:
            # The sky noise is about 17 nJy.
            assert_allclose(truth.sky(visit), night.truth.sky(visit), atol=0.1)
            assert_allclose(
                truth.artifact_light(visit), night.truth.artifact_light(visit), atol=0.3
            )
        for read, made in zip(truth.artifacts, night.truth.artifacts, strict=True):
            assert (read.id, read.kind, read.visit) == (made.id, made.kind, made.visit)
            assert_array_equal(read.y, made.y)
            assert_array_equal(read.x, made.x)


def test_a_folder_without_a_truth_is_refused(tmp_path):
    with pytest.raises(TruthError, match="no truth here"):
        read_truth(tmp_path)


def test_a_damaged_truth_is_refused_with_its_file(night, tmp_path):
    write_night(night, tmp_path)
    (tmp_path / "truth" / "stars.ecsv").write_text("no table\n")
    with pytest.raises(TruthError, match=r"stars\.ecsv: not a readable table"):
        read_truth(tmp_path)


def test_a_truth_without_its_images_is_refused(night, tmp_path):
    write_night(night, tmp_path)
    (tmp_path / "truth" / "artifacts.fits.fz").unlink()
    with pytest.raises(TruthError, match=r"cannot read the truth's images: .*artifacts\.fits\.fz"):
        read_truth(tmp_path)


def test_the_same_night_gives_the_same_files(night, folder, tmp_path):
    write_night(night, tmp_path)
    for path in folder.rglob("*.fits.fz"):
        # GZIP and checksums hold the time of day.
        difference = fits.FITSDiff(
            path, tmp_path / path.relative_to(folder), ignore_keywords=["CHECKSUM", "DATASUM"]
        )
        assert difference.identical, difference.report()
    for path in folder.rglob("*.ecsv"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path


def test_a_night_is_not_overwritten_unasked_and_replaced_as_a_whole_when_asked(night, tmp_path):
    write_night(night, tmp_path)
    (tmp_path / "README.md").write_text("mine")
    shorter = simulate_night(2, (96, 80), seed=1)
    with pytest.raises(OutputError, match="direct exists; use --overwrite"):
        write_night(shorter, tmp_path)
    assert len(list((tmp_path / "direct").iterdir())) == 5
    write_night(shorter, tmp_path, overwrite=True)
    assert len(list((tmp_path / "direct").iterdir())) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "README.md",
        "direct",
        "matched",
        "truth",
    ]


def test_a_folder_that_is_no_simulated_night_is_never_replaced(night, tmp_path):
    precious = tmp_path / "direct" / "precious.fits"
    precious.parent.mkdir()
    precious.write_text("data")
    with pytest.raises(OutputError, match="not part of a simulated night"):
        write_night(night, tmp_path, overwrite=True)
    assert precious.read_text() == "data"


def test_a_file_in_the_place_of_the_folder_is_refused(night, tmp_path):
    (tmp_path / "night").write_text("")
    with pytest.raises(OutputError, match="is a file; a night is written to a folder"):
        write_night(night, tmp_path / "night")


def test_a_write_that_fails_leaves_nothing(night, tmp_path, monkeypatch):
    written = []

    def fill_the_disk(hdus, path, **options):
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        path.write_bytes(b"")

    monkeypatch.setattr(fits.HDUList, "writeto", fill_the_disk)
    with pytest.raises(OutputError, match="cannot write the night: No space left on device"):
        write_night(night, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_night_that_is_being_replaced_is_there_at_every_moment(night, tmp_path, monkeypatch):
    write_night(night, tmp_path)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "direct" / "of_another_night.fits").touch()
    replace, moved = Path.replace, []

    def fails_in_the_middle(path, target):
        if Path(target).parent.parent == tmp_path:
            assert before <= set(tmp_path.rglob("*"))
            moved.append(target)
            if len(moved) == 7:
                raise OSError("pulled out")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fails_in_the_middle)
    with pytest.raises(OutputError, match="pulled out"):
        write_night(night, tmp_path, overwrite=True)
    assert before < {path for path in tmp_path.rglob("*") if path.is_file()}
    write_night(night, tmp_path, overwrite=True)
    assert before == {path for path in tmp_path.rglob("*") if path.is_file()}
