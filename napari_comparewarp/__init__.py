"""CompareWarp: artifact rejection for image coaddition, headless and in napari.

The public names are loaded on first use, so that importing the package stays
quick and needs neither a window toolkit nor a compiler.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from .algorithm.warps import WarpStack as WarpStack
    from .config import CompareWarpConfig as CompareWarpConfig
    from .gui.layers import inspection_to_layers as inspection_to_layers
    from .inspection import Inspection as Inspection
    from .io.read import read_stack as read_stack
    from .result import CompareWarpResult as CompareWarpResult
    from .result import run as run

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "algorithm.warps": ["WarpStack"],
        "config": ["CompareWarpConfig"],
        "gui.layers": ["inspection_to_layers"],
        "inspection": ["Inspection"],
        "io.read": ["read_stack"],
        "result": ["CompareWarpResult", "run"],
    },
)

# A star import must work where there is no napari.
__all__.remove("inspection_to_layers")
