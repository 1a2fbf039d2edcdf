"""The keys of the footprint table, in the pictures and in the table alike."""

from ...keys import PanelKey

__all__ = ["FOOTPRINT_KEYS"]

FOOTPRINT_KEYS = (
    PanelKey("j", "next footprint", lambda panel: panel.step(1)),
    PanelKey("k", "previous footprint", lambda panel: panel.step(-1)),
    PanelKey("n", "next undecided footprint", lambda panel: panel.step_to_undecided()),
    PanelKey("q", "clip the footprint", lambda panel: panel.decide("clip")),
    PanelKey("w", "keep the footprint", lambda panel: panel.decide("keep")),
    PanelKey("u", "let the rule decide on the footprint", lambda panel: panel.decide(None)),
)
