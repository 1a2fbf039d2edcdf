"""A stack of warps from FITS files."""

import gc
import gzip
import hashlib
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from fits_files import make_planes, tan_wcs, write_lsst, write_stack

import napari_comparewarp as cw
from napari_comparewarp.errors import CompareWarpWarning, ConfigError, StackError
from napari_comparewarp.io import stack_pixels
from napari_comparewarp.io.source import Source
from napari_comparewarp.io.spool import SpooledCube, parse_memory


def test_a_folder_is_read_and_paired_by_visit(tmp_path):
    write_stack(tmp_path, visits=(30, 4, 17), wcs=tan_wcs(), origin=(100, 200))
    stack = cw.read_stack(tmp_path)
    assert stack.epochs == stack.matched_epochs == (4, 17, 30)
    for row, number in enumerate((1, 2, 0)):
        np.testing.assert_array_equal(stack.direct.image[row], make_planes(10 * number)[0])
        np.testing.assert_array_equal(stack.matched.image[row], make_planes(10 * number + 1)[0])
    assert (stack.origin, stack.unit) == ((100, 200), "nJy")
    assert stack.psf_sigma.tolist() == [2, 2, 2]
    assert stack.wcs.has_celestial


def test_inputs_are_listed_with_their_checksums(tmp_path):
    write_stack(tmp_path, visits=(1, 2))
    stack = cw.read_stack(tmp_path)
    assert [(item.role, item.epoch) for item in stack.inputs] == [
        ("direct", 1), ("direct", 2), ("matched", 1), ("matched", 2),
    ]  # fmt: skip
    for item in stack.inputs:
        assert item.sha256 == hashlib.sha256(Path(item.path).read_bytes()).hexdigest()


def test_direct_warps_alone_are_compared_with_themselves(tmp_path):
    for visit in (1, 2):
        write_lsst(tmp_path / f"epoch_{visit}.fits", make_planes(visit))
    stack = cw.read_stack(tmp_path)
    assert stack.matched is stack.direct
    assert stack.epochs == (1, 2)


def test_one_exposure_under_two_names_is_named(tmp_path):
    for visit in (1, 2, 3):
        write_lsst(tmp_path / f"epoch_{visit}.fits", make_planes(visit))
    (tmp_path / "epoch_7.fits").write_bytes((tmp_path / "epoch_2.fits").read_bytes())
    said = r"epoch_2\.fits and .*epoch_7\.fits hold the same bytes: .* visits 2 and 7"
    with pytest.warns(CompareWarpWarning, match=said):
        assert cw.read_stack(tmp_path).n_epochs == 4


def test_one_file_may_be_direct_and_matched(tmp_path):
    for visit in (1, 2, 3):
        write_lsst(tmp_path / f"epoch_{visit}.fits", make_planes(visit))
    sources = [
        Source(tmp_path / f"epoch_{visit}.fits", named=True, kind=kind)
        for kind in ("direct", "matched")
        for visit in (1, 2, 3)
    ]
    assert cw.read_stack(sources).n_epochs == 3


def test_a_manifest_says_what_the_files_do_not(tmp_path):
    write_lsst(tmp_path / "data" / "a.fits", make_planes(1), sigma=None)
    write_lsst(tmp_path / "data" / "b.fits", make_planes(2), sigma=None)
    (tmp_path / "stack.csv").write_text(
        "path,kind,visit,psf_sigma\ndata/a.fits,direct,9,\ndata/b.fits,matched,9,1.5\n"
    )
    stack = cw.read_stack(tmp_path / "stack.csv")
    assert stack.epochs == (9,)
    assert stack.psf_sigma.tolist() == [1.5]
    np.testing.assert_array_equal(stack.matched.image[0], make_planes(2)[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file\na.fits\n", "no column 'path'"),
        ("path,kind\na.fits,both\n", "row 1: kind is 'both'"),
        ("path\n", "no rows"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path, text, message):
    (tmp_path / "stack.csv").write_text(text)
    with pytest.raises(StackError, match=message):
        cw.read_stack(tmp_path / "stack.csv")


def test_planes_with_other_numbers_are_brought_together_by_name(tmp_path):
    image, _, variance = make_planes()
    numbers = ({"BAD": 0, "SAT": 1, "SPIKE": 9}, {"SAT": 0, "BAD": 9, "NO_DATA": 3})
    for visit, planes in enumerate(numbers):
        mask = np.zeros(image.shape, np.int32)
        for row, bit in enumerate(planes.values()):
            mask[row] = 1 << bit
        write_lsst(tmp_path / f"epoch_{visit}.fits", (image, mask, variance), mask_planes=planes)
    stack = cw.read_stack(tmp_path)
    for visit, planes in enumerate(numbers):
        for row, name in enumerate(planes):
            assert (stack.direct.mask[visit, row] == 1 << stack.mask_planes[name]).all()
    assert {"BAD", "SAT", "SPIKE", "NO_DATA"} <= set(stack.mask_planes)
    assert len(set(stack.mask_planes.values())) == len(stack.mask_planes)


def test_bits_without_a_name_are_kept_and_said(tmp_path):
    image, mask, variance = make_planes()
    mask[3, 3] |= 1 << 20
    mask[4, 4] |= np.int32(-(2**31))
    write_lsst(tmp_path / "epoch_1.fits", (image, mask, variance))
    with pytest.warns(
        CompareWarpWarning, match=r"epoch_1\.fits: .* are not bad: DQ_BIT_20, DQ_BIT_31"
    ):
        stack = cw.read_stack(tmp_path)
    assert stack.direct.mask[0, 3, 3] == 1 << stack.mask_planes["DQ_BIT_20"]
    assert stack.direct.mask[0, 4, 4] == 1 << stack.mask_planes["DQ_BIT_31"]


def test_a_visit_with_one_of_its_warps_is_a_warning_that_says_what_follows(tmp_path):
    write_stack(tmp_path, visits=(1, 2, 3))
    (tmp_path / "matched" / "psf_matched_warp_1.fits").unlink()
    (tmp_path / "direct" / "direct_warp_3.fits").unlink()
    with pytest.warns(CompareWarpWarning) as said:
        stack = cw.read_stack(tmp_path)
    messages = [str(warning.message) for warning in said]
    assert any("visit 1 has no PSF-matched warp: it adds nothing" in text for text in messages)
    assert any("visit 3 has no direct warp: it helps to make" in text for text in messages)
    assert (stack.epochs, stack.matched_epochs) == ((1, 2), (2, 3))
    np.testing.assert_array_equal(stack.partner, [-1, 0])


def test_a_file_of_another_kind_in_a_folder_is_left_out_with_a_warning(tmp_path):
    for visit in (1, 2):
        write_lsst(tmp_path / f"epoch_{visit}.fits", make_planes(visit))
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / "nothing.fits")
    with pytest.warns(CompareWarpWarning, match=r"nothing\.fits: .*left out"):
        assert cw.read_stack(tmp_path).n_epochs == 2
    with pytest.raises(StackError, match=r"nothing\.fits"):
        cw.read_stack([tmp_path / "nothing.fits"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"planes": make_planes(shape=(21, 30))}, "shape"),
        ({"unit": "adu"}, "unit"),
        ({"origin": (5, 5)}, "origin"),
        ({"wcs": tan_wcs(0.05)}, "0.05 pixels apart"),
        ({"visit": 1}, "are both the direct warp of visit 1"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_files_before_a_pixel_is_read(
    tmp_path, monkeypatch, options, message
):
    base = {"wcs": tan_wcs(), "origin": (1, 2)}
    write_lsst(tmp_path / "a_1.fits", visit=1, **base)
    write_lsst(tmp_path / "b_2.fits", **{"visit": 2} | base | options)
    monkeypatch.setattr(stack_pixels, "read_pixels", lambda *_: pytest.fail("a pixel was read"))
    with pytest.raises(StackError, match=message) as error:
        cw.read_stack(tmp_path)
    assert "a_1.fits" in str(error.value)
    assert "b_2.fits" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_same_grid_written_in_another_way_fits(tmp_path):
    write_lsst(tmp_path / "a_1.fits", wcs=tan_wcs())
    other = tan_wcs().deepcopy()
    other.wcs.crval = tan_wcs().wcs_pix2world([[14.0, 9.0]], 0)[0]
    write_lsst(tmp_path / "b_2.fits", wcs=other, unit="1e-9 Jy")
    assert cw.read_stack(tmp_path).n_epochs == 2


def test_a_missing_psf_width_is_asked_for(tmp_path):
    write_lsst(tmp_path / "a_1.fits", sigma=None)
    write_lsst(tmp_path / "b_2.fits", sigma=3.0)
    with pytest.raises(StackError, match=r"a_1\.fits: no PSF width .*--psf-sigma"):
        cw.read_stack(tmp_path)
    assert cw.read_stack(tmp_path, psf_sigma=1.5).psf_sigma.tolist() == [1.5, 3.0]


def test_places_without_warps_are_refused(tmp_path):
    with pytest.raises(StackError, match="no such file or folder"):
        cw.read_stack(tmp_path / "nowhere")
    with pytest.raises(StackError, match="no FITS files"):
        cw.read_stack(tmp_path)
    with pytest.raises(StackError, match="list of files is empty"):
        cw.read_stack([])
    write_lsst(tmp_path / "psf_matched_warp_1.fits")
    with pytest.raises(StackError, match="no direct warps among 1 PSF-matched"):
        cw.read_stack(tmp_path)


def test_a_damaged_file_ends_the_reading_and_is_named(tmp_path):
    write_stack(tmp_path, visits=(1, 2, 3))
    path = tmp_path / "direct" / "direct_warp_2.fits"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 3000)
    with pytest.raises(StackError, match=r"direct_warp_2\.fits.*truncated"):
        cw.read_stack(tmp_path)


def test_a_coadd_is_no_warp(tmp_path):
    write_stack(tmp_path, visits=(1, 2, 3))
    cw.run(cw.read_stack(tmp_path)).write(tmp_path / "direct" / "coadd.fits")
    with pytest.warns(CompareWarpWarning, match=r"coadd\.fits: .*left out"):
        assert cw.read_stack(tmp_path).n_epochs == 3
    with pytest.raises(StackError, match="so it is a coadd"):
        cw.read_stack([tmp_path / "direct" / "coadd.fits"])


def test_more_mask_planes_than_a_coadd_has_room_for_are_refused_before_the_work(tmp_path):
    planes = {f"P{bit}": bit for bit in range(9, 29)}
    write_lsst(tmp_path / "epoch_1.fits", mask_planes=planes)
    with pytest.raises(StackError, match=r"epoch_1\.fits.*29 mask planes; .*CLIPPED"):
        cw.read_stack(tmp_path)
    del planes["P27"], planes["P28"]
    write_lsst(tmp_path / "epoch_1.fits", make_planes(), mask_planes=planes)
    with pytest.warns(CompareWarpWarning, match="DQ_BIT_. .left out: no room"):
        stack = cw.read_stack(tmp_path)
    assert cw.run(stack).coadd.mask_planes.keys() >= planes.keys()


def test_reading_leaves_the_way_that_warnings_are_shown_as_it_was(tmp_path):
    write_stack(tmp_path, compressed=True)
    before = list(warnings.filters), warnings.showwarning
    for memory in (None, 1000):
        cw.read_stack(tmp_path, memory=memory)
        assert (list(warnings.filters), warnings.showwarning) == before


def test_a_gzipped_stack_is_the_same_stack(tmp_path):
    write_stack(tmp_path / "plain")
    plain = cw.read_stack(tmp_path / "plain")
    for item in plain.inputs:
        target = tmp_path / "packed" / Path(item.path).relative_to(tmp_path / "plain")
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(f"{target}.gz").write_bytes(gzip.compress(Path(item.path).read_bytes()))
    packed = cw.read_stack(tmp_path / "packed")
    assert packed.epochs == plain.epochs
    np.testing.assert_array_equal(packed.matched.image, plain.matched.image)
    np.testing.assert_array_equal(packed.direct.mask, plain.direct.mask)


# --- stacks larger than memory -----------------------------------------------------------


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Return the folder in which temporary files are made."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_memory_limit_changes_not_a_bit(tmp_path, scratch):
    write_stack(tmp_path / "stack", visits=range(5), compressed=True)
    whole, spooled = (cw.read_stack(tmp_path / "stack", memory=m) for m in (None, "50 kB"))
    assert isinstance(spooled.direct.image, SpooledCube)
    assert isinstance(whole.direct.image, np.ndarray)
    config = cw.CompareWarpConfig(chi_threshold=3.0, min_pixels=1, filter_streaks=True)
    results = [cw.run(stack, config) for stack in (whole, spooled)]
    for name in ("image", "variance", "mask", "n_image"):
        np.testing.assert_array_equal(*(getattr(result.coadd, name) for result in results))
    for epoch in range(5):
        np.testing.assert_array_equal(*(result.labels(epoch) for result in results))
        np.testing.assert_array_equal(*(result.chi(epoch) for result in results))
    assert results[0].contributors(4, 4) == results[1].contributors(4, 4)
    warm = cw.Inspection(spooled, config)
    warm.set(spatial_threshold=0.9)
    np.testing.assert_array_equal(warm.result.coadd.image, cw.run(whole, warm.config).coadd.image)


OPEN_FILES = Path("/proc/self/fd")


def files_in_use(folder):
    """Return the open files of this process that lie in a folder, named or not."""
    links = [str(link.readlink()) for link in OPEN_FILES.iterdir() if link.is_symlink()]
    return [link for link in links if link.startswith(str(folder))]


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="open files are not listed here")
def test_planes_on_disk_have_no_name_and_go_with_the_stack(tmp_path, scratch):
    write_stack(tmp_path / "stack")
    stack = cw.read_stack(tmp_path / "stack", memory=1000)
    assert len(files_in_use(scratch)) == 6
    # A file without a name is taken back by the system however the program ends.
    assert list(scratch.iterdir()) == []
    del stack
    gc.collect()
    assert files_in_use(scratch) == []


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="open files are not listed here")
def test_planes_on_disk_go_when_reading_fails(tmp_path, scratch):
    write_stack(tmp_path / "stack", compressed=True)
    path = tmp_path / "stack" / "matched" / "psf_matched_warp_3.fits"
    data = bytearray(path.read_bytes())
    data[-6000:-5600] = b"\xa5" * 400
    path.write_bytes(data)
    with pytest.raises(StackError):
        cw.read_stack(tmp_path / "stack", memory=1000)
    gc.collect()
    assert files_in_use(scratch) == []


def test_a_disk_without_room_is_one_clear_line(tmp_path, scratch, monkeypatch):
    write_stack(tmp_path / "stack")
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(StackError, match=r"needs .* are free; .*set TMPDIR"):
        cw.read_stack(tmp_path / "stack", memory=1000)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2 * 10**9), ("1.5 GiB", 3 * 2**29), ("500MB", 5 * 10**8), (4096, 4096)],
)
def test_sizes_are_understood(text, size):
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "lots", "-1GB", "0", "3 parsecs"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ConfigError, match="give a size"):
        parse_memory(text)


REAL = Path(__file__).parents[3] / "shared" / "realdata" / "decam_i" / "registered"


@pytest.mark.skipif(not REAL.is_dir(), reason="the real exposures are not here")
def test_real_exposures_end_in_a_clean_coadd():
    import json

    with pytest.warns(CompareWarpWarning, match="artifact_pixels_by_eye"):
        stack = cw.read_stack(REAL, psf_sigma=2.0)
    result = cw.run(stack, cw.CompareWarpConfig(chi_threshold=5.0))
    boxes = json.loads((REAL / "annotations.json").read_text())["boxes"]
    touched = [result.clipped(e)[y0:y1, x0:x1].any() for e, y0, y1, x0, x1, _ in boxes]
    assert sum(touched) >= 11
    often = sum(result.clipped(epoch).astype(int) for epoch in range(stack.n_epochs))
    assert often.max() < stack.n_epochs / 2


def test_a_unit_in_other_letters_than_a_header_has_is_refused_before_pixels_are_read(tmp_path):
    write_stack(tmp_path, visits=(1, 2, 3))
    for path in tmp_path.rglob("*.fits"):
        path.write_bytes(path.read_bytes().replace(b"'nJy   ", "'µJy  ".encode()))
    with pytest.raises(StackError, match=r"fits: unit '\?\?Jy': letters that are no ASCII"):
        cw.read_stack(tmp_path)


def test_a_visit_that_could_not_be_written_is_refused_with_its_file(tmp_path):
    write_stack(tmp_path, visits=(1, 2, 3))
    paths = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("direct*.fits"))
    entries = [f"[[exposure]]\npath = '{p}'\nvisit = 'a\u202e{p.stem}'\n" for p in paths]
    (tmp_path / "comparewarp.toml").write_text("".join(entries), encoding="utf-8")
    with pytest.raises(StackError, match="an id is a whole number of 64 bits") as raised:
        cw.read_stack(tmp_path / "comparewarp.toml")
    assert str(raised.value).isprintable()
