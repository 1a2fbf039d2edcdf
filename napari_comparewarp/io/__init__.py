"""Files: FITS warps to a stack, and results to files.

Everything that knows of FITS is here; the numbers are in `napari_comparewarp.algorithm`.
"""
