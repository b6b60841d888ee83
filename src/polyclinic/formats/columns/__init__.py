"""Columns of a table: from text to types, and their fingerprints."""
