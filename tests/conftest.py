"""Settings of all tests: property tests try the same examples every time."""

from hypothesis import settings

settings.register_profile("house", max_examples=25, deadline=None, derandomize=True)
settings.load_profile("house")
