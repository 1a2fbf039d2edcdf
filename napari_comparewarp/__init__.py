"""CompareWarp: artifact rejection for image coaddition, headless and in napari.

The public names are loaded on first use, so that importing the package is fast
and needs neither a GUI toolkit nor a compiler.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from ._version import __version__ as __version__
    from .algorithm.warps import WarpStack as WarpStack
    from .config.knobs import CompareWarpConfig as CompareWarpConfig
    from .errors import CompareWarpError as CompareWarpError
    from .gui.layers.layer_set import inspection_to_layers as inspection_to_layers
    from .inspection.inspection import Inspection as Inspection
    from .io.read import read_stack as read_stack
    from .result.result import CompareWarpResult as CompareWarpResult
    from .result.result import run as run

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_version": ["__version__"],
        "algorithm.warps": ["WarpStack"],
        "config.knobs": ["CompareWarpConfig"],
        "errors": ["CompareWarpError"],
        "gui.layers.layer_set": ["inspection_to_layers"],
        "inspection.inspection": ["Inspection"],
        "io.read": ["read_stack"],
        "result.result": ["CompareWarpResult", "run"],
    },
)

# A star import must work without napari, and imports no dunder names.
for _name in ("__version__", "inspection_to_layers"):
    __all__.remove(_name)
