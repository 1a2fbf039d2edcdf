"""One sentence in plain words on what became of a footprint, and which rule decided."""

from ..algorithm.margins import epochs_needed
from ..algorithm.products import Products
from ..algorithm.verdicts import Verdict
from ..config.knobs import CompareWarpConfig
from ..result.result import CompareWarpResult

__all__ = ["explain"]


def explain(result: CompareWarpResult, footprint_id: int) -> str:
    """Say in one sentence what became of a footprint, and why.

    Parameters
    ----------
    result : CompareWarpResult
    footprint_id : int
        As in the table of footprints.

    Returns
    -------
    str
        Such as "Clipped: 83 % of its 1,214 pixels deviate in at most 2 of 18
        epochs; more than 50 % is enough."

    Raises
    ------
    InspectionError
        If there is no such footprint.
    """
    products = result.products
    epoch, number = result.footprint_set.locate(footprint_id)
    n_candidates = len(products.candidates[epoch])
    if number >= n_candidates:
        return _explain_streak(products, epoch, number - n_candidates)
    return _explain_candidate(result.config, products, epoch, number)


def _explain_streak(products: Products, epoch: int, number: int) -> str:
    """Explain a streak."""
    streaks = products.streaks[epoch]
    pixels = _pixels(streaks.groups[number].area)
    if streaks.kept[number]:
        return (
            f"Kept manually: it is a straight line of {pixels}, wings included, which would be "
            "clipped as a streak."
        )
    return (
        f"Clipped as a streak: it is a straight line of {pixels}, wings included, and streaks "
        "are clipped whatever the epoch count says."
    )


def _explain_candidate(
    config: CompareWarpConfig, products: Products, epoch: int, number: int
) -> str:
    """Explain a candidate."""
    found, verdicts = products.candidates[epoch], products.verdicts[epoch]
    verdict = Verdict(verdicts.verdict[number])
    ruled, reason = _rule(config, products, epoch, number)
    if not verdicts.by_hand[number]:
        head = {
            Verdict.CLIPPED: "Clipped",
            Verdict.PERSISTENT: "Kept",
            Verdict.PROTECTED: "Kept",
            Verdict.PREFILTERED: "Dropped before the rules",
        }[ruled]
        sentence = f"{head}: {reason}"
    else:
        head = "Clipped manually" if verdict is Verdict.CLIPPED else "Kept manually"
        agrees = (verdict is Verdict.CLIPPED) == (ruled is Verdict.CLIPPED)
        would = "clip" if ruled is Verdict.CLIPPED else "keep"
        also = "the rules agree" if agrees else f"the rules would {would} it"
        sentence = f"{head}; {also}: {reason}"
    if verdict is not Verdict.CLIPPED:
        covered = _pixels_in_streaks(products, epoch, number)
        if covered:
            area = int(found.area[number])
            part = "all" if covered == area else f"{covered:,}"
            sentence += (
                f"; but {part} of its {_pixels(area)} {_plural(covered, 'is', 'are')} clipped as "
                "part of a streak"
            )
    return sentence + "."


def _rule(
    config: CompareWarpConfig, products: Products, epoch: int, number: int
) -> tuple[Verdict, str]:
    """Return the verdict of the rules on a candidate, manual decisions aside, and its reason."""
    found, verdicts = products.candidates[epoch], products.verdicts[epoch]
    area = int(found.area[number])
    if not found.stays[number]:
        good, needed = _percents(found.good_area[number] / area, config.prefilter_ratio)
        good = f"only {good}" if found.good_area[number] else "none"
        planes = ", ".join(config.prefilter_planes)
        return Verdict.PREFILTERED, (
            f"{good} of its {_pixels(area)} "
            f"{_plural(area, 'is', 'are')} free of {planes or 'masks'}; more than {needed} must be"
        )
    fraction = float(verdicts.fraction[number])
    n_mean, maximum = float(products.counts.n_mean[epoch][number]), int(verdicts.max_epochs[number])
    clips = fraction > config.spatial_threshold
    if clips and products.inside_source[epoch][number]:
        return Verdict.PROTECTED, (
            f"it lies wholly inside a bright source of the template, although "
            f"{_measure(config, fraction, area, maximum, n_mean)}"
        )
    if clips:
        _, needed = _percents(fraction, config.spatial_threshold)
        measure = _measure(config, fraction, area, maximum, n_mean)
        return Verdict.CLIPPED, f"{measure}; more than {needed} is enough"
    return Verdict.PERSISTENT, _why_kept(config, products, epoch, number)


def _why_kept(config: CompareWarpConfig, products: Products, epoch: int, number: int) -> str:
    """Say why the temporal and spatial rules keep a candidate."""
    found, verdicts = products.candidates[epoch], products.verdicts[epoch]
    area = int(found.area[number])
    n_mean, maximum = float(products.counts.n_mean[epoch][number]), int(verdicts.max_epochs[number])
    if maximum == 0:
        low = config.temporal_threshold * n_mean
        if low < 1 or config.max_epochs is None:
            limit, allows = f"the temporal threshold of {config.temporal_threshold:g}", low
        else:
            limit = f"max epochs of {config.max_epochs} with a slope of {config.max_epochs_slope:g}"
            allows = config.max_epochs + config.max_epochs_slope * n_mean
        return (
            f"{_number(n_mean)} epochs can be compared here, and {limit} allows an artifact in "
            f"{allows:.2g} of them, less than one"
        )
    fraction = float(verdicts.fraction[number])
    measure = _measure(config, fraction, area, maximum, n_mean)
    _, needed = _percents(fraction, config.spatial_threshold)
    appears = epochs_needed(
        products.counts.cumulative[epoch][number : number + 1], found.area[number : number + 1],
        config.spatial_threshold,
    )[0]  # fmt: skip
    if appears < 0:
        return f"{measure}, and no number of epochs is enough to exceed the {needed} of the rule"
    return f"{measure}; more than {needed} would be needed, and is reached at {appears} epochs"


def _measure(
    config: CompareWarpConfig, fraction: float, area: int, maximum: int, n_mean: float
) -> str:
    """Say what part of a candidate deviates in few epochs."""
    part, _ = _percents(fraction, config.spatial_threshold)
    part = part if fraction > 0 else "none"
    only = "" if fraction > config.spatial_threshold or fraction == 0 else "only "
    return (
        f"{only}{part} of its {_pixels(area)} {_plural(area, 'deviates', 'deviate')} in at most "
        f"{maximum} of {_number(n_mean)} epochs"
    )


def _pixels_in_streaks(products: Products, epoch: int, number: int) -> int:
    """Return how many pixels of a candidate are clipped as part of a streak."""
    found, streaks = products.candidates[epoch], products.streaks[epoch].spans
    if not len(streaks):
        return 0
    spans = found.spans[found.group == number]
    apart = spans.symmetric_difference(streaks).area
    return (spans.area + streaks.area - apart) // 2


def _percents(value: float, threshold: float) -> tuple[str, str]:
    """Return two fractions in percent, with as many decimals as it takes to tell them apart."""
    texts = ("", "")
    for decimals in range(6):
        texts = f"{100 * value:.{decimals}f}", f"{100 * threshold:.{decimals}f}"
        exact = float(texts[1]) == round(100 * threshold, 9)
        if exact and (value == threshold or texts[0] != texts[1]):
            break
    return f"{texts[0]} %", f"{texts[1]} %"


def _number(value: float) -> str:
    """Return a mean number of epochs, with a decimal where it is not whole."""
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"


def _pixels(count: int) -> str:
    return f"{count:,} {_plural(count, 'pixel', 'pixels')}"


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
