"""The settings of a run, and their LSST files."""
