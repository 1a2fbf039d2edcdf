"""What the layers of an inspection show; nothing here draws."""

import operator
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...algorithm.coadd import Coadd
from ...algorithm.overrides import FootprintKey
from ...config.knobs import knob_facts
from ...inspection.inspection import Inspection
from ...result.footprint_states import SELECTED, draw_states
from ...result.result import CompareWarpResult
from .mask_picture import draw_mask
from .schemes import SCHEMES, Scheme

__all__ = ["COMPARISONS", "Views"]

#: Differences that are kept at first: the epoch on the screen and its neighbours.
KEPT_DIFFERENCES = 3

#: What the comparison can be, and what its layer is then called.
COMPARISONS: Mapping[str, str] = {
    "unclipped": "coadd without clipping",
    "removed": "what clipping removed",
    "pinned": "coadd of the pinned settings",
}

#: Where an arm of the cross begins and ends, pixels from its middle.
CROSS = (3, 9)

#: Opacity of a mask plane that has not been set.
DEFAULT_OPACITY = 0.5


class _Key:
    """A key of values and of objects by identity, which it holds as long as it is kept.

    The id of an object that is not held may be reused for another.

    Parameters
    ----------
    values : tuple
        Compared by value.
    objects : tuple
        Compared by identity.
    """

    def __init__(self, values: tuple[Any, ...], objects: tuple[Any, ...]) -> None:
        self._values = values
        self._objects = objects

    def __hash__(self) -> int:
        return hash((self._values, *map(id, self._objects)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Key)
            and self._values == other._values
            and len(self._objects) == len(other._objects)
            and all(map(operator.is_, self._objects, other._objects))
        )


class Views:
    """The images of an inspection, always those of its present result.

    Parameters
    ----------
    inspection : Inspection

    Attributes
    ----------
    scheme : Scheme
    kept_differences : int
        Warp differences that are kept in memory, one an epoch.
    plane_opacity : dict of str to float
        Opacity of each mask plane, 0 to 1.
    selected : FootprintKey or None
        The footprint to draw a ring around, where the result has it.
    cross : tuple of int or None
        Pixel ``(y, x)`` to draw a cross around.
    comparison : str
        One of `COMPARISONS`.
    pinned : CompareWarpResult or None
        The result to compare with.
    """

    def __init__(self, inspection: Inspection) -> None:
        self.inspection = inspection
        self.scheme: Scheme = SCHEMES["LSST"]
        self.kept_differences = KEPT_DIFFERENCES
        self.selected: FootprintKey | None = None
        self.cross: tuple[int, int] | None = None
        self.comparison = "unclipped"
        self.pinned: CompareWarpResult | None = None
        planes = inspection.result.coadd.mask_planes
        self.plane_opacity = {
            # Clipped pixels have a layer of their own.
            name: 0.0 if name in ("CLIPPED", "DETECTED") else DEFAULT_OPACITY
            for name in planes
        }
        self._differences: OrderedDict[_Key, npt.NDArray[np.float32]] = OrderedDict()
        self._unclipped: tuple[_Key, Coadd] | None = None
        # The cursor's text is made in a thread of its own.
        self._lock = threading.Lock()

    @property
    def result(self) -> CompareWarpResult:
        """The present result."""
        return self.inspection.result

    def template(self) -> npt.NDArray[np.float32]:
        """Return the model of the static sky, ``(y, x)``."""
        return self.result.template.image

    def coadd(self) -> npt.NDArray[np.float32]:
        """Return the coadd, ``(y, x)``."""
        return self.result.coadd.image

    def epoch_count(self) -> npt.NDArray[np.uint16]:
        """Return the number of epochs in which each pixel deviates, ``(y, x)``."""
        return self.result.epoch_count

    def warp(self, epoch_index: int) -> npt.NDArray[np.float32]:
        """Return the direct warp of an epoch, ``(y, x)``."""
        return np.asarray(self.inspection.stack.direct.image[epoch_index])

    def known_chi(self, epoch_index: int, y: int, x: int) -> float | None:
        """Return the difference at a pixel if its epoch has been looked at, in sigma."""
        with self._lock:
            plane = self._differences.get(self._difference_key(epoch_index))
        return None if plane is None else float(plane[y, x])

    def difference(self, epoch_index: int) -> npt.NDArray[np.float32]:
        """Return the warp difference of an epoch in sigma, ``(y, x)``."""
        key = self._difference_key(epoch_index)
        with self._lock:
            if key in self._differences:
                self._differences.move_to_end(key)
                return self._differences[key]
        chi = self.result.chi(epoch_index)
        with self._lock:
            self._differences[key] = chi
            while len(self._differences) > self.kept_differences:
                self._differences.popitem(last=False)
        return chi

    def _difference_key(self, epoch_index: int) -> "_Key":
        """Return what goes into a difference: it is made again only when one of these is."""
        products = self.result.products
        return _Key(
            (epoch_index,),
            (*products.filled, products.variance_scale, *products.difference_terms),
        )

    def states(self, epoch_index: int) -> npt.NDArray[np.uint8]:
        """Return the footprint states of an epoch, ``(y, x)``."""
        key, result = self.selected, self.result
        number = None if key is None else result.footprint_set.number(key)
        image = draw_states(result, epoch_index, number)
        if self.cross is not None:
            y, x = self.cross
            for near, far in ((1 - CROSS[1], 1 - CROSS[0]), CROSS):
                image[max(y + near, 0) : max(y + far, 0), x] = SELECTED
                image[y, max(x + near, 0) : max(x + far, 0)] = SELECTED
        return image

    def mask(self, epoch_index: int) -> npt.NDArray[np.uint8]:
        """Return the mask planes of an epoch as a picture, ``(y, x, 4)``."""
        result = self.result
        return draw_mask(
            result.direct_mask(epoch_index), result.coadd.mask_planes, self.scheme,
            self.plane_opacity,
        )  # fmt: skip

    def unclipped(self) -> npt.NDArray[np.float32]:
        """Return the coadd with nothing clipped, ``(y, x)``."""
        result = self.result
        products = result.products
        settings = (
            getattr(result.config, name)
            for name in type(result.config).model_fields
            if knob_facts(name)["stage"] in ("direct weights", "coadd", "finish")
        )
        # A dictionary among the settings has no hash.
        key = _Key((repr(tuple(settings)),), (products.weights, products.detections))
        with self._lock:
            known = self._unclipped
        if known is None or known[0] != key:
            known = (key, result.unclipped())
            with self._lock:
                self._unclipped = known
        return known[1].image

    def compared(self) -> npt.NDArray[np.float32]:
        """Return what the comparison is, ``(y, x)``."""
        if self.comparison == "removed":
            return self.unclipped() - self.coadd()
        if self.comparison == "pinned" and self.pinned is not None:
            return self.pinned.coadd.image
        return self.unclipped()

    def limit_of_count(self) -> int:
        """Return where the colours of the epoch count end: 4, or the effective maximum."""
        maxima = [
            int(verdicts.max_epochs.max())
            for verdicts in self.result.products.verdicts
            if len(verdicts.max_epochs)
        ]
        return max(4, *maxima) if maxima else 4
