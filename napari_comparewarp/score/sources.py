"""Get the warps, the coadd and its masks from a result or from files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.table import Table

from ..algorithm.mask_planes import bits
from ..algorithm.warps import WarpStack
from ..errors import StackError, one_line
from ..io.provenance import ascii_text, read_config
from ..io.read import read_stack
from ..io.write import mask_path
from ..result.result import CompareWarpResult
from ..simulation import TruthError
from .observed import Combined, Observed
from .recover import recover_rejected

__all__ = ["ScoreError", "from_files", "from_result"]

_NAME = "coadd"


class ScoreError(TruthError):
    """A coadd that cannot be compared with a truth; the message is one line."""


Sources = tuple[Observed, Combined, tuple[str, ...]]


def from_result(result: CompareWarpResult) -> Sources:
    """Get warps, coadd and masks from a result in memory.

    Parameters
    ----------
    result : CompareWarpResult
        Its stack may be on disk.

    Returns
    -------
    observed : Observed
    combined : Combined
    notes : tuple of str
        Always empty.
    """
    stack = result.stack
    planes = result.coadd.mask_planes
    bad = bits(planes, set(result.config.bad_planes) - {"CLIPPED"})
    image = np.asarray(stack.direct.image[:])
    usable = np.isfinite(image)
    clipped = np.empty_like(usable)
    for index in range(stack.n_epochs):
        usable[index] &= (result.direct_mask(index) & bad) == 0
        clipped[index] = usable[index] & result.clipped(index)
    observed = Observed(_visit_ids(stack), result.weights, image, usable)
    return observed, Combined(_NAME, result.coadd.image, clipped), ()


def from_files(coadd: Path, truth_folder: Path | None, masks: Path | None) -> Sources:
    """Read a coadd, its warps, and what was clipped.

    Parameters
    ----------
    coadd : Path
        FITS file written from a result.
    truth_folder : Path or None
        Folder of the truth, next to which the warps are searched for as well.
    masks : Path or None
        Folder with the masks of the visits. None: derive them from the coadd.

    Returns
    -------
    observed : Observed
    combined : Combined
    notes : tuple of str
        What could not be determined.

    Raises
    ------
    ScoreError
        If a file is missing or invalid.
    """
    try:
        with fits.open(coadd) as hdus:
            image = hdus["IMAGE"].data.astype(np.float32)
            n_image = hdus["NIMAGE"].data.astype(int)
            inputs = Table(hdus["INPUTS"].data)
    except (OSError, KeyError) as error:
        raise ScoreError(
            f"{coadd}: cannot read it as a coadd of this program: {one_line(error)}"
        ) from error
    bad_names = tuple(name for name in read_config(coadd).bad_planes if name != "CLIPPED")
    named = [str(path) for path in inputs["direct_path"]]
    if masks is None:
        # Where a matched warp has no data, nothing is clipped and nothing is used.
        named += [str(path) for path in inputs["matched_path"]]
    paths = [_find_warp(path, coadd, truth_folder) for path in dict.fromkeys(named) if path.strip()]
    try:
        # The PSF width is not used; a placeholder for files that do not give it.
        stack = read_stack(paths, psf_sigma=1.0)
    except StackError as error:
        raise ScoreError(f"{coadd}: its warps cannot be read: {error}") from error
    weight_of = {str(row["epoch"]): float(row["weight"]) for row in inputs}
    weights = np.nan_to_num([weight_of[ascii_text(str(epoch))] for epoch in stack.epochs])
    if stack.shape != image.shape:
        raise ScoreError(f"{coadd}: its warps have a different shape: {stack.shape}")
    warps = np.asarray(stack.direct.image[:])
    visits = _visit_ids(stack)
    notes: tuple[str, ...] = ()
    if masks is not None:
        usable, clipped = _from_masks(masks, stack, warps, bad_names)
    else:
        usable = _unflagged(warps, np.asarray(stack.direct.mask[:]), stack.mask_planes, bad_names)
        for index, row in enumerate(stack.partner):
            usable[index] &= row >= 0 and np.isfinite(stack.matched.image[row])
        clipped, n_unresolved = recover_rejected(warps, usable, weights, image, n_image)
        if n_unresolved:
            notes = (
                f"In {n_unresolved} pixels it is ambiguous which epochs were left out; none is "
                "counted there. Use --masks to resolve this.",
            )
    return Observed(visits, weights, warps, usable), Combined(_NAME, image, clipped), notes


def _visit_ids(stack: WarpStack) -> tuple[int, ...]:
    """Return the ids of the epochs as visits of a simulation, which are numbers."""
    visits = tuple(epoch for epoch in stack.epochs if isinstance(epoch, int))
    if len(visits) != stack.n_epochs:
        raise ScoreError("the epoch ids are not numbers: this is not a simulated night")
    return visits


def _read_mask(hdus: fits.HDUList) -> tuple[npt.NDArray[np.int32], dict[str, int]]:
    """Return the MASK array of an open file, and the bit number of each plane."""
    hdu = hdus["MASK"]
    planes = {key[3:]: int(value) for key, value in hdu.header.items() if key.startswith("MP_")}
    return hdu.data.astype(np.int32), planes


def _find_warp(named: str, coadd: Path, truth_folder: Path | None) -> Path:
    """Find a warp at the path in the coadd, or relative to the coadd or to the truth."""
    path = Path(named)
    candidates = [path, coadd.parent / path]
    if truth_folder is not None:
        candidates += [
            root / path.parent.name / path.name for root in (truth_folder, truth_folder.parent)
        ]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ScoreError(f"{coadd}: its warp {named} is needed and does not exist any more")


def _unflagged(
    image: npt.NDArray[np.float32],
    mask: npt.NDArray[np.int32],
    planes: Mapping[str, int],
    bad_names: Sequence[str],
) -> npt.NDArray[np.bool_]:
    """Return the pixels that are finite and have none of the bad planes."""
    return np.isfinite(image) & ((mask & bits(planes, bad_names)) == 0)


def _from_masks(
    folder: Path, stack: WarpStack, image: npt.NDArray[np.float32], bad_names: Sequence[str]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Read usable and clipped pixels from the masks of the visits."""
    usable, clipped = np.empty(image.shape, bool), np.empty(image.shape, bool)
    for index, visit in enumerate(stack.epochs):
        path = mask_path(folder, visit)
        try:
            with fits.open(path) as hdus:
                mask, planes = _read_mask(hdus)
        except (OSError, KeyError) as error:
            raise ScoreError(f"{path}: cannot read this mask: {one_line(error)}") from error
        if mask.shape != image.shape[1:]:
            raise ScoreError(f"{path}: the mask has shape {mask.shape}, the coadd {stack.shape}")
        usable[index] = _unflagged(image[index], mask, planes, bad_names)
        clipped[index] = usable[index] & ((mask & bits(planes, ["CLIPPED"])) != 0)
    return usable, clipped
