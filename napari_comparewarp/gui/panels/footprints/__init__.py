"""The table of footprints."""
