"""How far a candidate is from the rules' other verdict (section 7 of the method's description)."""

import numpy as np
import numpy.typing as npt

__all__ = ["epoch_limit", "epochs_margin", "epochs_needed"]


def epochs_needed(
    cumulative: npt.NDArray[np.int64], area: npt.NDArray[np.int64], spatial_threshold: float
) -> npt.NDArray[np.int64]:
    """Return in how many epochs candidates appear, as the spatial rule sees it.

    This is the smallest effective maximum with which a candidate is clipped:
    the smallest k for which more than `spatial_threshold` of its area deviates
    in at most k epochs.

    Parameters
    ----------
    cumulative : ndarray of int
        ``(candidate, n_epochs + 1)``, see `Counts`.
    area : ndarray of int
        ``(candidate,)`` number of pixels, > 0.
    spatial_threshold : float
        From 0 to 1.

    Returns
    -------
    ndarray of int
        ``(candidate,)``; -1 where no maximum is enough.
    """
    enough = cumulative / area[:, np.newaxis] > spatial_threshold
    return np.where(enough[:, -1], enough.argmax(axis=1), -1)


def epoch_limit(
    n_mean: npt.NDArray[np.float64],
    *,
    temporal_threshold: float,
    max_epochs: int | None,
    max_epochs_slope: float,
) -> npt.NDArray[np.float64]:
    """Return the limit on epochs before it is rounded down to the effective maximum.

    Parameters
    ----------
    n_mean : ndarray
        ``(candidate,)`` mean number of usable epochs, N.
    temporal_threshold, max_epochs, max_epochs_slope
        The limit is min(temporal_threshold · N, max_epochs + max_epochs_slope · N);
        without `max_epochs` the first term alone.
    """
    low = temporal_threshold * n_mean
    return low if max_epochs is None else np.minimum(low, max_epochs + max_epochs_slope * n_mean)


def epochs_margin(
    needed: npt.NDArray[np.int64], limit: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return by how many epochs the limit exceeds what candidates need to be clipped.

    Parameters
    ----------
    needed : ndarray of int
        ``(candidate,)``, see `epochs_needed`.
    limit : ndarray
        ``(candidate,)``, see `epoch_limit`.

    Returns
    -------
    ndarray
        ``(candidate,)``: 0 or more where the rule clips, negative where it
        keeps, NaN where no limit would be enough.
    """
    return np.where(needed >= 0, limit - needed, np.nan)
