"""What napari opens with this plugin: warps, coadds, inspections, the sample.

In a window, warps and inspections go to the dock, which reads them in a worker
and adds its layers when they are there: the reader itself returns none. Without
a window it returns the same layers.
"""

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import napari
from napari.layers import Layer

from ...errors import StackError
from ...inspection.inspection import Inspection
from ...io.content import content_of
from ...io.dialects.registry import NotAnExposure, has_variance_name
from ...io.inspection_file import FORMAT
from ...io.open_fits import open_fits
from ...io.place import open_regular
from ...io.read import read_stack
from ...io.scan import scan_exposure
from ...io.sources import FITS_SUFFIXES, find_sources
from ..layers.exposure_layers import LayerData, exposure_layers
from ..layers.layer_set import inspection_to_layers
from .sample import ADDRESS, simulated_night

__all__ = ["get_reader"]

#: Given the path again by napari, returns layer data.
Reader = Callable[[Any], Sequence[tuple[Any, ...]]]

#: What napari takes as: opened, and there are no layers to add.
_NO_LAYERS: list[tuple[Any, ...]] = [(None,)]

#: An inspection says within this many characters that it is one.
_HEAD = 65_536

#: Files of a folder that are looked at to see whether it holds warps.
_LOOKED_AT = 3

#: How a FITS file begins.
_FITS = b"SIMPLE  ="


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Return the function that reads a path, or None for what is not ours.

    Parameters
    ----------
    path : str or sequence of str
        A folder of warps, a FITS file with a warp or a coadd, several warps,
        an inspection file, or the address of the sample.

    Returns
    -------
    callable or None
        Takes the path and returns layer data; only headers are read before.
    """
    names = [path] if isinstance(path, str) else list(path)
    if names == [ADDRESS]:
        return _read_sample
    paths = [Path(name) for name in names]
    if len(paths) == 1 and paths[0].suffix.lower() == ".json":
        return partial(_read_inspection, paths[0]) if _is_inspection(paths[0]) else None
    if len(paths) == 1 and paths[0].is_dir():
        return partial(_read_stack, paths[0]) if _holds_warps(paths[0]) else None
    if not all(one.name.lower().endswith(FITS_SUFFIXES) for one in paths):
        return None
    if not _is_exposure(paths[0]):
        return None
    return partial(_read_file, paths[0]) if len(paths) == 1 else partial(_read_stack, paths)


def _read_sample(_: Any) -> Sequence[tuple[Any, ...]]:
    viewer = napari.current_viewer()
    if viewer is None:
        return _layer_data(simulated_night())
    from .commands import dock_of

    dock_of(viewer).make(simulated_night)
    return _NO_LAYERS


def _read_inspection(path: Path, _: Any) -> Sequence[tuple[Any, ...]]:
    viewer = napari.current_viewer()
    if viewer is None:
        return _layer_data(Inspection.load(path))
    return _open_in_dock(viewer, path)


def _read_stack(source: Path | list[Path], _: Any) -> Sequence[tuple[Any, ...]]:
    viewer = napari.current_viewer()
    if viewer is None:
        return _layer_data(Inspection(read_stack(source)))
    return _open_in_dock(viewer, source)


def _read_file(path: Path, _: Any) -> Sequence[tuple[Any, ...]]:
    """Read one exposure; in a window, a warp waits for others of the same choice."""
    exposure = scan_exposure(path)
    viewer = napari.current_viewer()
    if viewer is None:
        return exposure_layers(exposure)
    if not viewer.layers:
        # Images of the sky have y up.
        viewer.scene.camera.orientation2d = ("up", "right")
    if exposure.is_coadd:
        return exposure_layers(exposure)
    from .commands import open_together

    open_together(viewer, path, _layers_of_file)
    return _NO_LAYERS


def _layers_of_file(path: Path) -> list[Layer]:
    return [Layer.create(*data) for data in exposure_layers(scan_exposure(path))]


def _open_in_dock(viewer: Any, source: Path | list[Path]) -> Sequence[tuple[Any, ...]]:
    from .commands import dock_of

    dock_of(viewer).open(source)
    return _NO_LAYERS


def _layer_data(inspection: Inspection) -> list[LayerData]:
    return [layer.as_layer_data_tuple() for layer in inspection_to_layers(inspection)]


def _is_inspection(path: Path) -> bool:
    """Whether a JSON file says that it is an inspection, of whichever version."""
    try:
        with open_regular(path) as file:
            return FORMAT in file.read(_HEAD).decode("utf-8-sig", "ignore")
    except (StackError, OSError):
        return False


def _holds_warps(folder: Path) -> bool:
    try:
        sources = find_sources(folder)
    except (StackError, OSError):
        return False
    return any(_is_exposure(source.path) for source in sources[:_LOOKED_AT])


def _is_exposure(path: Path) -> bool:
    """Whether a file is a warp or a coadd; a damaged one is, so that reading it says how."""
    try:
        scan_exposure(path)
    except NotAnExposure:
        return False
    except StackError:
        return _looks_like_fits(path) and _has_variance(path)
    return True


def _looks_like_fits(path: Path) -> bool:
    """Whether a file begins like FITS, plain or compressed by gzip."""
    try:
        with open_regular(path) as file:
            return content_of(path, file).part(0, len(_FITS)) == _FITS
    except (StackError, OSError, EOFError, zlib.error):
        return False


def _has_variance(path: Path) -> bool:
    try:
        with open_fits(path) as hdus:
            return any(has_variance_name(hdu.name) for hdu in hdus)
    except StackError:
        return True
