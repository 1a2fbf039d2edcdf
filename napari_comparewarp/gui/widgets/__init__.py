"""Widgets that know nothing of a session."""
