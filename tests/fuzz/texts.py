"""Every format of text that is read: a folder of files with one that will be damaged, and
the commands that read it."""

import functools
import hashlib
import json
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from .layouts import files_of


@dataclass(frozen=True)
class TextSeed:
    """One text to damage.

    Attributes
    ----------
    files : dict of str to bytes
        The folder it lies in, without it.
    name : str
        Its own name there.
    text : str
    commands : tuple of list of str
        Words that read it; the first is ``!NAME`` for an action that is no command.
    """

    files: dict
    name: str
    text: str
    commands: tuple


RUN = ["-o", "out.fits", "--quiet"]


def _warps():
    return {f"warps/{name}": content for name, content in files_of("lsst").items()}


def _inputs():
    """Return the inputs of an inspection of these warps."""
    for name, content in _warps().items():
        role = "matched" if "matched" in name else "direct"
        yield {
            "path": name,
            "role": role,
            "epoch": int(name.rpartition("_")[2].partition(".")[0]),
            "sha256": hashlib.sha256(content).hexdigest(),
            "psf_sigma": 2.0 if role == "matched" else None,
        }


def _inspection():
    from napari_comparewarp.config.knobs import CompareWarpConfig

    place = {"epoch": 1, "y": 9, "x": 8, "streak": False}
    content = {
        "format": "comparewarp inspection", "version": 1, "program": "napari-comparewarp 0.1",
        "config": CompareWarpConfig(chi_threshold=2.5).model_dump(mode="json"),
        "overrides": [place | {"decision": "clip"}, place | {"epoch": 2, "decision": "keep"}],
        "looked_at": [place],
        "variance_scale": [1.0, 1.5, 0.75],
        "inputs": list(_inputs()),
        "assume": {"sky": "keep", "noise": "ignore"},
    }  # fmt: skip
    return TextSeed(
        _warps(), "mine.json", json.dumps(content, indent=1),
        (["run", "mine.json", *RUN], ["report", "mine.json", "-o", "page.html"],
         ["!inspection", "mine.json", "again.json"], ["!reader", "mine.json"]),
    )  # fmt: skip


def _manifest_toml():
    lines = ["assume = { sky = 'keep' }", ""]
    for item in _inputs():
        lines += [
            "[[exposure]]", f'path = "{item["path"]}"', f"visit = {item['epoch']}",
            f'kind = "{item["role"]}"', "psf_sigma = 2.0", "zero_point = 25.0",
            f'planes = {{ image = ["{item["path"]}", 1], variance = ["{item["path"]}", "VARIANCE"]'
            " }", 'assume = { variance = "variance" }', "",
        ]  # fmt: skip
    return TextSeed(
        _warps(), "stack.toml", "\n".join(lines),
        (["run", "stack.toml", *RUN], ["info", "stack.toml"]),
    )  # fmt: skip


def _manifest_table(ending):
    rows = [f"{item['path']},{item['epoch']},{item['role']},2.0" for item in _inputs()]
    head = "path,visit,kind,psf_sigma"
    if ending == "ecsv":
        columns = [("path", "string"), ("visit", "int64"), ("kind", "string"),
                   ("psf_sigma", "float64")]  # fmt: skip
        told = [f"# - {{name: {name}, datatype: {kind}}}" for name, kind in columns]
        head = "\n".join(["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:", *told, head])
    return TextSeed(
        _warps(), f"stack.{ending}", "\n".join([head, *rows, ""]),
        (["run", f"stack.{ending}", *RUN], ["info", f"stack.{ending}"]),
    )  # fmt: skip


_PLAN = """[defaults]
preset = "dmtn-080"
knobs = { chi_threshold = 4.5, bad_planes = ["BAD", "NO_DATA"] }
psf_sigma = 2.0
memory = "1GB"
masks = false
assume = { sky = "keep" }

[[patch]]
name = "a"
stack = "warps"
output = "out"
regions = false

[[patch]]
name = "b"
stack = ["warps/direct/direct_warp_1.fits", "warps/direct/direct_warp_2.fits"]
output = "out"
footprints = false
"""

_CONFIG_TOML = """chi_threshold = 4.5
polarity = "positive"
min_pixels = 3
prefilter = true
max_epochs = "none"
bad_planes = ["BAD", "NO_DATA"]
mask_propagation = { SAT = 0.2, CR = 0.5 }
bright_object_plane = "BRIGHT_OBJECT"
input_map = true
"detect.thresholdValue" = 4.5
"""

_LSST_CONFIG = """# Options of CompareWarpAssembleCoaddTask.
import lsst.pipe.tasks
assert type(config) is object
config.detect.thresholdValue = 4.5
config.maxNumEpochs = 2
config.statistic = "MEAN"
config.badMaskPlanes = ["BAD", "NO_DATA"]
config.badMaskPlanes += ["EDGE"]
config.badMaskPlanes.append("SAT")
config.prefilterArtifactsMaskPlanes.remove("NO_DATA")
config.maskPropagationThresholds["SAT"] = 0.2
config.load("other.py")
"""

_DIALECT = """name = "mine"
title = "our camera"
planes = { image = ["IMAGE"], mask = ["MASK"], variance = ["VARIANCE"] }
zero_points = ["MAGZPT"]
visits = ["VISIT"]
recognise = [{ cards = { EXTNAME = "*" }, hdus = ["IMAGE"] }]

[[flags]]
when = { FIRMWARE = ">=2.0" }
kind = "codes"
[flags.planes]
1 = "CR"

[[flags]]
[flags.planes]
1 = "BAD"
8 = "HALO SUSPECT"
"""

_CATALOGUE = """ra,dec,radius,width,height,angle
150.0,2.0,0.0005,,,
150.0001,2.0001,,0.0004,0.0002,45
149.9999,1.9999,0.0003,,,
"""

_CATALOGUE_ECSV = """# %ECSV 1.0
# ---
# datatype:
# - {name: ra, unit: deg, datatype: float64}
# - {name: dec, unit: deg, datatype: float64}
# - {name: radius, unit: arcsec, datatype: float64}
# meta: !!omap
# - {made: here}
ra dec radius
150.0 2.0 2.0
150.0001 2.0001 1.0
"""

_REGIONS = """# Region file format: DS9 version 4.1
global color=green dashlist=8 3 width=1
fk5
circle(150.0,2.0,1.8") # text={a star}
ellipse(150.0,2.0,1.0",2.0",45) # color=red tag={b}
-box(10:00:00.01,+02:00:00.3,1",2",30)
image
polygon(1,1,9,1,9,8,1,8)
annulus(15,10,3,5)
"""


def _config_commands(name):
    return (
        ["run", "warps", *RUN, "--config", name],
        ["config", "show", "--config", name],
        ["config", "convert", name, "--to", "lsst"],
        ["config", "convert", name],
        ["config", "diff", "dmtn-080", name],
    )


def _config_json():
    from napari_comparewarp.config.knobs import CompareWarpConfig

    text = json.dumps(CompareWarpConfig().model_dump(mode="json"), indent=1)
    return TextSeed(_warps(), "knobs.json", text, _config_commands("knobs.json"))


def _lsst_json():
    text = json.dumps({"detect.thresholdValue": 4.5, "maxNumEpochs": 2, "statistic": "MEAN"})
    return TextSeed(_warps(), "lsst.json", text, _config_commands("lsst.json"))


def _catalogue(name, text):
    def seed():
        words = ["--set", "mask_bright_objects=true", "--bright-objects", name]
        return TextSeed(_warps(), name, text, (["run", "warps", *RUN, *words],))

    return seed


def _dialect():
    words = ["--dialect", "mine.toml"]
    return TextSeed(
        _warps(), "mine.toml", _DIALECT, (["run", "warps", *RUN, *words], ["info", "warps", *words])
    )


@functools.cache
def _night():
    """Return a small simulated night with its truth, and a coadd of it."""
    import napari_comparewarp as cw
    from napari_comparewarp.simulation import simulate_night, write_night

    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        write_night(simulate_night(3, (64, 64), seed=1), folder / "night")
        cw.run(cw.read_stack(folder / "night")).write(folder / "coadd.fits")
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _truth(table):
    def seed():
        name = f"night/truth/{table}.ecsv"
        text = _night()[name].decode()
        commands = (
            ["score", "coadd.fits", "--truth", "night", "--json", "score.json"],
            ["report", "night", "-o", "page.html", "--truth", "night"],
        )
        return TextSeed(
            {other: content for other, content in _night().items() if other != name},
            name, text, commands,
        )  # fmt: skip

    return seed


_RECEIPT = json.dumps(
    {
        "program": "napari-comparewarp 0.1", "config": {"chi_threshold": 4.5},
        "inputs": {"warps/direct/direct_warp_1.fits": "ab"}, "psf_sigma": 2.0, "assume": {},
        "outputs": {"a.fits": "cd"},
        "summary": {"epochs": 3, "candidates": 0, "clipped": 0, "notes": ["x"]},
    },
    indent=1,
)  # fmt: skip


def _receipt():
    files = _warps() | {"plan.toml": _PLAN.encode(), "out/a.fits": b"mine"}
    return TextSeed(files, "out/a.done.json", _RECEIPT, (["batch", "plan.toml", "--overwrite"],))


SEEDS = {
    "inspection": _inspection,
    "manifest_toml": _manifest_toml,
    "manifest_csv": lambda: _manifest_table("csv"),
    "manifest_ecsv": lambda: _manifest_table("ecsv"),
    "plan": lambda: TextSeed(_warps(), "plan.toml", _PLAN, (["batch", "plan.toml"],)),
    "receipt": _receipt,
    "config_json": _config_json,
    "config_toml": lambda: TextSeed(
        _warps(), "knobs.toml", _CONFIG_TOML, _config_commands("knobs.toml")
    ),
    "config_lsst": lambda: TextSeed(
        _warps() | {"other.py": b"config.maxNumEpochs = 3\n"}, "config.py", _LSST_CONFIG,
        _config_commands("config.py"),
    ),
    "config_lsst_json": _lsst_json,
    "dialect": _dialect,
    "catalogue_csv": _catalogue("bright.csv", _CATALOGUE),
    "catalogue_ecsv": _catalogue("bright.ecsv", _CATALOGUE_ECSV),
    "regions": _catalogue("bright.reg", _REGIONS),
    **{
        f"truth_{table}": _truth(table)
        for table in ("visits", "stars", "galaxies", "variables", "light_curves", "artifacts")
    },
}  # fmt: skip

#: Which start processes of a cluster, and take seconds where nothing is wrong.
SLOW = ("plan", "receipt")


@functools.cache
def text_seed(name):
    """Return the seed of a format."""
    return SEEDS[name]()
