"""What napari saves with this plugin: the coadd, and the masks of the warps."""

from pathlib import Path
from typing import Any

import napari

from ...errors import OutputError
from ...io.write import mask_path
from ...result import files
from ...result.result import CompareWarpResult
from ..layers.layer_set import NAMES
from ..session import Session

__all__ = ["write_coadd", "write_masks"]


def write_coadd(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write the coadd that a layer shows, with its mask, variance, counts and provenance.

    Parameters
    ----------
    path : str
        Ends as FITS; a file that exists is not replaced.
    data : array_like
        Of the layer of the coadd.
    meta : dict
        Of the layer.

    Returns
    -------
    list of str
        What was written.

    Raises
    ------
    OutputError
        If the layer is not the coadd of what is open, the file exists, or it
        cannot be written.
    """
    _result_of(data, meta, "coadd").write(path)
    return [path]


def write_masks(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write the masks of all warps with CLIPPED, NO_DATA and EDGE, as a folder.

    Parameters
    ----------
    path : str
        The folder; masks that exist in it are not replaced.
    data : array_like
        Of the layer of the footprints.
    meta : dict
        Of the layer.

    Returns
    -------
    list of str
        The files that were written.

    Raises
    ------
    OutputError
        If the layer does not show the footprints of what is open, one of the
        files exists, or it cannot be written.
    """
    result = _result_of(data, meta, "states")
    files.write_masks(result, Path(path))
    return [str(mask_path(Path(path), epoch)) for epoch in result.stack.epochs]


def _result_of(data: Any, meta: dict[str, Any], role: str) -> CompareWarpResult:
    """Return the result that a layer shows, if it is the one of this role."""
    viewer = napari.current_viewer()
    session = None if viewer is None else Session.of(viewer)
    if session is None or session.layers.by_role[role].data is not data:
        # Not a ValueError: napari takes it for a writer that is not there.
        raise OutputError(
            f"layer {meta.get('name')!r} cannot be saved as this: it is not the layer "
            f"{NAMES[role]!r} of a stack that is open in CompareWarp"
        )
    return session.inspection.result
