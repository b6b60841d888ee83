"""The masks of a column."""
