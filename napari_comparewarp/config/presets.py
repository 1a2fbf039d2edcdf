"""Named settings: what releases of the LSST pipelines and the packages of cameras use."""

from collections.abc import Mapping
from typing import Any

__all__ = ["DEFAULT_SOURCE", "PRESETS", "PRESET_SOURCES"]

#: Whence the defaults are, which every preset starts from.
DEFAULT_SOURCE = "pipelines since v30"

#: Until v29 saturated pixels were left out before the comparison, and the template's variance
#: came from the scatter of its input; streaks were gathered in bins of 30 pixels until May 2025.
_UNTIL_V29 = {
    "prefilter_planes": ("NO_DATA", "BAD", "SAT", "SUSPECT"),
    "template_error_from_input_variance": False,
    "streak_rho_bin": 30.0,
}

#: What the packages of cameras set alike.
_CAMERA = {
    "filter_streaks": True,
    "bad_planes": ("NO_DATA", "BAD", "SAT", "SUSPECT"),
    "removed_planes": ("NOT_DEBLENDED", "EDGE", "CROSSTALK"),
}

# When each number changed: section 11 of the algorithm's description.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    # As published in 2018, before bright sources were protected.
    "dmtn-080": {
        "chi_threshold": 5.0, "grow_sigma": 2.4, "protect_sources": False, **_UNTIL_V29,
    },
    "lsst-v28": {"chi_threshold": 5.0, "protect_threshold": 5.0, **_UNTIL_V29},
    "lsst-v29": {"chi_threshold": 5.0, "protect_threshold": 50.0, **_UNTIL_V29},
    "lsst-v30": {},
    "first-look": {
        "chi_threshold": 5.0, "max_epochs_slope": 0.2, "protect_sources": False, **_UNTIL_V29,
    },
    # Its pipeline matches PSFs to a FWHM of 9.0 pixels, which is no setting of this step.
    "lsstcam": {
        "max_epochs_slope": 0.2,
        "filter_streaks": True,
        "bad_planes": ("NO_DATA", "BAD", "SAT", "SUSPECT", "PARTLY_VIGNETTED", "SPIKE"),
        "prefilter_planes": ("NO_DATA", "BAD", "SUSPECT", "SPIKE", "PARTLY_VIGNETTED"),
        "removed_planes": ("NOT_DEBLENDED", "EDGE", "CROSSTALK"),
        "online_mean": True,
    },
    "lsstcomcam": dict(_CAMERA),
    "hsc": {**_CAMERA, "mask_bright_objects": True},
    "decam": dict(_CAMERA),
}  # fmt: skip

_HISTORY = "drp_tasks, history of the default"

#: Whence the numbers of each preset are: of all its knobs, and of single ones.
PRESET_SOURCES: Mapping[str, Mapping[str, str]] = {
    "dmtn-080": {
        "": "DMTN-080 (2018)",
        **dict.fromkeys(_UNTIL_V29, "as in v29, probably"),
    },
    "lsst-v28": {"": "defaults of release v28", "streak_rho_bin": f"{_HISTORY} until May 2025"},
    "lsst-v29": {"": "defaults of release v29", "streak_rho_bin": f"{_HISTORY} until May 2025"},
    "lsst-v30": {"": DEFAULT_SOURCE},
    "first-look": {
        "": "Rubin First Look (2025)",
        **dict.fromkeys(_UNTIL_V29, "as in v29, probably"),
    },
    "lsstcam": {"": "obs_lsst and drp_pipe, LSSTCam"},
    "lsstcomcam": {"": "obs_lsst and drp_pipe, LSSTComCam"},
    "hsc": {"": "obs_subaru, HSC"},
    "decam": {"": "obs_decam"},
}
