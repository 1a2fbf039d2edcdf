"""Candidates made of label images, for tests of the steps that take them."""

import numpy as np

from napari_comparewarp.algorithm.footprints import Candidates
from napari_comparewarp.algorithm.spans import Spans


def candidates_of(labels, stays=None, good=None):
    """Return the candidates whose pixels have the labels 1, 2, 3 …; 0 is none.

    Parameters
    ----------
    labels : ndarray of int
        ``(y, x)``
    stays : sequence of bool, optional
        Which pass the prefilter, by default all.
    good : sequence of int, optional
        How many of their pixels are not masked, by default all.
    """
    n = int(labels.max(initial=0))
    edges = np.diff(labels, axis=1, prepend=-1)
    y, x0 = np.nonzero((edges != 0) & (labels > 0))
    ends = np.diff(labels, axis=1, append=-1)
    x1 = np.nonzero((ends != 0) & (labels > 0))[1] + 1
    spans = Spans(y.astype(np.int32), x0.astype(np.int32), x1.astype(np.int32))
    pixels = [np.nonzero(labels == number) for number in range(1, n + 1)]
    area = np.array([len(each[0]) for each in pixels], np.int64)
    box = [(ys.min(), ys.max() + 1, xs.min(), xs.max() + 1) for ys, xs in pixels]
    return Candidates(
        spans=spans,
        group=(labels[y, x0] - 1).astype(np.int32),
        area=area,
        box=np.array(box, np.int32).reshape(-1, 4),
        peak_chi=np.full(n, 10, np.float32),
        peak=np.array([(ys[0], xs[0]) for ys, xs in pixels], np.int32).reshape(-1, 2),
        signs=np.ones(n, np.uint8),
        good_area=area.copy() if good is None else np.array(good, np.int64),
        stays=np.ones(n, np.bool_) if stays is None else np.array(stays, np.bool_),
    )
