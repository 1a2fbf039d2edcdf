"""`comparewarp batch`: many patches side by side."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import debug_option, format_table, overwrite_option, progress_bar, quiet_option

if TYPE_CHECKING:
    from ..batch.cluster import Outcome

__all__ = ["batch"]


@click.command()
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--scheduler", metavar="ADDRESS", help="A running dask scheduler to use.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes on this machine; one by default, which uses all cores.",
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
    """Coadd the patches of PLAN, a TOML file, side by side.

    Patches that are done already, from the same files and settings, are
    skipped: a batch that was stopped goes on where it was. Exit code 1 if a
    patch failed.
    """
    if scheduler is not None and workers is not None:
        raise click.UsageError("--workers is for this machine; leave it out with --scheduler")
    from ..batch.plan import read_plan
    from ..io.config_file import read_config_file

    patches = read_plan(plan, read_config_file)
    from ..batch.cluster import run_batch

    n_reported = 0
    with progress_bar(quiet) as progress:

        def report(outcome: "Outcome") -> None:
            nonlocal n_reported
            n_reported += 1
            _say(outcome, quiet)
            if progress is not None:
                progress("patches", n_reported, len(patches))

        if progress is not None:
            progress("patches", 0, len(patches))
        outcomes = run_batch(
            patches, scheduler=scheduler, workers=workers, overwrite=overwrite, report=report
        )
    if not quiet:
        click.echo(summarise(outcomes))
    if any(outcome.state == "failed" for outcome in outcomes):
        context.exit(1)


def _say(outcome: "Outcome", quiet: bool) -> None:
    """Say what became of a patch, and what is to be known of it."""
    from tqdm import tqdm

    name = outcome.patch.name
    # Its `write` steps aside from a progress bar, if one is there.
    if outcome.state == "failed":
        tqdm.write(f"{name}: failed: {outcome.error}", file=sys.stderr)
    elif not quiet:
        tqdm.write(f"{name}: {outcome.state}", file=sys.stdout)
    if outcome.state == "done" and outcome.summary is not None:
        for note in outcome.summary.notes:
            tqdm.write(f"{name}: note: {note}", file=sys.stderr)


def summarise(outcomes: "list[Outcome]") -> str:
    """Return the outcomes of a batch as a table, for a terminal.

    Parameters
    ----------
    outcomes : list of Outcome
    """
    columns = ("epochs", "candidates", "clipped")
    rows = []
    for outcome in outcomes:
        told = outcome.summary
        numbers = ("-" if told is None else str(getattr(told, column)) for column in columns)
        rows.append((outcome.patch.name, outcome.state, *numbers))
    return format_table(("patch", "state", *columns), rows)
