"""Straight lines among the deviating pixels."""
