"""Every writer of the package, each as something that a child does over and over."""

import functools
import json
import shutil
from pathlib import Path

from fits_files import write_stack

#: The stack that products are made of, beside the folder that they go to.
STACK = "warps"


@functools.cache
def _inspections():
    """Return two inspections that differ, so that an old file is not a new one."""
    import tempfile

    import napari_comparewarp as cw

    folder = Path(tempfile.mkdtemp(prefix="fuzz-writers-"))
    try:
        stack = cw.read_stack(write_stack(folder / STACK, (1, 2, 3, 4)))
    finally:
        shutil.rmtree(folder)
    made = [cw.Inspection(stack, cw.CompareWarpConfig(chi_threshold=2.0 + k)) for k in (0, 1)]
    for inspection in made:
        _ = inspection.result
        inspection.close()
    return made


def prepare(name):
    """Make what is written, before the fork: a child begins to write at once."""
    if name in _products():
        _inspections()
    elif name == "simulate":
        _nights()


@functools.cache
def _products():
    from napari_comparewarp.outputs import PRODUCTS

    return PRODUCTS


@functools.cache
def _nights():
    from napari_comparewarp.simulation import simulate_night

    return [simulate_night(2, (64, 64), seed=seed) for seed in (1, 2)]


def target(name):
    """Return the name of what a writer writes, in its folder."""
    products = _products()
    if name in products:
        return f"{name}{''.join(products[name].endings[:1])}"
    return {"manifest": "stack.toml", "simulate": "night", "batch": "out", "score": "score.json"}[
        name
    ]


def names():
    """Return the names of all writers."""
    return [*_products(), "manifest", "simulate", "batch"]


def write(name, folder, version):
    """Write one of two versions over what is there."""
    path = folder / target(name)
    if name in _products():
        from napari_comparewarp.outputs import Source

        inspection = _inspections()[version]
        _products()[name].write(Source(inspection.result, inspection), path, True)
    elif name == "simulate":
        from napari_comparewarp.simulation import write_night

        write_night(_nights()[version], path, overwrite=True)
    elif name == "manifest":
        from napari_comparewarp.io.assumptions import Assumptions
        from napari_comparewarp.io.write_manifest import write_manifest

        assume = Assumptions(sky=("keep", "subtract")[version])
        write_manifest(folder / STACK, path, assume, overwrite=True)
    else:
        _make_patch(folder, path, version)


def _make_patch(folder, output, version):
    from napari_comparewarp.batch.patch_run import make_patch
    from napari_comparewarp.batch.plan import Patch
    from napari_comparewarp.config.knobs import CompareWarpConfig

    config = CompareWarpConfig(chi_threshold=2.0 + version)
    make_patch(Patch(name="a", stack=(folder / STACK,), output=output, config=config))


def write_over_and_over(words):
    """Write the two versions in turn, for ever or as often as said."""
    name, times = words[0], int(words[1])
    done = 0
    while times == 0 or done < times:
        write(name, Path.cwd(), done % 2)
        done += 1
    return 0


def is_whole(path):
    """Raise whatever reading a file raises where it is not whole."""
    CHECKS["".join(path.suffixes[-1:])](path)


def _fits(path):
    import warnings

    from astropy.io import fits

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert path.stat().st_size % 2880 == 0
        with fits.open(path, checksum=True) as hdus:
            for hdu in hdus:
                _ = hdu.data
            assert len(hdus) > 0


def _table(path):
    from astropy.table import Table

    Table.read(path)
    assert path.read_text().endswith("\n")


def _regions(path):
    from regions import Regions

    Regions.read(path, format="ds9")
    assert path.read_text().endswith("\n")


def _toml(path):
    import tomllib

    assert tomllib.loads(path.read_text())["exposure"]


def _python(path):
    from napari_comparewarp.io.config_file import read_config_file

    read_config_file(path)
    assert path.read_text().endswith("\n")


def _html(path):
    assert path.read_text().rstrip().endswith("</html>")


def _picture(path):
    from matplotlib.image import imread

    imread(path)


CHECKS = {
    ".fits": _fits, ".fz": _fits, ".ecsv": _table, ".reg": _regions, ".toml": _toml,
    ".py": _python, ".html": _html, ".png": _picture,
    ".json": lambda path: json.loads(path.read_text()),
}  # fmt: skip
