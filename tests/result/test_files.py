"""The FITS files and tables that a run writes."""

import time

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw
from napari_comparewarp.errors import OutputError
from napari_comparewarp.io.write import mask_path, write_hdus
from napari_comparewarp.result.files import write_footprints, write_masks

ORIGIN = (7800, -12)
VISITS = (100, 200, 300, 400, 500, 600)
SUFFIXES = (".fits", ".fits.fz", ".fits.gz")


def sky_wcs(kind="RA---TAN", other="DEC--TAN"):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = kind, other
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (150, 2), (35, 30), (-5e-5, 5e-5)
    return wcs


def make_result(wcs=None, epochs=VISITS, **knobs):
    stack = cw.WarpStack.from_arrays(
        *planes(len(epochs)), psf_sigma=PSF_SIGMA, epochs=epochs, origin=ORIGIN, wcs=wcs
    )
    return cw.run(stack, cw.CompareWarpConfig(**knobs))


@pytest.fixture(scope="module")
def result():
    return make_result(sky_wcs(), input_map=True)


@pytest.fixture(scope="module", params=SUFFIXES)
def coadd_file(request, result, tmp_path_factory):
    path = tmp_path_factory.mktemp("coadd") / f"coadd{request.param}"
    result.write(path)
    # A checksum that does not fit would be a warning, and so an error.
    with fits.open(path, checksum=True) as file:
        for hdu in file:
            if isinstance(hdu, fits.CompImageHDU):
                assert hdu.data is not None
        yield file


def as_bits(image):
    return np.ascontiguousarray(image, np.float32).view(np.uint32)


def test_every_bit_of_the_coadd_survives(result, coadd_file):
    assert np.isnan(result.coadd.image).any()
    for name in ("image", "variance"):
        np.testing.assert_array_equal(
            as_bits(coadd_file[name].data), as_bits(getattr(result.coadd, name))
        )
    np.testing.assert_array_equal(coadd_file["MASK"].data, result.coadd.mask)
    np.testing.assert_array_equal(coadd_file["NIMAGE"].data, result.coadd.n_image)


def test_the_planes_come_in_the_order_and_under_the_names_of_lsst(coadd_file):
    assert [hdu.name for hdu in coadd_file[1:5]] == ["IMAGE", "MASK", "VARIANCE", "NIMAGE"]
    assert [hdu.header["EXTTYPE"] for hdu in coadd_file[1:4]] == ["IMAGE", "MASK", "VARIANCE"]
    assert coadd_file["IMAGE"].header["BUNIT"] == "nJy"
    assert coadd_file["VARIANCE"].header["BUNIT"] == "nJy2"


def test_the_mask_says_which_bit_is_which_plane(result, coadd_file):
    header = coadd_file["MASK"].header
    planes_read = {key[3:]: header[key] for key in header if key.startswith("MP_")}
    assert planes_read == dict(result.coadd.mask_planes)
    clipped = coadd_file["MASK"].data & (1 << header["MP_CLIPPED"]) != 0
    assert clipped[30:34].mean() > 0.9
    assert not clipped[45:].any()


def test_every_image_lies_on_the_sky_and_in_the_parent_grid(result, coadd_file):
    for name in ("IMAGE", "MASK", "VARIANCE", "NIMAGE"):
        header = coadd_file[name].header
        for found, expected in zip(
            WCS(header).pixel_to_world_values([0, 69], [0, 59]),
            result.coadd.wcs.pixel_to_world_values([0, 69], [0, 59]),
            strict=True,
        ):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
        assert (header["LTV1"], header["LTV2"]) == (-ORIGIN[0], -ORIGIN[1])
        assert tuple(WCS(header, key="A").wcs_pix2world(0, 0, 0)) == ORIGIN


def test_every_hdu_has_checksums(coadd_file):
    with fits.open(coadd_file.filename(), disable_image_compression=True, checksum=True) as file:
        for hdu in file:
            assert {"CHECKSUM", "DATASUM"} <= set(hdu.header)
            assert hdu.verify_checksum() == 1
            assert hdu.verify_datasum() == 1


def test_a_flipped_byte_is_noticed(result, tmp_path):
    path = tmp_path / "coadd.fits"
    result.write(path)
    content = bytearray(path.read_bytes())
    with fits.open(path) as file:
        content[file["VARIANCE"].fileinfo()["datLoc"] + 1000] ^= 1
    path.write_bytes(content)
    with (
        pytest.warns(UserWarning, match="verification failed"),
        fits.open(path, checksum=True) as file,
    ):
        assert file["VARIANCE"].data is not None


def test_images_are_tile_compressed_only_where_the_name_says_so(result, tmp_path):
    for suffix, compressed in ((".fits", False), (".fits.fz", True)):
        result.write(tmp_path / f"coadd{suffix}")
        with fits.open(tmp_path / f"coadd{suffix}", disable_image_compression=True) as file:
            for name in ("IMAGE", "MASK", "VARIANCE", "NIMAGE"):
                assert file[name].header.get("ZIMAGE", False) is compressed
            # cfitsio cannot read a compressed image of 64-bit words.
            assert "ZIMAGE" not in file["INPUT_MAP"].header


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_result_makes_the_same_bytes_at_a_fixed_time(
    result, tmp_path, monkeypatch, suffix
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    result.write(first)
    with monkeypatch.context() as later:
        now = time.time()
        later.setattr(time, "time", lambda: now + 5000)
        result.write(second)
    assert first.read_bytes() == second.read_bytes()
    assert fits.getheader(first)["DATE"] == "2023-11-14T22:13:20"
    with fits.open(first, disable_image_compression=True) as file:
        comments = {hdu.header.comments[key] for hdu in file for key in ("CHECKSUM", "DATASUM")}
    assert comments == {"set 2023-11-14T22:13:20"}


def test_the_input_map_agrees_with_the_contributors_of_a_pixel(result, coadd_file):
    words = coadd_file["INPUT_MAP"].data
    epochs = coadd_file["INPUTS"].data["epoch"]
    for y, x in ((32, 20), (42, 25), (1, 5), (50, 10), (5, 60)):
        used = [int(e) for row, e in enumerate(epochs) if words[row // 64, y, x] >> row % 64 & 1]
        assert tuple(used) == result.contributors(y, x)


def test_the_input_map_has_room_for_more_than_64_epochs():
    result = make_result(epochs=tuple(range(70)), input_map=True)
    words = result.contribution.map()
    assert words.shape == (2, *result.stack.shape)
    # The last bit of the first word is its sign.
    assert words[0, 50, 50] == -1
    assert words[1, 50, 50] == (1 << 6) - 1
    assert not words[1, 0, 0]


def test_a_coadd_is_not_written_over_another_file_unasked(result, tmp_path):
    (tmp_path / "coadd.fits").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        result.write(tmp_path / "coadd.fits")
    assert (tmp_path / "coadd.fits").read_text() == "mine"
    result.write(tmp_path / "coadd.fits", overwrite=True)
    assert fits.getheader(tmp_path / "coadd.fits")["NEPOCHS"] == 6


def test_another_ending_than_fits_is_refused(result, tmp_path):
    with pytest.raises(OutputError, match=r"coadd\.png: a coadd is written as \.fits"):
        result.write(tmp_path / "coadd.png")


def test_no_wcs_is_made_up(tmp_path):
    make_result().write(tmp_path / "coadd.fits")
    header = fits.getheader(tmp_path / "coadd.fits", "IMAGE")
    assert "CTYPE1" not in header
    assert header["CRVAL1A"] == ORIGIN[0]


def test_a_unit_that_is_a_ratio_is_squared_as_a_whole(tmp_path):
    image, variance, mask = planes()
    stack = cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=2, unit="adu/s")
    cw.run(stack).write(tmp_path / "coadd.fits")
    assert fits.getheader(tmp_path / "coadd.fits", "VARIANCE")["BUNIT"] == "(adu/s)**2"


def test_the_masks_of_the_visits_make_the_same_coadd_by_hand(result, tmp_path):
    write_masks(result, tmp_path / "masks")
    files = sorted((tmp_path / "masks").iterdir())
    assert [path.name for path in files] == [f"clipped_{visit}.fits.fz" for visit in VISITS]
    masks, bad = [], 0
    for index, path in enumerate(files):
        with fits.open(path, checksum=True) as file:
            masks.append(file["MASK"].data)
            header = file["MASK"].header
            assert file[0].header["VISIT"] == VISITS[index]
            assert file[0].header["CLIPFRAC"] == pytest.approx(result.clipped(index).mean())
        bad = sum(1 << header[f"MP_{name}"] for name in ("NO_DATA", "BAD", "SAT", "CLIPPED"))
        assert header["LTV1"] == -ORIGIN[0]
    image = result.stack.direct.image
    used = (np.array(masks) & bad == 0) & np.isfinite(image)
    weight = result.weights[:, None, None] * used
    total = weight.sum(0)
    covered = total > 0
    by_hand = (weight * np.where(used, image, 0)).sum(0)[covered] / total[covered]
    np.testing.assert_allclose(result.coadd.image[covered], by_hand, rtol=2e-6, atol=1e-4)
    np.testing.assert_array_equal(np.isnan(result.coadd.image), ~covered)


def test_one_mask_that_exists_keeps_all_from_being_written(result, tmp_path):
    mask_path(tmp_path, 300).write_text("mine")
    with pytest.raises(OutputError, match=r"clipped_300\.fits\.fz exists"):
        write_masks(result, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["clipped_300.fits.fz"]


def test_an_id_cannot_lead_out_of_the_folder(tmp_path):
    epochs = ("../a", "n/1", "n/2", "é", "b")
    write_masks(make_result(epochs=epochs), tmp_path / "masks")
    assert len(list((tmp_path / "masks").iterdir())) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["masks"]


@pytest.mark.parametrize("suffix", [".ecsv", ".fits"])
def test_the_footprint_table_reads_back(result, tmp_path, suffix):
    path = tmp_path / f"footprints{suffix}"
    write_footprints(result, path)
    table = Table.read(path)
    expected = result.footprints
    assert len(table) == len(expected) > 0
    for name in expected.colnames:
        assert list(table[name]) == list(expected[name])
    assert str(table["area"].unit) == "pix"
    assert str(table["ra"].unit) == "deg"
    x = (np.asarray(table["x0"]) + np.asarray(table["x1"]) - 1) / 2
    y = (np.asarray(table["y0"]) + np.asarray(table["y1"]) - 1) / 2
    ra, dec = result.coadd.wcs.pixel_to_world_values(x, y)
    np.testing.assert_allclose(table["ra"], ra, rtol=0, atol=1e-9)
    np.testing.assert_allclose(table["dec"], dec, rtol=0, atol=1e-9)


def test_sky_positions_are_equatorial_whatever_the_frame_of_the_warps(tmp_path):
    result = make_result(sky_wcs("GLON-TAN", "GLAT-TAN"))
    write_footprints(result, tmp_path / "footprints.ecsv")
    table = Table.read(tmp_path / "footprints.ecsv")
    centre = SkyCoord(150, 2, unit="deg", frame="galactic").icrs
    found = SkyCoord(table["ra"], table["dec"], unit="deg")
    assert found.separation(centre).deg.max() < 0.01


def test_a_table_says_how_it_was_made(result, tmp_path):
    write_footprints(result, tmp_path / "footprints.ecsv")
    meta = Table.read(tmp_path / "footprints.ecsv").meta
    assert meta["creator"] == f"napari-comparewarp {cw.__version__}"
    assert cw.CompareWarpConfig(**meta["config"]) == result.config
    write_footprints(result, tmp_path / "footprints.fits")
    with fits.open(tmp_path / "footprints.fits", checksum=True) as file:
        assert file[0].header["CREATOR"] == meta["creator"]
        assert "CHECKSUM" in file["FOOTPRINTS"].header


@pytest.mark.parametrize("suffix", [".ecsv", ".fits"])
def test_a_run_without_candidates_has_an_empty_table(tmp_path, suffix):
    stack = cw.WarpStack.from_arrays(*planes(trail_epoch=None), psf_sigma=2, wcs=sky_wcs())
    write_footprints(cw.run(stack), tmp_path / f"footprints{suffix}")
    table = Table.read(tmp_path / f"footprints{suffix}")
    assert len(table) == 0
    assert {"id", "verdict", "ra"} <= set(table.colnames)


def test_another_ending_of_a_table_is_refused(result, tmp_path):
    with pytest.raises(OutputError, match=r"written as \.ecsv or \.fits"):
        write_footprints(result, tmp_path / "footprints.csv")


def test_hdus_of_any_kind_keep_their_data(tmp_path):
    data = np.arange(600, dtype=np.uint16).reshape(20, 30)
    for hdu in (fits.ImageHDU(data), fits.CompImageHDU(data, compression_type="GZIP_2")):
        write_hdus([fits.PrimaryHDU(), hdu], tmp_path / "any.fits", overwrite=True)
        with fits.open(tmp_path / "any.fits", checksum=True) as file:
            np.testing.assert_array_equal(file[1].data, data)
