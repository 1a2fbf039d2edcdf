"""Layouts of exposures in FITS files, each in a file of its own and an entry of the registry."""
