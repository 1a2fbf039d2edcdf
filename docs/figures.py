"""Figures of the documentation that are drawn from the rules themselves."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from napari_comparewarp import CompareWarpConfig
from napari_comparewarp.algorithm.verdicts import effective_maximum

#: Colours of Okabe and Ito, which colour-blind readers can distinguish.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#999999"

# Reproducible output.
_SAVE = {"metadata": {"Date": None}, "bbox_inches": "tight"}


def draw_effective_maximum(path: Path) -> None:
    """Draw the effective maximum number of epochs against the depth."""
    depth = np.arange(1, 101)
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.add_subplot()
    default = CompareWarpConfig()
    rules = {
        "default": (default, BLUE, "-"),
        "first-look": (CompareWarpConfig.preset("first-look"), ORANGE, "--"),
        "temporal threshold only": (default.replace(max_epochs=None), GREY, ":"),
    }
    for label, (config, colour, style) in rules.items():
        maximum = effective_maximum(
            depth,
            temporal_threshold=config.temporal_threshold,
            max_epochs=config.max_epochs,
            max_epochs_slope=config.max_epochs_slope,
        )
        axes.step(depth, maximum, style, where="mid", color=colour, label=label)
    axes.set(
        xlabel="usable epochs N", ylabel="effective maximum, epochs", xlim=(0, 100), ylim=(0, 25)
    )
    axes.legend(frameon=False)
    figure.savefig(path, **_SAVE)


def draw_verdict_plane(path: Path) -> None:
    """Draw the epoch counts of three candidates, and the verdicts of the spatial rule."""
    figure = Figure(figsize=(8, 2), layout="constrained")
    panels = figure.subplots(1, 3, width_ratios=(15, 15, 7))
    scenes = {
        "trail, 1 epoch": np.ones((7, 15), int),
        "trail over a variable star": np.ones((7, 15), int),
        "variable star, 6 epochs": np.full((7, 7), 6),
    }
    y, x = np.mgrid[:7, :15]
    scenes["trail over a variable star"][(y - 3) ** 2 + (x - 7) ** 2 <= 10] = 7
    config = CompareWarpConfig()
    for axes, (title, count) in zip(panels, scenes.items(), strict=True):
        maximum = int(
            effective_maximum(
                20,
                temporal_threshold=config.temporal_threshold,
                max_epochs=config.max_epochs,
                max_epochs_slope=config.max_epochs_slope,
            )
        )
        few = count <= maximum
        fraction = few.mean()
        verdict = "clipped" if fraction > config.spatial_threshold else "persistent"
        axes.imshow(np.where(few, 0.25, 0.8), cmap="Greys", vmin=0, vmax=1, origin="lower")
        for (row, column), value in np.ndenumerate(count):
            axes.text(column, row, value, ha="center", va="center", fontsize=5.5,
                      color="black" if few[row, column] else "white")  # fmt: skip
        axes.set_title(title, fontsize=9)
        axes.set_xlabel(f"fraction {fraction:.2f}: {verdict}",
                        color=ORANGE if verdict == "clipped" else BLUE)  # fmt: skip
        axes.set(xticks=[], yticks=[])
    figure.savefig(path, **_SAVE)
