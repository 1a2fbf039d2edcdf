"""The sample of the menu: a night with satellite trails, ghosts and variable stars."""

from ...algorithm.parallel import Progress
from ...inspection.inspection import Inspection

__all__ = ["ADDRESS", "simulated_night"]

#: The address under which the manifest offers the sample.
ADDRESS = "comparewarp://simulated-night"

#: All kinds of artifacts come round in ten visits.
_EPOCHS = 10
_SHAPE = (768, 768)
_SEED = 35


def simulated_night(progress: Progress | None = None) -> Inspection:
    """Simulate ten visits of 768 × 768 pixels, the same each time, and run them."""
    from ...simulation import simulate_night

    if progress is not None:
        progress("simulating a night", 0, 1)
    return Inspection(simulate_night(_EPOCHS, _SHAPE, _SEED).stack(), progress=progress)
