"""Workbooks: which sheet, where its table begins, and what its cells are."""
