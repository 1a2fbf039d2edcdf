"""The window in napari: a plugin, and the only room that knows napari and Qt."""
