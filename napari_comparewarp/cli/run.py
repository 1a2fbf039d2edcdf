"""`comparewarp run`: from warps to a coadd without artifacts."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import debug_option, format_table, overwrite_option, progress_bar, quiet_option
from .stack import saved_inspection, stack_options

if TYPE_CHECKING:
    from ..result.result import CompareWarpResult

__all__ = ["run"]

_PATH = click.Path(path_type=Path)


@click.command()
@stack_options
@click.option(
    "-o", "--output", "coadd", metavar="FILE", required=True, type=_PATH, help="The coadd, FITS."
)
@click.option(
    "--bright-objects",
    metavar="FILE",
    type=_PATH,
    help="Mark the bright objects of a catalogue or DS9 region file on the coadd.",
)
@click.option("--masks", metavar="DIR", type=_PATH, help="Write the masks of the direct warps.")
@click.option(
    "--footprints", metavar="FILE", type=_PATH, help="Write the candidates, .ecsv or .fits."
)
@click.option("--regions", metavar="FILE", type=_PATH, help="Write DS9 regions, .reg.")
@click.option(
    "--lsst-config",
    metavar="FILE",
    type=_PATH,
    help="Write the settings as an LSST override file, .py.",
)
@click.option("--debug-products", metavar="DIR", type=_PATH, help="Write a picture of each step.")
@overwrite_option
@quiet_option
@debug_option
def run(
    stack: tuple[Path, ...],
    coadd: Path,
    config_file: Path | None,
    preset: str | None,
    settings: tuple[str, ...],
    psf_sigma: float | None,
    memory: str | None,
    bright_objects: Path | None,
    masks: Path | None,
    footprints: Path | None,
    regions: Path | None,
    lsst_config: Path | None,
    debug_products: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Find the artifacts of STACK and write the coadd without them.

    STACK is a folder, a list of FITS files, or a manifest; or an inspection
    file, whose settings and decisions by hand are used.
    """
    from ..outputs import Outputs

    outputs = Outputs(
        {
            "coadd": coadd,
            "masks": masks,
            "footprints": footprints,
            "regions": regions,
            "lsst_config": lsst_config,
            "debug_products": debug_products,
        }
    )
    saved = saved_inspection(stack, config_file, preset, settings, psf_sigma)
    if saved is None:
        from .knobs import choose_config

        config, overrides, factors = choose_config(config_file, preset, settings), {}, None
    else:
        config, overrides, factors = saved.config, saved.overrides, saved.variance_scale

    from ..io.read import read_stack
    from ..io.sources import find_sources
    from ..result import result as engine

    source = stack[0] if len(stack) == 1 else stack
    if saved is None:
        inputs = [found.path for found in find_sources(source)]
    else:
        inputs = [found.path for found in saved.inputs]
    outputs.check([*stack, *inputs], overwrite)
    if saved is None:
        warps = read_stack(source, psf_sigma=psf_sigma, memory=memory)
    else:
        warps = saved.read_stack(memory)
    marked = None
    if bright_objects is not None:
        from ..io.bright_objects import read_bright_objects

        marked = read_bright_objects(bright_objects, warps)
        config = config.replace(mask_bright_objects=True)
    with progress_bar(quiet) as progress:
        made = engine.run(warps, config, progress, factors, overrides, marked)
    written = outputs.write(made, overwrite)
    if not quiet:
        click.echo(summarise(made, written))


def summarise(result: "CompareWarpResult", written: list[Path]) -> str:
    """Return what a run found, for a terminal.

    Parameters
    ----------
    result : CompareWarpResult
    written : list of Path
        The files and folders made from it.
    """
    import numpy as np

    stack = result.stack
    skipped = int((result.weights <= 0).sum())
    verdicts, counts = np.unique(np.asarray(result.footprints["verdict"]), return_counts=True)
    by_verdict = ", ".join(
        f"{count} {verdict}" for verdict, count in zip(verdicts, counts, strict=True)
    )
    pixels = stack.shape[0] * stack.shape[1]
    rows = []
    for epoch, weight, fraction in zip(
        stack.epochs, result.weights, result.clipped_fraction, strict=True
    ):
        area = (f"{fraction * pixels:.0f}", f"{100 * fraction:.3f}") if weight > 0 else ("-", "-")
        rows.append((str(epoch), *area))
    return "\n".join(
        [
            f"{stack.n_epochs} epochs of {stack.shape[0]} × {stack.shape[1]} pixels, "
            f"{skipped} skipped",
            f"{len(result.footprints)} candidates: {by_verdict or 'none'}",
            format_table(("visit", "clipped pixels", "% of patch"), rows),
            *(f"note: {message}" for message in result.messages),
            *(f"wrote {path}" for path in written),
        ]
    )
