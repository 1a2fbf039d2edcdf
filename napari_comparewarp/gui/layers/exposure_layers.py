"""The layers of one FITS exposure: a warp by itself, or a coadd that was written."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.utils import DirectLabelColormap
from napari.utils.colormaps.standardize_color import transform_color

from ...algorithm.mask_planes import decode
from ...io.assumptions import Assumptions
from ...io.exposure import Exposure
from ...io.open_fits import open_fits
from ...io.pixels import read_pixels
from ...io.treatment import treat
from .schemes import SCHEMES
from .stretch import Stretch

__all__ = ["LayerData", "exposure_layers"]

#: What a reader gives napari for one layer.
LayerData = tuple[Any, dict[str, Any], str]

#: Opacity of flagged pixels.
_FLAGGED = 0.5

#: Planes that most pixels of a source have; they would hide it.
_CLEAR = ("DETECTED",)


def exposure_layers(exposure: Exposure) -> list[LayerData]:
    """Read an exposure into plain layers.

    Parameters
    ----------
    exposure : Exposure
        What `scan_exposure` found; a coadd has a layer of its counts too.

    Returns
    -------
    list of tuple
        Data, keywords and type of each layer, from the bottom to the top:
        variance, number of epochs, image, mask planes. The values of the mask
        are those of the file, renumbered to the planes in its ``metadata``; the
        status bar names the planes of the pixel under the cursor.

    Raises
    ------
    StackError
        If the file is damaged.
    """
    planes = exposure.own_planes()
    [exposure], _ = treat([exposure], Assumptions())
    pixels = read_pixels(exposure, planes)
    stem = exposure.path.name.partition(".fit")[0]
    stretch = Stretch()
    layers: list[LayerData] = [
        _image(f"{stem} variance", _native(pixels.variance), visible=False, colormap="gray")
    ]
    if exposure.is_coadd:
        counts = _counts(exposure.path)
        layers.append(
            _image(
                f"{stem} number of epochs", counts, visible=False, colormap="viridis",
                contrast_limits=(0, max(1, int(counts.max()))),
            )
        )  # fmt: skip
    layers.append(_image(f"{stem} image", _native(pixels.image), colormap=stretch.colormap()))
    layers.append(_mask(f"{stem} mask planes", pixels.mask, planes))
    return layers


def _native(plane: npt.NDArray) -> npt.NDArray[np.float32]:
    """Return a plane in the machine's own byte order, which napari needs."""
    return np.asarray(plane, np.float32)


def _counts(path: Path) -> npt.NDArray[np.int32]:
    """Return the number of epochs in each pixel of a coadd."""
    with open_fits(path) as hdus:
        return np.asarray(hdus["NIMAGE"].data, np.int32)


def _image(name: str, data: npt.NDArray, **keywords: Any) -> LayerData:
    keywords.setdefault("contrast_limits", Stretch().limits_of(data))
    return data, {"name": name, **keywords}, "image"


def _mask(name: str, mask: npt.NDArray[np.int32], planes: dict[str, int]) -> LayerData:
    """Return a mask as labels: each combination of planes has a colour, and its names."""
    values = np.unique(mask)
    scheme = SCHEMES["LSST"]
    colours: dict[int | None, npt.NDArray] = {None: np.zeros(4), 0: np.zeros(4)}
    for value in map(int, values):
        seen = [plane for plane in decode(planes, value) if plane not in _CLEAR]
        # The highest plane, as those that this program adds stand above those of the camera.
        colours[value] = transform_color(scheme.plane_colour(seen[-1]))[0] if seen else np.zeros(4)
    features = {
        "index": values,
        "planes": [", ".join(decode(planes, int(value))) or "none" for value in values],
    }
    keywords = {
        "name": name,
        "features": features,
        "colormap": DirectLabelColormap(color_dict=colours),
        "opacity": _FLAGGED,
        "metadata": {"mask_planes": planes},
    }
    return mask, keywords, "labels"
