"""`comparewarp score`: compare a coadd with the truth of a simulation."""

import json
from pathlib import Path

import click

from .common import debug_option, echo, overwrite_option, quiet_option

__all__ = ["score"]

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("result", type=_PATH)
@click.option(
    "--truth", metavar="DIR", required=True, type=_PATH, help="Folder written by `simulate`."
)
@click.option("--masks", metavar="DIR", type=_PATH, help="Folder written by `run --masks`.")
@click.option(
    "--json", "json_file", metavar="FILE", type=_PATH, help="Also write the score as JSON."
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
    """Compare the coadd RESULT with the truth.

    Reports completeness, purity, print-through and flux bias of the coadd, the
    plain mean and the sigma-clipped mean.
    """
    from ..io.atomic import check_output, replacing
    from ..io.plain_files import write_text
    from ..score import score as measure

    if json_file is not None:
        check_output(json_file, overwrite)
    measured = measure(result, truth, masks)
    if json_file is not None:
        with replacing(json_file, overwrite) as temporary:
            write_text(temporary, json.dumps(measured.to_dict(), indent=2) + "\n")
    if not quiet:
        echo(measured.summary())
