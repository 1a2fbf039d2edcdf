"""A recipe says which file is damaged, how, and what is done with it: a mutant in a few bytes.

Recipes are dictionaries that JSON takes, so that what once broke can be kept in `corpus`.
"""

import json
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from . import fits_edits, text_edits, words
from .layouts import LAYOUTS, SIGNED, files_of, words_of
from .texts import SEEDS, SLOW, text_seed

#: What is done with a folder of damaged warps; often all that there is.
_ALL = ["--masks", "masks", "--footprints", "t.ecsv", "--regions", "r.reg",
        "--lsst-config", "c.py", "--artifact-masks", "cells"]  # fmt: skip
COMMANDS = {
    "run": ["run", "warps", "-o", "out.fits"],
    "run all": ["run", "warps", "-o", "out.fits.fz", *_ALL],
    "run spooled": ["run", "warps", "-o", "out.fits", "--memory", "100kB"],
    "info": ["info", "warps"],
    "report": ["report", "warps", "-o", "page.html"],
    "init": ["init", "warps"],
    "reader": ["!reader", "warps"],
}

_command = st.sampled_from(
    [*["run"] * 12, *["run all"] * 4, "run spooled", *["info"] * 3, "report", "init", "reader"]
)


def fits_recipes(layouts=tuple(LAYOUTS)):
    """Return a strategy of recipes with a damaged warp."""
    return st.fixed_dictionaries(
        {
            "layout": st.sampled_from(layouts),
            "file": st.integers(0, 20),
            "edits": fits_edits.edits,
            "command": _command,
        }
    )


def text_recipes(formats=tuple(name for name in SEEDS if name not in SLOW)):
    """Return a strategy of recipes with a damaged text."""
    return st.fixed_dictionaries(
        {
            "format": st.sampled_from(formats),
            "edits": text_edits.edits,
            "command": st.integers(0, 11),
        }
    )


def word_recipes():
    """Return a strategy of recipes with nothing damaged but the words."""
    return st.fixed_dictionaries({"words": words.words})


@dataclass(frozen=True)
class Mutant:
    """A folder that is ready, and what is to be done there.

    Attributes
    ----------
    folder : Path
    words : list of str
    action : str
        See `actions`.
    is_signed : bool
        Whether data were damaged under a DATASUM, which must not go unseen.
    """

    folder: Path
    words: list
    action: str
    is_signed: bool = False


@contextmanager
def made(recipe):
    """Write the files of a recipe to a folder, for a while."""
    with tempfile.TemporaryDirectory(prefix="fz", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        files, words, is_signed = _content(recipe)
        for path, content in files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        action = "command"
        if words and words[0].startswith("!"):
            action, words = words[0][1:], words[1:]
        try:
            yield Mutant(folder, words, action, is_signed)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _content(recipe):
    """Return the files of a recipe, its words, and whether damage must not go unseen."""
    if "layout" in recipe:
        return _damaged_warps(recipe)
    if "format" in recipe:
        seed = text_seed(recipe["format"])
        files = seed.files | {seed.name: text_edits.edited(seed.text, recipe["edits"])}
        return files, seed.commands[recipe["command"] % len(seed.commands)], False
    warps = {f"warps/{name}": content for name, content in files_of("lsst").items()}
    return warps, recipe["words"], False


def _damaged_warps(recipe):
    layout, edits = recipe["layout"], recipe["edits"]
    files = dict(files_of(layout))
    name = sorted(files)[recipe["file"] % len(files)]
    whole = files[name]
    files[name] = fits_edits.edited(whole, edits)
    if any(edit[0].startswith("gzip") for edit in edits) and not name.endswith(".gz"):
        files[f"{name}.gz"] = files.pop(name)
    words = COMMANDS[recipe["command"]]
    takes_psf, says_psf = words[0] in ("run", "report"), "--psf-sigma" in words_of(layout)
    if takes_psf or (words[0] in ("info", "init") and not says_psf):
        words = [*words, *words_of(layout)]
    is_signed = (
        layout in SIGNED and fits_edits.only_data(edits) and takes_psf and files.get(name) != whole
    )
    return {f"warps/{path}": content for path, content in files.items()}, words, is_signed


def as_text(recipe):
    """Return a recipe as one line of JSON."""
    return json.dumps(recipe, sort_keys=True)
