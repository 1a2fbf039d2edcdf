"""A made-up survey: a dialect in a module of its own, and files in it, whole or split in three."""

import importlib
import sys

import numpy as np
from astropy.io import fits

from napari_comparewarp.io.dialects import registry

DIALECT = '''
"""FLUX, IVAR and FLAGS, in one file or in three that lie side by side."""

import numpy as np

from napari_comparewarp.io.dialects.dialect import Dialect, Layout, Missing, Plane

NAMES = {"FLUX": "image", "IVAR": "variance", "FLAGS": "mask"}


class Survey(Dialect):
    name = "survey"
    title = "a made-up survey"

    def recognise(self, path, files):
        planes = {}
        for name, role in NAMES.items():
            beside = path.with_name(path.name.replace("_flux", f"_{name.lower()}"))
            place = beside if beside.exists() else path
            for number, hdu in enumerate(files[place]):
                if hdu.name == name:
                    planes[name] = Plane(place, number, name, role)
        if "FLUX" not in planes:
            return Missing.IMAGE
        if "IVAR" not in planes:
            return Missing.VARIANCE
        ordered = tuple(planes.values())
        return Layout(ordered, planes["FLUX"], planes["IVAR"], planes.get("FLAGS"))

    def unit(self, headers):
        return "nJy"

    def mask_planes(self, header):
        return {card.value: int(card.keyword[4:]) for card in header.cards["FLAG*"]} or None

    def translate(self, image, variance):
        scale = np.float32(image.header["FLUXUNIT"])
        no_data = variance.values == 0
        with np.errstate(divide="ignore"):
            return image.values * scale, scale**2 / variance.values, no_data

    def assumptions(self, layout, flags):
        if layout.mask is None:
            yield "no FLAGS: no pixel is bad"
'''


def register(tmp_path, monkeypatch):
    """Write the dialect to a temporary module and add it to the registry, for one test."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "survey_dialect.py").write_text(DIALECT)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "survey_dialect", raising=False)
    importlib.invalidate_caches()
    survey = importlib.import_module("survey_dialect").Survey()
    monkeypatch.setattr(registry, "DIALECTS", (*registry.DIALECTS, survey))


def make_survey_planes(seed=0, shape=(20, 30)):
    """Return flux, inverse variance and flags; the first row has no weight."""
    rng = np.random.default_rng(seed)
    flux = rng.normal(10, 3, shape).astype(np.float32)
    ivar = rng.uniform(0.1, 0.2, shape).astype(np.float32)
    ivar[0] = 0
    flags = np.zeros(shape, np.uint8)
    flags[7, 8] = 1 << 3
    return flux, ivar, flags


def write_survey(folder, visit, planes=None, *, split=False, with_flags=True, checksum=False):
    """Write one visit, in one file or in three; return the path of that with the image."""
    flux, ivar, flags = make_survey_planes(visit) if planes is None else planes
    hdus = {
        "flux": fits.ImageHDU(flux, name="FLUX"),
        "ivar": fits.ImageHDU(ivar, name="IVAR"),
        "flags": fits.CompImageHDU(flags, name="FLAGS"),
    }
    hdus["flux"].header["FLUXUNIT"] = 2.0
    hdus["flags"].header["FLAG3"] = "HOT"
    if not with_flags:
        del hdus["flags"]
    folder.mkdir(parents=True, exist_ok=True)
    primary = fits.PrimaryHDU()
    primary.header["VISIT"], primary.header["PSFSIGMA"] = visit, 2.0
    for name in hdus if split else ("flux",):
        content = [hdus[name]] if split else list(hdus.values())
        fits.HDUList([primary.copy(), *content]).writeto(
            folder / f"v{visit}_{name}.fits", checksum=checksum
        )
    return folder / f"v{visit}_flux.fits"
