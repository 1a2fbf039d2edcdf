"""The version, as it was installed; it is that of the tag in git."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("napari-comparewarp")
except PackageNotFoundError:  # Run from a checkout that is not installed.
    __version__ = "0+unknown"
