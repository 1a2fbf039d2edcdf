"""All footprints against the thresholds."""
