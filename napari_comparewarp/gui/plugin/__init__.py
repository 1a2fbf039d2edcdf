"""What napari's manifest names: commands, readers, writers, sample."""
