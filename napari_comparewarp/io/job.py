"""All that decides on a result, from files."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..algorithm.products import Job
from ..config.knobs import CompareWarpConfig
from .assumptions import Assumptions
from .read import read_stack
from .sources import StackSource

__all__ = ["read_job"]


def read_job(
    source: StackSource,
    config: CompareWarpConfig | None = None,
    *,
    psf_sigma: float | None = None,
    memory: int | str | None = None,
    bright_objects: Path | None = None,
    assume: Assumptions | Mapping[str, Any] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Job:
    """Read a stack and what goes with it.

    Parameters
    ----------
    source, psf_sigma, memory, assume, progress
        See `read_stack`.
    config : CompareWarpConfig, optional
        By default today's LSST defaults.
    bright_objects : Path, optional
        A catalogue, see `read_bright_objects`: its objects are marked on the coadd.

    Raises
    ------
    StackError
        If a file cannot be read, or the files do not make one stack.
    """
    stack = read_stack(source, psf_sigma=psf_sigma, memory=memory, progress=progress, assume=assume)
    job = Job(stack, config or CompareWarpConfig())
    if bright_objects is None:
        return job
    # With it come libraries that need a folder for their own settings.
    from .bright_objects import read_bright_objects

    return replace(
        job, config=job.config.replace(mask_bright_objects=True),
        bright_objects=read_bright_objects(bright_objects, stack), catalogue=str(bright_objects),
    )  # fmt: skip
