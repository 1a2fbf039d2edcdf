"""The work on one patch of a batch, and the note that it is done."""

import hashlib
import json
from pathlib import Path
from typing import Any

from .. import __version__
from ..io.atomic import OutputError, replacing
from ..io.sources import find_sources
from .plan import Patch

__all__ = ["is_done", "run_patch"]


def run_patch(patch: Patch) -> dict[str, Any]:
    """Coadd one patch and write its products, the note that it is done last.

    Parameters
    ----------
    patch : Patch

    Returns
    -------
    dict
        For a summary: ``epochs``, ``candidates``, ``clipped`` and ``messages``.

    Raises
    ------
    StackError, OutputError
        As `read_stack`, `run` and the writers do.
    """
    from ..io.read import read_stack
    from ..io.regions_file import write_regions
    from ..io.write import write_coadd, write_footprints, write_masks
    from ..result import run

    patch.output.mkdir(parents=True, exist_ok=True)
    # What an interrupted run has left is not to be taken for the work of this one.
    patch.receipt_path.unlink(missing_ok=True)
    stack = read_stack(patch.source, psf_sigma=patch.psf_sigma, memory=patch.memory)
    result = run(stack, patch.config)
    products = patch.products
    write_coadd(result, products["coadd"], overwrite=True)
    if patch.masks:
        write_masks(result, products["masks"], overwrite=True)
    if patch.footprints:
        write_footprints(result, products["footprints"], overwrite=True)
    if patch.regions:
        write_regions(result, products["regions"], overwrite=True)
    inputs = {item.path: item.sha256 for item in stack.inputs}
    receipt = _what_it_is_made_from(patch, inputs) | {"outputs": _output_checksums(patch)}
    with replacing(patch.receipt_path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(receipt, indent=1) + "\n")
    verdicts = result.footprints["verdict"]
    return {
        "epochs": stack.n_epochs,
        "candidates": len(verdicts),
        "clipped": int((verdicts == "clipped").sum()),
        "messages": list(result.messages),
    }


def is_done(patch: Patch) -> bool:
    """Tell whether a patch has been done, by this version, from these inputs and settings.

    Inputs and outputs are compared by their checksums.
    """
    try:
        receipt = json.loads(patch.receipt_path.read_text())
        inputs = {path: _checksum(Path(path)) for path in receipt["inputs"] if Path(path).is_file()}
        expected = _what_it_is_made_from(patch, inputs) | {"outputs": _output_checksums(patch)}
        return bool(receipt == expected)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _what_it_is_made_from(patch: Patch, inputs: dict[str, str]) -> dict[str, Any]:
    """Return what makes the products of a patch what they are."""
    return {
        "program": f"napari-comparewarp {__version__}",
        "config": patch.config.model_dump(mode="json"),
        "psf_sigma": patch.psf_sigma,
        "inputs": inputs,
        # Files that lie in the folder but were left out are part of the choice too.
        "listed": sorted(str(found.path) for found in find_sources(patch.source)),
    }


def _output_checksums(patch: Patch) -> dict[str, str]:
    """Return the checksums of all files that a patch has written."""
    result: dict[str, str] = {}
    for product in patch.products.values():
        files = sorted(product.iterdir()) if product.is_dir() else [product]
        if not all(file.is_file() for file in files):
            raise OutputError(f"{product}: is not there")
        result |= {str(file.relative_to(patch.output)): _checksum(file) for file in files}
    return result


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
