"""Outputs are named before the work, their size is known about, and they belong together."""

import json
from concurrent.futures import CancelledError

import pytest
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.errors import OutputError
from napari_comparewarp.outputs import PRODUCTS, Outputs, Source
from napari_comparewarp.result.files import write_lsst_config

FOLDER = {"masks": "masks", "debug_products": "pictures"}


@pytest.fixture(scope="module")
def inspection():
    return cw.Inspection(stack(n_epochs=6, shape=(256, 256)))


def source_of(inspection):
    return Source(inspection.result, inspection)


def all_in(folder, without=()):
    """Return outputs with all products there are, but those that take long."""
    return Outputs(
        {
            name: folder / FOLDER.get(name, f"{name}{''.join(product.endings[:1])}")
            for name, product in PRODUCTS.items()
            if name not in without
        }
    )


def test_every_product_is_written_and_then_found_to_exist(inspection, tmp_path):
    outputs, seen = all_in(tmp_path), []
    epochs = inspection.stack.epochs
    assert outputs.existing(epochs) == []
    written = outputs.write(
        source_of(inspection), False, lambda title, done, total: seen.append((done, total))
    )
    assert set(written) == set(outputs.paths.values())
    assert all(path.exists() for path in written)
    assert seen == [(done, len(PRODUCTS)) for done in range(len(PRODUCTS))]
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert set(outputs.existing(epochs)) == files


def test_sizes_are_known_about_before(inspection, tmp_path):
    outputs = all_in(tmp_path, without=["debug_products", "report"])
    expected = outputs.expected_bytes(inspection.result)
    outputs.write(source_of(inspection), False)
    for name in ("coadd", "lsst_config", "inspection"):
        size = outputs.paths[name].stat().st_size
        assert size / 2 < expected[name] < size * 2, name
    with_map = cw.run(inspection.stack, cw.CompareWarpConfig(input_map=True))
    grown = outputs.expected_bytes(with_map)["coadd"] - expected["coadd"]
    assert grown == 8 * 256 * 256


def test_what_exists_is_replaced_only_if_asked(inspection, tmp_path):
    outputs = all_in(tmp_path, without=["debug_products", "report"])
    outputs.write(source_of(inspection), False)
    for name, path in outputs.paths.items():
        with pytest.raises(OutputError, match="exists"):
            Outputs({name: path}).write(source_of(inspection), False)
        with pytest.raises(OutputError, match="exists"):
            Outputs({name: path}).check([], overwrite=False)
    outputs.check([], overwrite=True)
    outputs.write(source_of(inspection), True)


def test_messages_call_the_products_as_the_user_does(tmp_path):
    outputs = Outputs({"coadd": tmp_path / "a.png"})
    with pytest.raises(OutputError, match="png: coadd takes"):
        outputs.check([], overwrite=True, names="titles")


def test_progress_can_stop_the_work_between_two_products(inspection, tmp_path):
    def stop(title, done, total):
        if done == 1:
            raise CancelledError

    outputs = Outputs({"coadd": tmp_path / "a.fits", "regions": tmp_path / "a.reg"})
    with pytest.raises(CancelledError):
        outputs.write(source_of(inspection), False, stop)
    assert [path.name for path in tmp_path.iterdir()] == ["a.fits"]


def test_what_changes_while_it_is_saved_is_saved_again_for_all_products(tmp_path, monkeypatch):
    inspection = cw.Inspection(stack())
    before = inspection.result
    save = cw.Inspection.save

    def save_and_change(self, path, overwrite=False):
        save(self, path, overwrite)
        if self.config.chi_threshold != 5:
            self.set(chi_threshold=5)

    monkeypatch.setattr(cw.Inspection, "save", save_and_change)
    paths = {"inspection": tmp_path / "a.json", "lsst_config": tmp_path / "a.py"}
    Outputs(paths).write(Source(before, inspection), False)
    assert json.loads(paths["inspection"].read_text())["config"]["chi_threshold"] == 5
    assert "config.detect.thresholdValue = 5.0" in paths["lsst_config"].read_text()


def test_an_lsst_override_brings_the_settings_back(inspection, tmp_path):
    result = cw.run(inspection.stack, cw.CompareWarpConfig(spatial_threshold=0.25))
    write_lsst_config(result, tmp_path / "config.py")
    text = (tmp_path / "config.py").read_text()
    assert cw.CompareWarpConfig.from_lsst(text) == result.config
    with pytest.raises(OutputError, match=r"written as \.py"):
        write_lsst_config(result, tmp_path / "config.txt")
