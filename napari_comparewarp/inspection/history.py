"""What a person has chosen, and what undo and redo lead to."""

from dataclasses import dataclass, replace

from ..algorithm.overrides import Decision, FootprintKey
from ..config.knobs import CompareWarpConfig

__all__ = ["History", "Settings"]


@dataclass(frozen=True)
class Settings:
    """The config, and the decisions on single footprints.

    Attributes
    ----------
    config : CompareWarpConfig
    overrides : tuple of pairs of FootprintKey and {"clip", "keep"}
        In the order in which they were made: of two in one footprint the later holds.
    """

    config: CompareWarpConfig
    overrides: tuple[tuple[FootprintKey, Decision], ...] = ()


@dataclass(frozen=True)
class History:
    """Settings, with those before them and those that were taken back.

    A history is never changed: each step makes a new one.

    Attributes
    ----------
    here : Settings
    past : tuple of Settings
        What undo leads to, the nearest last.
    future : tuple of Settings
        What redo leads to, the nearest last.
    """

    here: Settings
    past: tuple[Settings, ...] = ()
    future: tuple[Settings, ...] = ()

    def with_config(self, config: CompareWarpConfig, amend: bool = False) -> "History":
        """Return the history with another config; the same one where it is the same.

        Parameters
        ----------
        config : CompareWarpConfig
        amend : bool
            Whether it takes the place of the last change: one undo leads back
            to before both.
        """
        settings = replace(self.here, config=config)
        if not amend or not self.past or settings == self.here:
            return self._changed(settings)
        if settings == self.past[-1]:
            return History(settings, self.past[:-1])
        return History(settings, self.past)

    def with_overrides(self, overrides: dict[FootprintKey, Decision]) -> "History":
        """Return the history with other decisions; the same one where they are the same."""
        return self._changed(replace(self.here, overrides=tuple(overrides.items())))

    def undone(self) -> "History":
        """Return the history with its last change taken back; without one, the same."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (*self.future, self.here))

    def redone(self) -> "History":
        """Return the history with the change made again that was taken back last, if any."""
        if not self.future:
            return self
        return History(self.future[-1], (*self.past, self.here), self.future[:-1])

    def _changed(self, settings: Settings) -> "History":
        return self if settings == self.here else History(settings, (*self.past, self.here))
