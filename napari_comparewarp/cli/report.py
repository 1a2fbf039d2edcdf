"""`comparewarp report`: what a run found, and why, as one HTML page."""

from pathlib import Path
from typing import Any

import click

from ..errors import plain_text
from .common import debug_option, echo, overwrite_option, progress_bar, quiet_option
from .stack import bright_objects_option, choose_stack, stack_options

__all__ = ["report"]

_PATH = click.Path(path_type=Path)
_ENDINGS = (".html", ".htm")


@click.command()
@stack_options
@click.option("-o", "--output", metavar="FILE", required=True, type=_PATH, help="The page, .html.")
@click.option(
    "--truth",
    metavar="DIR",
    type=_PATH,
    help="Folder written by `simulate`: the report has the score as well.",
)
@bright_objects_option
@overwrite_option
@quiet_option
@debug_option
def report(output: Path, truth: Path | None, overwrite: bool, quiet: bool, **words: Any) -> None:
    """Run on STACK and write a report with pictures, reasons and sensitivities.

    STACK is a folder, a list of FITS files, or a manifest; or an inspection
    file, whose settings and manual decisions are used. The report is one file
    that needs no network.
    """
    choice = choose_stack(**words)

    from ..inspection.inspection import Inspection
    from ..simulation.truth_files import read_truth

    _check(output, choice.inputs(), overwrite)
    known = None if truth is None else read_truth(truth)
    job = choice.read()

    from ..report.page import write_report

    with progress_bar(quiet) as progress:
        inspection = Inspection.of_job(job, progress)
        write_report(inspection, output, overwrite, known, progress)
    if not quiet:
        echo(f"wrote {plain_text(str(output))}")


def _check(output: Path, inputs: list[Path], overwrite: bool) -> None:
    """Refuse a page that cannot be written, or would cost something that is there.

    Raises
    ------
    OutputError
    """
    from ..errors import OutputError
    from ..io.atomic import check_output, real_place

    if real_place(output) in {real_place(path) for path in inputs}:
        raise OutputError(f"{output}: -o is one of the inputs; give another name")
    if not output.name.lower().endswith(_ENDINGS):
        raise OutputError(f"{output}: -o takes {', '.join(_ENDINGS)}")
    check_output(output, overwrite)
