"""The panels of a review, each in a dock of its own."""
