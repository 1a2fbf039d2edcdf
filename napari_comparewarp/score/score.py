"""Score a coadd: all measures together."""

from pathlib import Path

from ..result.result import CompareWarpResult
from ..simulation import Truth, read_truth
from .artifacts import print_through, score_kinds, score_purity
from .observed import Combined, Observed, plain_mean, sigma_clipped_mean
from .photometry import Expectation, star_bias, variable_fluxes
from .scorecard import MethodScore, Score
from .sources import ScoreError, from_files, from_result

__all__ = ["score", "score_combined"]


def score(
    coadd: CompareWarpResult | str | Path,
    truth: Truth | str | Path,
    masks: str | Path | None = None,
) -> Score:
    """Measure how well artifacts were removed from a coadd, and at what cost.

    The plain mean and the 3-sigma-clipped mean of the same warps, with the
    same weights and bad pixels, are measured for comparison.

    Parameters
    ----------
    coadd : CompareWarpResult or path
        A result in memory, or the FITS file written from it. The file lists the
        direct warps, which are read again.
    truth : Truth or path
        The truth of a night, or the folder written by `write_night`.
    masks : path, optional
        Folder with the masks of the visits that were written with the file.
        Without it, the clipped pixels are derived from the coadd, which is
        unique in nearly all pixels.

    Returns
    -------
    Score

    Raises
    ------
    ScoreError
        If coadd and truth do not belong to the same night, or a file is missing.
    """
    known = truth if isinstance(truth, Truth) else read_truth(truth)
    if isinstance(coadd, CompareWarpResult):
        if masks is not None:
            raise ScoreError("masks are only needed for a coadd that is a file")
        observed, combined, notes = from_result(coadd)
    else:
        folder = None if isinstance(truth, Truth) else Path(truth)
        observed, combined, notes = from_files(
            Path(coadd), folder, None if masks is None else Path(masks)
        )
    return score_combined(observed, combined, known, notes)


def score_combined(
    observed: Observed, coadd: Combined, truth: Truth, notes: tuple[str, ...] = ()
) -> Score:
    """Measure one coadd, and the two that it is compared with.

    Parameters
    ----------
    observed : Observed
        The direct warps.
    coadd : Combined
        The coadd, and what was clipped from it.
    truth : Truth
        The truth.
    notes : tuple of str
        Notes to return with the score.

    Raises
    ------
    ScoreError
        If the truth does not belong to these warps.
    """
    _check_same_sky(observed.visits, coadd.image.shape, truth)
    combineds = (coadd, plain_mean(observed), sigma_clipped_mean(observed))
    expectation = Expectation(observed, truth)
    purities = score_purity(observed, combineds, truth)
    methods = []
    for combined, purity in zip(combineds, purities, strict=True):
        everything, kinds = score_kinds(observed, combined, truth)
        peak_sigma, unexplained = print_through(observed, combined, truth)
        methods.append(
            MethodScore(
                name=combined.name,
                all=everything,
                kinds=kinds,
                purity=purity,
                peak_sigma=peak_sigma,
                unexplained_fraction=unexplained,
                stars=star_bias(combined, truth, expectation),
                variables=variable_fluxes(observed, combined, truth, expectation),
            )
        )
    measured, mean, clip = methods
    if measured.unexplained_fraction > 0.01:
        notes = (
            *notes,
            f"{100 * measured.unexplained_fraction:.0f} % of the pixels without artifacts are "
            "not the weighted mean of the unclipped values: print-through is not only artifacts.",
        )
    return Score(measured, mean, clip, notes)


def _check_same_sky(visits: tuple[int, ...], shape: tuple[int, ...], truth: Truth) -> None:
    """Reject a truth that does not belong to the warps of the coadd."""
    if shape != truth.shape:
        raise ScoreError(
            f"the coadd has {shape[0]} × {shape[1]} pixels, the truth {truth.shape[0]} × "
            f"{truth.shape[1]}: they do not belong to the same night"
        )
    unknown = sorted(set(visits) - set(truth.visits["visit"].tolist()), key=str)
    if unknown:
        raise ScoreError(f"the truth has no visit {unknown[0]}: it does not belong to this coadd")
