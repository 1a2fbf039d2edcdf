"""`comparewarp batch`: many patches in parallel."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import plain_text
from .common import debug_option, echo, format_table, overwrite_option, progress_bar, quiet_option

if TYPE_CHECKING:
    from ..batch.cluster import Outcome

__all__ = ["batch"]


@click.command()
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--scheduler", metavar="ADDRESS", help="Use a running dask scheduler.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Number of processes on this machine; by default one, which uses all cores.",
)
@overwrite_option
@quiet_option
@debug_option
@click.pass_context
def batch(
    context: click.Context,
    plan: Path,
    scheduler: str | None,
    workers: int | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Coadd the patches of PLAN, a TOML file, in parallel.

    Patches that are already done, from the same files and settings, are
    skipped, so that an interrupted batch can be resumed. The exit code is 1 if
    a patch failed.
    """
    if scheduler is not None and workers is not None:
        raise click.UsageError("--workers and --scheduler exclude each other; give one of them")
    from ..batch.plan import read_plan
    from ..io.config_file import read_config_file

    patches = read_plan(plan, read_config_file)
    from ..batch.cluster import run_batch

    n_reported = 0
    with progress_bar(quiet) as progress:

        def report(outcome: "Outcome") -> None:
            nonlocal n_reported
            n_reported += 1
            _print_outcome(outcome, quiet)
            if progress is not None:
                progress("patches", n_reported, len(patches))

        if progress is not None:
            progress("patches", 0, len(patches))
        outcomes = run_batch(
            patches, scheduler=scheduler, workers=workers, overwrite=overwrite, report=report
        )
    if not quiet:
        echo(summarise(outcomes))
    if any(outcome.state == "failed" for outcome in outcomes):
        context.exit(1)


def _print_outcome(outcome: "Outcome", quiet: bool) -> None:
    """Print the outcome of a patch, and its notes."""
    from tqdm import tqdm

    name = plain_text(outcome.patch.name)
    # `tqdm.write` does not interfere with a progress bar.
    if outcome.state == "failed":
        tqdm.write(f"{name}: failed: {plain_text(outcome.error)}", file=sys.stderr)
    elif not quiet:
        tqdm.write(f"{name}: {outcome.state}", file=sys.stdout)
    if outcome.state == "done" and outcome.summary is not None:
        for note in outcome.summary.notes:
            tqdm.write(f"{name}: note: {plain_text(note)}", file=sys.stderr)


def summarise(outcomes: "list[Outcome]") -> str:
    """Return the outcomes of a batch as a text table.

    Parameters
    ----------
    outcomes : list of Outcome
    """
    columns = ("epochs", "candidates", "clipped")
    rows = []
    for outcome in outcomes:
        summary = outcome.summary
        numbers = ("-" if summary is None else str(getattr(summary, column)) for column in columns)
        rows.append((outcome.patch.name, outcome.state, *numbers))
    return format_table(("patch", "state", *columns), rows)
