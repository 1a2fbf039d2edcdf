"""A run kept warm: what changes is computed again, the rest is remembered."""
