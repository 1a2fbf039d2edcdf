"""What a run makes, and how to run."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..algorithm.coadd import Coadd, make_coadd
from ..algorithm.difference import EDGE, NO_DATA, chi_of_difference, difference_of_epoch
from ..algorithm.overrides import Decision, FootprintKey
from ..algorithm.parallel import Progress, no_progress
from ..algorithm.products import Inputs, Job, Products
from ..algorithm.psf import missing_psf
from ..algorithm.psf_kernels import combine_kernels
from ..algorithm.stages import run_stages
from ..algorithm.steps import coadd_settings, finish_coadd
from ..algorithm.template import Template
from ..algorithm.warps import EpochId, WarpStack
from ..config.knobs import CompareWarpConfig
from ..errors import PsfError
from .contributors import Contributors
from .footprint_table import make_footprint_table
from .footprints import FootprintSet

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.table import Table

__all__ = ["CompareWarpResult", "run", "run_job"]


def run(
    stack: WarpStack,
    config: CompareWarpConfig | None = None,
    progress: Progress | None = None,
    variance_scale: npt.ArrayLike | None = None,
    overrides: Mapping[FootprintKey, Decision] | None = None,
    bright_objects: npt.NDArray[np.bool_] | None = None,
) -> "CompareWarpResult":
    """Find the artifacts of a stack of warps and coadd it without them.

    Parameters
    ----------
    stack : WarpStack
    config : CompareWarpConfig, optional
        By default today's LSST defaults.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` from this thread. An
        exception that it raises stops the run.
    variance_scale : array_like, optional
        ``(epoch,)`` factors of the matched warps' variances to use instead of
        measuring them; NaN means 1.
    overrides : mapping of FootprintKey to {"clip", "keep"}, optional
        Manual decisions, which take precedence over the rules.
    bright_objects : ndarray of bool, optional
        ``(y, x)`` pixels to mark on the coadd, if the config asks for it.

    Returns
    -------
    CompareWarpResult

    Raises
    ------
    StackError
        If no warp of the stack can be used.
    """
    factors = None if variance_scale is None else np.asarray(variance_scale, np.float64)
    job = Job(
        stack, CompareWarpConfig() if config is None else config, dict(overrides or {}), factors,
        bright_objects,
    )  # fmt: skip
    return run_job(job, progress)


def run_job(job: Job, progress: Progress | None = None) -> "CompareWarpResult":
    """Do as `run` with all that decides on the result in one piece.

    Parameters
    ----------
    job : Job
    progress : callable, optional

    Raises
    ------
    StackError
        If no warp of the stack can be used.
    """
    return CompareWarpResult(job, run_stages(Inputs(job, progress=progress or no_progress)))


class CompareWarpResult:
    """The coadd of a stack, and all that was found on the way to it.

    Parameters
    ----------
    job : Job
        What was run on, and with what settings.
    products : Products
        What the stages made.

    Attributes
    ----------
    stack : WarpStack
    config : CompareWarpConfig
    template : Template
        Model of the static sky: image, variance and mask.
    coadd : Coadd
        Image, variance, mask and n_image.
    weights, matched_weights : ndarray
        ``(epoch,)`` and ``(matched epoch,)``, 0 where a warp was skipped.
    variance_scale : ndarray
        ``(epoch,)`` factors of the matched warps' variances.
    epoch_count : ndarray of uint16
        ``(y, x)`` number of epochs in which each pixel deviates.
    n_matched : ndarray of uint16
        ``(y, x)`` number of usable matched warps.
    """

    def __init__(self, job: Job, products: Products) -> None:
        self.job = job
        self.products = products

    @property
    def stack(self) -> WarpStack:
        """The warps."""
        return self.job.stack

    @property
    def config(self) -> CompareWarpConfig:
        """The settings of the run."""
        return self.job.config

    @property
    def template(self) -> Template:
        """Model of the static sky."""
        return self.products.template

    @property
    def coadd(self) -> Coadd:
        """The coadd without what is clipped."""
        return self.products.coadd

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """``(epoch,)`` weights of the direct warps, 0 where one is skipped."""
        return self.products.weights

    @property
    def matched_weights(self) -> npt.NDArray[np.float64]:
        """``(matched epoch,)`` weights of the matched warps in the template."""
        return self.products.matched_weights

    @property
    def variance_scale(self) -> npt.NDArray[np.float64]:
        """``(epoch,)`` factors of the matched warps' variances."""
        return self.products.variance_scale

    @property
    def epoch_count(self) -> npt.NDArray[np.uint16]:
        """``(y, x)`` number of epochs in which each pixel lies in a candidate."""
        return self.products.counts.epoch_count

    @property
    def n_matched(self) -> npt.NDArray[np.uint16]:
        """``(y, x)`` number of matched warps usable there."""
        return self.products.detections.n_matched

    @cached_property
    def footprints(self) -> "Table":
        """A table with a row for every candidate, and for every streak."""
        return make_footprint_table(self.footprint_set)

    @cached_property
    def footprint_set(self) -> FootprintSet:
        """The footprints by number, key and pixel."""
        return FootprintSet(self.job, self.products)

    def chi(
        self, epoch_index: int, rows: slice = slice(None), columns: slice = slice(None)
    ) -> npt.NDArray[np.float32]:
        """Return the warp difference of one epoch in units of its standard deviation.

        Parameters
        ----------
        epoch_index : int
        rows, columns : slice
            Part of the patch, by default all of it; without a step.

        Returns
        -------
        ndarray of float32
            ``(rows, columns)``; NaN everywhere for an epoch that is not compared.
        """
        products = self.products
        epoch_index = self._checked(epoch_index)
        if not products.compared[epoch_index]:
            return np.full_like(products.filled[0][rows, columns], np.nan)
        return chi_of_difference(
            *difference_of_epoch(
                self.stack, epoch_index, products.filled, products.variance_scale[epoch_index],
                products.difference_terms, rows, columns,
            )
        )  # fmt: skip

    def labels(self, epoch_index: int) -> npt.NDArray[np.int32]:
        """Return the ids of the footprints of one epoch as an image.

        Returns
        -------
        ndarray of int32
            ``(y, x)`` ids as in `footprints`, 0 elsewhere. Where a streak
            covers candidates, theirs are shown.
        """
        return self.footprint_set.labels(self._checked(epoch_index))

    def clipped(self, epoch_index: int) -> npt.NDArray[np.bool_]:
        """Return the ``(y, x)`` pixels that are clipped from one direct warp."""
        epoch_index = self._checked(epoch_index)
        if self.weights[epoch_index] <= 0:
            return np.zeros(self.stack.shape, np.bool_)
        return self.products.direct_masks.clipped[epoch_index].mask(self.stack.shape)

    def no_data(self, epoch_index: int) -> npt.NDArray[np.bool_]:
        """Return the ``(y, x)`` pixels that get NO_DATA, as the matched warp has none."""
        return self._flagged(epoch_index, NO_DATA)

    def edge(self, epoch_index: int) -> npt.NDArray[np.bool_]:
        """Return the ``(y, x)`` pixels that get EDGE, as the matched warp has it."""
        return self._flagged(epoch_index, EDGE)

    def direct_mask(self, epoch_index: int) -> npt.NDArray[np.int32]:
        """Return the mask of a direct warp with CLIPPED, NO_DATA and EDGE set.

        Returns
        -------
        ndarray of int32
            ``(y, x)`` bit planes as in ``coadd.mask_planes``.
        """
        return self.products.direct_masks.epoch(self._checked(epoch_index))

    @cached_property
    def clipped_fraction(self) -> npt.NDArray[np.float64]:
        """``(epoch,)`` fraction of the patch that is clipped."""
        return self.products.direct_masks.clipped_fraction

    @cached_property
    def contribution(self) -> Contributors:
        """Which epochs go into which pixels of the coadd, with clipping and without."""
        return Contributors.of(self.config, self.products)

    def contributors(self, y: int, x: int) -> tuple[EpochId, ...]:
        """Return the ids of the epochs whose values went into one coadd pixel.

        Parameters
        ----------
        y, x : int
            Array indices.
        """
        used = self.contribution.pixel(y, x).used
        return tuple(
            epoch for epoch, is_used in zip(self.stack.epochs, used, strict=True) if is_used
        )

    def psf(self, y: int, x: int) -> npt.NDArray[np.float64]:
        """Return the PSF of the coadd at one pixel.

        It is the mean of the PSFs of the visits that went into that pixel, with
        their weights. Where the pixels of a source have not all the same
        visits, as across the edge of a clipped region, no single PSF is exact.
        With the statistic MEDIAN, or where MEANCLIP leaves out a value, it is
        the PSF of the mean of the same visits.

        Parameters
        ----------
        y, x : int
            Array indices.

        Returns
        -------
        ndarray
            ``(y, x)`` kernel, centred, an odd number of pixels on each side; it
            sums to 1. `algorithm.psf_kernels.psf_sigma` measures its width.

        Raises
        ------
        PsfError
            If a visit that contributes has no PSF, or none contributes.
        IndexError
            If the pixel is outside the patch.
        """
        stack = self.stack
        stack.check_pixel(y, x)
        contributors = self.contributors(y, x)
        if not contributors:
            raise PsfError(f"y={y}, x={x}: no visit contributes there, so there is no PSF")
        indices = [stack.epochs.index(epoch) for epoch in contributors]
        models = [stack.psf[index] for index in indices]
        missing = [
            epoch for epoch, model in zip(contributors, models, strict=True) if model is None
        ]
        if missing:
            raise PsfError(
                f"y={y}, x={x}: {missing_psf(missing)}, so that of the coadd is not known there; "
                "give it in the file, or as psf to WarpStack.from_arrays"
            )
        kernels = [model.kernel(y, x) for model in models if model is not None]
        return combine_kernels(kernels, self.weights[indices])

    def unclipped(self) -> Coadd:
        """Return the coadd of the same warps with nothing clipped, to compare with.

        It is finished as the coadd is. It is made once, and kept with the result.
        """
        return self._unclipped

    @cached_property
    def _unclipped(self) -> Coadd:
        # Stamps of many footprints are cut from it: it must not be made for each.
        products = self.products
        stacked = products.unclipped
        if stacked is None:
            stacked = make_coadd(products.direct_masks.unclipped(), coadd_settings(self.config))
        return finish_coadd(self.job, stacked)

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """What an astronomer should know of the run: what was skipped, and why."""
        stack, products = self.stack, self.products
        messages = []
        for epoch, weight in zip(stack.epochs, self.weights, strict=True):
            if weight <= 0:
                messages.append(
                    f"epoch {epoch}: the direct warp is skipped: it is NaN everywhere or has no "
                    "finite, positive variance"
                )
        for epoch, weight in zip(stack.matched_epochs, self.matched_weights, strict=True):
            if weight <= 0:
                messages.append(
                    f"epoch {epoch}: the PSF-matched warp is skipped: it is NaN everywhere or has "
                    "no finite, positive variance"
                )
        for index in np.flatnonzero(~products.compared & (self.weights > 0)):
            messages.append(
                f"epoch {stack.epochs[index]}: no usable PSF-matched warp: it adds nothing to the "
                "coadd"
            )
        for index in np.flatnonzero(products.variance_scale_failed):
            messages.append(
                f"epoch {stack.epochs[index]}: the variance factor is above "
                f"{self.config.variance_scale_limit:g}: the variance is left alone"
            )
        coarse = np.flatnonzero(products.variance_scale_coarse)
        if coarse.size:
            named = ", ".join(str(stack.epochs[index]) for index in coarse)
            messages.append(
                f"epoch {named}: too few distinct values to measure the variance factor: the "
                "variance is left alone"
            )
        for key in products.lost_overrides:
            messages.append(
                f"epoch {key.epoch}: the footprint at y={key.y}, x={key.x} that was decided "
                "manually is gone"
            )
        if self.config.mask_bright_objects and self.job.bright_objects is None:
            messages.append("bright objects are not marked on the coadd: no catalogue was given")
        n_compared = int(products.compared.sum())
        if n_compared <= 2:
            messages.append(
                f"{n_compared} of the epochs can be compared: with fewer than 3 nothing is "
                "ever clipped by the epoch count"
            )
        return tuple(messages)

    def write(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the coadd as one FITS file: IMAGE, MASK, VARIANCE, NIMAGE and provenance.

        Parameters
        ----------
        path : str or Path
            The file; it appears when it is whole.
        overwrite : bool
            Whether an existing file may be replaced.

        Raises
        ------
        OutputError
            If the file exists, or cannot be written.
        """
        from ..io.write import write_coadd
        from .provenance import inputs_table

        write_coadd(
            self.coadd, Path(path), header=self.header(),
            inputs=inputs_table(self.job, self.products),
            input_map=self.contribution.map() if self.config.input_map else None,
            overwrite=overwrite,
        )  # fmt: skip

    def header(self) -> "Header":
        """Return the FITS cards that say how the result was made, with the present time."""
        from .provenance import result_header

        return result_header(self.job, self.products, self.messages)

    def _checked(self, epoch_index: int) -> int:
        """Return an epoch's index, counted from the front."""
        n_epochs = self.stack.n_epochs
        if not -n_epochs <= epoch_index < n_epochs:
            raise IndexError(f"epoch index {epoch_index}: the stack has {n_epochs} epochs")
        return int(epoch_index) % n_epochs

    def _flagged(self, epoch_index: int, flag: int) -> npt.NDArray[np.bool_]:
        """Return where the matched warp of an epoch has a flag; nowhere if it is skipped."""
        epoch_index = self._checked(epoch_index)
        flags = self.products.detections.flags[epoch_index]
        return (flags & flag != 0) & bool(self.weights[epoch_index] > 0)
