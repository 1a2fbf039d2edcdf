"""The report of a run: one HTML file that holds its pictures and needs no network."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from ..algorithm.parallel import Progress, no_progress
from ..algorithm.psf_kernels import psf_fwhm
from ..colours import VERDICT_COLOURS
from ..config.knobs import CompareWarpConfig
from ..inspection.inspection import Inspection
from ..io.atomic import check_output, replacing
from ..io.provenance import creator, timestamp
from ..io.sky import sky_of
from ..io.text_file import printable
from ..review.doubtful import flipping_changes, knife_edges
from ..review.explain import explain
from ..review.sensitivity import chi_sensitivity, verdict_sensitivity
from ..review.summary import summarise_epochs
from ..score import score as measure
from .gallery import Entry, Section, choose_footprints, describe_footprint
from .pictures import (
    draw_clipped,
    draw_coadds,
    draw_differences,
    draw_epoch_count,
    draw_removed,
    draw_template,
    embed_picture,
)
from .sensitivity_sheet import draw_sensitivity

if TYPE_CHECKING:
    from ..algorithm.warps import WarpStack
    from ..result.result import CompareWarpResult
    from ..review.sensitivity import Sensitivity
    from ..simulation import Truth

__all__ = ["write_report"]

#: Control characters besides the end of a line, and marks of the direction of text.
_UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200e\u200f]")


def write_report(
    source: "CompareWarpResult | Inspection",
    path: str | Path,
    overwrite: bool = False,
    truth: "Truth | str | Path | None" = None,
    progress: Progress | None = None,
) -> None:
    """Write what a run found, and why, as one HTML file.

    Parameters
    ----------
    source : Inspection or CompareWarpResult
        A result alone remembers no deviating pixels below its chi threshold:
        its report has no sensitivity sheet.
    path : path
        The file; it appears when it is whole.
    overwrite : bool
        Whether an existing file may be replaced.
    truth : Truth or path, optional
        Of a simulated night, or the folder that holds it: the score is reported too.
    progress : callable, optional
        Called as ``progress(stage, done, total)``. An exception that it raises
        stops the work, and nothing is written.

    Raises
    ------
    OutputError
        If the file exists, or cannot be written.
    TruthError
        If the truth cannot be read, or is not that of these warps.
    """
    path, progress = Path(path), progress or no_progress
    check_output(path, overwrite)
    result = source.result if isinstance(source, Inspection) else source
    score = None if truth is None else measure(result, truth)
    sheets = None
    if isinstance(source, Inspection):
        sheets = (
            verdict_sensitivity(source, progress=progress),
            chi_sensitivity(source, progress=progress),
        )
    page = _environment().get_template("report.html")
    text = page.render(
        title=_title(result.stack),
        creator=creator(),
        timestamp=timestamp(),
        verdict_colours=VERDICT_COLOURS,
        facts=_facts(result),
        figures=_key_figures(result, sheets),
        messages=result.messages,
        settings=_settings(result.config),
        visits=_visits(result),
        planes=_planes(result),
        pictures=_pictures(result, progress),
        sections=_gallery(result, progress),
        sensitivity=None if sheets is None else embed_picture(draw_sensitivity(*sheets), False),
        decisions=_decisions(result),
        score=score,
        inputs=[replace(file, path=printable(file.path)) for file in result.stack.inputs],
    )
    with replacing(path, overwrite) as temporary:
        # The name of a file may hold bytes that no encoding has.
        temporary.write_text(
            _visible(text), encoding="utf-8", errors="backslashreplace", newline="\n"
        )


def _visible(text: str) -> str:
    """Return a page without characters that cannot be seen, or turn the order of others."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def _environment() -> Environment:
    """Return the templates; whatever is put into them is escaped."""
    return Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _title(stack: "WarpStack") -> str:
    """Return a name for the stack: that of the folder which holds all its files."""
    folders = [Path(item.path).resolve().parent for item in stack.inputs]
    if not folders:
        return f"{stack.n_epochs} epochs"
    shared = folders[0]
    while not all(folder.is_relative_to(shared) for folder in folders):
        shared = shared.parent
    return shared.name or str(shared)


def _facts(result: "CompareWarpResult") -> list[tuple[str, str]]:
    """Return what the stack is, as names and values."""
    stack, used = result.stack, int((result.weights > 0).sum())
    height, width = stack.shape
    facts = [
        ("epochs", f"{stack.n_epochs}, of which {used} are in the coadd"),
        ("patch", f"{height:,} × {width:,} pixels (y × x), origin x {stack.origin[0]}, "
         f"y {stack.origin[1]}"),
        ("unit", stack.unit or "not known"),
    ]  # fmt: skip
    wcs = stack.wcs
    centre = sky_of(wcs, (width - 1) / 2, (height - 1) / 2)
    if wcs is not None and centre is not None:
        facts.append(("centre", centre.to_string("hmsdms", sep=":", precision=2)))
        scale = np.mean(
            [side.to_value("arcsec") for side in wcs.celestial.proj_plane_pixel_scales()]
        )
        facts.append(("pixel", f"{scale:.4g} arcsec"))
    if not stack.inputs:
        facts.append(("inputs", "arrays, not files"))
    return facts


def _key_figures(
    result: "CompareWarpResult", sheets: "tuple[Sensitivity, Sensitivity] | None"
) -> list[tuple[str, str]]:
    """Return the few numbers that sum a run up, with what they count."""
    verdict = np.asarray(result.footprints["verdict"])
    depth = result.coadd.n_image[result.coadd.n_image > 0]
    clipped = round(float(result.clipped_fraction.sum()) * result.coadd.mask.size)
    figures = [
        (f"{len(verdict):,}", "candidates"),
        (f"{np.isin(verdict, ('clipped', 'streak')).sum():,}", "clipped footprints"),
        (f"{clipped:,}", "clipped pixels of all epochs"),
        (f"{len(knife_edges(result)):,}", "doubtful footprints"),
        (f"{sum(result.footprints['decided_by'] == 'hand'):,}", "decided manually"),
        (f"{np.median(depth):g}" if depth.size else "0", "epochs in a coadd pixel, median"),
    ]
    if sheets is not None:
        chi = sheets[1]
        figures.append((f"{abs(1e3 * chi.depth_change[chi.present[0]]):.2f}", "mmag of depth lost"))
    return figures


@dataclass(frozen=True)
class _Setting:
    """A knob as the report shows it."""

    name: str
    lsst: str
    value: str
    default: str
    unit: str
    meaning: str
    differs: bool


def _settings(config: CompareWarpConfig) -> list[_Setting]:
    """Return all knobs with their values."""
    differing, default = config.differences(), CompareWarpConfig()
    settings = []
    for name, field in type(config).model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict)
        settings.append(
            _Setting(
                name,
                str(extra["lsst"] or ""),
                _value_text(getattr(config, name)),
                _value_text(getattr(default, name)),
                str(extra["unit"]),
                field.description or "",
                name in differing,
            )
        )
    return settings


def _value_text(value: Any) -> str:
    """Return a knob's value for people."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:g}" for name, number in value.items()) or "none"
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _visits(result: "CompareWarpResult") -> list[dict[str, Any]]:
    """Return a row for each visit."""
    stack = result.stack
    total = result.weights.sum()
    rows = []
    for index, row in enumerate(summarise_epochs(result)):
        partner = stack.partner[index]
        rows.append(
            {
                **{name: row[name] for name in row.colnames},
                "epoch": str(row["epoch"]),
                "share": row["weight"] / total if total > 0 else 0.0,
                "matched_sigma": float(stack.psf_sigma[partner]) if partner >= 0 else None,
                "fwhm": _fwhm(stack, index),
            }
        )
    return rows


def _fwhm(stack: "WarpStack", index: int) -> float | None:
    """Return the width of a direct warp's PSF in the middle of the patch, pixels, if known."""
    model = stack.psf[index]
    if model is None:
        return None
    height, width = stack.shape
    return psf_fwhm(model.kernel((height - 1) / 2, (width - 1) / 2))


def _planes(result: "CompareWarpResult") -> list[tuple[str, int, int, float]]:
    """Return name, bit, number and fraction of pixels of each plane set on the coadd."""
    mask = result.coadd.mask
    rows = []
    for name, bit in sorted(result.coadd.mask_planes.items(), key=lambda item: item[1]):
        count = int(np.count_nonzero(mask & (1 << bit)))
        if count:
            rows.append((name, bit, count, count / mask.size))
    return rows


def _pictures(result: "CompareWarpResult", progress: Progress) -> list[tuple[str, str, bool]]:
    """Return of each picture its caption, its address, and whether it takes the whole width."""
    unclipped = result.unclipped()
    n = result.stack.n_epochs
    wanted: list[tuple[str, Callable[[CompareWarpResult], Figure], bool, bool]] = [
        (
            "Coadd without and with clipping, on one stretch.",
            partial(draw_coadds, unclipped=unclipped), True, True,
        ),
        (
            "What clipping removed from the coadd, in standard deviations of the coadd.",
            partial(draw_removed, unclipped=unclipped), True, False,
        ),
        (
            "Footprints of all epochs over the coadd without clipping.",
            partial(draw_clipped, unclipped=unclipped), True, False,
        ),
        (
            "Epoch count: in how many epochs each pixel lies in a candidate. Artifacts appear in "
            "one or two; what appears in more is variable, moving slowly, or badly matched.",
            draw_epoch_count, False, False,
        ),
        ("Template: the model of the static sky.", draw_template, True, False),
        (f"Differences of all {n} epochs from the template.", draw_differences, True, True),
    ]  # fmt: skip
    pictures = []
    for number, (caption, draw, photographic, wide) in enumerate(wanted):
        progress("pictures", number, len(wanted))
        pictures.append((caption, embed_picture(draw(result), photographic), wide))
    progress("pictures", len(wanted), len(wanted))
    return pictures


def _gallery(
    result: "CompareWarpResult", progress: Progress
) -> list[tuple[Section, list[tuple[Entry, str]]]]:
    """Return the sections of the gallery, each with its entries and their pictures."""
    changes = flipping_changes(result)
    sections = choose_footprints(result)
    total, done = sum(len(section.ids) for section in sections), 0
    shown = []
    for section in sections:
        entries = []
        for footprint in section.ids:
            progress("gallery", done, total)
            entry = describe_footprint(result, footprint, changes)
            entries.append((entry, embed_picture(entry.figure, True)))
            done += 1
        shown.append((section, entries))
    progress("gallery", done, total)
    return shown


def _decisions(result: "CompareWarpResult") -> list[dict[str, Any]]:
    """Return a row for each footprint that was decided on manually."""
    footprints = result.footprints
    return [
        {
            "id": int(row["id"]),
            "epoch": str(row["epoch"]),
            "y": f"{row['y0']} to {row['y1'] - 1}",
            "x": f"{row['x0']} to {row['x1'] - 1}",
            "area": int(row["area"]),
            "sentence": explain(result, int(row["id"])),
        }
        for row in footprints[footprints["decided_by"] == "hand"]
    ]
