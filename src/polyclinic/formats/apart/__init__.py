"""Reading in a process of its own: a damaged file can take down the library that reads it, and nothing else with it."""
