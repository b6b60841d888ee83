"""The images of a column."""
