"""One patch of a batch: what it writes, and when it counts as done."""

import json
import shutil

import pytest
from astropy.io import fits
from patches import N_EPOCHS, patches_of, write_plan, write_warps

from napari_comparewarp import CompareWarpConfig, read_stack, run
from napari_comparewarp.batch.patch_run import Summary, check_outputs, finished, make_patch
from napari_comparewarp.errors import OutputError
from napari_comparewarp.io.leftovers import _machine


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with a patch that was made, and what it came to."""
    folder = tmp_path_factory.mktemp("made")
    write_warps(folder / "night")
    (patch,) = patches_of(write_plan(folder, "one"))
    return folder, make_patch(patch)


@pytest.fixture
def patch(made, tmp_path):
    """Return the patch in a copy of that folder, for a test to change."""
    folder = shutil.copytree(made[0], tmp_path / "moved")
    return patches_of(folder / "patches.toml")[0]


def test_the_products_are_those_of_a_run(made):
    folder, summary = made
    result = run(read_stack(folder / "night"), CompareWarpConfig())
    with fits.open(folder / "made" / "one.fits") as coadd:
        assert coadd["IMAGE"].data.tobytes() == result.coadd.image.astype(">f4").tobytes()
    clipped = int((result.footprints["verdict"] == "clipped").sum())
    assert summary == Summary(N_EPOCHS, len(result.footprints), clipped, ())
    assert summary.clipped > 0
    assert len(list((folder / "made" / "one_masks").iterdir())) == N_EPOCHS
    names = {path.name for path in (folder / "made").iterdir()}
    assert names == {"one.fits", "one_masks", "one.ecsv", "one.reg", "one.done.json"}


def test_the_note_has_the_checksums_of_what_went_in_and_came_out(patch):
    receipt = json.loads(patch.receipt_path.read_text())
    assert len(receipt["inputs"]) == 2 * N_EPOCHS
    assert all(name.startswith("../night/") for name in receipt["inputs"])
    assert len(receipt["outputs"]["masks"]) == N_EPOCHS
    assert len(receipt["outputs"]["coadd"]["one.fits"]) == 64
    assert receipt["config"]["chi_threshold"] == 7.5
    assert receipt["program"].startswith("napari-comparewarp ")


def test_a_patch_is_still_done_after_its_tree_was_moved(made, patch):
    assert finished(patch) == made[1]


def test_fewer_products_than_were_made_are_no_new_work(patch):
    assert finished(patch.model_copy(update={"masks": False})) is not None


def test_a_stranger_among_the_masks_is_no_new_work(patch):
    (patch.products["masks"] / "notes.txt").write_text("look at epoch 3")
    assert finished(patch) is not None


@pytest.mark.parametrize("product", ["coadd", "masks", "footprints", "regions"])
def test_a_damaged_or_missing_output_is_made_again(made, patch, product):
    path = patch.products[product]
    path = next(path.iterdir()) if path.is_dir() else path
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert finished(patch) is None
    path.unlink()
    assert finished(patch) is None
    check_outputs([patch])


def test_another_setting_is_new_work(patch):
    changed = {"config": patch.config.replace(chi_threshold=9)}
    assert finished(patch.model_copy(update=changed)) is None
    assert finished(patch.model_copy(update={"psf_sigma": 2.0})) is None


def test_a_changed_missing_or_added_input_is_new_work(patch):
    warp = sorted((patch.stack[0] / "direct").iterdir())[0]
    content = warp.read_bytes()
    with warp.open("ab") as file:
        file.write(b"\0")
    assert finished(patch) is None
    warp.write_bytes(content)
    assert finished(patch) is not None
    added = warp.with_name("more.fits")
    added.write_bytes(content)
    assert finished(patch) is None
    added.unlink()
    warp.unlink()
    assert finished(patch) is None


def test_a_manifest_that_says_something_else_of_the_same_files_is_new_work(patch):
    folder = patch.output.parent
    files = sorted((folder / "night").glob("*/*warp*.fits.fz"))
    rows = [f"{file.relative_to(folder)},2.0\n" for file in files]
    manifest = folder / "night.csv"
    manifest.write_text("path,psf_sigma\n" + "".join(rows))
    table = 'name = "two"\nstack = "night.csv"\noutput = "made"'
    (two,) = patches_of(write_plan(folder, table))
    make_patch(two)
    assert finished(two) is not None
    manifest.write_text(manifest.read_text().replace("2.0", "2.5"))
    assert finished(two) is None


@pytest.mark.parametrize("note", ["", "{}", "[1]", '{"program": 1}', "\0"])
def test_a_damaged_note_is_new_work(patch, note):
    patch.receipt_path.write_text(note)
    assert finished(patch) is None


def test_what_was_left_out_is_noted(patch):
    next((patch.stack[0] / "matched").iterdir()).unlink()
    summary = make_patch(patch)
    assert any("has no PSF-matched warp" in note for note in summary.notes)
    assert finished(patch) == summary


def test_files_that_no_batch_has_made_are_not_replaced(patch):
    check_outputs([patch])
    patch.receipt_path.unlink()
    with pytest.raises(OutputError, match=r"one\.fits exists, .*--overwrite"):
        check_outputs([patch])


def test_what_an_interrupted_patch_has_left_is_replaced_and_swept(patch):
    patch.receipt_path.unlink()
    output = patch.output
    mark = output / ".one.begun"
    name = f".comparewarp-{_machine()}-0a1b2c3d4e5f.part"
    left = [output / name, patch.products["masks"] / name]
    others = output / ".one.fits.0a1b2c3d.part"
    for path in (mark, others, *left):
        path.touch()
    check_outputs([patch])
    make_patch(patch)
    assert not mark.exists()
    assert not any(path.exists() for path in left)
    assert others.exists()


def test_an_interrupted_patch_says_whose_its_files_are(patch, monkeypatch):
    shutil.rmtree(patch.output)

    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr("napari_comparewarp.result.files.write_regions", stopped)
        with pytest.raises(KeyboardInterrupt):
            make_patch(patch)
    assert (patch.output / "one.fits").exists()
    assert finished(patch) is None
    check_outputs([patch])
    make_patch(patch)
    assert finished(patch) is not None


def test_an_output_folder_that_cannot_be_made_is_told(patch):
    shutil.rmtree(patch.output)
    patch.output.write_text("a file")
    with pytest.raises(OutputError, match=r"made: cannot be written to: "):
        make_patch(patch)


@pytest.mark.parametrize(
    "change",
    [
        {"summary": {"epochs": -1, "candidates": 0, "clipped": 0, "notes": []}},
        {"summary": {"epochs": "6", "candidates": 0, "clipped": 0, "notes": []}},
        {"summary": {"epochs": 6, "candidates": 0, "clipped": 0, "notes": "none"}},
        {"summary": {"epochs": 6, "candidates": 10**30, "clipped": 0, "notes": []}},
        {"outputs": {"coadd": {"/dev/zero": "0"}, "masks": {}, "footprints": {}, "regions": {}}},
        {"outputs": {"coadd": {"a\0b": "0"}}},
        {"outputs": [1]},
        {"inputs": {"\ud800": ""}},
        {"surprise": 1},
    ],
)
def test_a_note_with_what_no_batch_writes_is_new_work(patch, change):
    receipt = json.loads(patch.receipt_path.read_text())
    patch.receipt_path.write_text(json.dumps(receipt | change))
    assert finished(patch) is None


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "9" * 5000, '{"program": 1, "program": 2}', "\xff"]
)
def test_a_note_that_cannot_be_read_is_new_work(patch, text):
    patch.receipt_path.write_text(text, "latin-1")
    assert finished(patch) is None
