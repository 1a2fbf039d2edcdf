"""The work on one patch of a batch, and the note that it is done."""

import errno
import hashlib
import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from .._version import __version__
from ..config.fields import PathText, checked
from ..config.text_file import read_json
from ..errors import CompareWarpWarning, OutputError, StackError
from ..io.atomic import check_folder, check_output, replacing
from ..io.leftovers import sweep
from ..io.plain_files import write_text
from ..io.source import PsfSigma
from ..outputs import PRODUCTS, Outputs, Source
from .plan import Patch

if TYPE_CHECKING:
    from ..algorithm.warps import WarpStack

__all__ = ["Summary", "check_outputs", "finished", "make_patch", "sweep_outputs"]


_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)

_Count = Annotated[int, Field(ge=0)]


class _Counts(BaseModel):
    """What a receipt says that a patch came to."""

    model_config = _STRICT

    epochs: _Count
    candidates: _Count
    clipped: _Count
    notes: list[str]


class _Receipt(BaseModel):
    """The note that a patch is done, and from what."""

    model_config = _STRICT

    program: str
    config: dict[str, Any]
    psf_sigma: PsfSigma | None
    assume: dict[str, Any]
    inputs: dict[PathText, str]
    outputs: dict[str, dict[PathText, str]]
    summary: _Counts


@dataclass(frozen=True)
class Summary:
    """What a patch came to.

    Attributes
    ----------
    epochs : int
        Epochs of the stack.
    candidates, clipped : int
        Candidates found, and those of them that were clipped.
    notes : tuple of str
        What an astronomer should know: what was left out or skipped, and why.
    """

    epochs: int
    candidates: int
    clipped: int
    notes: tuple[str, ...]


def check_outputs(patches: Sequence[Patch], overwrite: bool = False) -> None:
    """Refuse what cannot be written, and to replace files that no batch has made.

    A patch that was done, or begun and interrupted, may be written again.

    Parameters
    ----------
    patches : sequence of Patch
    overwrite : bool
        Whether files that no batch has made may be replaced.

    Raises
    ------
    OutputError
        For the first file at fault.
    """
    for patch in patches:
        check_folder(patch.output, parents=True)
        if patch.output.exists():
            for name, product in patch.products.items():
                if PRODUCTS[name].is_folder:
                    check_folder(product)
                else:
                    check_output(product, overwrite=True)
        if overwrite or patch.receipt_path.exists() or _mark(patch).exists():
            continue
        for product in patch.products.values():
            if os.path.lexists(product):
                raise OutputError(
                    f"{product} exists, and no {patch.receipt_path.name} says that a batch made "
                    "it; say --overwrite to replace it"
                )


def make_patch(patch: Patch) -> Summary:
    """Coadd one patch and write its products, the note that it is done last.

    Parameters
    ----------
    patch : Patch
        Its products are replaced where they exist; see `check_outputs`.

    Returns
    -------
    Summary

    Raises
    ------
    StackError, OutputError
        As `read_stack`, `run` and the writers do.
    """
    from ..io.job import read_job
    from ..result.result import run_job

    try:
        patch.output.mkdir(parents=True, exist_ok=True)
        sweep_outputs(patch)
    except OSError as error:
        raise OutputError(f"{patch.output}: cannot be written to: {error.strerror}") from error
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CompareWarpWarning)
        job = read_job(
            patch.source, patch.config, psf_sigma=patch.psf_sigma, memory=patch.memory,
            assume=patch.assume,
        )  # fmt: skip
        result = run_job(job)
    _mark(patch).touch()
    Outputs(patch.products).write(Source(result), overwrite=True)
    warned = [" ".join(str(item.message).split()) for item in caught]
    summary = Summary(
        epochs=job.stack.n_epochs,
        candidates=result.footprint_set.n_candidates,
        clipped=result.footprint_set.n_clipped,
        notes=(*warned, *result.messages),
    )
    receipt = _receipt(patch, job.stack, summary)
    with replacing(patch.receipt_path, overwrite=True) as temporary:
        write_text(temporary, json.dumps(receipt, indent=1) + "\n")
    _mark(patch).unlink(missing_ok=True)
    return summary


def sweep_outputs(patch: Patch) -> None:
    """Remove what killed workers have left where a patch is written.

    Parameters
    ----------
    patch : Patch
    """
    for place in (patch.output, *patch.products.values()):
        sweep(place)


def finished(patch: Patch) -> Summary | None:
    """Return what a patch came to, if this version has made it from what is there now.

    Inputs and outputs are compared by their checksums, settings by their
    values. Paths count from the output folder, so a tree that was moved as a
    whole is still done.

    Returns
    -------
    Summary or None
        None if there is work to do.
    """
    try:
        content = read_json(patch.receipt_path, OutputError)
        receipt = checked(_Receipt, content, OutputError, patch.receipt_path)
        inputs = {os.path.relpath(path, patch.output): path for path in patch.input_files()}
        same = (
            _settings(patch) == receipt.model_dump(include={*_settings(patch)})
            and set(inputs) == set(receipt.inputs)
            and set(patch.products) <= set(receipt.outputs)
            and all(
                _checksum(patch.output / name) == checksum
                for product in patch.products
                for name, checksum in receipt.outputs[product].items()
            )
            and all(_checksum(path) == receipt.inputs[name] for name, path in inputs.items())
        )
    except (OSError, StackError):
        # Whatever a damaged note or a missing file leads to, the answer is to work again.
        return None
    if not same:
        return None
    counts = receipt.summary
    return Summary(counts.epochs, counts.candidates, counts.clipped, tuple(counts.notes))


def _receipt(patch: Patch, stack: "WarpStack", summary: Summary) -> dict[str, Any]:
    """Return what is noted of a patch that was made, for `finished`."""
    # Of what was read, not of what is there by now.
    checksums = {item.path: item.sha256 for item in stack.inputs}
    files = {
        name: PRODUCTS[name].files(place, stack.epochs) for name, place in patch.products.items()
    }
    return {
        **_settings(patch),
        "inputs": {
            os.path.relpath(path, patch.output): checksums.get(str(path)) or _checksum(path)
            for path in patch.input_files()
        },
        "outputs": {
            product: {os.path.relpath(path, patch.output): _checksum(path) for path in paths}
            for product, paths in files.items()
        },
        "summary": asdict(summary),
    }


def _settings(patch: Patch) -> dict[str, Any]:
    """Return what of a patch decides on its pixels, besides the files."""
    return {
        "program": f"napari-comparewarp {__version__}",
        "config": patch.config.model_dump(mode="json"),
        "psf_sigma": patch.psf_sigma,
        "assume": patch.assume,
    }


def _mark(patch: Patch) -> Path:
    """Return the file that says, while there is no note yet, whose the products are."""
    return patch.output / f".{patch.name}.begun"


def _checksum(path: Path) -> str:
    if not path.is_file():  # a device has no end
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
