"""The layers of an inspection: made once, reused whatever changes."""

import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from ...inspection.inspection import Inspection
from .lazy import EpochPlanes, Plane
from .schemes import count_colormap, state_colormap
from .status import describe_pixel
from .stretch import Stretch
from .views import COMPARISONS, Views

__all__ = ["NAMES", "LayerSet", "inspection_to_layers"]

#: Sigma at which the colours of a difference end.
CHI_LIMIT = 10.0

#: The same for what clipping removed, in sigma of the coadd.
REMOVED_LIMIT = 10.0

#: Opacity of the inside of a footprint, to begin with.
FILL = 0.15

#: Names of the layers, from the bottom to the top.
NAMES = {
    "compared": COMPARISONS["unclipped"],
    "coadd": "coadd",
    "template": "template",
    "warp": "warp",
    "difference": "warp difference",
    "count": "epoch count",
    "mask": "mask planes",
    "states": "CLIPPED footprints",
}

#: Layers that show the sky, and share one stretch.
SKY = ("compared", "coadd", "template", "warp")


def inspection_to_layers(inspection: Inspection) -> list[Layer]:
    """Return the layers of an inspection, from the bottom to the top.

    They are what the window shows: coadd without clipping, coadd, template,
    warp, warp difference, epoch count, mask planes and CLIPPED footprints.
    Nothing is computed for a layer until it is looked at. No window is needed:
    add them to a `napari.components.ViewerModel` or to a viewer.

    Parameters
    ----------
    inspection : Inspection
        The layers always show its present result; `refresh` one that is on the
        screen after a change.

    Returns
    -------
    list of napari.layers.Layer
        Those of one epoch are ``(epoch, y, x)``, the others ``(y, x)``.
    """
    return list(LayerSet(inspection))


class LayerSet:
    """The layers that show one inspection.

    Parameters
    ----------
    inspection : Inspection

    Attributes
    ----------
    views : Views
        What the layers show.
    by_role : dict of str to Layer
        The layers by the keys of `NAMES`, from the bottom to the top.
    """

    def __init__(self, inspection: Inspection) -> None:
        self.views = Views(inspection)
        self.stretch = Stretch()
        self.fill = FILL
        self.sexagesimal = True
        #: Whether a viewer has been set up for them: a user's own view is left alone.
        self.seen = False
        self.by_role: dict[str, Layer] = {role: self._make(role) for role in NAMES}

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.by_role.values())

    def role_of(self, layer: Layer) -> str | None:
        """Return which of `NAMES` a layer is, None if it is not ours."""
        return next((role for role, ours in self.by_role.items() if ours is layer), None)

    def make_again(self, role: str) -> Layer:
        """Return a new layer in the place of one that is gone."""
        self.by_role[role] = self._make(role)
        return self.by_role[role]

    def show(self, inspection: Inspection) -> None:
        """Let the same layers show another inspection."""
        before, self.views = self.views, Views(inspection)
        self.views.scheme = before.scheme
        self.views.kept_differences = before.kept_differences
        for role, layer in self.by_role.items():
            layer.data = self._data(role)
        self.by_role["count"].contrast_limits = (0, self.views.limit_of_count())
        self.set_stretch(self.stretch)

    def set_stretch(self, stretch: Stretch) -> None:
        """Show all pictures of the sky with a curve, between limits of the coadd."""
        self.stretch = stretch
        limits = stretch.limits_of(self.views.coadd())
        colormap = stretch.colormap()
        for role in SKY:
            layer = self.by_role[role]
            if role == "compared" and self.views.comparison == "removed":
                continue
            layer.colormap = colormap
            layer.contrast_limits_range = _range(limits)
            layer.contrast_limits = limits

    def set_fill(self, fill: float) -> None:
        """Set the opacity of the inside of the footprints, 0 to 1."""
        self.fill = fill
        self.by_role["states"].colormap = state_colormap(self.views.scheme, fill)

    def set_comparison(self, comparison: str) -> None:
        """Choose what the lowest layer shows, one of `COMPARISONS`."""
        layer = self.by_role["compared"]
        # A name that the user gave stays.
        if layer.name == COMPARISONS[self.views.comparison]:
            layer.name = COMPARISONS[comparison]
        self.views.comparison = comparison
        if comparison == "removed":
            variance = self.views.result.coadd.variance
            known = variance[np.isfinite(variance)]
            half = REMOVED_LIMIT * float(np.sqrt(np.median(known))) if len(known) else 1.0
            layer.colormap = self.views.scheme.difference_colormap()
            layer.contrast_limits_range = _range((-half, half))
            layer.contrast_limits = (-half, half)
        else:
            template = self.by_role["template"]
            layer.colormap = template.colormap
            layer.contrast_limits_range = template.contrast_limits_range
            layer.contrast_limits = template.contrast_limits
        redraw(layer)

    def set_scheme(self, scheme: Any) -> None:
        """Use other colours, a `Scheme`."""
        self.views.scheme = scheme
        self.set_fill(self.fill)
        self.by_role["difference"].colormap = scheme.difference_colormap()
        redraw(self.by_role["mask"])

    def _make(self, role: str) -> Layer:
        common: dict[str, Any] = {
            "name": NAMES[role], "visible": role in ("difference", "states"),
        }  # fmt: skip
        data = self._data(role)
        if role == "states":
            layer: Layer = Labels(
                data, colormap=state_colormap(self.views.scheme, self.fill), opacity=1.0, **common
            )
            layer.editable = False
        elif role == "mask":
            layer = Image(data, rgb=True, **common)
        elif role == "count":
            layer = Image(
                data, colormap=count_colormap(), opacity=0.9,
                contrast_limits=(0, self.views.limit_of_count()), **common,
            )  # fmt: skip
        elif role == "difference":
            layer = Image(
                data, colormap=self.views.scheme.difference_colormap(),
                contrast_limits=(-CHI_LIMIT, CHI_LIMIT), **common,
            )  # fmt: skip
            layer.contrast_limits_range = (-100.0, 100.0)
        else:
            limits = self.stretch.limits_of(self.views.coadd())
            layer = Image(data, colormap=self.stretch.colormap(), contrast_limits=limits, **common)
            layer.contrast_limits_range = _range(limits)
        layer.get_status = types.MethodType(_status_of(self), layer)
        return layer

    def _data(self, role: str) -> Plane | EpochPlanes:
        views, stack = self.views, self.views.inspection.stack
        cube = (stack.n_epochs, *stack.shape)
        match role:
            case "warp":
                return EpochPlanes(cube, np.float32, views.warp)
            case "difference":
                return EpochPlanes(cube, np.float32, views.difference)
            case "mask":
                return EpochPlanes((*cube, 4), np.uint8, views.mask)
            case "states":
                return EpochPlanes(cube, np.uint8, views.states)
            case "count":
                return Plane(stack.shape, np.uint16, views.epoch_count)
            case "template":
                return Plane(stack.shape, np.float32, views.template)
            case "coadd":
                return Plane(stack.shape, np.float32, views.coadd)
        return Plane(stack.shape, np.float32, views.compared)


def redraw(layer: Layer) -> None:
    """Draw a layer again whose image has changed, if it is on the screen."""
    layer.refresh(thumbnail=False, highlight=False, extent=False)


def _range(limits: tuple[float, float]) -> tuple[float, float]:
    """Return how far a slider of limits goes."""
    width = limits[1] - limits[0]
    return limits[0] - 2 * width, limits[1] + 20 * width


def _status_of(layers: LayerSet) -> Callable[..., dict[str, str]]:
    """Return the method by which a layer describes the pixel under the cursor."""

    def get_status(
        self: Layer, position: Any = None, *, view_direction: Any = None,
        dims_displayed: Any = None, world: bool = False, value: Any = None,
    ) -> dict[str, str]:  # fmt: skip
        status = {
            "layer_name": self.name, "layer_base": self.name, "source_type": "", "plugin": "",
            "coordinates": "", "coords": "", "value": "",
        }  # fmt: skip
        if position is None:
            return status
        place = np.asarray(position)
        y, x = np.round(
            np.asarray(self.world_to_data(position) if world else position)[-2:]
        ).astype(int)
        epoch = round(float(place[-3])) if len(place) > 2 else 0
        text = describe_pixel(layers.views, epoch, int(y), int(x), layers.sexagesimal)
        status["coords"] = status["coordinates"] = text
        return status

    return get_status
