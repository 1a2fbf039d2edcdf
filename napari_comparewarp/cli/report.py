"""`comparewarp report`: what a run found, and why, as one HTML page."""

from pathlib import Path

import click

from .common import debug_option, overwrite_option, progress_bar, quiet_option
from .stack import saved_inspection, stack_options

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
@overwrite_option
@quiet_option
@debug_option
def report(
    stack: tuple[Path, ...],
    config_file: Path | None,
    preset: str | None,
    settings: tuple[str, ...],
    psf_sigma: float | None,
    memory: str | None,
    output: Path,
    truth: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Run on STACK and write a report with pictures, reasons and sensitivities.

    STACK is a folder, a list of FITS files, or a manifest; or an inspection
    file, whose settings and decisions by hand are used. The report is one file
    that needs no network.
    """
    saved = saved_inspection(stack, config_file, preset, settings, psf_sigma)
    if saved is None:
        from .knobs import choose_config

        config, overrides, factors = choose_config(config_file, preset, settings), {}, None
    else:
        config, overrides, factors = saved.config, saved.overrides, saved.variance_scale

    from ..inspection.inspection import Inspection
    from ..io.read import read_stack
    from ..io.sources import find_sources
    from ..simulation.truth_files import read_truth

    source = stack[0] if len(stack) == 1 else stack
    inputs = saved.inputs if saved is not None else find_sources(source)
    _check(output, [*stack, *(item.path for item in inputs)], overwrite)
    known = None if truth is None else read_truth(truth)
    if saved is None:
        warps = read_stack(source, psf_sigma=psf_sigma, memory=memory)
    else:
        warps = saved.read_stack(memory)

    from ..report.page import write_report

    with progress_bar(quiet) as progress:
        inspection = Inspection(warps, config, factors, overrides, progress)
        write_report(inspection, output, overwrite, known, progress)
    if not quiet:
        click.echo(f"wrote {output}")


def _check(output: Path, inputs: list[Path], overwrite: bool) -> None:
    """Refuse a page that cannot be written, or would cost something that is there.

    Raises
    ------
    OutputError
    """
    from ..errors import OutputError
    from ..io.atomic import check_output

    if output.resolve() in {path.resolve() for path in inputs}:
        raise OutputError(f"{output}: -o is one of the inputs; give another name")
    if not output.name.lower().endswith(_ENDINGS):
        raise OutputError(f"{output}: -o takes {', '.join(_ENDINGS)}")
    check_output(output, overwrite)
