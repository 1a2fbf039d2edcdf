"""Which files make a stack."""

import os

import pytest
from astropy.table import MaskedColumn, Table

from napari_comparewarp.errors import StackError
from napari_comparewarp.io.source import Source
from napari_comparewarp.io.sources import find_sources


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def found_in(folder):
    return [str(found.path.relative_to(folder)) for found in find_sources(folder)]


def test_a_folder_gives_its_fits_files_of_every_ending(tmp_path):
    names = ["a.fits", "b.FIT", "c.fits.gz", "d.fits.fz", "e.fit.fz"]
    touch(tmp_path, *names, "notes.txt", "f.fits.bak", "g.png", "sub.fits/x.txt")
    assert found_in(tmp_path) == names
    assert not any(found.named for found in find_sources(tmp_path))


@pytest.mark.parametrize("matched", ["matched", "psfMatched", "psf_matched"])
def test_the_folders_of_direct_and_matched_warps_are_looked_into(tmp_path, matched):
    touch(tmp_path, "direct/1.fits", f"{matched}/1.fits", "truth/sky.fits")
    assert sorted(found_in(tmp_path)) == sorted(["direct/1.fits", f"{matched}/1.fits"])


def test_what_lies_beside_both_folders_is_no_input(tmp_path):
    touch(tmp_path, "direct/1.fits", "matched/1.fits", "coadd.fits")
    assert "coadd.fits" not in found_in(tmp_path)


def test_direct_warps_may_lie_beside_the_folder_of_matched_ones(tmp_path):
    touch(tmp_path, "1.fits", "matched/1.fits")
    assert found_in(tmp_path) == ["1.fits", "matched/1.fits"]


def test_hidden_files_and_what_a_killed_run_left_are_passed_over(tmp_path):
    touch(tmp_path, "a.fits", ".b.fits", ".coadd.fits.12ab34cd.part")
    assert found_in(tmp_path) == ["a.fits"]


def test_a_list_is_kept_in_its_order_and_every_file_of_it_is_meant(tmp_path):
    known = Source(tmp_path / "c.fits", named=True, visit=3)
    found = find_sources([tmp_path / "b.fits", str(tmp_path / "a.fits"), known])
    assert [source.path.name for source in found] == ["b.fits", "a.fits", "c.fits"]
    assert all(source.named for source in found)
    assert found[2] is known


def test_one_file_makes_a_stack(tmp_path):
    touch(tmp_path, "a.fits")
    assert find_sources(tmp_path / "a.fits") == [Source(tmp_path / "a.fits", named=True)]


@pytest.mark.parametrize("suffix", ["csv", "ecsv"])
def test_a_manifest_tells_what_it_knows_and_an_empty_cell_tells_nothing(tmp_path, suffix):
    table = Table(
        {
            "path": ["night1/a.fits", "/data/b.fits", "c.fits"],
            "kind": MaskedColumn(["direct", "matched", ""], mask=[False, False, True]),
            "visit": MaskedColumn([7, 7, 0], mask=[False, False, True]),
            "psf_sigma": MaskedColumn([0, 1.5, 0], mask=[True, False, True]),
        }
    )
    table.write(tmp_path / f"stack.{suffix}", format=f"ascii.{suffix}")
    one, two, three = find_sources(tmp_path / f"stack.{suffix}")
    assert one == Source(tmp_path / "night1" / "a.fits", True, 7, "direct", None)
    assert (str(two.path), two.kind, two.psf_sigma) == ("/data/b.fits", "matched", 1.5)
    assert (three.visit, three.kind, three.psf_sigma) == (None, None, None)


def test_visits_of_a_manifest_may_be_text(tmp_path):
    (tmp_path / "stack.csv").write_text("path,visit\na.fits,r12\nb.fits,13\n")
    assert [source.visit for source in find_sources(tmp_path / "stack.csv")] == ["r12", 13]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'path'"),
        ("file\na.fits\n", "no column 'path'.*file"),
        ("path\n", "no rows"),
        ("path,kind\na.fits,direct\n,matched\n", "row 2: the path is empty"),
        ("path,kind\na.fits,both\n", "row 1: kind is 'both'"),
        ("path,psf_sigma\na.fits,1\nb.fits,0\n", "row 2: psf_sigma is 0"),
        ("path,psf_sigma\na.fits,wide\n", "row 1: psf_sigma is wide"),
        ("path,visit\na.fits\nb.fits,1,2\n", "not a readable table"),
    ],
)
def test_a_wrong_manifest_is_refused_in_one_line_that_names_the_row(tmp_path, text, message):
    (tmp_path / "stack.csv").write_text(text)
    with pytest.raises(StackError, match=message) as error:
        find_sources(tmp_path / "stack.csv")
    assert str(error.value).startswith(str(tmp_path / "stack.csv"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_place_with_nothing_in_it_is_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(StackError, match=f"{name}: no "):
        find_sources(tmp_path / name)
    with pytest.raises(StackError, match="list of files is empty"):
        find_sources([])


@pytest.mark.skipif(os.name != "posix", reason="links are for few accounts")
def test_a_link_that_leads_nowhere_is_refused(tmp_path):
    touch(tmp_path, "w1.fits", "w2.fits")
    (tmp_path / "w3.fits").symlink_to(tmp_path / "gone" / "w3.fits")
    with pytest.raises(StackError, match=r"w3\.fits: a link to .*gone/w3\.fits, where nothing is"):
        find_sources(tmp_path)


@pytest.mark.parametrize("ending", [".fits", ".fit", ".fts", ".fts.gz", ".FIT.FZ", ".fits.fz"])
def test_files_of_every_usual_ending_count(tmp_path, ending):
    path = tmp_path / f"w{ending}"
    path.touch()
    (tmp_path / "folder.fits").mkdir()
    assert [source.path for source in find_sources(tmp_path)] == [path]


@pytest.mark.skipif(os.name != "posix", reason="links are for few accounts")
def test_a_folder_of_warps_that_is_a_link_to_nowhere_is_refused(tmp_path):
    touch(tmp_path, "w1.fits")
    (tmp_path / "matched").symlink_to(tmp_path / "unmounted")
    with pytest.raises(StackError, match=r"matched: a link to .*unmounted, where nothing is"):
        find_sources(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"path\n{'x' * 300}\n", "row 1: path is 'xxx.*names of at most 255 bytes"),
        (f"path\n{'y/' * 3000}\n", "row 1: path is 'y/y.*4095 in all"),
        ("path,psf_sigma\na.fits,inf\n", "row 1: psf_sigma is inf"),
        ("path,psf_sigma\na.fits,-1\n", "row 1: psf_sigma is -1"),
        ("path,psf_sigma\na.fits,True\n", "row 1: psf_sigma is 'True'|row 1: psf_sigma is True"),
        (f"path,psf_sigma\na.fits,{'w' * 500}\n", "row 1: psf_sigma is 'www.*a number of pixels"),
        ("path,kind\na.fits,\x1b[31m\n", r"row 1: kind is '\\x1b\[31m'"),
    ],
)
def test_each_cell_of_a_manifest_has_a_type_and_a_range(tmp_path, text, message):
    (tmp_path / "stack.csv").write_text(text)
    with pytest.raises(StackError, match=message) as error:
        find_sources(tmp_path / "stack.csv")
    assert len(str(error.value)) < len(str(tmp_path)) + 200


def test_an_id_of_thousands_of_digits_is_no_number(tmp_path):
    (tmp_path / "stack.csv").write_text(f"path,visit\na.fits,{'1' * 5000}\n")
    (source,) = find_sources(tmp_path / "stack.csv")
    assert source.visit == "1" * 5000
