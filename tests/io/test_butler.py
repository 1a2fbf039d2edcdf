"""Warps of a Butler repository as Rubin's pipelines leave them, by query and by folder."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner

import napari_comparewarp as cw
from napari_comparewarp.cli import main
from napari_comparewarp.errors import CompareWarpWarning, StackError
from napari_comparewarp.io.butler import ButlerQuery, butler_query, find_in_butler

pytest.importorskip("lsst.daf.butler")

WHERE = "skymap='lsst_cells_v1' AND tract=5063 AND patch=14 AND band='i'"
BORDER, SIZE = 40, 200
COADD = ("image", "variance", "mask", "n_image")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Make a repository, and the folder of its files before they went into it."""
    from rubin_repo import make_repository

    folder = tmp_path_factory.mktemp("rubin")
    make_repository(folder / "repo", visits=4, size=SIZE, border=BORDER)
    return folder / "repo"


@pytest.fixture(scope="module")
def cropped(repository, tmp_path_factory):
    """Crop the direct warps beforehand."""
    folder = tmp_path_factory.mktemp("cropped")
    part = slice(BORDER, BORDER + SIZE)
    for path in (repository.parent / "repo_files").iterdir():
        with fits.open(path) as hdus:
            made = [hdus[0].copy()]
            for hdu in hdus[1:]:
                if not isinstance(hdu, fits.CompImageHDU):
                    made.append(hdu.copy())
                    continue
                data, header = hdu.data, hdu.header.copy()
                if path.name.startswith("direct"):
                    data = data[part, part]
                    for axis in (1, 2):
                        header[f"CRPIX{axis}"] -= BORDER
                        header[f"LTV{axis}"] -= BORDER
                        header[f"CRVAL{axis}A"] += BORDER
                made.append(fits.ImageHDU(data, header, name=hdu.name))
            fits.HDUList(made).writeto(folder / path.name)
    return folder


def read(source, **options):
    with pytest.warns(CompareWarpWarning, match="its PSF is a CoaddPsf, which only the LSST"):
        return cw.read_stack(source, **options)


def test_wide_direct_warps_give_the_same_bits_as_those_cropped_beforehand(repository, cropped):
    right = cw.run(read(cropped)).coadd
    sources = {
        "folder": read(repository.parent / "repo_files"),
        "butler": read(f"butler:{repository}", where=WHERE),
        "memory": read(repository.parent / "repo_files", memory="1MB"),
    }
    for stack in sources.values():
        coadd = cw.run(stack).coadd
        for name in COADD:
            np.testing.assert_array_equal(getattr(coadd, name), getattr(right, name))
        assert coadd.origin == right.origin == (12000, 12000)
        np.testing.assert_allclose(coadd.wcs.wcs.crpix, right.wcs.wcs.crpix)
    layers = cw.inspection_to_layers(cw.Inspection(sources["folder"]))
    shown = next(layer.data for layer in layers if "coadd" in layer.name.lower())
    assert shown.shape[-2:] == (SIZE, SIZE)


def test_the_width_of_the_matched_psf_comes_from_the_archive(repository):
    stack = read(f"butler:{repository}", where=WHERE)
    np.testing.assert_allclose(stack.psf_sigma, 3.70, atol=0.005)
    assert stack.epochs[0] == 2025050100123
    assert stack.unit == "nJy"


def test_the_command_line_runs_on_a_repository(repository, tmp_path):
    words = ["run", f"butler:{repository}", "--where", WHERE, "-o", str(tmp_path / "c.fits")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "4 epochs of 200 × 200 pixels" in done.output


def test_older_names_and_other_names_of_dataset_types_are_known(tmp_path):
    from rubin_repo import make_repository

    names = make_repository(tmp_path / "old", visits=2, size=64, border=8, old_names=True)
    assert len(find_in_butler(ButlerQuery(str(tmp_path / "old"), WHERE))) == 4
    query = ButlerQuery(str(tmp_path / "old"), WHERE, dataset_types=names)
    assert [source.kind for source in find_in_butler(query)] == ["direct"] * 2 + ["matched"] * 2


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"where": "tract=5063"}, "InvalidQueryError: .* skymap"),
        ({"where": "nonsense = 7"}, "InvalidQueryError"),
        ({"where": "skymap='other'"}, "no direct_warp where skymap='other', in LSSTCam/runs"),
        ({"dataset_types": ("a", "b")}, "no dataset type a, b; it has direct_warp, psf_matched"),
        ({"collections": ("none",)}, "MissingCollectionError"),
        ({"repository": "/no/such"}, "FileNotFoundError"),
    ],
)
def test_what_finds_nothing_is_refused_in_one_line(repository, query, message):
    with pytest.raises(StackError, match=message) as error:
        find_in_butler(ButlerQuery(**{"repository": str(repository)} | query))
    assert "\n" not in str(error.value)


def test_a_repository_that_was_named_is_read_in_the_collections_that_are_named(repository):
    run = "LSSTCam/runs/test/20251101T000000Z"
    stack = read(f"butler:{repository}", where=WHERE, collections=run)
    assert stack.n_epochs == 4


def test_options_of_a_query_need_a_repository(tmp_path):
    with pytest.raises(StackError, match="are for butler:REPOSITORY, not for"):
        cw.read_stack(tmp_path, where=WHERE)
    with pytest.raises(StackError, match="give that of the direct and of the matched warps"):
        butler_query("butler:x", dataset_types="one")
    done = CliRunner().invoke(main, ["run", str(tmp_path), "--where", "x", "-o", "c.fits"])
    assert done.exit_code == 2
    assert "go with one STACK butler:REPOSITORY" in done.output


def test_patches_of_a_batch_may_be_queries(repository, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(
        f'[[patch]]\nname = "p14"\nstack = "butler:{repository}"\noutput = "out"\n'
        f'where = "{WHERE}"\n'
    )
    done = CliRunner().invoke(main, ["batch", str(plan)])
    assert done.exit_code == 0, done.output
    with fits.open(tmp_path / "out" / "p14.fits") as hdus:
        assert hdus["IMAGE"].shape == (SIZE, SIZE)
    plan.write_text(plan.read_text().replace(f"butler:{repository}", "out"))
    done = CliRunner().invoke(main, ["batch", str(plan)])
    assert done.exit_code == 2
    assert "go with one stack butler:REPO" in done.output


def test_a_repository_is_closed_once_its_files_are_known(repository):
    psutil = pytest.importorskip("psutil")
    find_in_butler(ButlerQuery(str(repository), WHERE))
    with pytest.raises(StackError):
        find_in_butler(ButlerQuery(str(repository), "what = 1"))
    opened = [Path(file.path).name for file in psutil.Process().open_files()]
    assert "gen3.sqlite3" not in opened
