"""`comparewarp score`: a coadd measured against the truth of a simulation."""

import json
from pathlib import Path

import click

from .common import debug_option, overwrite_option, quiet_option

__all__ = ["score"]

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("result", type=_PATH)
@click.option(
    "--truth", metavar="DIR", required=True, type=_PATH, help="Folder written by `simulate`."
)
@click.option("--masks", metavar="DIR", type=_PATH, help="Folder written by `run --masks`.")
@click.option(
    "--json", "json_file", metavar="FILE", type=_PATH, help="Also write the figures as JSON."
)
@overwrite_option
@quiet_option
@debug_option
def score(
    result: Path,
    truth: Path,
    masks: Path | None,
    json_file: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Measure a coadd RESULT against the truth.

    Reports completeness, purity, print-through and flux bias of the coadd, of
    the plain mean and of the sigma-clipped mean.
    """
    from ..io.atomic import check_output, replacing
    from ..score import score as measure

    if json_file is not None:
        check_output(json_file, overwrite)
    figures = measure(result, truth, masks)
    if json_file is not None:
        with replacing(json_file, overwrite) as temporary:
            temporary.write_text(json.dumps(figures.to_dict(), indent=2) + "\n")
    if not quiet:
        click.echo(figures.summary())
