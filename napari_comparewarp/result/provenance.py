"""What a file says of the result that it holds: how it was made, and from which files."""

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..algorithm.products import Job, Products
from ..algorithm.warps import EpochId, InputFile
from ..io.provenance import ascii_text, epoch_column, provenance_header
from ..io.times import span_cards

__all__ = ["inputs_table", "result_header"]


def result_header(job: Job, products: Products, messages: tuple[str, ...]) -> fits.Header:
    """Return the cards that say how a result was made; see `provenance_header`."""
    header = provenance_header(
        job.config, n_epochs=job.stack.n_epochs, n_used=int((products.weights > 0).sum()),
        n_decided=sum(int(verdicts.by_hand.sum()) for verdicts in products.verdicts),
        messages=(*job.stack.notes, *messages),
    )  # fmt: skip
    used = zip(job.stack.times, products.weights, strict=True)
    header.extend(span_cards([time for time, weight in used if weight > 0]), end=True)
    return header


def inputs_table(job: Job, products: Products) -> Table:
    """Return one row an epoch: weights, factors, what was clipped, files and checksums."""
    stack = job.stack
    files = {(item.role, item.epoch): item for item in stack.inputs}
    has_partner = stack.partner >= 0
    matched_weight = np.where(has_partner, products.matched_weights[stack.partner], 0.0)
    table = Table(
        {
            "epoch": epoch_column(stack.epochs),
            "weight": products.weights,
            "matched_weight": matched_weight,
            "variance_scale": products.variance_scale,
            "psf_sigma": np.where(has_partner, stack.psf_sigma[stack.partner], np.nan),
            "clipped_fraction": products.direct_masks.clipped_fraction,
            **{
                f"{role}_{name}": [_text(files, role, epoch, name) for epoch in stack.epochs]
                for role in ("direct", "matched")
                for name in ("path", "sha256")
            },
        }
    )
    table["psf_sigma"].unit = "pix"
    return table


def _text(files: dict[tuple[str, EpochId], InputFile], role: str, epoch: EpochId, name: str) -> str:
    """Return the path or checksum of an input, empty where there is no such file."""
    found = files.get((role, epoch))
    return "" if found is None else ascii_text(str(getattr(found, name)))
