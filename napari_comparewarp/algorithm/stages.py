"""The stages of the method, in order: what each reads, and what it makes.

A stage is a function of the stack, the config and the products of the stages
before it. Products are never changed in place: a stage makes new ones, or
replaces one that an earlier stage made. So an inspection, which keeps the products
as they were after each stage, begins again at the first stage whose knobs changed.

An optional step is a function in a file of its own and one `Stage` in
`STAGES`: one that adds to the differences appends to
`Products.difference_terms` before "detections"; one that changes candidates
replaces `Products.candidates` between "candidates" and "inside sources"; one that
changes verdicts replaces `Products.verdicts` between "verdicts" and "overrides".
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..config.knobs import CompareWarpConfig, knob_facts
from . import steps
from .products import Inputs, Products

__all__ = ["STAGES", "Stage", "first_stage", "run_stages", "stage_index"]


@dataclass(frozen=True)
class Stage:
    """One step of the method.

    Attributes
    ----------
    name : str
        The `stage` that knobs of the config name as their first reader.
    compute : callable
        Returns the products that the stage makes or replaces, by name.
    update : callable or None
        Returns the same, to the bit, in less time, given the inputs and the
        products of an earlier run.
    """

    name: str
    compute: Callable[[Inputs, Products], dict[str, Any]]
    update: Callable[[Inputs, Products, Inputs, Products], dict[str, Any]] | None = None


STAGES: tuple[Stage, ...] = (
    Stage("direct weights", steps.weigh_direct),
    Stage("matched weights", steps.weigh_matched),
    Stage("template", steps.combine_template),
    Stage("variance scale", steps.scale_variances),
    Stage("detections", steps.detect),
    Stage("protection", steps.protect),
    Stage("candidates", steps.find),
    Stage("inside sources", steps.find_inside_sources),
    Stage("streaks", steps.find_streaks),
    Stage("counts", steps.count),
    Stage("verdicts", steps.judge),
    Stage("overrides", steps.override),
    Stage("clipping", steps.clip),
    Stage("coadd", steps.combine_coadd, steps.update_stacked),
    Stage("finish", steps.finish),
)


def run_stages(
    inputs: Inputs,
    products: Products | None = None,
    stages: Iterable[Stage] | None = None,
    before: tuple[Inputs, Products] | None = None,
    keep: list[Products] | None = None,
) -> Products:
    """Run some stages one after the other.

    Parameters
    ----------
    inputs : Inputs
    products : Products, optional
        The products of the stages before them; left as they are.
    stages : iterable of Stage
        By default all.
    before : tuple of Inputs and Products, optional
        An earlier run on the same stack, for stages that can update what they
        made then.
    keep : list, optional
        Gets the products as they were after each stage.

    Returns
    -------
    Products
    """
    products = Products() if products is None else copy.copy(products)
    for stage in STAGES if stages is None else stages:
        if stage.update is None or before is None:
            new = stage.compute(inputs, products)
        else:
            new = stage.update(inputs, products, *before)
        for name, value in new.items():
            setattr(products, name, value)
        if keep is not None:
            keep.append(copy.copy(products))
    return products


def stage_index(name: str) -> int:
    """Return the place of a stage in `STAGES`.

    Raises
    ------
    ValueError
        If there is no stage of that name.
    """
    return [stage.name for stage in STAGES].index(name)


def first_stage(
    before: CompareWarpConfig,
    after: CompareWarpConfig,
    *,
    floor: float,
    overrides_changed: bool = False,
) -> int:
    """Return the first stage that a change of the settings reaches.

    Parameters
    ----------
    before, after : CompareWarpConfig
    floor : float
        Deviating pixels are listed from this many sigma on: a lower chi
        threshold needs another look at the images.
    overrides_changed : bool
        Whether the manual decisions are others too.

    Returns
    -------
    int
        Place in `STAGES`; their number if nothing has to be computed again.
    """
    reached = [stage_index(knob_facts(name)["stage"]) for name in after.differences(before)]
    if overrides_changed:
        reached.append(stage_index("overrides"))
    if after.chi_threshold < floor:
        reached.append(stage_index("detections"))
    return min(reached, default=len(STAGES))
