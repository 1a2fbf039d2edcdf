"""Writing a manifest of a folder, to edit."""

import json
import math
from pathlib import Path
from typing import Any

from ..errors import OutputError, StackError, escaped, working_on
from .agreement import check_present
from .assumptions import Assumptions
from .atomic import check_output, replacing
from .dialects.registry import NotAnExposure
from .exposure import Exposure
from .plain_files import write_text
from .scan import scan_exposures
from .source import MANIFEST_NAME
from .sources import find_sources
from .text_file import printable
from .treatment import same_visits, treat

__all__ = ["write_manifest"]


def write_manifest(
    folder: Path, path: Path | None = None, assume: Assumptions | None = None,
    overwrite: bool = False,
) -> Path:  # fmt: skip
    """Write a manifest of the exposures in a folder.

    What was assumed stands in it as comments.

    Parameters
    ----------
    folder : Path
        A folder of FITS files.
    path : Path, optional
        Where to write; by default ``comparewarp.toml`` in the folder.
    assume : Assumptions, optional
        What the user says of the files.
    overwrite : bool

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StackError
        If the folder holds no exposure.
    OutputError
        If the file exists, or cannot be written.
    """
    path = folder / MANIFEST_NAME if path is None else path
    if path.suffix.lower() != ".toml":
        raise OutputError(f"{path}: a manifest is written as .toml")
    check_output(path, overwrite)
    assume = assume or Assumptions()
    exposures: list[Exposure] = []
    others: list[str] = []
    for source in find_sources(folder):
        try:
            with working_on(source.path):
                exposures += scan_exposures(source.path, assume)
        except NotAnExposure as error:
            others.append(str(error))
    check_present(exposures)
    exposures = same_visits(exposures)
    refusal = ""
    try:
        exposures, treated = treat(exposures, assume)
    except StackError as error:
        # What cannot be right as it is, is what the manifest is there to mend.
        treated, refusal = [], str(error)
    taken = {file for exposure in exposures for file in exposure.layout.files}
    lines = ["# The exposures of a stack: edit it, and run it as any stack.", ""]
    lines += [_comment(f"refused as it is: {refusal}"), ""] if refusal else []
    lines += [_comment(f"left out: {text}") for text in others if not _names(text, taken)]
    lines += ["[assume]", *(f"{name} = {_toml(v)}" for name, v in assume.told().items())]
    lines += [f"# {name}: {field.description}" for name, field in Assumptions.model_fields.items()]
    notes = {exposure.path: list(exposure.notes) for exposure in exposures}
    for file, note in treated:
        notes.setdefault(file, []).append(note)
    for exposure in exposures:
        lines += ["", *_entry(exposure, path.parent, notes.get(exposure.path, []))]
    odd = next((e.path for e in exposures if printable(str(e.path)) != str(e.path)), None)
    if odd is not None:
        raise OutputError(
            f"{odd}: the name is no UTF-8, which a manifest has to be; rename the file or folder"
        )
    with replacing(path, overwrite) as temporary:
        write_text(temporary, "\n".join(lines) + "\n")
    return path


def _names(text: str, files: set[Path]) -> bool:
    """Tell whether a message is about one of some files."""
    return any(text.startswith(f"{file}:") for file in files)


def _entry(exposure: Exposure, folder: Path, notes: list[str]) -> list[str]:
    """Return the lines of one exposure."""
    layout = exposure.layout
    lines = [_comment(f"assumed: {note}") for note in dict.fromkeys(notes)]
    lines += ["[[exposure]]", f"path = {_path(exposure.path, folder)}"]
    lines += [f"visit = {_toml(exposure.visit)}"]
    if exposure.kind is not None:
        lines.append(f"kind = {_toml(exposure.kind)}")
    sigma = "psf_sigma = {}".format
    known = exposure.psf_sigma is not None
    lines.append(sigma(_toml(exposure.psf_sigma)) if known else f"# {sigma('… pixels')}")
    if exposure.zero_point is not None:
        card, flux = exposure.zero_point
        lines.append(_comment(f"zero_point = {-2.5 * math.log10(flux):.4f}  # {card}"))
    for plane in layout.planes:
        what = plane.role if plane != layout.variance else layout.spread
        lines.append(_comment(f"{what}: {plane.path.name}, HDU {plane.hdu} ({plane.name})"))
    told = [f"dialect = {_toml(exposure.dialect.name)}"]
    if layout.detector:
        told.append(f"detector = {_toml(layout.detector.replace('HDU ', ''))}")
    lines.append(f"assume = {{ {', '.join(told)} }}")
    lines.append('# exclude = "a reason"')
    return lines


def _path(path: Path, folder: Path) -> str:
    """Return a path relative to a folder where it lies within."""
    try:
        return _toml(path.resolve().relative_to(folder.resolve()).as_posix())
    except ValueError:
        return _toml(str(path.resolve()))


def _toml(value: Any) -> str:
    """Return a number or a text as TOML; texts of JSON are texts of TOML, but for some letters."""
    return "".join(
        letter if letter.isprintable() else f"\\U{ord(letter):08x}"
        for letter in json.dumps(value, ensure_ascii=False)
    )


def _comment(text: str) -> str:
    """Return text as a comment, which ends with its line."""
    return f"# {escaped(' '.join(text.split()))}"
