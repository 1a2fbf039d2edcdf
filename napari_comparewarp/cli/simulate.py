"""`comparewarp simulate`: a simulated night with planted artifacts, and its truth."""

from pathlib import Path

import click

from .common import debug_option, echo, overwrite_option, quiet_option

__all__ = ["simulate"]


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--epochs", type=int, default=20, show_default=True, help="Number of epochs.")
@click.option(
    "--size",
    nargs=2,
    type=int,
    default=(1024, 1024),
    show_default=True,
    metavar="Y X",
    help="Shape of the patch, pixels.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="Seed; the same one gives the same pixels.",
)
@overwrite_option
@quiet_option
@debug_option
def simulate(
    folder: Path, epochs: int, size: tuple[int, int], seed: int, overwrite: bool, quiet: bool
) -> None:
    """Write warps with planted artifacts, and the truth, to the folder DIR."""
    from ..simulation import check_night_folder, simulate_night, write_night

    check_night_folder(folder, overwrite)
    try:
        night = simulate_night(epochs, size, seed)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    written = write_night(night, folder, overwrite)
    if not quiet:
        echo(
            f"{epochs} epochs of {size[0]} × {size[1]} pixels with "
            f"{len(night.truth.artifacts)} artifacts: {len(written)} warps in {folder}"
        )
