"""The boxes of a column."""
