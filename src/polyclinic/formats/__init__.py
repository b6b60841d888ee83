"""One file per file format: bytes to arrays with units and geometry, and back. No torch."""
