"""What a run is told: every knob, and the LSST files that hold the same."""
