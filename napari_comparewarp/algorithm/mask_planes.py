"""Named bit planes of a mask: always by name, never by number."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np

__all__ = ["LSST_PLANES", "OUTPUT_PLANES", "add_planes", "bits", "decode"]

#: The numbers that LSST files usually have.
LSST_PLANES: Mapping[str, int] = MappingProxyType(
    {
        "BAD": 0,
        "SAT": 1,
        "INTRP": 2,
        "CR": 3,
        "EDGE": 4,
        "DETECTED": 5,
        "DETECTED_NEGATIVE": 6,
        "SUSPECT": 7,
        "NO_DATA": 8,
    }
)

#: Planes that the coadd sets, besides those of the warps.
OUTPUT_PLANES = ("CLIPPED", "REJECTED", "SENSOR_EDGE", "INEXACT_PSF")

#: A mask is a signed 32-bit integer: bit 31 is its sign.
MAX_PLANES = 31


def bits(planes: Mapping[str, int], names: Iterable[str]) -> int:
    """Return the bit mask of some planes; names that do not exist are zero bits.

    Parameters
    ----------
    planes : mapping of str to int
        Bit number of each plane.
    names : iterable of str
        Names to look up.
    """
    value = 0
    for name in names:
        if name in planes:
            value |= 1 << planes[name]
    return value


def add_planes(planes: Mapping[str, int], names: Iterable[str]) -> dict[str, int]:
    """Return `planes` with the missing names added at the lowest free bits.

    Raises
    ------
    ValueError
        If no bit is free.
    """
    result = dict(planes)
    taken = set(result.values())
    for name in names:
        if name in result:
            continue
        free = next((bit for bit in range(MAX_PLANES) if bit not in taken), None)
        if free is None:
            raise ValueError(
                f"no room for mask plane {name!r}: all {MAX_PLANES} bits of an int32 are taken"
            )
        result[name] = free
        taken.add(free)
    return result


def decode(planes: Mapping[str, int], value: int | np.integer) -> tuple[str, ...]:
    """Return the names of the planes that are set in one mask value."""
    return tuple(
        name
        for name, bit in sorted(planes.items(), key=lambda item: item[1])
        if (int(value) >> bit) & 1
    )
