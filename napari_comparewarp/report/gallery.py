"""The gallery of a report: which footprints it shows, what it says of them, and their pictures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, StrMethodFormatter

from ..colours import VERDICT_COLOURS
from ..config.knobs import CompareWarpConfig
from ..io.sky import sky_of
from ..review.doubtful import KNIFE_EDGE, flipping_changes, knife_edges
from ..review.evidence import Evidence, gather_evidence
from ..review.explain import explain
from .pictures import CHI_LIMIT, DPI, stretch_between

if TYPE_CHECKING:
    from astropy.table import Row, Table

    from ..result.result import CompareWarpResult

__all__ = ["Entry", "Section", "choose_footprints", "describe_footprint", "draw_evidence"]

#: Ends of the axis of deviations: linear up to the first, no further than the last.
_CHI_TICKS = (10, 100, 1000)


@dataclass(frozen=True)
class Section:
    """Some footprints of a gallery.

    Attributes
    ----------
    title : str
    note : str
        What they have in common, and how many there are.
    ids : tuple of int
        As in the table of footprints, in the order in which to show them.
    doubtful : bool
        Whether a small change of a threshold would flip them.
    """

    title: str
    note: str
    ids: tuple[int, ...]
    doubtful: bool


@dataclass(frozen=True)
class Entry:
    """What a gallery says of one footprint.

    Attributes
    ----------
    id : int
        As in the table of footprints.
    epoch : str
    verdict : str
    by_hand : bool
    y, x : int
        Array indices of its most deviating pixel: its `FootprintKey`.
    sky : str
        Right ascension and declination of that pixel, empty without a WCS.
    area : int
        Pixels.
    peak_chi : float
        Sigma.
    sentence : str
        What became of it, and why.
    flips : tuple of str
        What setting would flip the verdict, for each knob that can alone.
    size : int
        Side of its stamps, pixels.
    figure : Figure
        See `draw_evidence`.
    """

    id: int
    epoch: str
    verdict: str
    by_hand: bool
    y: int
    x: int
    sky: str
    area: int
    peak_chi: float
    sentence: str
    flips: tuple[str, ...]
    size: int
    figure: Figure


def choose_footprints(
    result: "CompareWarpResult", n_doubtful: int = 12, n_clipped: int = 8, n_kept: int = 6
) -> tuple[Section, ...]:
    """Choose the footprints that a person should see.

    Parameters
    ----------
    result : CompareWarpResult
    n_doubtful, n_clipped, n_kept : int
        At most how many of each kind, >= 0.

    Returns
    -------
    tuple of Section
        Those that a small change of a threshold would flip, the closest
        first; the largest that are clipped; and the largest that are kept. A
        footprint stands in the first that it belongs to, and a section
        without any is left out.
    """
    footprints = result.footprints
    verdict = np.asarray(footprints["verdict"])
    doubtful = knife_edges(result)
    clipped = _largest(footprints, np.isin(verdict, ("clipped", "streak")))
    kept = _largest(footprints, np.isin(verdict, ("persistent", "protected")))
    close = (
        f"within {100 * KNIFE_EDGE:g} % of a threshold: so small a change would flip the verdict"
    )
    sections = []
    shown: set[int] = set()
    for title, what, total, chosen in (
        ("Most doubtful footprints", close, len(doubtful), doubtful[:n_doubtful]),
        ("Largest clipped footprints", "clipped", len(clipped), clipped[:n_clipped]),
        (
            "Largest kept footprints",
            "kept, by a rule or manually; of those that share a place, the largest",
            len(kept),
            _one_a_place(footprints, kept, n_kept),
        ),
    ):
        new = tuple(int(footprint) for footprint in chosen if footprint not in shown)
        above = len(chosen) - len(new)
        note = f"{len(chosen)} of the {total:,} that are {what}"
        if above:
            note += f"; {above} of them {'is' if above == 1 else 'are'} shown above"
        if len(chosen):
            sections.append(Section(title, f"{note}.", new, doubtful=what is close))
        shown.update(new)
    return tuple(sections)


def _largest(footprints: "Table", which: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the ids of some footprints, the largest first."""
    ids, area = (np.asarray(footprints[name])[which] for name in ("id", "area"))
    return ids[np.argsort(-area, kind="stable")]


def _one_a_place(footprints: "Table", ids: npt.NDArray[np.int64], most: int) -> list[int]:
    """Return the first of some footprints whose boxes do not overlap: one for each source."""
    y0, y1, x0, x1 = (np.asarray(footprints[name])[ids - 1] for name in ("y0", "y1", "x0", "x1"))
    left = np.ones(len(ids), np.bool_)
    chosen: list[int] = []
    while len(chosen) < most and left.any():
        i = int(left.argmax())
        chosen.append(int(ids[i]))
        left &= (y1 <= y0[i]) | (y0 >= y1[i]) | (x1 <= x0[i]) | (x0 >= x1[i])
    return chosen


def describe_footprint(
    result: "CompareWarpResult", footprint_id: int, changes: "Table | None" = None
) -> Entry:
    """Return what a gallery says of a footprint.

    Parameters
    ----------
    result : CompareWarpResult
    footprint_id : int
        As in the table of footprints.
    changes : Table, optional
        What `flipping_changes` says of the result, where it is known already.

    Raises
    ------
    InspectionError
        If there is no such footprint.
    """
    changes = flipping_changes(result) if changes is None else changes
    evidence = gather_evidence(result, footprint_id)
    row = result.footprints[footprint_id - 1]
    key = result.footprint_set.key(footprint_id)
    of_it = changes[np.asarray(changes["id"]) == footprint_id]
    clipped = row["verdict"] == "clipped"
    return Entry(
        id=int(footprint_id),
        epoch=str(row["epoch"]),
        verdict=str(row["verdict"]),
        by_hand=row["decided_by"] == "hand",
        y=key.y,
        x=key.x,
        sky=_sky(result, key.y, key.x),
        area=int(row["area"]),
        peak_chi=float(row["peak_chi"]),
        sentence=explain(result, footprint_id),
        flips=_flips(result.config, of_it[0], clipped) if len(of_it) else (),
        size=evidence.stamp.size,
        figure=draw_evidence(result, evidence),
    )


def _sky(result: "CompareWarpResult", y: int, x: int) -> str:
    """Return the sky position of an array pixel, empty without a WCS."""
    sky = sky_of(result.coadd.wcs, x, y)
    return "" if sky is None else str(sky.to_string("hmsdms", sep=":", precision=2))


def _flips(config: CompareWarpConfig, changes: "Row", clipped: bool) -> tuple[str, ...]:
    """Say at which value of each knob, alone, a verdict flips."""
    # On which side of the value, see `flipping_changes`.
    sides = {
        "temporal_threshold": "below {}" if clipped else "{} or more",
        "max_epochs": "{}",
        "spatial_threshold": "{} or more" if clipped else "below {}",
        "chi_threshold": "above {}",
    }
    texts = []
    for knob, side in sides.items():
        if np.isfinite(changes[knob]):
            value = side.format(f"{getattr(config, knob) + float(changes[knob]):.4g}")
            texts.append(f"{type(config).model_fields[knob].title} {value}")
    return tuple(texts)


def draw_evidence(result: "CompareWarpResult", evidence: Evidence) -> Figure:
    """Draw the stamps of a footprint in its epoch, and its deviation in every epoch.

    Parameters
    ----------
    result : CompareWarpResult
    evidence : Evidence

    Returns
    -------
    Figure
        Difference in sigma with the footprint's outline, direct warp, template,
        coadd without and with clipping (all four on one stretch), and the
        largest deviation in each epoch, filled where it is clipped.
    """
    index, size = evidence.epoch_index, evidence.stamp.size
    sky = {"cmap": "gray", "norm": stretch_between(*evidence.limits)}
    chi = {"cmap": "RdBu_r", "norm": Normalize(-CHI_LIMIT, CHI_LIMIT)}
    stamps = (
        ("difference, ±10 sigma", evidence.chi[index], chi, "#808080"),
        ("warp", evidence.warp[index], sky, "#802020"),
        ("template", evidence.template, sky, "#802020"),
        ("coadd without clipping", evidence.unclipped, sky, "#802020"),
        ("coadd with clipping", evidence.coadd, sky, "#802020"),
    )
    figure = Figure(figsize=(11.6, 1.98), dpi=DPI)
    # Axes of their own, and an automatic layout, would take longer than all the rest.
    axis = figure.add_axes((0.004, 0.02, 0.756, 0.867))
    axis.set_axis_off()
    pitch = 1.027 * size
    for column, (title, image, style, no_data) in enumerate(stamps):
        left = column * pitch
        extent = (left, left + size, 0, size)
        axis.add_patch(Rectangle((left, 0), size, size, facecolor=no_data, zorder=-1))
        axis.imshow(image, origin="lower", interpolation="nearest", extent=extent, **style)
        axis.text(left + size / 2, 1.03 * size, title, fontsize=8, ha="center", va="bottom")
    if evidence.footprint.any():
        middle = np.arange(size) + 0.5
        axis.contour(
            middle, middle, evidence.footprint, levels=[0.5], colors=["black"], linewidths=0.7
        )
    axis.set_xlim(0, 4 * pitch + size)
    axis.set_ylim(0, size)
    _draw_deviations(figure.add_axes((0.806, 0.2, 0.19, 0.687)), result.config, evidence)
    return figure


def _draw_deviations(axis: Any, config: CompareWarpConfig, evidence: Evidence) -> None:
    """Draw the largest deviation of each epoch, and the threshold."""
    place = np.arange(1, len(evidence.peak_chi) + 1)
    for is_clipped, colour, label in (
        (False, "white", "not clipped"),
        (True, VERDICT_COLOURS["clipped"], "clipped"),
    ):
        which = (evidence.is_clipped == is_clipped) & np.isfinite(evidence.peak_chi)
        axis.plot(
            place[which], evidence.peak_chi[which], "o", markersize=4, markeredgewidth=0.7,
            markerfacecolor=colour, markeredgecolor="#333333", label=label,
        )  # fmt: skip
    own = evidence.epoch_index
    axis.plot(
        place[own], evidence.peak_chi[own], "o", markersize=9, markerfacecolor="none",
        markeredgecolor="#c00000", label="this visit",
    )  # fmt: skip
    signs = {"both": (1, -1), "positive": (1,), "negative": (-1,)}[config.polarity]
    for sign in signs:
        axis.axhline(sign * config.chi_threshold, color="#555555", linewidth=0.7, linestyle="--")
    axis.axhline(0, color="#bbbbbb", linewidth=0.7, zorder=0)
    axis.set_yscale("symlog", linthresh=_CHI_TICKS[0], linscale=1)
    ticks = [0, *_CHI_TICKS, *(-tick for tick in _CHI_TICKS)]
    axis.yaxis.set_major_locator(FixedLocator(ticks))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    finite = evidence.peak_chi[np.isfinite(evidence.peak_chi)]
    reach = 3 * max([config.chi_threshold, *np.abs(finite)])
    axis.set_ylim(-reach if finite.min(initial=0) < -3 or -1 in signs else -3, reach)
    axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axis.set_xlim(0.4, len(place) + 0.6)
    axis.tick_params(labelsize=7, length=2, pad=2)
    axis.set_title("deviation in each visit, sigma", fontsize=8, pad=3)
    axis.set_xlabel("number of the visit", fontsize=7, labelpad=1)
