"""Columns of a table as arrays."""
