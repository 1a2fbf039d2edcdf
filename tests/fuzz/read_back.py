"""Whether what a run has written is whole and comes back as it was meant."""

import re

import numpy as np
from astropy.io import fits
from astropy.table import Table

from napari_comparewarp.io.config_file import read_config_file


def complaints(paths, result):
    """Say in one line each what is wrong with the products of a result."""
    for name, path in paths.items():
        if not path.exists():
            yield f"{name}: {path} is not there"
        elif name in CHECKS:
            try:
                yield from CHECKS[name](path, result)
            except Exception as error:
                yield f"{name}: {path} cannot be read: {type(error).__name__}: {error}"


def _coadd(path, result):
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        for hdu in hdus:
            _ = hdu.data
        for name in ("IMAGE", "MASK", "VARIANCE"):
            if hdus[name].shape != result.stack.shape:
                yield f"coadd: {name} has shape {hdus[name].shape}"
        # Files have the unit of the inputs; the engine may work in another.
        image = result.coadd.image * np.float32(result.coadd.flux_scale)
        if not np.allclose(hdus["IMAGE"].data, image, rtol=1e-6, atol=0, equal_nan=True):
            yield "coadd: its image is not that of the result"
    if read_config_file(path) != result.config:
        yield "coadd: its settings come back different"


def _lsst_config(path, result):
    config = read_config_file(path)
    if type(config).from_lsst(config.to_lsst()) != config:
        yield "lsst_config: does not come back the same"


def _footprints(path, result):
    table = Table.read(path)
    if len(table) != len(result.footprint_set):
        yield f"footprints: {len(table)} rows for {len(result.footprint_set)} footprints"


#: Lines of a region file that this program writes.
_LINE = re.compile(
    r"# Region file format: DS9( .*)?|image|global .*|(polygon)\([-+\d.,e ]*\)( # [^\n]*)?|"
)


def _regions(path, result):
    from regions import Regions

    Regions.read(path, format="ds9")
    for line in path.read_text("utf-8").split("\n"):
        if not _LINE.fullmatch(line):
            yield f"regions: a line that is no region: {line[:80]!r}"


CHECKS = {
    "coadd": _coadd,
    "lsst_config": _lsst_config,
    "footprints": _footprints,
    "regions": _regions,
}
