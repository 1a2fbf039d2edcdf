"""A run that is kept: what a change reaches is computed again, the rest is not."""
