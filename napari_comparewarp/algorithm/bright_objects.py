"""The mask of bright objects on a coadd (section 10 of the method's description)."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .coadd import Coadd
from .mask_planes import add_planes, bits

__all__ = ["mark_bright_objects"]


def mark_bright_objects(coadd: Coadd, where: npt.NDArray[np.bool_], plane: str) -> Coadd:
    """Return a coadd with a plane set on some pixels.

    Parameters
    ----------
    coadd : Coadd
    where : ndarray of bool
        ``(y, x)`` pixels of bright objects.
    plane : str
        Name of the plane, which is added where there is none.

    Raises
    ------
    ValueError
        If the shapes differ, or no bit is free.
    """
    if where.shape != coadd.mask.shape:
        raise ValueError(
            f"bright objects have shape {where.shape} where the coadd has {coadd.mask.shape}"
        )
    planes = add_planes(coadd.mask_planes, [plane])
    mask = np.where(where, coadd.mask | np.int32(bits(planes, [plane])), coadd.mask)
    return replace(coadd, mask=mask, mask_planes=planes)
