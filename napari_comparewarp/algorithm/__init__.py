"""The method: pure functions of arrays and settings, a file for each step.

Nothing here knows of files, windows or the command line.
"""
