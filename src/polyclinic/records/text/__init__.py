"""The texts of a column."""
