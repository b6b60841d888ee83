"""The scans of a column."""
