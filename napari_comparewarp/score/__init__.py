"""Comparison of a coadd with the truth of a simulated night."""

from .score import score
from .scorecard import Score
from .sources import ScoreError

__all__ = ["Score", "ScoreError", "score"]
