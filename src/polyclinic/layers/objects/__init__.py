"""Objects on a grid: boxes and cells."""
