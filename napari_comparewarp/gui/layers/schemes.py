"""Colours of the layers, as LSST displays have them and as colour-blind eyes tell them apart."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from napari.utils import Colormap, DirectLabelColormap
from napari.utils.colormaps.standardize_color import transform_color

from ...colours import COUNT_COLOURS, VERDICT_COLOURS
from ...result.footprint_states import OUTLINE, SELECTED
from ...result.footprints import State

__all__ = ["SCHEMES", "Scheme", "count_colormap", "state_colormap"]


@dataclass(frozen=True)
class Scheme:
    """A set of colours.

    Attributes
    ----------
    states : mapping of State to str
        Colour of each footprint state.
    selected : str
        Colour of the ring around the selected footprint.
    planes : mapping of str to str
        Colour of each mask plane; others have `other_plane`.
    difference : tuple of str
        Colours of a difference: missing light, none, excess light.
    """

    states: Mapping[State, str]
    selected: str
    planes: Mapping[str, str]
    difference: tuple[str, str, str]
    other_plane: str = "#d0d0d0"

    def plane_colour(self, name: str) -> str:
        """Return the colour of a mask plane."""
        return self.planes.get(name, self.other_plane)

    def difference_colormap(self) -> Colormap:
        """Return the diverging colour map of a difference."""
        return Colormap(transform_color(list(self.difference)), name="difference")


SCHEMES: Mapping[str, Scheme] = {
    "LSST": Scheme(
        states={
            State.CLIPPED: "#ffc400",
            State.PERSISTENT: "#5ad1ff",
            State.PROTECTED: "#c39bff",
            State.PREFILTERED: "#a0a0a0",
            State.STREAK: "#fff59d",
            State.CLIPPED_MANUALLY: "#ff5dd8",
            State.KEPT_MANUALLY: "#3ddc84",
        },
        selected="#ffffff",
        planes={
            "BAD": "#ff3030",
            "CR": "#ff40ff",
            "EDGE": "#ffff40",
            "INTRP": "#30d030",
            "SAT": "#30d030",
            "DETECTED": "#4060ff",
            "DETECTED_NEGATIVE": "#30e0e0",
            "SUSPECT": "#ffff40",
            "NO_DATA": "#ff9f1c",
            "CLIPPED": "#ff6a00",
        },
        difference=("#4f8dff", "#101014", "#ff4a3d"),
    ),
    "colour-blind safe": Scheme(
        states={
            State.CLIPPED: VERDICT_COLOURS["clipped"],
            State.PERSISTENT: VERDICT_COLOURS["persistent"],
            State.PROTECTED: VERDICT_COLOURS["protected"],
            State.PREFILTERED: VERDICT_COLOURS["prefiltered"],
            State.STREAK: VERDICT_COLOURS["streak"],
            State.CLIPPED_MANUALLY: "#d55e00",
            State.KEPT_MANUALLY: "#009e73",
        },
        selected="#ffffff",
        planes={
            "BAD": "#d55e00",
            "CR": "#cc79a7",
            "EDGE": "#f0e442",
            "INTRP": "#009e73",
            "SAT": "#009e73",
            "DETECTED": "#0072b2",
            "DETECTED_NEGATIVE": "#56b4e9",
            "SUSPECT": "#f0e442",
            "NO_DATA": "#e69f00",
            "CLIPPED": "#e69f00",
        },
        difference=("#56b4e9", "#101014", "#e69f00"),
    ),
}


def state_colormap(scheme: Scheme, fill: float) -> DirectLabelColormap:
    """Return the colours of the states image.

    Parameters
    ----------
    scheme : Scheme
    fill : float
        Opacity of the inside of a footprint, 0 to 1; its rim is opaque.
    """
    colours: dict[int | None, np.ndarray] = {None: np.zeros(4), 0: np.zeros(4)}
    for state, name in scheme.states.items():
        colour = transform_color(name)[0]
        colours[int(state)] = np.array([*colour[:3], fill])
        colours[int(state) + OUTLINE] = colour
    colours[SELECTED] = transform_color(scheme.selected)[0]
    return DirectLabelColormap(color_dict=colours)


def count_colormap() -> Colormap:
    """Return the colours of the epoch count: transparent where nothing deviates."""
    colours = transform_color(list(COUNT_COLOURS))
    colours[0, 3] = 0
    return Colormap(colours, name="epoch count", interpolation="linear")
