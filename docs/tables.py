"""Tables of the documentation, generated from the configuration."""

from pydantic.fields import FieldInfo

from napari_comparewarp import CompareWarpConfig
from napari_comparewarp.algorithm.stages import STAGES
from napari_comparewarp.cli.config import format_value
from napari_comparewarp.cli.knobs import accepted_values
from napari_comparewarp.config.knobs import PRESETS
from napari_comparewarp.io.assumptions import Assumptions
from napari_comparewarp.io.dialects.registry import DIALECTS, NAMED
from napari_comparewarp.io.dialects.table import DialectTable
from napari_comparewarp.io.dialects.table_dialect import TableDialect

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


def dialect_table() -> str:
    """Return the dialects that are read: planes, flags and where the numbers are from."""
    rows = []
    for dialect in (*DIALECTS, NAMED):
        if not isinstance(dialect, TableDialect):
            continue
        table = dialect.table
        planes = [
            f"{_MEANINGS[key]}: {', '.join(f'`{name}`' for name in names)}"
            for key, names in table.planes.model_dump().items()
            if names and names != ("*",)
        ]
        if table.files is not None:
            named = table.files.model_dump(exclude_none=True, exclude={"no_image"})
            planes += [
                f"{_MEANINGS[key]}: file `{part if isinstance(part, str) else part[0]}`"
                for key, part in named.items()
            ]
        rows.append(
            (
                f"`{table.name}`", table.title, "; ".join(planes), _marks(table),
                "; ".join(_flags(table)) or "`MP_` cards, `MSKN`, `MSKNAM` cards", table.source,
            )
        )  # fmt: skip
    header = ("Dialect", "What it is", "Planes", "Known by", "Flags", "Source")
    return _markdown_table(header, rows) + "\n"


def assumption_table() -> str:
    """Return what a user can say of files."""
    rows = [
        (f"`{name}`", f"`{field.default}`", field.description or "")
        for name, field in Assumptions.model_fields.items()
    ]
    return _markdown_table(("Name", "Default", "Meaning"), rows) + "\n"


_MEANINGS = {
    "image": "image", "mask": "mask", "variance": "variance", "error": "error",
    "inverse_variance": "inverse variance", "weight": "weight",
}  # fmt: skip


def _marks(table: DialectTable) -> str:
    """Return by what a file of a dialect is known."""
    marks = []
    for entry in table.recognise:
        parts = [f"`{card}` = `{value}`" for card, value in entry.cards.items()]
        parts += [f"HDU `{name}`" for name in entry.hdus]
        parts += [f"name `{entry.name}`"] if entry.name else []
        marks.append(" and ".join(parts).replace("|", "\\|"))
    if table.name == "lsst":
        return "`MP_` or `MSKN` cards, `EXTTYPE`, or `AR_HDU`"
    return "; or ".join(marks) or "the names of its HDUs, where no other is recognised"


def _flags(table: DialectTable) -> list[str]:
    """Return what the flags of a dialect are called."""
    lines = [f"“{text.lower()}…” `{planes}`" for text, planes in table.flag_names.items()]
    for entry in table.flags:
        when = " and ".join(f"{card} {value}" for card, value in entry.when.items())
        listed = ", ".join(f"{number} `{planes}`" for number, planes in entry.planes.items())
        lines.append(
            f"{entry.kind}{f' where {when}' if when else ''}: {listed}".replace("|", "\\|")
        )
    return lines


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
