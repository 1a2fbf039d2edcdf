"""The sensitivity sheet: what other thresholds would clip, with the present setting marked."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from ..config.knobs import CompareWarpConfig
from .pictures import DPI

if TYPE_CHECKING:
    from ..review.sensitivity import Sensitivity

__all__ = ["draw_sensitivity"]

#: The setting that holds.
_PRESENT = "#c00000"


def draw_sensitivity(plane: "Sensitivity", along_chi: "Sensitivity") -> Figure:
    """Draw what is clipped, and what depth it costs, over other settings.

    Parameters
    ----------
    plane : Sensitivity
        Over an epoch threshold and the spatial threshold.
    along_chi : Sensitivity
        Along the chi threshold.

    Returns
    -------
    Figure
        Clipped pixels, clipped footprints and change of depth: in the first
        row over the plane, in the second along chi.
    """
    figure = Figure(figsize=(12.4, 6.6), dpi=DPI, layout="constrained")
    axes = figure.subplots(2, 3)
    for row, sheet in enumerate((plane, along_chi)):
        measures = {
            "clipped pixels of all epochs": sheet.clipped_area.sum(axis=-1),
            "clipped footprints": sheet.n_clipped,
            "change of depth, mmag": 1e3 * sheet.depth_change,
        }
        for axis, (label, values) in zip(axes[row], measures.items(), strict=True):
            if values.ndim == 2:
                _draw_plane(figure, axis, sheet, values, label)
            else:
                _draw_curve(axis, sheet, values, label)
    return figure


def _draw_plane(
    figure: Figure, axis: Any, sheet: "Sensitivity", values: npt.NDArray, label: str
) -> None:
    """Draw one measure over the plane of two thresholds."""
    first, second = sheet.values
    # More clipping is darker, whether the measure grows with it or shrinks.
    colours = "magma_r" if values.max() > 0 else "magma"
    finite = np.where(np.isfinite(values), values, np.nan)
    picture = axis.pcolormesh(first, second, finite.T, shading="nearest", cmap=colours)
    figure.colorbar(picture, ax=axis, pad=0.02, format="{x:,g}")
    axis.set_title(label, fontsize=10)
    axis.set_xlabel(_label_of(sheet.knobs[0]))
    axis.set_ylabel(_label_of(sheet.knobs[1]))
    present = sheet.present
    if min(present) >= 0:
        axis.plot(
            first[present[0]], second[present[1]], "*", markersize=15, color="white",
            markeredgecolor=_PRESENT, markeredgewidth=1.5, clip_on=False,
        )  # fmt: skip


def _draw_curve(axis: Any, sheet: "Sensitivity", values: npt.NDArray, label: str) -> None:
    """Draw one measure along one threshold."""
    (knob,), (present,) = sheet.values, sheet.present
    axis.plot(knob, values, ".-", color="#30406e", linewidth=1.2)
    axis.axvline(knob[present], color=_PRESENT, linewidth=1, linestyle="--")
    axis.plot(knob[present], values[present], "*", markersize=13, color=_PRESENT)
    axis.set_xscale("log")
    ticks = [tick for tick in (3, 5, 7, 10, 15, 20, 30) if knob[0] <= tick <= knob[-1]]
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.grid(color="#dddddd", linewidth=0.6)
    axis.yaxis.set_major_formatter("{x:,g}")
    axis.yaxis.get_major_locator().set_params(integer=values.dtype.kind == "i")
    axis.set_xlabel(_label_of(sheet.knobs[0]))
    axis.set_ylabel(label)


def _label_of(knob: str) -> str:
    """Return the title of a knob and its unit."""
    field = CompareWarpConfig.model_fields[knob]
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    return f"{field.title}, {extra['unit']}"
