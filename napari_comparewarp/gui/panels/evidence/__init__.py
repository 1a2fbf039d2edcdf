"""The evidence for the selected footprint."""
