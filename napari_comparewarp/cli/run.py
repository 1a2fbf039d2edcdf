"""`comparewarp run`: from warps to a coadd without artifacts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import plain_text
from ..outputs import PRODUCTS
from .common import debug_option, echo, format_table, overwrite_option, progress_bar, quiet_option
from .stack import bright_objects_option, choose_stack, stack_options

if TYPE_CHECKING:
    from ..result.result import CompareWarpResult

__all__ = ["run"]

_PATH = click.Path(path_type=Path)

_Command = TypeVar("_Command", bound=Callable[..., Any])


def product_options(command: _Command, *, required: bool) -> _Command:
    """Give a command the options of all products that must, or may, be written."""
    for name, product in reversed(list(PRODUCTS.items())):
        if product.options and product.required is required:
            option = click.option(
                *product.options, name, metavar="DIR" if product.is_folder else "FILE",
                required=required, type=_PATH, help=product.help,
            )  # fmt: skip
            command = option(command)
    return command


@click.command()
@stack_options
@partial(product_options, required=True)
@bright_objects_option
@partial(product_options, required=False)
@overwrite_option
@quiet_option
@debug_option
def run(overwrite: bool, quiet: bool, **words: Any) -> None:
    """Find the artifacts of STACK and write the coadd without them.

    STACK is a folder, a list of FITS files, or a manifest; or an inspection
    file, whose settings and manual decisions are used.
    """
    from ..outputs import Outputs, Source

    outputs = Outputs({name: words.pop(name) for name in PRODUCTS if name in words})
    choice = choose_stack(**words)
    outputs.check(choice.inputs(), overwrite)
    job = choice.read()
    from ..result import result as engine

    with progress_bar(quiet) as progress:
        result = engine.run_job(job, progress)
    written = outputs.write(Source(result), overwrite)
    if not quiet:
        echo(summarise(result, written))


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
    footprints = result.footprint_set
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
            f"{footprints.in_words()}: {by_verdict or 'none'}",
            format_table(("visit", "clipped pixels", "% of patch"), rows),
            *(f"note: {plain_text(message)}" for message in result.messages),
            *(f"wrote {plain_text(str(path))}" for path in written),
        ]
    )
