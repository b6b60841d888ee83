"""One file per file format: path to numpy array with units. No torch."""
