"""What napari shows: layers that make a plane when it is looked at."""
