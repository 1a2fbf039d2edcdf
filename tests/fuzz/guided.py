"""Parsers of bytes, each fuzzed with the coverage as a guide, where atheris installs.

    PYTHONPATH=tests python -m fuzz.guided inspection -max_total_time=600

What is after the name goes to libFuzzer. An input on which a parser raises anything but
an error of this project is kept as ``crash-…`` in the current folder.
"""

import importlib
import sys
import tempfile
import warnings
from pathlib import Path

#: Modules that parse, and bring what they parse with.
FOLLOWED = (
    "io.inspection_file", "io.config_file", "io.sources", "io.bright_objects", "io.pixels",
    "io.scan", "config.lsst_file", "batch.plan",
)  # fmt: skip

#: Longest input, bytes: longer ones only make it slow.
LONGEST = 20_000


def _inspection(path):
    from napari_comparewarp.io.inspection_file import read_inspection

    read_inspection(path)


def _manifest(path):
    from napari_comparewarp.io.sources import find_sources

    find_sources(path)


def _config(path):
    from napari_comparewarp.io.config_file import read_config_file

    read_config_file(path)


def _plan(path):
    from napari_comparewarp.batch.plan import read_plan
    from napari_comparewarp.io.config_file import read_config_file

    read_plan(path, read_config_file)


def _bright(path):
    import fits_files
    import numpy as np

    from napari_comparewarp import WarpStack
    from napari_comparewarp.io.bright_objects import read_bright_objects

    planes = [np.zeros((2, *fits_files.SHAPE), kind) for kind in ("f4", "f4", "i4")]
    stack = WarpStack.from_arrays(*planes, psf_sigma=2.0, wcs=fits_files.tan_wcs())
    read_bright_objects(path, stack)


def _fits(path):
    from napari_comparewarp.algorithm.mask_planes import LSST_PLANES
    from napari_comparewarp.io.pixels import read_pixels
    from napari_comparewarp.io.scan import scan_exposure

    read_pixels(scan_exposure(path), dict(LSST_PLANES))


#: By name: the ending of a file, what parses it, and the seeds that it begins with.
PARSERS = {
    "inspection": (".json", _inspection, ["inspection"]),
    "manifest": (".toml", _manifest, ["manifest_toml"]),
    "table": (".ecsv", _manifest, ["manifest_ecsv"]),
    "config": (".toml", _config, ["config_toml"]),
    "lsst": (".py", _config, ["config_lsst"]),
    "plan": (".toml", _plan, ["plan"]),
    "regions": (".reg", _bright, ["regions"]),
    "catalogue": (".csv", _bright, ["catalogue_csv"]),
    "fits": (".fits", _fits, ["lsst_direct", "packed_rice", "packed_hcompress", "psf_grid"]),
}


def parse(name, content, folder):
    """Parse some bytes as one of `PARSERS` does; raises what is no error of this project."""
    from napari_comparewarp.errors import CompareWarpError

    ending, parser, _ = PARSERS[name]
    path = folder / f"input{ending}"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parser(path)
        except CompareWarpError:
            return


def write_seeds(name, folder):
    """Write the files that the fuzzer begins with."""
    from .layouts import LAYOUTS, files_of
    from .texts import text_seed

    for seed in PARSERS[name][2]:
        content = (
            next(iter(files_of(seed).values()))
            if seed in LAYOUTS
            else text_seed(seed).text.encode()
        )
        (folder / seed).write_bytes(content)


def main(name, *words):
    import atheris

    # What is imported within is followed; the parsers must not have been imported before.
    with atheris.instrument_imports(include=["napari_comparewarp", "regions", "tomllib"]):
        for module in FOLLOWED:
            importlib.import_module(f"napari_comparewarp.{module}")
    with tempfile.TemporaryDirectory(prefix="fuzz-guided-") as scratch:
        seeds, folder = Path(scratch) / "seeds", Path(scratch) / "work"
        seeds.mkdir()
        folder.mkdir()
        write_seeds(name, seeds)
        longest = LONGEST if name != "fits" else 100_000
        atheris.Setup(
            [sys.argv[0], *words, f"-max_len={longest}", str(seeds)],
            lambda content: parse(name, content, folder),
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
