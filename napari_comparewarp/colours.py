"""Colours that mean the same in every picture, file and window."""

__all__ = ["COUNT_COLOURS", "COUNT_LIMIT", "VERDICT_COLOURS"]

#: Verdicts in the order in which they are drawn, and colours that colour-blind eyes tell apart.
VERDICT_COLOURS = {
    "persistent": "#56b4e9",
    "protected": "#0072b2",
    "prefiltered": "#bbbbbb",
    "streak": "#f0e442",
    "clipped": "#e69f00",
}

#: The epoch count's colours end here, as in the published figures.
COUNT_LIMIT = 4

#: No epoch, then 1, 2, 3, 4 and more: dark to bright, also without colour vision.
COUNT_COLOURS = ("#14141e", "#3b528b", "#21918c", "#5ec962", "#fde725")
