"""Files beside an image that hold its other planes, known by their names alone."""

import re
from pathlib import Path

from ..place import is_there, names_in

__all__ = ["companions_of", "is_companion"]

#: Words that SWarp, SExtractor and people end the name of such a file with.
_WORDS = {
    "mask": "mask", "flag": "mask", "flags": "mask", "dq": "mask", "bpm": "mask",
    "noise": "error", "rms": "error", "err": "error", "error": "error", "sigma": "error",
    "var": "variance", "variance": "variance", "ivar": "inverse_variance",
    "weight": "weight", "wht": "weight", "weights": "weight",
}  # fmt: skip

_NAME = re.compile(
    r"(?P<stem>.+?)[._-](?P<word>" + "|".join(_WORDS) + r")(?P<ending>\.(fits?|fts)(\.[fg]z)?)$",
    re.IGNORECASE,
)

_ENDINGS = [f".{name}{packed}" for name in ("fits", "fit", "fts") for packed in ("", ".fz", ".gz")]


def is_companion(path: Path) -> bool:
    """Tell whether a file is named as a plane of another image that lies beside it."""
    found = _NAME.match(path.name)
    return found is not None and any(
        is_there(path.with_name(found["stem"] + ending)) for ending in _ENDINGS
    )


def companions_of(path: Path) -> dict[str, Path]:
    """Return the files beside an image by what their names say they hold."""
    ending = next((end for end in _ENDINGS[::-1] if path.name.lower().endswith(end)), "")
    stem = path.name[: len(path.name) - len(ending)]
    found: dict[str, Path] = {}
    for other in names_in(path.parent):
        named = _NAME.match(other.name)
        if named is not None and named["stem"] == stem:
            found.setdefault(_WORDS[named["word"].lower()], other)
    return found
