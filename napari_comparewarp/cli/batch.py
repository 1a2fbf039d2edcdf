"""`comparewarp batch`: many patches side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import debug_option, format_table, quiet_option

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
@quiet_option
@debug_option
@click.pass_context
def batch(
    context: click.Context, plan: Path, scheduler: str | None, workers: int | None, quiet: bool
) -> None:
    """Coadd the patches of PLAN, a TOML file, side by side.

    Patches that are done already, from the same files and settings, are
    skipped: a batch that was stopped goes on where it was. Exit code 1 if a
    patch failed.
    """
    from ..batch.plan import read_plan

    patches = read_plan(plan)
    from ..batch.cluster import run_batch

    def report(outcome: "Outcome") -> None:
        if outcome.state == "failed":
            click.echo(f"{outcome.patch.name}: failed: {outcome.error}", err=True)
        elif not quiet:
            click.echo(f"{outcome.patch.name}: {outcome.state}")
        for message in outcome.summary.get("messages", ()):
            click.echo(f"{outcome.patch.name}: note: {message}", err=True)

    outcomes = run_batch(patches, scheduler=scheduler, workers=workers, report=report)
    if not quiet:
        rows = [
            (
                outcome.patch.name,
                outcome.state,
                *(str(outcome.summary.get(n, "")) for n in ("epochs", "candidates", "clipped")),
            )
            for outcome in outcomes
        ]
        click.echo(format_table(("patch", "state", "epochs", "candidates", "clipped"), rows))
    if any(outcome.state == "failed" for outcome in outcomes):
        context.exit(1)
