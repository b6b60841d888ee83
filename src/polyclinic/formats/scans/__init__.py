"""Volume and mask files."""
