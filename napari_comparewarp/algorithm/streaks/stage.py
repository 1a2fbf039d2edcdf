"""Streaks of every epoch, grown into their wings (section 10 of the method's description)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...config.knobs import CompareWarpConfig
from ..difference import DifferenceTerm, chi_of_difference, difference_of_epoch
from ..footprints import Candidates
from ..mask_planes import bits
from ..parallel import Progress, for_each, no_progress
from ..protection import lies_inside
from ..spans import Spans, connected_groups, disc_half_widths
from ..warps import WarpStack
from .find import find_streaks, streak_mask

__all__ = ["StreakFootprints", "find_streak_footprints"]


@dataclass(frozen=True)
class StreakFootprints:
    """The streaks of one epoch.

    Attributes
    ----------
    spans : Spans
        All the pixels that they clip.
    groups : tuple of Spans
        The pixels of each; neighbours may overlap.
    peak_chi : tuple of float
        Largest deviation of each before it grew, in sigma.
    kept : tuple of bool
        Which of them are not clipped, by a manual decision.
    """

    spans: Spans
    groups: tuple[Spans, ...]
    peak_chi: tuple[float, ...]
    kept: tuple[bool, ...] = ()

    @classmethod
    def none(cls) -> "StreakFootprints":
        """Return no streaks."""
        return cls(Spans.empty(), (), ())


def find_streak_footprints(
    stack: WarpStack,
    template: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    variance_scale: npt.NDArray[np.float64],
    compared: npt.NDArray[np.bool_],
    candidates: Sequence[Candidates],
    protected: npt.NDArray[np.int32] | None,
    *,
    config: CompareWarpConfig,
    terms: Sequence[DifferenceTerm] = (),
    progress: Progress = no_progress,
) -> tuple[StreakFootprints, ...]:
    """Find the streaks of every epoch.

    Parameters
    ----------
    stack : WarpStack
    template : tuple of ndarray of float32
        ``(y, x)`` image and variance of the template, holes filled.
    variance_scale : ndarray
        ``(epoch,)`` factors of the matched warps' variances.
    compared : ndarray of bool
        ``(epoch,)`` epochs to work on.
    candidates : sequence of Candidates
        One for each epoch: a streak consists of detected pixels only.
    protected : ndarray of int32 or None
        ``(y, x)`` footprints of bright sources; a streak wholly inside one is left.
    config : CompareWarpConfig
        The knobs named ``streak_…``.
    terms : sequence of DifferenceTerm
    progress : callable

    Returns
    -------
    tuple of StreakFootprints
        One for each epoch.
    """
    blocking = bits(stack.mask_planes, config.streak_bad_planes)
    saturated = bits(stack.mask_planes, ["SAT"])

    def find(epoch: int) -> StreakFootprints:
        if not compared[epoch] or not len(candidates[epoch]):
            return StreakFootprints.none()
        difference, variance = difference_of_epoch(
            stack, epoch, template, variance_scale[epoch], terms
        )
        row = int(stack.partner[epoch])
        mask = stack.matched.mask[row]
        detected = candidates[epoch].spans.mask(stack.shape)
        streaks = find_streaks(
            difference, variance, detected, mask & blocking != 0,
            detected & (mask & saturated != 0),
            min_edge_pixels=config.streak_min_edge_pixels,
            max_deviation=config.streak_max_deviation, rho_bin=config.streak_rho_bin,
            theta_bin=config.streak_theta_bin, profile_sigma=config.streak_profile_sigma,
            saturation_distance=config.streak_saturation_distance,
        )  # fmt: skip
        found = Spans.of_mask(streak_mask(streaks, detected))
        group, count = connected_groups(found, diagonal=False)
        inside = np.zeros(count, np.bool_)
        if protected is not None:
            inside = lies_inside(found, group, count, protected)
        half_widths = disc_half_widths(int(config.streak_grow_sigma * stack.psf_sigma[row]))
        groups, peaks, union = [], [], Spans.empty()
        chi = np.abs(chi_of_difference(difference, variance))
        for number in np.flatnonzero(~inside):
            core = found[group == number]
            grown = core.grown(half_widths, stack.shape)
            peaks.append(float(np.nanmax(chi[core.mask(stack.shape)])))
            groups.append(grown)
            union = union.union(grown)
        return StreakFootprints(union, tuple(groups), tuple(peaks), (False,) * len(groups))

    return tuple(for_each(find, range(stack.n_epochs), "streaks", progress))
