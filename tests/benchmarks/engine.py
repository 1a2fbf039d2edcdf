"""The engine by itself: its stages, the bytes they must move, its memory, its first call."""

import hashlib
import time
from pathlib import Path

import numpy as np
from inputs import load_stack, small_stack
from measure import Times, _cpu_time, peak_memory

import napari_comparewarp as cw
from napari_comparewarp.algorithm.stages import STAGES, Inputs, Products, run_stages
from napari_comparewarp.result import CompareWarpResult

#: Bytes of the stack that each stage must read, and of one epoch's flags that it must
#: write or read, for every pixel of every epoch; other stages work on lists.
BYTES_A_PIXEL = {
    "direct weights": 8,  # variance, mask
    "matched weights": 8,
    "template": 12,  # image, variance, mask
    "variance scale": 20,  # image, mask for the background; then all three
    "detections": 13,  # all three; flags
    "coadd": 13,
}
