"""What a user should be told while the work goes on."""

__all__ = ["CompareWarpWarning"]


class CompareWarpWarning(UserWarning):
    """Something in the inputs that is worked around; the message is one line."""
