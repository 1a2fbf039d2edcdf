"""The class of this project's warnings, so that they can be told from a library's."""

__all__ = ["CompareWarpWarning"]


class CompareWarpWarning(UserWarning):
    """Something that does not stop the work, with what follows from it."""
