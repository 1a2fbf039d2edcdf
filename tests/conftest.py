"""What every test shares."""

from hypothesis import settings

# The first call of a kernel compiles it.
settings.register_profile("compiled", deadline=None, max_examples=60)
settings.load_profile("compiled")
