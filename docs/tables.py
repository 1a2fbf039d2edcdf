"""Tables of the documentation, generated from the configuration."""

from pydantic.fields import FieldInfo

from napari_comparewarp import CompareWarpConfig
from napari_comparewarp.algorithm.stages import STAGES
from napari_comparewarp.cli.config import format_value
from napari_comparewarp.cli.knobs import accepted_values
from napari_comparewarp.config.knobs import PRESETS

#: Title of each section of the table of knobs, in order.
SECTIONS = {
    "candidates": "Detection of candidates",
    "verdicts": "Verdicts",
    "protection": "Protection of bright sources",
    "template": "Template",
    "variance": "Variance scale",
    "coadd": "Coadd",
    "streaks": "Streaks",
}

#: Stages whose knobs are listed in the section of another.
_SECTION_OF_STAGE = {
    "detections": "candidates",
    "matched weights": "template",
    "variance scale": "variance",
    "direct weights": "coadd",
    "finish": "coadd",
}


def knob_table() -> str:
    """Return all knobs, as one Markdown table per section."""
    fields = CompareWarpConfig.model_fields
    parts = []
    for section, title in SECTIONS.items():
        rows = [
            _knob_row(name, field) for name, field in fields.items() if section_of(field) == section
        ]
        header = ("Knob", "Default", "Accepted", "Unit", "Stage", "Meaning")
        parts.append(f"## {title}\n\n{_markdown_table(header, rows)}")
    return "\n\n".join(parts) + "\n"


def preset_table() -> str:
    """Return the knobs that presets change, as a Markdown table."""
    default = CompareWarpConfig()
    names = sorted({knob for preset in PRESETS.values() for knob in preset})
    rows = []
    for name in names:
        values = [
            f"`{format_value(getattr(CompareWarpConfig.preset(preset), name))}`"
            for preset in PRESETS
        ]
        rows.append((f"`{name}`", f"`{format_value(getattr(default, name))}`", *values))
    return _markdown_table(("Knob", "Default", *PRESETS), rows) + "\n"


def stage_table() -> str:
    """Return the stages in order, and the knobs that each is the first to read."""
    rows = []
    for stage in STAGES:
        knobs = [
            f"`{name}`"
            for name, field in CompareWarpConfig.model_fields.items()
            if _extra(field)["stage"] == stage.name
        ]
        summary = (stage.compute.__doc__ or "").partition("\n")[0]
        rows.append((stage.name, summary, ", ".join(knobs)))
    return _markdown_table(("Stage", "What it does", "Knobs"), rows) + "\n"


def section_of(field: FieldInfo) -> str:
    """Return the section of the table that lists a knob."""
    stage = _extra(field)["stage"]
    return _SECTION_OF_STAGE.get(stage, stage)


def _knob_row(name: str, field: FieldInfo) -> tuple[str, ...]:
    extra = _extra(field)
    lsst = f"<br>`{extra['lsst']}`" if extra["lsst"] else ""
    return (
        f"`{name}`{lsst}",
        f"`{format_value(field.default)}`",
        accepted_values(field).replace("<", "&lt;").replace(">", "&gt;"),
        extra["unit"],
        extra["stage"],
        field.description or "",
    )


def _extra(field: FieldInfo) -> dict[str, str]:
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    return extra  # type: ignore[return-value]


def _markdown_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
