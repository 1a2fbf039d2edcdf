"""What a user prefers, as set in napari's own dialog of preferences."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from napari.settings import get_plugin_settings

__all__ = ["PLUGIN", "Preferences", "read_preferences", "subscribe"]

#: Name of the plugin, under which napari keeps its settings.
PLUGIN = "napari-comparewarp"


@dataclass(frozen=True)
class Preferences:
    """How a window begins; the defaults hold where napari does not know the plugin.

    Attributes
    ----------
    curve : str
        Curve of the stretch, one of `stretch.CURVES`.
    limits : str
        Limits of the stretch, one of `stretch.LIMITS`.
    colours : str
        One of `schemes.SCHEMES`.
    sky_coordinates : {"sexagesimal", "decimal"}
        How the status bar writes them.
    kept_differences : int
        Warp differences that are kept in memory, one an epoch, 1 to 200.
    """

    curve: str = "asinh"
    limits: str = "zscale"
    colours: str = "LSST"
    sky_coordinates: Literal["sexagesimal", "decimal"] = "sexagesimal"
    kept_differences: int = 3


def read_preferences() -> Preferences:
    """Return the present preferences."""
    settings = _settings()
    if settings is None:
        return Preferences()
    shown, cache = settings.display, settings.cache
    return Preferences(
        shown.curve, shown.limits, shown.colours, shown.sky_coordinates, cache.kept_differences
    )


def subscribe(callback: Callable[[Preferences], object]) -> Callable[[], None]:
    """Subscribe to changes of the preferences.

    Parameters
    ----------
    callback : callable
        Called with the new preferences after each change.

    Returns
    -------
    callable
        Ends it; it may be called more than once.
    """
    settings = _settings()
    if settings is None:
        return lambda: None

    def notify(event: Any) -> None:
        callback(read_preferences())

    settings.events.changed.connect(notify)

    def end() -> None:
        if notify in settings.events.changed.callbacks:
            settings.events.changed.disconnect(notify)

    return end


def _settings() -> Any:
    """Return napari's settings of this plugin, None where it is not registered."""
    try:
        return get_plugin_settings(PLUGIN)
    except KeyError:
        return None
